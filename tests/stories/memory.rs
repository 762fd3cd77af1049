//! The cache stays within its budget, whatever is asked of it.

use http::Method;
use serde_json::{Value, json};

use kasoku_testkit::TempApp;

use crate::shop;

const BUDGET_BYTES: u64 = 64 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_working_set_of_ten_budgets_stays_within_one() {
    let toml = shop::KASOKU_TOML.replace("\"16MiB\"", "\"64MiB\"").replace("audit = 1.0", "audit = 0.0");
    let app = TempApp::new(&toml).file("schema/001-shop.sql", shop::SCHEMA);
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let rows: Vec<Value> =
        (1..=200).map(|n| json!({"name": format!("{n}"), "note": format!("{n:04}").repeat(1_000)})).collect();
    let created = client.json(Method::POST, "/things", &rows.into()).await;
    assert!(created.status.is_success(), "{}", created.status);

    // What serving needs without the cache is there before the measurement begins.
    for n in 0..200 {
        client.get(&format!("/things?note=neq.{n}&limit=50&order=-price&price=is.not_null")).await;
        client.get(&format!("/things?id=gt.{n}&limit=10")).await;
    }
    client.get("/things?limit=50").await;
    kasoku.admin().json(Method::POST, "/api/cache/purge", &json!({"all": true})).await;
    let before = kasoku.resident_bytes();
    let (mut sent, mut most) = (0, 0);
    for n in 0.. {
        // A filter that excludes nothing makes another key for the same 50 rows of 4 KB.
        let answer = client.get(&format!("/things?limit=50&name=neq.x{n}")).await;
        sent += answer.body.len() as u64;
        most = most.max(kasoku.resident_bytes());
        if sent > 10 * BUDGET_BYTES {
            break;
        }
    }
    let growth = most.saturating_sub(before);
    let metrics = kasoku.admin().get("/metrics").await;
    let held = metrics.text().lines().find_map(|line| line.strip_prefix("kasoku_cache_bytes ")).map(str::to_owned);
    let held: f64 = held.expect("the gauge is there").parse().expect("a number");
    assert!(held > 0.5 * BUDGET_BYTES as f64, "the budget is used: {held}");
    assert!(growth < BUDGET_BYTES / 10 * 11, "grew by {} MiB, holds {held} bytes", growth >> 20);
}
