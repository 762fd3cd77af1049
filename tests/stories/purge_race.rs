//! Fills and purges that race through three nodes of the whole product with a Redis between them: once all nodes have
//! acknowledged a purge, none of them ever gives again what was there before it.
//!
//! The long run is ignored; `KASOKU_RACE_ROUNDS=100000 cargo nextest run -p kasoku --test stories --run-ignored only
//! purge_race` sets its number of rounds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::Method;
use kasoku_testkit::{Client, Kasoku, RecordingOrigin, Redis, Start, TempApp};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

const NODES: usize = 3;

/// Keys that are raced for at the same time, each by a task of its own.
const RACERS: usize = 8;

/// Callers know all nodes by one name.
const HOST: (&str, &str) = ("host", "race.example");

/// What the origin would answer for each target now.
type Versions = Arc<Mutex<HashMap<String, u64>>>;

struct Race {
    nodes: Vec<(Client, Client)>,
    versions: Versions,
    /// Rounds that are left.
    left: AtomicU64,
    reads: AtomicU64,
    hits: AtomicU64,
}

impl Race {
    /// One key, until no rounds are left. What was given again after it was purged is told.
    async fn run(&self, racer: usize) -> Vec<String> {
        let (target, tag) = (format!("/race/{racer}"), format!("racer-{racer}"));
        let mut resurrected = Vec::new();
        let mut round = 0;
        while self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            let known = round;
            round += 1;
            let read = async |node: usize, least: u64| {
                let seen = self.read(node, &target).await;
                (seen < least)
                    .then(|| format!("{target} round {round}: node {node} gave {seen} after {least}"))
            };
            let purge = async {
                // Fills that read the origin before this may still be on their way.
                self.versions.lock().expect("no panic while it is held").insert(target.clone(), round);
                self.purge(round as usize % NODES, &tag).await;
            };
            let (before, others, ()) = tokio::join!(
                async { [read(0, known).await, read(1, known).await] },
                async { [read(2, known).await, read(racer % NODES, known).await] },
                purge
            );
            resurrected.extend(before.into_iter().chain(others).flatten());
            let after = tokio::join!(read(0, round), read(1, round), read(2, round));
            resurrected.extend([after.0, after.1, after.2].into_iter().flatten());
        }
        resurrected
    }

    async fn read(&self, node: usize, target: &str) -> u64 {
        let answer = self.nodes[node].0.get_with(target, &[HOST]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.reads.fetch_add(1, Ordering::Relaxed);
        if answer.header("cache-status").contains("; hit") {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        answer.text().parse().expect("a version")
    }

    /// Purges, through one node, until all have acknowledged it.
    async fn purge(&self, node: usize, tag: &str) {
        loop {
            let order = json!({ "tag": tag });
            let said = self.nodes[node].1.json(Method::POST, "/api/cache/purge", &order).await.json();
            if said["nodes"] == json!({ "reached": NODES, "of": NODES }) {
                return;
            }
        }
    }
}

async fn check(rounds: u64) {
    let (redis, versions) = (Redis::start(), Versions::default());
    let current = Arc::clone(&versions);
    let origin = RecordingOrigin::new(move |exchange| {
        let target = exchange.target().to_owned();
        let version = current.lock().expect("no panic while it is held").get(&target).copied().unwrap_or(0);
        // An answer takes a moment, so that purges come while it is on its way.
        std::thread::yield_now();
        let (body, racer) = (version.to_string(), target.trim_start_matches("/race/"));
        exchange.send(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncache-control: max-age=600\r\n\
             surrogate-key: racer-{racer}\r\n\r\n{body}",
            body.len()
        ));
    });
    let app = TempApp::new(&format!(
        "[log]\naccess = 0.0\n[cache]\nredis = {{ url = \"{}\", prefix = \"race\", budget = \"2s\", bound = \"5s\" }}\n\
         [[route]]\npath = \"/{{*rest}}\"\norigin = \"{}\"\n",
        redis.url(),
        origin.url(),
    ));
    let processes: Vec<Kasoku> = (0..NODES).map(|_| Start::serve(BINARY, app.path()).ready()).collect();
    let nodes: Vec<_> = processes.iter().map(|node| (node.client(), node.admin())).collect();
    for (_, admin) in &nodes {
        let is_in_use = |detail: Value| detail["cache"]["second_tier"]["current"] == true;
        while !is_in_use(admin.get("/health/detail").await.json()) {
            tokio::task::yield_now().await;
        }
    }
    let (left, reads, hits) = (AtomicU64::new(rounds), AtomicU64::new(0), AtomicU64::new(0));
    let race = Arc::new(Race { nodes, versions, left, reads, hits });
    let racers = (0..RACERS).map(|racer| {
        let race = Arc::clone(&race);
        tokio::spawn(async move { race.run(racer).await })
    });
    let mut resurrected = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        resurrected.extend(racer.await.expect("no racer panics"));
    }
    let (reads, hits) = (race.reads.load(Ordering::Relaxed), race.hits.load(Ordering::Relaxed));
    let told = &resurrected[..resurrected.len().min(10)];
    assert!(resurrected.is_empty(), "{} of {reads} reads: {told:#?}", resurrected.len());
    assert!(hits > 0 && reads == 7 * rounds, "{reads} reads in {rounds} rounds, {hits} of them hits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_all_nodes_have_purged_comes_back() {
    check(400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes as long as its rounds"]
#[expect(clippy::disallowed_methods, reason = "it is a setting of the test, which has no configuration")]
async fn nothing_that_all_nodes_have_purged_comes_back_in_a_long_run() {
    let rounds = std::env::var("KASOKU_RACE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    check(rounds.unwrap_or(100_000)).await;
}
