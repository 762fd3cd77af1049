//! Proof before deployment, as `kasoku check` tells it: exit codes, texts, JSON, and SQL that can be applied as it is.

use std::path::Path;
use std::process::{Command, Output};

use kasoku_testkit::TempApp;
use serde_json::Value;

const SCHEMA: &str =
    "create table items (id integer primary key, title text not null, shelf integer not null,
    price real not null, gone_at text);";

const ROUTE: &str = r#"
[database]
url = "sqlite:shop.db"
schema = "schema/"

[[route]]
path = "/items"
table = "items"
filter = ["shelf", "price"]
order = ["-id", "price"]
soft_delete = "gone_at"
write = ["update", "delete"]
proof = { together = [["shelf", "price"]], may_skip = ["shelf", "price"], may_sort = ["price"] }
"#;

fn check(app: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kasoku"));
    command.arg("check").arg(app).args(arguments).env_remove("DATABASE_URL").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_app_whose_statements_lack_an_index_fails_until_the_printed_sql_is_applied() {
    let app = TempApp::new(ROUTE).file("schema/001-items.sql", SCHEMA);
    let refused = check(app.path(), &[]);
    let said = text(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    for mention in [
        "error[proof]: GET /items?",
        "order=price.",
        "create index items_by_shelf",
        "where gone_at is null;",
        "-- undo: drop index items_by_",
        "not looked at:",
    ] {
        assert!(said.contains(mention), "does not mention {mention}: {said}");
    }
    let sql = check(app.path(), &["--sql"]);
    assert_eq!(sql.status.code(), Some(1));
    let app = app.file("schema/002-indexes.sql", sql.stdout);
    let passed = check(app.path(), &[]);
    let said = text(&passed.stdout);
    assert_eq!(passed.status.code(), Some(0), "{said}");
    assert!(said.contains("0 refused") && said.contains("nothing wrong"), "{said}");
    assert!(!app.join("shop.db").exists(), "the database is not made by a check");
}

#[test]
fn warnings_do_not_fail_and_what_is_off_is_said_to_be() {
    let check_with = |level: &str| {
        let toml =
            ROUTE.replace("schema = \"schema/\"", &format!("schema = \"schema/\"\nproof = \"{level}\""));
        check(TempApp::new(&toml).file("schema/001-items.sql", SCHEMA).path(), &[])
    };
    let (warned, off) = (check_with("warn"), check_with("off"));
    assert_eq!((warned.status.code(), off.status.code()), (Some(0), Some(0)));
    assert!(text(&warned.stdout).contains("warning[proof]: GET /items"), "{}", text(&warned.stdout));
    assert!(!text(&off.stdout).contains("[proof]"), "{}", text(&off.stdout));
}

#[test]
fn programs_read_the_proof_as_json() {
    let app = TempApp::new(ROUTE).file("schema/001-items.sql", SCHEMA);
    let output = check(app.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["findings"], Value::Array(Vec::new()));
    let proof = &said["proof"];
    let route = &proof["routes"][0];
    assert_eq!(
        (&route["route"], &route["level"], &route["cut"]),
        (&"/items".into(), &"require".into(), &false.into())
    );
    assert!(route["refused"].as_u64() > Some(0), "{said:#}");
    let finding = &proof["findings"][0];
    assert!(finding["request"].as_str().is_some_and(|request| request.contains(" /items")), "{said:#}");
    assert!(proof["migration"][0]["routes"][0] == "/items", "{said:#}");
    let wrong = TempApp::new("[cache]\nmemroy = 1\n");
    let output = check(wrong.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said["proof"].is_null() && said["findings"][1]["key"] == "cache.memroy", "{said:#}");
}

#[test]
fn wrong_demands_are_explained_with_their_place() {
    for (demand, mention) in [
        (r#""always""#, "require"),
        (r#"{ level = "never" }"#, "require"),
        (r#"{ together = [["shelf"]] }"#, "two to four"),
        (r#"{ together = [["shelf", "title"]] }"#, "cannot filter by `title`"),
        (r#"{ may_skip = ["prize"] }"#, "did you mean `price`"),
        (r#"{ may_sort = ["price", "price"] }"#, "there twice"),
        (r#"{ together = "shelf" }"#, "together"),
    ] {
        let at = ROUTE.rfind("proof = ").unwrap();
        let app =
            TempApp::new(&format!("{}proof = {demand}\n", &ROUTE[..at])).file("schema/001-items.sql", SCHEMA);
        let output = check(app.path(), &[]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{demand}: {said}");
        assert!(said.contains(mention) && said.contains("kasoku.toml:13"), "{demand}: {said}");
    }
    let toml = ROUTE.replace("schema = \"schema/\"", "schema = \"schema/\"\nsmall = [\"itmes\"]");
    let output = check(TempApp::new(&toml).file("schema/001-items.sql", SCHEMA).path(), &[]);
    assert!(text(&output.stderr).contains("did you mean `items`"), "{}", text(&output.stderr));
}

#[test]
fn the_catalog_and_a_new_app_pass_their_own_check() {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../apps/catalog");
    let output = check(&catalog, &[]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    let folder = TempApp::empty();
    let made = folder.join("made");
    let new = Command::new(env!("CARGO_BIN_EXE_kasoku")).arg("new").arg(&made).output().unwrap();
    assert!(new.status.success(), "{new:?}");
    let output = check(&made, &[]);
    assert!(output.status.success(), "{}", text(&output.stdout));
}

#[test]
fn a_hundred_routes_are_each_proven() {
    let mut toml = vec!["[database]\nurl = \"sqlite:many.db\"\nschema = \"schema/\"\n".to_owned()];
    let mut schema = Vec::new();
    for number in 0..100 {
        toml.push(format!(
            "[[route]]\npath = \"/t{number}\"\ntable = \"t{number}\"\nfilter = [\"a\", \"b\"]\norder = [\"-id\"]\nwrite = [\"update\"]\n"
        ));
        schema.push(format!(
            "create table t{number} (id integer primary key, a boolean not null, b blob not null);
             create index t{number}_a on t{number} (a, id);\n"
        ));
        if number != 57 {
            schema.push(format!("create index t{number}_b on t{number} (b, id);\n"));
        }
    }
    let app = TempApp::new(&toml.concat()).file("schema/001.sql", schema.concat());
    let output = check(app.path(), &["--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["proof"]["routes"].as_array().map(Vec::len), Some(100));
    let at_fault: Vec<_> =
        said["proof"]["findings"].as_array().unwrap().iter().map(|found| &found["route"]).collect();
    assert_eq!(at_fault, ["/t57"], "{said:#}");
    assert_eq!(said["proof"]["migration"][0]["create"], "create index t57_by_b_and_id on t57 (b, id);");
}
