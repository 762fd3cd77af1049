//! The small app that most stories are told in: a table with every kind of column, open for writing.

use kasoku_testkit::{Kasoku, Start, TempApp};

/// Its configuration; `listen` and `admin` come from the kit.
pub(crate) const KASOKU_TOML: &str = r#"
[database]
url = "sqlite:shop.db"
schema = "schema/"

[cache]
memory = "16MiB"
audit = 1.0

[[route]]
path = "/things"
table = "things"
filter = ["id", "name", "kind", "price", "live", "note"]
plain = ["kind"]
order = ["id", "-price", "kind,-price", "note"]
page = { default = 10, most = 50 }
count = { default = "none", allowed = ["estimated", "capped", "exact"], cap = 20 }
write = ["insert", "update", "upsert", "delete"]
export = { formats = ["csv", "ndjson"], concurrent = 2 }
import = { formats = ["csv", "ndjson", "json"], errors = 3, rows = 100, file = "64MiB" }
cache = { fresh = "1h" }

[[route]]
path = "/letters"
table = "letters"
order = ["id"]
envelope = "letters"
soft_delete = "deleted_at"
write = ["insert", "update", "delete"]

[[route]]
path = "/_batch"
batch = ["/things", "/letters"]
operations = 20

[[route]]
path = "/kinds"
query = "select kind, count(*) as things, sum(price) as total from things group by kind order by kind"
cache = { fresh = "1h" }

[[route]]
path = "/kinds/{kind}"
query = "select kind, count(*) as things from things where kind = :kind group by kind"
one = true
cache = { fresh = "1h" }
"#;

/// Its schema.
pub(crate) const SCHEMA: &str = "
create table things (
    id integer primary key,
    name text not null unique,
    kind text not null default 'plain',
    price real,
    live boolean not null default 1 check (live in (0, 1)),
    extra json check (extra is null or json_valid(extra)),
    picture blob,
    note text,
    version integer not null default 0
);
create index things_by_price on things (price, id);
create index things_by_kind on things (kind, price, id);
create index things_by_note on things (note, id);
create table letters (
    id integer primary key,
    thing integer not null references things (id) on delete cascade,
    body text not null,
    deleted_at text
);
create index letters_by_thing on letters (thing);
";

/// SQL that adds so many things to none, with notes of some length.
pub(crate) fn many(rows: u32) -> String {
    format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {rows})
         insert into things (name, note) select 'n' || i, hex(zeroblob(50)) || i from n;"
    )
}

/// Runs a statement on the app's database, as another process would.
pub(crate) fn run(app: &TempApp, sql: &str) {
    kasoku_testkit::sqlite(&app.join("shop.db"), sql);
}

/// The URL of a database that is empty.
pub(crate) fn empty() -> String {
    "sqlite::memory:".to_owned()
}

/// The app in a folder of its own.
pub(crate) fn app() -> TempApp {
    TempApp::new(KASOKU_TOML).file("schema/001-shop.sql", SCHEMA)
}

/// The app, running.
pub(crate) fn open(app: &TempApp) -> Kasoku {
    start(app).ready()
}

/// The app, about to run.
pub(crate) fn start(app: &TempApp) -> Start {
    Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path())
}
