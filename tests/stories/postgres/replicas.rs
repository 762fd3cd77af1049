//! Reads from replicas, whatever happens to these meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use kasoku_testkit::truth::{self, Load};
use kasoku_testkit::{Kasoku, Postgres, Start, TempApp};
use serde_json::{Value, json};

fn start(app: &TempApp) -> Kasoku {
    Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready()
}

fn app(primary: &Postgres, standbys: &[&Postgres], of_database: &str) -> TempApp {
    let replicas: Vec<String> = standbys.iter().map(|standby| format!("\"{}\"", standby.url())).collect();
    let of_database = format!("watch = \"install\"\nreplicas = [{}]\n{of_database}", replicas.join(", "));
    truth::app_with(&primary.url(), &of_database, "[cache]\nmemory = \"16MiB\"\naudit = 0.05\n")
}

async fn facts(kasoku: &Kasoku) -> Vec<Value> {
    let detail = kasoku.admin().get("/health/detail").await.json();
    detail["database"]["replicas"]["each"].as_array().cloned().unwrap_or_default()
}

async fn until_state(kasoku: &Kasoku, place: usize, state: &str) {
    let began = Instant::now();
    loop {
        let facts = facts(kasoku).await;
        if facts[place]["state"] == state {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never {state}: {facts:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn reads(kasoku: &Kasoku) -> u64 {
    facts(kasoku).await.iter().map(|facts| facts["reads"].as_u64().unwrap_or(0)).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_a_write_that_was_answered_whatever_happens_to_the_replicas() {
    let primary = Postgres::start();
    let (steady, mut shaken) = (primary.standby(), primary.standby());
    let app = app(&primary, &[&steady, &shaken], "replica_lag = \"1h\"\nreplica_choice = \"round-robin\"");
    let kasoku = start(&app);
    until_state(&kasoku, 0, "in-use").await;
    until_state(&kasoku, 1, "in-use").await;
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    // Held back, let go, killed and promoted while readers and writers go on.
    let shake = std::thread::spawn(move || {
        let mut turn = 0;
        while !is_done.load(Ordering::Relaxed) {
            turn += 1;
            match turn % 6 {
                1 | 3 => shaken.pause_replay(),
                2 | 4 => shaken.resume_replay(),
                5 => shaken.kill(),
                _ => shaken.restart(),
            }
            std::thread::sleep(Duration::from_millis(60));
        }
        if turn % 6 == 5 {
            shaken.restart();
        }
        shaken.promote();
        shaken
    });
    let load = Load { rows: 12, writers: 3, readers: 10, operations: 12_000 };
    let findings = truth::check(&kasoku.client(), "/rows", "/totals", load).await;
    done.store(true, Ordering::Relaxed);
    let _shaken = shake.join().unwrap();
    assert_eq!(findings.violations, [""; 0]);
    assert!(reads(&kasoku).await > 100, "replicas that are never read from prove nothing");
    until_state(&kasoku, 1, "no-standby").await;
    until_state(&kasoku, 0, "in-use").await;
    let metrics = kasoku.admin().get("/metrics").await;
    assert!(metrics.text().contains("kasoku_replica_in_use{server="), "{metrics:?}");
}

#[tokio::test]
async fn with_its_position_a_write_is_seen_on_every_node_although_a_replica_is_behind() {
    let primary = Postgres::start();
    let standby = primary.standby();
    // Feeds that ask too seldom for the other node to have heard of the write.
    let app = app(&primary, &[&standby], "replica_lag = \"1h\"\npoll = \"300ms\"\nbound = \"1m\"");
    let (one, other) = (start(&app), start(&app));
    let (writer, reader) = (one.client(), other.client());
    let row = json!([{"id": 1, "name": "a", "kind": "red", "version": 0}]);
    assert_eq!(writer.json(Method::POST, "/rows", &row).await.status, 201);
    until_state(&other, 0, "in-use").await;
    standby.pause_replay();
    let mut positions = Vec::new();
    for version in 1..=5 {
        let wrote = writer.json(Method::PATCH, "/rows/1", &json!({ "version": version })).await;
        positions.push(wrote.header("kasoku-position").to_owned());
        let position = positions.last().unwrap();
        for target in ["/rows/1", "/rows?limit=5", "/totals"] {
            let answer = reader.get_with(target, &[("kasoku-position", position)]).await;
            let seen = format!("{}", answer.json());
            let expected = [format!("\"version\":{version}"), format!("\"total\":{version}")];
            assert!(expected.iter().any(|expected| seen.contains(expected)), "{target}: {answer:?}");
        }
    }
    standby.resume_replay();
    standby.catch_up(&primary);
    let before = reads(&other).await;
    let began = Instant::now();
    for limit in 1.. {
        if reads(&other).await > before {
            break;
        }
        let answer = reader.get_with("/rows/1", &[("kasoku-position", &positions[4])]).await;
        assert_eq!(answer.json()["version"], 5, "{answer:?}");
        let unread = reader.get(&format!("/rows?limit={}", 1 + limit % 50)).await;
        assert_eq!(unread.status, 200, "{unread:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "the replica is never read from again");
    }
}
