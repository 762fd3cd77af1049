//! The cache knows when the data changed.

use http::Method;
use kasoku_testkit::Start;
use kasoku_testkit::truth::{self, Load};
use serde_json::json;

use crate::shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_a_write_that_was_answered_before_it() {
    let app = truth::app("[cache]\nmemory = \"16MiB\"\naudit = 0.05\n");
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    let load = Load { rows: 12, writers: 4, readers: 12, operations: 100_000 };
    let findings = truth::check(&kasoku.client(), "/rows", "/totals", load).await;
    assert_eq!(findings.violations, [""; 0]);
    assert_eq!(findings.reads + findings.writes, load.operations);
    assert!(findings.hits > findings.reads / 100, "a cache that never answers proves nothing: {findings:?}");
    let metrics = kasoku.admin().get("/metrics").await;
    let audited = |consistent: bool| -> u64 {
        let label = format!("consistent=\"{consistent}\"");
        let lines = metrics.text().lines();
        let lines =
            lines.filter(|line| line.starts_with("kasoku_cache_audited_total{") && line.contains(&label));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    };
    assert!(audited(true) > 0, "the auditor was at work");
    assert_eq!(audited(false), 0, "the auditor agrees");
}

#[tokio::test]
async fn a_write_removes_the_answers_that_it_changes_and_no_others() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let rows =
        json!([{"name": "a", "kind": "red"}, {"name": "b", "kind": "red"}, {"name": "c", "kind": "blue"}]);
    client.json(Method::POST, "/things", &rows).await;
    let targets = [
        "/things/1",
        "/things/3",
        "/things?kind=eq.red",
        "/things?kind=eq.blue",
        "/things",
        "/kinds",
        "/kinds/blue",
    ];
    let settle = async || {
        for target in targets {
            client.get(target).await;
            assert_eq!(client.get(target).await.cache(), "HIT", "{target}");
        }
    };
    settle().await;
    client.json(Method::PATCH, "/things/1", &json!({"price": 5})).await;
    let mut verdicts = Vec::new();
    for target in targets {
        verdicts.push((target, client.get(target).await.cache().to_owned()));
    }
    let of = |target| verdicts.iter().find(|(known, _)| *known == target).unwrap().1.as_str();
    assert_eq!(of("/things/1"), "MISS");
    assert_eq!(of("/things/3"), "HIT", "another row");
    assert_eq!(of("/things?kind=eq.red"), "MISS");
    assert_eq!(of("/things?kind=eq.blue"), "HIT", "a list that the row is not in");
    assert_eq!(of("/things"), "MISS");
    assert_eq!(of("/kinds"), "MISS");
    settle().await;
    // A row that moves from one list to another changes both.
    client.json(Method::PATCH, "/things/1", &json!({"kind": "blue"})).await;
    assert_eq!(client.get("/things?kind=eq.red").await.cache(), "MISS");
    assert_eq!(client.get("/things?kind=eq.blue").await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_answer_says_how_the_cache_took_part() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    client.json(Method::POST, "/things", &json!({"name": "a"})).await;
    let miss = client.get("/things").await;
    assert_eq!(miss.cache(), "MISS");
    assert!(miss.header("cache-status").starts_with("kasoku; fwd=uri-miss; stored"), "{miss:?}");
    let hit = client.get("/things").await;
    assert!(hit.header("cache-status").starts_with("kasoku; hit; ttl="), "{hit:?}");
    assert_eq!(hit.body, miss.body);
    let written = client.json(Method::PATCH, "/things/1", &json!({"price": 1})).await;
    assert_eq!((written.cache(), written.header("cache-status")), ("BYPASS", "kasoku; fwd=method"));
    let changed = client.get("/things").await;
    assert!(changed.header("cache-status").starts_with("kasoku; fwd=stale; stored"), "{changed:?}");
    assert_eq!(client.get("/nothing").await.cache(), "BYPASS");
}

#[tokio::test]
async fn purges_reach_what_they_name() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let (client, admin) = (kasoku.client(), kasoku.admin());
    client.json(Method::POST, "/things", &json!({"name": "a"})).await;
    for (purge, gone) in [
        (json!({"all": true}), ["/things", "/things/1", "/kinds"].as_slice()),
        (json!({"prefix": "/things"}), &["/things", "/things/1"]),
        (json!({"key": "/kinds"}), &["/kinds"]),
        (json!({"tag": "things"}), &["/things", "/things/1", "/kinds"]),
    ] {
        for target in ["/things", "/things/1", "/kinds"] {
            client.get(target).await;
            assert_eq!(client.get(target).await.cache(), "HIT", "{target} before {purge}");
        }
        let purged = admin.json(Method::POST, "/api/cache/purge", &purge).await;
        assert!(purged.status.is_success(), "{purge}: {purged:?}");
        for target in ["/things", "/things/1", "/kinds"] {
            let cache = client.get(target).await.cache().to_owned();
            assert!(!gone.contains(&target) || cache == "MISS", "{target} after {purge}: {cache}");
        }
    }
}
