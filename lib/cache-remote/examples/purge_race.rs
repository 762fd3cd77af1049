//! The race of `tests/real/race.rs` for as many rounds as wanted:
//! `cargo run -p kasoku-cache-remote --example purge_race -- 1000000`.

#![expect(clippy::print_stdout, reason = "an example prints what it measures")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_cache_remote::Settings;
use kasoku_testkit::Redis;

#[path = "../tests/real/race.rs"]
mod race;

#[tokio::main]
async fn main() {
    let rounds = std::env::args().nth(1).map_or(Ok(100_000), |rounds| rounds.parse());
    let rounds = rounds.expect("the argument is a number of rounds");
    let redis = Redis::start();
    let settings = Settings { budget: Duration::from_secs(1), ..Settings::new(redis.url()) };
    let began = Instant::now();
    let (over, patience) = (Arc::default(), Duration::from_secs(10));
    let race = race::Race { settings, nodes: 3, rounds, over, stamps_late: false, patience };
    let outcome = race::run(&race).await;
    println!("{rounds} rounds in {:.1?} s", began.elapsed().as_secs_f64());
    println!("{outcome:#?}");
    assert_eq!(outcome.stale, 0, "a read saw less than it had to");
}
