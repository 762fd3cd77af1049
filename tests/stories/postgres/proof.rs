//! Proof before deployment on PostgreSQL: the server plans an empty copy of the schema, and nothing of it is left.

use std::path::Path;
use std::process::{Command, Output};

use kasoku_testkit::{Postgres, PostgresDatabase, TempApp};
use serde_json::Value;

const SCHEMA: &str = "
create table shelves (id bigint generated always as identity primary key, room text not null);
create table items (
    id bigint generated always as identity primary key, title text not null,
    shelf bigint not null references shelves (id) on delete cascade,
    price numeric(8, 2), live boolean not null default true, gone_at timestamptz
);
create table labels (item bigint references items (id), word text, primary key (item, word));";

const ROUTES: &str = r#"
[database]
url = "DATABASE"
schema = "schema/"

[[route]]
path = "/items"
table = "items"
filter = ["shelf", "price", "live", "title"]
order = ["-id", "price", "-price,title"]
soft_delete = "gone_at"
write = ["update", "delete"]
count = { default = "none", allowed = ["capped", "exact"] }
proof = { together = [["shelf", "price"]], may_skip = ["shelf", "price", "live", "title"], may_sort = ["price", "title"] }

[[route]]
path = "/shelves"
table = "shelves"
filter = ["room"]
order = ["id"]
write = ["delete"]
proof = { may_sort = ["room"] }
embed = { items = { select = ["id", "title"], order = ["id"] } }

[[route]]
path = "/rooms/{room}"
query = "select i.title from shelves s join items i on i.shelf = s.id where s.room = :room and i.gone_at is null"
"#;

fn check(app: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kasoku"));
    command.arg("check").arg(app).args(arguments).env_remove("DATABASE_URL").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn app(place: &PostgresDatabase) -> TempApp {
    TempApp::new(&ROUTES.replace("DATABASE", &place.url())).file("schema/001-items.sql", SCHEMA)
}

#[test]
fn an_app_whose_statements_lack_an_index_fails_until_the_printed_sql_is_applied() {
    let place = Postgres::shared().database();
    let app = app(&place);
    let refused = check(app.path(), &[]);
    let said = text(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    for mention in [
        "error[proof]: GET /items?",
        "select=items(…)",
        "create index shelves_by_room",
        "create index items_by_shelf",
        "where gone_at is null;",
        "-- undo: drop index items_by_",
        "not looked at:",
    ] {
        assert!(said.contains(mention), "does not mention {mention}: {said}");
    }
    let sql = text(&check(app.path(), &["--sql"]).stdout);
    let app = app.file("schema/002-indexes.sql", &sql);
    let passed = check(app.path(), &[]);
    let said = text(&passed.stdout);
    assert_eq!(passed.status.code(), Some(0), "{sql}\n{said}");
    assert!(said.contains("0 refused") && said.contains("nothing wrong"), "{said}");
    let again = text(&check(app.path(), &["--sql"]).stdout);
    assert_eq!(again, "", "what was applied is not offered again");
    // Each offered index is needed: without one of them, something is refused.
    let lines: Vec<&str> = sql.lines().filter(|line| line.starts_with("create index")).collect();
    assert!(lines.len() > 3, "{sql}");
    for left_out in &lines {
        let fewer: Vec<&str> = lines.iter().filter(|line| line != &left_out).copied().collect();
        let app = self::app(&place).file("schema/002-indexes.sql", fewer.join("\n"));
        assert_eq!(check(app.path(), &[]).status.code(), Some(1), "{left_out} is not needed: {sql}");
    }
    assert_eq!(place.psql("select count(*) from pg_namespace where nspname like '%proof%'"), "0");
    assert_eq!(place.psql("select count(*) from pg_class where relname in ('items', 'shelves')"), "0");
}

#[test]
fn a_database_is_proven_as_it_is_found_and_indexes_that_serve_nothing_are_named() {
    let place = Postgres::shared().database();
    let app = app(&place);
    let sql = text(&check(app.path(), &["--sql"]).stdout);
    place.psql(&format!(
        "{SCHEMA} {sql} create index idle on items (gone_at, title); create index twice on shelves (room);"
    ));
    let found = TempApp::new(&ROUTES.replace("DATABASE", &place.url()).replace("schema = \"schema/\"\n", ""));
    let output = check(found.path(), &["--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{said:#}");
    let mut spare: Vec<(&str, &str)> = said["proof"]["spare"]
        .as_array()
        .unwrap()
        .iter()
        .map(|spare| (spare["name"].as_str().unwrap(), spare["reason"].as_str().unwrap()))
        .collect();
    spare.sort_unstable();
    assert_eq!(spare, [("idle", "unread"), ("twice", "duplicate")], "{said:#}");
    let indexes = place.psql("select count(*) from pg_indexes where schemaname = 'public'");
    let expected = 3 + 2 + sql.lines().filter(|line| line.starts_with("create index")).count();
    assert_eq!(indexes, expected.to_string(), "the database's own indexes are there as before");
}

#[test]
fn a_hundred_routes_are_each_proven() {
    let place = Postgres::shared().database();
    let mut toml = vec![format!("[database]\nurl = \"{}\"\nschema = \"schema/\"\n", place.url())];
    let mut schema = Vec::new();
    for number in 0..100 {
        toml.push(format!(
            "[[route]]\npath = \"/t{number}\"\ntable = \"t{number}\"\nfilter = [\"a\", \"b\"]\norder = [\"-id\"]\nwrite = [\"update\"]\n\
             proof = {{ may_sort = [\"b\"] }}\n"
        ));
        schema.push(format!(
            "create table t{number} (id bigint primary key, a boolean not null, b bytea not null);
             create index t{number}_a on t{number} (a, id);\n"
        ));
        if number != 57 {
            schema.push(format!("create index t{number}_b on t{number} (b);\n"));
        }
    }
    let app = TempApp::new(&toml.concat()).file("schema/001.sql", schema.concat());
    let output = check(app.path(), &["--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["proof"]["routes"].as_array().map(Vec::len), Some(100));
    let at_fault: Vec<_> =
        said["proof"]["findings"].as_array().unwrap().iter().map(|found| &found["route"]).collect();
    assert_eq!(at_fault, ["/t57"], "{said:#}");
    assert_eq!(said["proof"]["migration"][0]["create"], "create index t57_by_b on t57 (b);");
}

#[test]
fn a_server_that_cannot_be_asked_is_said_to_be_so() {
    let app = TempApp::new(&ROUTES.replace("DATABASE", "postgres://app:hush@127.0.0.1:1/shop"))
        .file("schema/001.sql", SCHEMA);
    let output = check(app.path(), &[]);
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot be asked") && !said.contains("hush"), "{said}");
}
