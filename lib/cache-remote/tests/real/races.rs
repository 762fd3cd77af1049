//! The race, with and without faults.

use std::time::Duration;

use kasoku_cache_remote::Settings;
use kasoku_testkit::Redis;

use crate::nodes::patient;
use crate::race::{Race, run};

fn race(settings: Settings, rounds: u64) -> Race {
    Race { settings, nodes: 3, rounds, stamps_late: false, patience: Duration::from_secs(10) }
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
    let race = Race { patience: Duration::from_secs(2), ..race(Settings::new(redis.url()), u64::MAX) };
    let racing = tokio::spawn(async move {
        // The rounds have no end; the faults have.
        run(&race).await
    });
    racing.abort();
    redis.kill();
}
