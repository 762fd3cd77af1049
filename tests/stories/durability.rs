//! What was acknowledged is there after a crash, and nothing is half-done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::shop;

/// Each round is one crash at another moment.
const ROUNDS: u32 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_no_acknowledged_write_and_leaves_none_half_done() {
    let app = shop::app();
    let (mut acknowledged, mut next) = (Vec::new(), 1_i64);
    for round in 0..ROUNDS {
        let kasoku = shop::open(&app);
        verify(&kasoku.client(), &acknowledged).await;
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let (client, stop, first) = (kasoku.client(), Arc::clone(&stop), next);
                next += 1_000_000;
                tokio::spawn(async move {
                    let mut acknowledged = Vec::new();
                    let mut id = first;
                    while !stop.load(Ordering::Relaxed) {
                        // A pair of rows in one request: both or none.
                        let rows = json!([{"id": id, "name": format!("{id}")}, {"id": id + 1, "name": format!("{}", id + 1)}]);
                        let headers = [("content-type", "application/json"), ("prefer", "return=minimal")];
                        match client.try_send(Method::POST, "/things", &headers, rows.to_string()).await {
                            Ok(answer) if answer.status.is_success() => acknowledged.push(id),
                            Ok(answer) => panic!("{answer:?}"),
                            Err(_) => break,
                        }
                        id += 2;
                    }
                    acknowledged
                })
            })
            .collect();
        // The moment of the crash is what varies; nothing is awaited by this sleep.
        tokio::time::sleep(Duration::from_millis(u64::from(20 + 37 * round % 150))).await;
        kasoku.kill();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
    }
    let kasoku = shop::open(&app);
    verify(&kasoku.client(), &acknowledged).await;
    assert!(acknowledged.len() > 100, "only {} writes were acknowledged", acknowledged.len());
}

/// Walks the whole table: every acknowledged pair is there, and every pair is whole.
async fn verify(client: &kasoku_testkit::Client, acknowledged: &[i64]) {
    let mut found = std::collections::BTreeSet::<i64>::new();
    let mut after = 0_i64;
    loop {
        let page = client.get(&format!("/things?select=id&id=gt.{after}&limit=50")).await.json();
        let ids: Vec<i64> = page.as_array().unwrap().iter().map(|row: &Value| row["id"].as_i64().unwrap()).collect();
        found.extend(&ids);
        match ids.last() {
            Some(last) if ids.len() == 50 => after = *last,
            _ => break,
        }
    }
    let lost: Vec<_> = acknowledged.iter().filter(|id| !found.contains(id)).collect();
    assert_eq!(lost, [&0; 0], "acknowledged, but not there");
    let torn: Vec<_> = found.iter().filter(|id| *id % 2 == 1 && !found.contains(&(*id + 1))).collect();
    assert_eq!(torn, [&0; 0], "half of a request is there");
}
