//! The race, with and without faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kasoku_cache_remote::Settings;
use kasoku_testkit::Redis;

use crate::nodes::patient;
use crate::race::{Race, run};

fn race(settings: Settings, rounds: u64) -> Race {
    let (over, patience) = (Arc::default(), Duration::from_secs(10));
    Race { settings, nodes: 3, rounds, over, stamps_late: false, patience }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_sees_less_than_a_purge_that_all_nodes_had_applied() {
    let redis = Redis::start();
    let outcome = run(&race(patient(&redis.url()), 20_000)).await;
    assert_eq!(outcome.stale, 0, "{outcome:?}");
    assert!(outcome.first_tier > 1_000 && outcome.second_tier > 1_000, "{outcome:?}");
    assert!(outcome.acknowledged > 1_000, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_race_notices_stamps_that_are_taken_after_reading() {
    let redis = Redis::start();
    let outcome = run(&Race { stamps_late: true, ..race(patient(&redis.url()), 20_000) }).await;
    assert!(outcome.stale > 0, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_of_the_server_makes_a_read_see_less() {
    let mut redis = Redis::start();
    let settings = Settings { budget: Duration::from_millis(100), ..Settings::new(redis.url()) };
    let over = Arc::new(AtomicBool::new(false));
    let (race_over, patience) = (Arc::clone(&over), Duration::from_secs(2));
    let race = Race { over: race_over, patience, ..race(settings, u64::MAX) };
    let racing = tokio::spawn(async move { run(&race).await });
    let pause = |ms| tokio::time::sleep(Duration::from_millis(ms));
    pause(2_500).await;
    for round in 0..2 {
        redis.save();
        pause(300).await;
        redis.hang();
        pause(400 + round * 1_000).await;
        redis.go_on();
        pause(700).await;
        // It comes back with what it saved before the last purges.
        redis.kill();
        pause(100).await;
        redis.restart();
        pause(1_500).await;
        redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
        pause(200).await;
        redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
        redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
        pause(300).await;
        redis.ask(&["XTRIM", "kasoku:changes", "MAXLEN", "3"]);
        pause(300).await;
        redis.ask(&["FLUSHALL"]);
        pause(1_500).await;
    }
    over.store(true, Ordering::Relaxed);
    let outcome = racing.await.expect("no task panics");
    assert_eq!(outcome.stale, 0, "{outcome:?}");
    assert!(outcome.bypassed > 0 && outcome.second_tier > 0 && outcome.acknowledged > 0, "{outcome:?}");
}
