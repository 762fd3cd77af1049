//! Other programs write into the file that is served.

use std::process::Command;
use std::time::{Duration, Instant};

use kasoku_testkit::{Answer, Client, Kasoku, Start, TempApp, sqlite};

const KASOKU_TOML: &str = r#"
[database]
url = "sqlite:shelves.db"
schema = "schema/"
WATCH

[[route]]
path = "/shelves"
table = "shelf"
filter = ["room"]
write = ["insert", "update", "delete"]
cache = { fresh = "1h" }

[[route]]
path = "/counts"
query = "select count(*) as books from book"
cache = { fresh = "1h" }
"#;

const TABLES: &str = "
create table shelf (id integer primary key, name text not null, room integer not null);
create index shelf_by_room on shelf (room, id);
create table book (id integer primary key, shelf integer not null references shelf on delete cascade);
insert into shelf values (1, 'one', 1), (2, 'two', 2), (3, 'three', 3);
insert into book values (1, 1), (2, 1), (3, 2);";

fn app(watch: &str) -> TempApp {
    TempApp::new(&KASOKU_TOML.replace("WATCH", watch)).file("schema/001-shelves.sql", TABLES)
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

#[tokio::test]
async fn what_another_program_writes_removes_the_answers_that_it_changes_and_no_others() {
    let app = app("watch = \"install\"");
    let kasoku = start(&app);
    let (client, file) = (kasoku.client(), app.path().join("shelves.db"));
    let hit = settle(&client, "/shelves/1").await;
    assert!(hit.header("cache-status").contains(";bound="), "{hit:?}");
    for target in ["/shelves/2", "/shelves?room=eq.1", "/shelves?room=eq.2", "/counts"] {
        settle(&client, target).await;
    }
    sqlite(&file, "update shelf set name = 'changed' where id = 1");
    until(&client, "/shelves/1", "changed").await;
    until(&client, "/shelves?room=eq.1", "changed").await;
    for target in ["/shelves/2", "/shelves?room=eq.2", "/counts"] {
        assert_eq!(client.get(target).await.cache(), "HIT", "{target}");
    }
    sqlite(&file, "delete from book where shelf = 1");
    until(&client, "/counts", "\"books\":1").await;
    assert_eq!(client.get("/shelves/2").await.cache(), "HIT");
    sqlite(&file, "drop table book");
    settle(&client, "/shelves/2").await;
}

#[tokio::test]
async fn no_read_is_older_than_the_bound_however_others_write_a_file() {
    let app = app("watch = \"install\"\nbound = \"500ms\"");
    let kasoku = start(&app);
    let (client, file) = (kasoku.client(), app.path().join("shelves.db"));
    let bound = Duration::from_millis(500);
    let mut committed: Vec<(Instant, i64)> = Vec::new();
    for version in 1..=40_i64 {
        let sql = match version % 3 {
            0 => format!("update shelf set name = 'v{version}' where id = 3"),
            1 => format!("replace into shelf values (3, 'v{version}', 3)"),
            _ => format!(
                "insert into shelf values (3, 'v{version}', 3) \
                          on conflict (id) do update set name = excluded.name"
            ),
        };
        sqlite(&file, &sql);
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
async fn the_triggers_of_a_file_are_installed_shown_and_taken_away_by_commands() {
    let app = app("");
    drop(start(&app));
    let run = |what: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kasoku"));
        let output = command.args(["watch", what]).arg(app.path()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, text) = run("status");
    assert!(code == Some(1) && text.contains("Nothing is installed"), "{text}");
    let (code, text) = run("install");
    assert!(code == Some(0) && text.contains("book") && text.contains("shelf"), "{text}");
    let (code, text) = run("install");
    assert!(code == Some(0) && text.contains("as they should be"), "{text}");
    let (code, text) = run("status");
    assert!(code == Some(0) && text.contains("shelf: watched"), "{text}");
    let kasoku = start(&app);
    let hit = settle(&kasoku.client(), "/shelves/1").await;
    assert!(hit.header("cache-status").contains(";bound="), "what is installed is used: {hit:?}");
    drop(kasoku);
    assert_eq!(run("remove").0, Some(0));
    assert_eq!(run("status").0, Some(1));
    sqlite(&app.path().join("shelves.db"), "update shelf set room = 9");
}
