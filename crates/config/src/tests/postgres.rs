//! Databases that are servers: what is asked of them, and what is never shown of them.

use std::time::Duration;

use kasoku_database::{PostgresSettings, ReplicaChoice, WatchMode};
use kasoku_testkit::{Postgres, PostgresDatabase};

use super::App;
use crate::{Diagnostics, EngineSettings, Loaded, Overrides};

const ROUTE: &str = "[[route]]\npath = \"/items\"\ntable = \"items\"\norder = [\"id\"]\n";
const TABLES: &str = "create table items (id bigint primary key, title text not null, made timestamptz)";

fn place() -> PostgresDatabase {
    Postgres::shared().database()
}

fn load(app: &App, url: &str, more: &str) -> Result<Loaded, Diagnostics> {
    app.load_with(&format!("[database]\nurl = \"{url}\"\n{more}\n"), &Overrides::default(), &[])
}

fn settings(app: &App, url: &str, more: &str) -> PostgresSettings {
    let loaded = load(app, url, &format!("{more}\n{ROUTE}"));
    let loaded = loaded.unwrap_or_else(|found| panic!("{more}: {}", found.render(false)));
    match loaded.plan.database.unwrap().engine {
        EngineSettings::Postgres(settings) => *settings,
        EngineSettings::Sqlite(_) => panic!("a server was named"),
    }
}

/// What is found, with the port and name of the database as they are in the documentation.
fn found(app: &App, place: &PostgresDatabase, more: &str) -> String {
    let found = load(app, &place.url(), more).expect_err("something is wrong with it");
    found.render(false).replace(&place.url(), "postgres://app@127.0.0.1/shop")
}

#[test]
fn a_pool_is_named_and_differs_where_it_says_so() {
    let (app, place) = (App::new(), place());
    place.psql(TABLES);
    let usual = settings(&app, &place.url(), "");
    assert_eq!(usual, PostgresSettings::new(place.url()));
    let local = settings(&app, &place.url(), "pool = \"local\"\nread_only = true\nwatch = \"off\"");
    assert_eq!((local.shared, local.exclusive, local.read_only), (2, 4, true));
    assert_eq!(local.watch, WatchMode::Off);
    let more = "long = \"20ms\"\nlong_for = \"5s\"\nstatement_timeout = \"2s\"\nwatch = \"install\"\npoll = \"50ms\"\nbound = \"3s\"\n\
                [database.pool]\nprofile = \"production\"\nshared = 3\nqueue = 7\nwait = \"1s\"\nreconnect = \"9s\"\n\
                health_check = \"4s\"\nidle = \"8s\"\nlifetime = \"1h\"\nconnect_timeout = \"6s\"";
    let own = settings(&app, &place.url().replace("postgres://", "postgresql://"), more);
    let seconds = Duration::from_secs;
    assert_eq!((own.shared, own.exclusive, own.queue), (3, 16, 7));
    assert_eq!((own.wait, own.idle, own.lifetime), (seconds(1), seconds(8), seconds(3_600)));
    assert_eq!((own.connect_timeout, own.health_check), (seconds(6), seconds(4)));
    assert_eq!(own.reconnect, [Duration::from_millis(100), seconds(9)]);
    assert_eq!(
        (own.statement_timeout, own.poll, own.bound),
        (seconds(2), Duration::from_millis(50), seconds(3))
    );
    assert_eq!(own.watch, WatchMode::Install);
    assert_eq!((own.long.after, own.long.remembered), (Duration::from_millis(20), seconds(5)));
}

#[test]
fn replicas_are_named_once_each_and_their_passwords_are_never_shown() {
    let (app, place) = (App::new(), place());
    place.psql(TABLES);
    let two = "[\"postgres://me:canary@one/shop\", \"postgres://two/shop\"]";
    let more = format!("replicas = {two}\nreplica_choice = \"nearest\"\nreplica_lag = \"3s\"");
    let own = settings(&app, &place.url(), &more);
    assert_eq!((own.replicas.len(), own.replica_choice), (2, ReplicaChoice::Nearest));
    assert_eq!(own.replica_lag, Duration::from_secs(3));
    let many: Vec<String> = (0..17).map(|number| format!("\"postgres://r{number}/shop\"")).collect();
    for (more, says) in [
        ("replicas = [\"postgres://one/shop\", \"postgres://one/shop\"]".to_owned(), "it is named twice"),
        (format!("replicas = [\"{}\"]", place.url()), "it is the database's own"),
        ("replicas = [\"sqlite:a.db\"]".to_owned(), "the URL of a replica cannot be used"),
        (
            "replicas = [\"postgres://me:canary@one:port/shop\"]".to_owned(),
            "the URL of a replica cannot be used",
        ),
        (format!("replicas = [{}]", many.join(", ")), "more than 16 replicas"),
        (format!("replicas = {two}\nreplica_lag = \"10ms\""), "`replica_lag` is not longer than `poll`"),
        ("replica_choice = \"farthest\"".to_owned(), "replica_choice"),
    ] {
        let text = found(&app, &place, &format!("{more}\n{ROUTE}"));
        assert!(text.contains(says), "{more}: {text}");
        assert!(!text.contains("canary"), "{more}: {text}");
    }
}

#[test]
fn settings_of_one_kind_of_database_are_refused_for_the_other() {
    let (app, place) = (App::new(), place());
    for (more, says) in [
        ("readers = 2", "`readers` is for SQLite"),
        ("page_cache = \"8MiB\"", "`page_cache` is for SQLite"),
        ("write_queue = 5", "`write_queue` is for SQLite"),
        ("group = 5", "`group` is for SQLite"),
        ("bound = \"10ms\"", "`bound` is not longer than `poll`"),
        ("pool = \"large\"", "pool"),
        ("long = \"0s\"", "`long` is out of range"),
        ("[database.pool]\nshared = 0", "`shared` is out of range"),
        ("[database.pool]\nwait = \"0s\"", "`wait` is out of range"),
    ] {
        let text = found(&app, &place, &format!("{more}\n{ROUTE}"));
        assert!(text.contains(says), "{more}: {text}");
    }
    for name in ["pool = \"local\"", "replicas = []", "replica_lag = \"1s\""] {
        let text = format!("[database]\nurl = \"sqlite:a.db\"\nschema = \"schema\"\n{name}\n{ROUTE}");
        let found = app.load_with(&text, &Overrides::default(), &[]).expect_err(name).render(false);
        assert!(found.contains("is for PostgreSQL") && found.contains("an SQLite file"), "{name}: {found}");
    }
}

#[test]
fn files_for_this_kind_of_database_are_taken_where_there_are_some() {
    let (app, place) = (App::new(), place());
    app.write("both/postgres/001.sql", TABLES);
    app.write("both/sqlite/001.sql", "create table items (id integer primary key, title text)");
    app.write("seed.postgres.sql", "insert into items select i, 'x' from generate_series(:first, :last) i");
    let seed = "schema = \"both\"\n[database.seed]\ntable = \"items\"\nfile = \"seed.sql\"\nrows = 2";
    let loaded = load(&app, &place.url(), &format!("{seed}\n{ROUTE}")).unwrap();
    let database = loaded.plan.database.unwrap();
    assert!(database.seed.unwrap().sql.contains("select i,"));
    assert_eq!(database.schema.table("items").unwrap().columns.len(), 3);
    // With files for both kinds there may be settings for both, too.
    let settings = "readers = 2\npool = \"local\"\nwatch = \"install\"";
    for url in [&*place.url(), "sqlite:new.db"] {
        load(&app, url, &format!("{settings}\n{seed}\n{ROUTE}")).unwrap();
    }
    let loaded = load(&app, "sqlite:new.db", &format!("{seed}\n{ROUTE}")).unwrap();
    let database = loaded.plan.database.unwrap();
    assert!(database.seed.unwrap().sql.contains("select value"));
    assert_eq!(database.schema.table("items").unwrap().columns.len(), 2);
    assert_eq!(
        place.psql("select count(*) from pg_class where relname = 'items'"),
        "0",
        "a check leaves nothing"
    );
}

#[test]
fn mistakes_in_sql_are_shown_in_their_place() {
    let (app, place) = (App::new(), place());
    place.psql(TABLES);
    let query = |sql: &str| format!("[[route]]\npath = \"/q\"\nquery = \"{sql}\"\ncache = false\n");
    for (sql, says) in [
        ("select titel from items", "column \"titel\" does not exist"),
        ("select * from itms where id = :id::bigint", "relation \"itms\" does not exist"),
        ("delete from items", "the query writes"),
        ("select title from items for update", "the query writes"),
        ("select title from items for share", "a `query` route only reads"),
        ("select $1::int as one", "`$1` is not a named parameter"),
        ("select 1 as one, 2 as one", "two columns of the query are called `one`"),
    ] {
        let text = found(&app, &place, &query(sql));
        assert!(text.contains(says), "{sql}: {text}");
    }
    let kept = query("select count(*) as lately from items where made > now() - interval '1 day'");
    let text = found(&app, &place, &kept.replace("cache = false\n", "cache = {}\n"));
    assert!(text.contains("`now()` changes by itself"), "{text}");
    app.write("wrong/001.sql", "create table items (id bigint primary key);\ncreate tabel b ();\n");
    let text = found(&app, &place, &format!("schema = \"wrong\"\n{ROUTE}"));
    assert!(text.contains("001.sql:2:8") && text.contains("syntax error at or near \"tabel\""), "{text}");
}

#[test]
fn a_server_that_cannot_be_asked_is_told_without_its_password() {
    let app = App::new();
    let check = |url: &str, says: &str| {
        let result = load(&app, url, ROUTE);
        let found = result.as_ref().expect_err(url);
        let shown = format!("{}{}{}{result:?}", found.render(false), found.render(true), found.to_json());
        assert!(shown.contains(says), "{url}: {shown}");
        assert!(!shown.contains("canary"), "{url}: {shown}");
    };
    check(
        "postgres://me:canary-secret@127.0.0.1:1/shop",
        "the database server cannot be asked what it holds",
    );
    check("postgres://127.0.0.1:1/shop?user=me&password=canary", "the database server cannot be asked");
    check("postgres://me:canary@127.0.0.1:port/shop", "the database's URL cannot be used");
    check("postgres://me:canary@127.0.0.1:1/shop?colour=red", "the database's URL cannot be used");
}
