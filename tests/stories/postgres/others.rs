//! Others write to the same database, by whatever means; and several nodes serve it.

use std::time::{Duration, Instant};

use http::Method;
use kasoku_testkit::truth::{self, Load};
use kasoku_testkit::{Answer, Client, Kasoku, Postgres, PostgresDatabase, Start, TempApp};
use serde_json::json;

const TABLES: &str = "
create table shelf (id int primary key, name text not null, room int not null);
create table book (id int primary key, shelf int not null references shelf on delete cascade, title text not null);
insert into shelf select i, 'shelf ' || i, i % 3 from generate_series(1, 9) i;
insert into book select i, 1 + i % 9, 'book ' || i from generate_series(1, 90) i;";

const KASOKU_TOML: &str = r#"
[database]
url = "DATABASE"
schema = "schema/"
watch = "install"
MORE

[[route]]
path = "/shelves"
table = "shelf"
filter = ["room"]
write = ["insert", "update", "delete"]
cache = { fresh = "1h", stale_if_error = "1h" }

[[route]]
path = "/books"
table = "book"
filter = ["shelf"]
cache = { fresh = "1h" }

[[route]]
path = "/counts"
query = "select count(*) as books from book"
cache = { fresh = "1h" }
"#;

fn app(place: &PostgresDatabase, more: &str) -> TempApp {
    let text = KASOKU_TOML.replace("DATABASE", &place.url()).replace("MORE", more);
    TempApp::new(&text).file("schema/001-shelves.sql", TABLES)
}

fn start(app: &TempApp) -> Kasoku {
    Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready()
}

/// Asks until the answer comes from what is stored.
async fn settle(client: &Client, target: &str) -> Answer {
    let began = Instant::now();
    loop {
        let answer = client.get(target).await;
        if answer.cache() == "HIT" {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{target} is never reused: {answer:?}");
    }
}

/// Asks until the answer holds this text.
async fn until(client: &Client, target: &str, expected: &str) {
    let began = Instant::now();
    loop {
        let answer = client.get(target).await;
        if answer.text().contains(expected) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{target}: {expected} is never seen: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_a_write_that_was_answered_before_it() {
    let place = Postgres::shared().database();
    let app = truth::app_on(&place.url(), "[cache]\nmemory = \"16MiB\"\naudit = 0.05\n");
    let kasoku = start(&app);
    let load = Load { rows: 12, writers: 4, readers: 12, operations: 20_000 };
    let findings = truth::check(&kasoku.client(), "/rows", "/totals", load).await;
    assert_eq!(findings.violations, [""; 0]);
    assert_eq!(findings.reads + findings.writes, load.operations);
    assert!(findings.hits > findings.reads / 100, "a cache that never answers proves nothing: {findings:?}");
}

#[tokio::test]
async fn what_others_write_removes_the_answers_that_it_changes_and_no_others() {
    let place = Postgres::shared().database();
    let app = app(&place, "");
    let kasoku = start(&app);
    let client = kasoku.client();
    let hit = settle(&client, "/shelves/1").await;
    assert!(hit.header("cache-status").contains(";bound="), "{hit:?}");
    for target in ["/shelves/2", "/shelves?room=eq.1", "/books?shelf=eq.1", "/books?shelf=eq.2", "/counts"] {
        settle(&client, target).await;
    }
    place.psql("update shelf set name = 'changed' where id = 1");
    until(&client, "/shelves/1", "changed").await;
    until(&client, "/shelves?room=eq.1", "changed").await;
    assert_eq!(client.get("/shelves/2").await.cache(), "HIT");
    assert_eq!(client.get("/books?shelf=eq.1").await.cache(), "HIT");
    place.psql("delete from shelf where id = 1");
    until(&client, "/books?shelf=eq.1", "[]").await;
    until(&client, "/counts", "80").await;
    assert_eq!(client.get("/books?shelf=eq.2").await.cache(), "HIT");
    place.psql("begin; update shelf set name = 'undone'; rollback");
    place.psql("copy book from program 'printf \"1000\\t2\\tcopied\\n\"'");
    until(&client, "/books?shelf=eq.2", "copied").await;
    assert_eq!(client.get("/shelves/2").await.cache(), "HIT");
    place.psql("truncate book");
    until(&client, "/counts", "\"books\":0").await;
}

#[tokio::test]
async fn no_read_is_older_than_the_bound_however_others_write() {
    let place = Postgres::shared().database();
    let app = app(&place, "bound = \"500ms\"");
    let kasoku = start(&app);
    let client = kasoku.client();
    let bound = Duration::from_millis(500);
    let mut committed: Vec<(Instant, i64)> = Vec::new();
    for version in 1..=40_i64 {
        place.psql(&format!("update shelf set name = 'v{version}' where id = 3"));
        committed.push((Instant::now(), version));
        for _ in 0..25 {
            let began = Instant::now();
            let answer = client.get("/shelves/3").await;
            let row = answer.json();
            let seen: i64 = row["name"].as_str().unwrap().trim_start_matches('v').parse().unwrap_or(0);
            let due =
                committed.iter().rev().find(|(when, _)| *when + bound < began).map_or(0, |(_, due)| *due);
            assert!(seen >= due, "{seen} was read when {due} was older than the bound: {answer:?}");
        }
    }
}

#[tokio::test]
async fn with_its_position_a_write_is_seen_on_every_node_at_once() {
    let place = Postgres::shared().database();
    // A feed that hardly ever asks, so that only the position can bring the write to the other node.
    let slow = app(&place, "poll = \"5s\"\nbound = \"1m\"");
    let (one, other) = (start(&slow), start(&slow));
    let (writer, reader) = (one.client(), other.client());
    settle(&reader, "/shelves/2").await;
    let wrote = writer.json(Method::PATCH, "/shelves/2", &json!({"name": "fresh"})).await;
    let position = wrote.header("kasoku-position").to_owned();
    assert!(!position.is_empty(), "{wrote:?}");
    assert!(!reader.get("/shelves/2").await.text().contains("fresh"), "the other node has not heard of it");
    for _ in 0..3 {
        let answer = reader.get_with("/shelves/2", &[("kasoku-position", &position)]).await;
        assert!(answer.text().contains("fresh"), "{answer:?}");
    }
    let cookie = format!("a=b; kasoku-position={position}");
    let answer = reader.get_with("/shelves/2", &[("cookie", &cookie)]).await;
    assert!(answer.text().contains("fresh"), "{answer:?}");
    let own = writer.get("/shelves/2").await;
    assert!(own.text().contains("fresh"), "{own:?}");
}

#[tokio::test]
async fn while_the_server_hangs_nothing_older_than_the_bound_is_given_as_fresh() {
    let server = Postgres::start();
    let place = server.database();
    let app = app(&place, "bound = \"300ms\"\nstatement_timeout = \"1s\"");
    let kasoku = start(&app);
    let client = kasoku.client();
    settle(&client, "/shelves/1").await;
    settle(&client, "/counts").await;
    server.hang();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let stale = client.get("/shelves/1").await;
    assert_eq!((stale.status.as_u16(), stale.cache()), (200, "STALE"), "{stale:?}");
    let strict = client.get("/counts").await;
    assert!(matches!(strict.status.as_u16(), 503 | 504), "{strict:?}");
    server.go_on();
    settle(&client, "/shelves/1").await;
    settle(&client, "/counts").await;
}

#[tokio::test]
async fn the_triggers_are_installed_shown_and_taken_away_by_commands() {
    let place = Postgres::shared().database();
    place.psql(TABLES);
    let app = TempApp::new(
        &KASOKU_TOML
            .replace("DATABASE", &place.url())
            .replace("MORE", "")
            .replace("watch = \"install\"", "")
            .replace("schema = \"schema/\"", ""),
    );
    let run = |what: &str| {
        let command = std::process::Command::new(env!("CARGO_BIN_EXE_kasoku"))
            .args(["watch", what])
            .arg(app.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&command.stdout).into_owned();
        assert!(!text.contains("password"), "{text}");
        (command.status.code(), text)
    };
    let (code, text) = run("status");
    assert!(code == Some(1) && text.contains("Nothing is installed"), "{text}");
    let (code, text) = run("install");
    assert!(code == Some(0) && text.contains("book, shelf"), "{text}");
    let (code, text) = run("install");
    assert!(code == Some(0) && text.contains("as they should be"), "{text}");
    let (code, text) = run("status");
    assert!(code == Some(0) && text.contains("shelf: watched"), "{text}");
    place.psql("insert into shelf values (50, 'x', 1)");
    assert_eq!(place.psql("select count(*) from _kasoku_change").trim(), "1");
    assert_eq!(run("remove").0, Some(0));
    assert_eq!(run("status").0, Some(1));
    place.psql("insert into shelf values (51, 'x', 1)");
}
