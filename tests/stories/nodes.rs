//! Several nodes before one origin, with a Redis that they share: whole, hung, killed, emptied.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Method;
use kasoku_testkit::{Client, Kasoku, RecordingOrigin, Redis, Start, TempApp};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Callers know all nodes by one name.
const HOST: (&str, &str) = ("host", "shop.example");

/// An origin whose answers are versions, which a `POST` makes newer.
struct Versions {
    origin: RecordingOrigin,
    version: Arc<AtomicU64>,
    reads: Arc<AtomicU64>,
}

impl Versions {
    fn new(more: &'static str) -> Self {
        let (version, reads) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(0)));
        let (current, counted) = (Arc::clone(&version), Arc::clone(&reads));
        let origin = RecordingOrigin::new(move |exchange| {
            let body = if exchange.head().starts_with("POST") {
                current.fetch_add(1, Ordering::SeqCst) + 1
            } else {
                counted.fetch_add(1, Ordering::SeqCst);
                current.load(Ordering::SeqCst)
            };
            let body = body.to_string();
            let length = body.len();
            exchange.send(format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ncache-control: max-age=600\r\n{more}\r\n{body}"
            ));
        });
        Self { origin, version, reads }
    }

    fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }
}

/// Nodes that share a Redis, once they use it.
struct Nodes {
    processes: Vec<Kasoku>,
    clients: Vec<Client>,
    _app: TempApp,
}

impl Nodes {
    /// The second tier has more time than usual, so that a busy machine is not taken for a Redis that hangs.
    async fn start(count: usize, origin: &RecordingOrigin, redis: &Redis) -> Self {
        Self::start_with("budget = \"2s\", bound = \"5s\"", count, origin, redis).await
    }

    async fn start_with(settings: &str, count: usize, origin: &RecordingOrigin, redis: &Redis) -> Self {
        let app = TempApp::new(&format!(
            "[cache]\nredis = {{ url = \"{}\", prefix = \"story\", {settings} }}\n[[route]]\npath = \"/{{*rest}}\"\norigin = \"{}\"\n",
            redis.url(),
            origin.url(),
        ));
        let processes: Vec<_> = (0..count).map(|_| Start::serve(BINARY, app.path()).ready()).collect();
        let clients = processes.iter().map(Kasoku::client).collect();
        let nodes = Self { processes, clients, _app: app };
        nodes.wait_until(true).await;
        nodes
    }

    /// Waits until all nodes use the second tier, or none does.
    async fn wait_until(&self, used: bool) {
        for node in &self.processes {
            eventually(async || {
                let detail = node.admin().get("/health/detail").await.json();
                (detail["cache"]["second_tier"]["current"] == used).then_some(())
            })
            .await;
        }
    }

    async fn read(&self, node: usize, target: &str) -> (u64, String) {
        read(&self.clients[node], target, &[]).await
    }

    async fn write(&self, node: usize, target: &str) -> u64 {
        self.clients[node].send(Method::POST, target, &[HOST], "").await.text().parse().unwrap()
    }
}

/// The version that a node gives, and what it says of its cache.
async fn read(client: &Client, target: &str, fields: &[(&str, &str)]) -> (u64, String) {
    let fields: Vec<_> = fields.iter().copied().chain([HOST]).collect();
    let answer = client.get_with(target, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    (answer.text().parse().unwrap(), answer.header("cache-status").to_owned())
}

/// Tries until something is there.
async fn eventually<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_one_node_has_stored_the_others_find() {
    let (redis, versions) = (Redis::start(), Versions::new(""));
    let nodes = Nodes::start(3, &versions.origin, &redis).await;
    assert!(nodes.read(0, "/a").await.1.contains("fwd=uri-miss; stored"));
    let cache = eventually(async || {
        let (_, cache) = nodes.read(1, "/a").await;
        cache.contains("hit").then_some(cache)
    })
    .await;
    assert!(cache.contains("detail=second-tier"), "{cache}");
    assert!(!nodes.read(1, "/a").await.1.contains("second-tier"), "it is in this node's memory now");
    assert!(nodes.read(2, "/a").await.1.contains("detail=second-tier"));
    assert_eq!(versions.reads(), 1, "one read of the origin for all nodes");
}

#[tokio::test]
async fn variants_are_shared_too() {
    let (redis, versions) = (Redis::start(), Versions::new("vary: foo\r\n"));
    let nodes = Nodes::start(2, &versions.origin, &redis).await;
    for value in ["1", "2"] {
        read(&nodes.clients[0], "/a", &[("foo", value)]).await;
    }
    for value in ["1", "2"] {
        eventually(async || {
            let (_, cache) = read(&nodes.clients[1], "/a", &[("foo", value)]).await;
            cache.contains("hit").then_some(())
        })
        .await;
    }
    assert_eq!(versions.reads(), 2);
}

#[tokio::test]
async fn a_write_through_one_node_is_seen_through_all() {
    let (redis, versions) = (Redis::start(), Versions::new(""));
    let nodes = Nodes::start(3, &versions.origin, &redis).await;
    for round in 0..50 {
        for node in 0..3 {
            nodes.read(node, "/a").await;
        }
        let written = nodes.write(round % 3, "/a").await;
        for node in 0..3 {
            let (seen, cache) = nodes.read(node, "/a").await;
            assert!(seen >= written, "round {round}: node {node} gave {seen} after {written}: {cache}");
        }
    }
}

#[tokio::test]
async fn an_operator_purges_all_nodes_and_learns_how_many() {
    let (mut redis, versions) = (Redis::start(), Versions::new("surrogate-key: post\r\n"));
    let nodes = Nodes::start(3, &versions.origin, &redis).await;
    let purge = async |order: &Value| {
        nodes.processes[1].admin().json(Method::POST, "/api/cache/purge", order).await.json()["nodes"].clone()
    };
    // For a bound after the first of them came, there could be one more that nobody has heard of.
    eventually(async || (purge(&json!({ "all": true })).await["of"] == 3).then_some(())).await;
    let orders = [
        json!({ "all": true }),
        json!({ "tag": "post" }),
        json!({ "prefix": "/" }),
        json!({ "url": "/a", "host": HOST.1 }),
    ];
    for order in orders {
        for node in 0..3 {
            nodes.read(node, "/a").await;
        }
        versions.version.fetch_add(1, Ordering::SeqCst);
        assert_eq!(purge(&order).await, json!({ "reached": 3, "of": 3 }), "{order}");
        for node in 0..3 {
            let (version, cache) = nodes.read(node, "/a").await;
            assert_eq!(version, versions.version.load(Ordering::SeqCst), "{order}: node {node}: {cache}");
        }
    }
    redis.kill();
    nodes.wait_until(false).await;
    let reached = purge(&json!({ "all": true })).await;
    assert_eq!(reached, json!({ "reached": 1, "of": null }), "nobody knows of the others");
}

#[tokio::test]
async fn a_cold_key_is_read_once_by_all_nodes_together() {
    let (redis, versions) = (Redis::start(), Versions::new(""));
    let nodes = Nodes::start(3, &versions.origin, &redis).await;
    for round in 0..10 {
        let target = format!("/cold/{round}");
        let reads = (0..60).map(|number| nodes.read(number % 3, &target));
        join_all(reads).await;
        assert_eq!(versions.reads(), round + 1, "the origin was read once for each target");
    }
}

#[tokio::test]
async fn thousands_of_requests_on_three_nodes_are_one_read() {
    let (redis, versions) = (Redis::start(), Versions::new(""));
    let nodes = Nodes::start(3, &versions.origin, &redis).await;
    let reads = (0..1_500).map(|number| nodes.read(number % 3, "/one"));
    assert!(join_all(reads).await.iter().all(|(version, _)| *version == 1));
    assert_eq!(versions.reads(), 1);
}

#[tokio::test]
async fn when_the_node_that_fills_dies_another_takes_over() {
    let redis = Redis::start();
    let begun = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&begun);
    let origin = RecordingOrigin::new(move |exchange| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            // The first one is never answered.
            exchange.wait_for_close();
        } else {
            exchange.send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncache-control: max-age=600\r\n\r\n7");
        }
    });
    let mut nodes = Nodes::start(3, &origin, &redis).await;
    let lost = {
        let client = nodes.clients[0].clone();
        tokio::spawn(async move { client.try_send(Method::GET, "/a", &[HOST], "").await.is_err() })
    };
    eventually(async || (begun.load(Ordering::SeqCst) == 1).then_some(())).await;
    let waiting: Vec<_> = (0..100)
        .map(|number| {
            let client = nodes.clients[1 + number % 2].clone();
            tokio::spawn(async move { read(&client, "/a", &[]).await.0 })
        })
        .collect();
    // They wait for the first node, which dies.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    nodes.processes.remove(0).kill();
    assert!(lost.await.unwrap());
    for version in join_all(waiting).await {
        assert_eq!(version.unwrap(), 7);
    }
    assert_eq!(begun.load(Ordering::SeqCst), 2, "one node took over");
}

#[tokio::test]
async fn when_redis_hangs_dies_or_comes_back_old_nobody_notices() {
    let (mut redis, versions) = (Redis::start(), Versions::new(""));
    let nodes = Nodes::start_with("budget = \"25ms\"", 2, &versions.origin, &redis).await;
    nodes.read(0, "/warm").await;
    redis.hang();
    nodes.try_all("hung", &versions).await;
    redis.go_on();
    nodes.wait_until(true).await;
    nodes.try_all("whole", &versions).await;
    redis.save();
    redis.kill();
    nodes.wait_until(false).await;
    nodes.try_all("dead", &versions).await;
    redis.restart();
    nodes.wait_until(true).await;
    // What the old copy of the server's memory holds is of another epoch.
    let reads = versions.reads();
    nodes.try_all("whole", &versions).await;
    assert!(versions.reads() > reads);
}

#[tokio::test]
async fn a_node_that_hears_of_nobody_may_doubt_what_it_has() {
    let strict = "budget = \"25ms\", bound = \"200ms\", strict = \"500ms\"";
    for (settings, more) in [
        (strict, ""),
        (strict, "kasoku-cache-control: max-age=600, stale-while-revalidate=60\r\n"),
        ("budget = \"25ms\", bound = \"200ms\"", ""),
    ] {
        let (mut redis, versions) = (Redis::start(), Versions::new(more));
        let nodes = Nodes::start_with(settings, 2, &versions.origin, &redis).await;
        for node in 0..2 {
            nodes.read(node, "/a").await;
        }
        redis.kill();
        nodes.wait_until(false).await;
        // It is written through one node, and the other cannot hear of it.
        let written = nodes.write(0, "/a").await;
        let cache = eventually(async || {
            let (seen, cache) = nodes.read(1, "/a").await;
            if settings != strict {
                assert!(seen == 1 && cache.contains("hit"), "nobody wants it to be doubted: {cache}");
                return (versions.reads() > 0).then_some(cache);
            }
            (seen == written).then_some(cache)
        })
        .await;
        let reads = versions.reads();
        let again = nodes.read(1, "/a").await;
        match (settings == strict, more) {
            (false, _) => assert!(again.1.contains("hit"), "{again:?}"),
            (true, "") => {
                assert!(cache.contains("fwd=stale") && cache.contains("detail=out-of-touch"), "{cache}");
                assert!(again.1.contains("detail=out-of-touch"), "it is asked for each time: {again:?}");
                assert_eq!(versions.reads(), reads + 1);
            }
            (true, _) => {
                assert!(
                    again.1.contains("hit") && again.1.contains("ttl=0"),
                    "as if it were stale: {again:?}"
                );
            }
        }
        if settings == strict && more.is_empty() {
            redis.restart();
            nodes.wait_until(true).await;
            eventually(async || nodes.read(1, "/a").await.1.contains("; hit").then_some(())).await;
        }
    }
}

impl Nodes {
    /// Reads new targets and old ones on all nodes, and writes: nothing fails, and whoever wrote sees it.
    async fn try_all(&self, name: &str, versions: &Versions) {
        for number in 0..40 {
            self.read(number % 2, &format!("/{name}/{}", number / 4)).await;
            self.read(number % 2, "/warm").await;
        }
        let target = format!("/{name}/0");
        let written = self.write(0, &target).await;
        assert_eq!(written, versions.version.load(Ordering::SeqCst));
        assert_eq!(self.read(0, &target).await.0, written);
    }
}
