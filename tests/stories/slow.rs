//! Slow statements: what `kasoku report slow`, the metrics and the log say of them, without any value that a caller sent.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use kasoku_testkit::{Kasoku, Postgres, Start, TempApp};
use serde_json::Value;

const APP: &str = r#"
[database]
url = "DATABASE"
schema = "schema/"
slow = "SLOW"

[[route]]
path = "/notes"
table = "notes"
filter = ["body"]
write = ["insert"]
cache = false

[[route]]
path = "/all/{body}"
query = "select n.body from notes n join notes m on n.id <= m.id where n.body = :body"
cache = false
"#;

const SCHEMA: &str = "create table notes (id integer primary key, body text not null);
    insert into notes values (1, 'hush-hush'), (2, 'b');";

fn report(admin: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kasoku"));
    command.args(["report", "slow", "--admin", admin]).args(arguments).env_remove("KASOKU_ADMIN_TOKEN");
    command.output().unwrap()
}

fn start(database: &str, slow: &str) -> (TempApp, Kasoku) {
    let toml = APP.replace("DATABASE", database).replace("\"SLOW\"", slow);
    let app = TempApp::new(&toml).file("schema/001.sql", SCHEMA);
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    (app, kasoku)
}

async fn reported_on(database: &str) {
    let (_app, kasoku) = start(database, "\"1ms\"");
    for _ in 0..3 {
        let answer = kasoku.client().get("/notes?body=eq.hush-hush").await;
        assert_eq!(answer.json()[0]["id"], 1, "{answer:?}");
        assert_eq!(kasoku.client().get("/all/hush-hush").await.json().as_array().unwrap().len(), 2);
    }
    let admin = kasoku.admin_address().to_string();
    let told = tokio::task::spawn_blocking(move || {
        let json = report(&admin, &["--json", "--by", "p95"]);
        let (text, one) = (report(&admin, &[]), report(&admin, &["--top", "1", "--no-plans", "--json"]));
        let wrong = [report(&admin, &["--by", "colour"]), report(&admin, &["--top", "0"])];
        let nobody = report("127.0.0.1:1", &[]);
        (json, text, one, wrong, nobody)
    });
    let (json, text, one, wrong, nobody) = told.await.unwrap();
    assert!(json.status.success() && text.status.success(), "{json:?} {text:?}");
    let said: Value = serde_json::from_slice(&json.stdout).unwrap();
    let statements = said["statements"].as_array().unwrap();
    let find = |part: &str| {
        let has = |found: &&Value| found["sql"].as_str().is_some_and(|sql| sql.contains(part));
        statements.iter().find(has).unwrap_or_else(|| panic!("{part}: {said:#}"))
    };
    for statement in [find("\"body\" = "), find("join notes m")] {
        assert_eq!(
            (statement["count"].as_u64(), statement["rows"].as_u64().unwrap() % 3),
            (Some(3), 0),
            "{said:#}"
        );
        let plan = statement["plan"].as_array().unwrap();
        assert!(
            plan.iter()
                .any(|line| line.as_str().unwrap().contains("notes")
                    || line.as_str().unwrap().contains("SCAN")),
            "{said:#}"
        );
        let figure = |name: &str| statement[name].as_f64().unwrap();
        assert!(figure("p50_ms") <= figure("p95_ms") && figure("p95_ms") <= figure("p99_ms"), "{said:#}");
        assert!(
            figure("p99_ms") <= figure("slowest_ms") && figure("mean_ms") <= figure("slowest_ms"),
            "{said:#}"
        );
        assert!(
            (figure("mean_ms") * 3.0 - figure("total_ms")).abs() < 1e-6 && figure("mean_ms") > 0.0,
            "{said:#}"
        );
    }
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("p99") && text.contains("notes.list"), "{text}");
    assert!(!text.contains("hush") && !said.to_string().contains("hush"), "{text}");
    let one: Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!(one["statements"].as_array().map(Vec::len), Some(1), "{one:#}");
    assert!(one["statements"][0]["plan"].is_null() && one["seen"].as_u64() > Some(1), "{one:#}");
    assert_eq!(wrong.map(|output| output.status.code()), [Some(2), Some(2)]);
    assert_eq!(nobody.status.code(), Some(1));
    let metrics = kasoku.admin().get("/metrics").await.text().to_owned();
    for family in ["statements_total", "statement_duration_seconds_bucket", "statements_slow_total"] {
        assert!(metrics.contains(&format!("kasoku_database_{family}{{")), "{family}: {metrics}");
    }
    assert!(!metrics.contains("hush"), "{metrics}");
}

#[tokio::test]
async fn statements_are_reported_by_shape_with_plans_and_without_values() {
    reported_on("sqlite:notes.db").await;
}

#[tokio::test]
async fn on_postgresql_too() {
    reported_on(&Postgres::shared().database().url()).await;
}

#[tokio::test]
async fn a_statement_beyond_the_bound_is_logged_and_counted_and_none_where_that_is_off() {
    let place = Postgres::shared().database();
    let slow_query = "select count(*) as n from notes, pg_sleep(0.03) where body <> :body";
    let toml = APP
        .replace("DATABASE", &place.url())
        .replace("select n.body from notes n join notes m on n.id <= m.id where n.body = :body", slow_query);
    for (slow, expected) in [("\"20ms\"", 1), ("false", 0)] {
        let app = TempApp::new(&toml.replace("\"SLOW\"", slow)).file("schema/001.sql", SCHEMA);
        let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
        assert_eq!(kasoku.client().get("/all/hush-hush").await.json()[0]["n"], 1);
        let metrics = kasoku.admin().get("/metrics").await.text().to_owned();
        let counted: u64 = metrics
            .lines()
            .filter(|line| line.starts_with("kasoku_database_statements_slow_total"))
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
            .sum();
        assert_eq!(counted, expected, "{slow}: {metrics}");
        let told =
            |log: &str| log.lines().filter(|line| line.contains("a statement was slow")).count() as u64;
        let began = Instant::now();
        // Lines are written by a thread of their own.
        while told(&kasoku.log()) < expected && began.elapsed() < Duration::from_secs(20) {
            tokio::task::yield_now().await;
        }
        let log = kasoku.log();
        assert_eq!(told(&log), expected, "{slow}: {log}");
        assert!(expected == 0 || log.contains("pg_sleep"), "{log}");
        assert!(!log.lines().any(|line| line.contains("was slow") && line.contains("hush")), "{log}");
    }
}
