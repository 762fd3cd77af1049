//! What was acknowledged is there after a crash, and nothing is half-done.
//!
//! Writers work on pairs of rows, each request on both: insert, update, delete. In between they send requests that
//! must fail, so that groups commit with failed jobs among them. What a pair is after a crash must be a stage
//! between the last that was acknowledged and the last that was asked for, and the same for both rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, assert_sound, sqlite};
use serde_json::{Value, json};

use crate::shop;

/// Each round is one crash at another moment.
const ROUNDS: u32 = 25;

const WRITERS: i64 = 8;

/// What becomes of a pair, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Absent,
    Inserted,
    Updated,
    Deleted,
}

/// How far a pair came.
#[derive(Debug, Clone, Copy)]
struct Pair {
    asked: Stage,
    acknowledged: Stage,
}

type Pairs = BTreeMap<i64, Pair>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_no_acknowledged_write_and_leaves_none_half_done() {
    let app = shop::app();
    let (mut pairs, mut next) = (Pairs::new(), 1_i64);
    for round in 0..ROUNDS {
        let kasoku = shop::open(&app);
        verify(&kasoku.client(), &pairs).await;
        assert_sound(&app.join("shop.db"));
        let stop = Arc::new(AtomicBool::new(false));
        let writers = (0..WRITERS).map(|_| {
            let (client, stop, first) = (kasoku.client(), Arc::clone(&stop), next);
            next += 1_000_000;
            tokio::spawn(write(client, first, stop))
        });
        let writers: Vec<_> = writers.collect();
        // The moment of the crash is what varies; nothing is awaited by this sleep.
        tokio::time::sleep(Duration::from_millis(u64::from(30 + 37 * round % 150))).await;
        kasoku.kill();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            pairs.extend(writer.await.unwrap());
        }
    }
    let kasoku = shop::open(&app);
    verify(&kasoku.client(), &pairs).await;
    assert_sound(&app.join("shop.db"));
    for stage in [Stage::Inserted, Stage::Updated, Stage::Deleted] {
        let reached = pairs.values().filter(|pair| pair.acknowledged == stage).count();
        assert!(reached > 10, "only {reached} pairs were {stage:?}");
    }
    let interrupted = pairs.values().filter(|pair| pair.asked != pair.acknowledged).count();
    assert!(interrupted > 10, "only {interrupted} requests were interrupted");
    // Another reader sees what the server shows.
    let rows: usize = sqlite(&app.join("shop.db"), "select count(*) from things")[0].parse().unwrap();
    assert_eq!(rows, found(&kasoku.client()).await.len());
}

/// Works on pairs until the server is gone.
async fn write(client: Client, first: i64, stop: Arc<AtomicBool>) -> Pairs {
    let mut pairs = Pairs::new();
    for id in (first..).step_by(3) {
        if stop.load(Ordering::Relaxed) || work_on(&client, id, &mut pairs).await.is_none() {
            break;
        }
    }
    pairs
}

/// Takes one pair as far as its number says; `None` when the server is gone.
async fn work_on(client: &Client, id: i64, pairs: &mut Pairs) -> Option<()> {
    pairs.insert(id, Pair { asked: Stage::Inserted, acknowledged: Stage::Absent });
    let both = format!("/things?id=in.({id},{})", id + 1);
    let rows = json!([{"id": id, "name": format!("{id}")}, {"id": id + 1, "name": format!("{}", id + 1)}]);
    acknowledge(pairs, id, &send(client, Method::POST, "/things", rows).await?);

    // The second row has a name that is taken, so the first must not be there either.
    let rows = json!([{"id": id + 2, "name": format!("{}", id + 2)}, {"name": format!("{id}")}]);
    let refused = send(client, Method::POST, "/things", rows).await?;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");

    if id % 2 == 0 {
        pairs.get_mut(&id)?.asked = Stage::Updated;
        acknowledge(pairs, id, &send(client, Method::PATCH, &both, json!({"version": 1})).await?);
    }
    if id % 3 == 0 || id % 4 == 0 {
        pairs.get_mut(&id)?.asked = Stage::Deleted;
        acknowledge(pairs, id, &send(client, Method::DELETE, &both, Value::Null).await?);
    }
    Some(())
}

async fn send(client: &Client, method: Method, target: &str, body: Value) -> Option<Answer> {
    let headers = [("content-type", "application/json"), ("prefer", "return=minimal")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.try_send(method, target, &headers, body).await.ok()
}

fn acknowledge(pairs: &mut Pairs, id: i64, answer: &Answer) {
    assert!(answer.status.is_success(), "{answer:?}");
    let pair = pairs.get_mut(&id).expect("it was asked for");
    pair.acknowledged = pair.asked;
}

/// The versions of all rows by id, read page by page.
async fn found(client: &Client) -> BTreeMap<i64, i64> {
    let mut found = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = client.get(&format!("/things?select=id,version&id=gt.{after}&limit=50")).await.json();
        let rows = page.as_array().unwrap();
        let number = |row: &Value, name: &str| row[name].as_i64().unwrap();
        found.extend(rows.iter().map(|row| (number(row, "id"), number(row, "version"))));
        match rows.last() {
            Some(last) if rows.len() == 50 => after = number(last, "id"),
            _ => return found,
        }
    }
}

/// Every pair is whole, at a stage that it may be at, and nothing else is there.
async fn verify(client: &Client, pairs: &Pairs) {
    let mut found = found(client).await;
    for (id, pair) in pairs {
        let (one, other) = (found.remove(id), found.remove(&(id + 1)));
        assert_eq!(one, other, "half of a request on {id} was done: {pair:?}");
        let at = match one {
            Some(0) => Stage::Inserted,
            Some(_) => Stage::Updated,
            None if pair.asked == Stage::Deleted => Stage::Deleted,
            None => Stage::Absent,
        };
        assert!(pair.acknowledged <= at && at <= pair.asked, "{id} is {at:?}: {pair:?}");
    }
    assert!(found.is_empty(), "left by requests that failed: {found:?}");
}
