//! Both tiers over a private Redis: `examples/two_tiers.rs`, and what it does not show.

#[path = "../examples/two_tiers.rs"]
#[expect(dead_code, reason = "its `main` is for people")]
mod two_tiers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kasoku_cache_remote::{Mode, Published, Reach, Settings};
use kasoku_cache_tiers::{FoundIn, Made, Rules, Tiers};
use kasoku_coherence::{Key, KeyBuilder, Tag};
use kasoku_testkit::Redis;
use tokio::sync::Semaphore;

use self::two_tiers::{Price, Prices, Table};

/// A machine that runs other tests as well must not make an answer late.
const PATIENCE: Duration = Duration::from_secs(20);

const RULES: Rules =
    Rules { fresh: Duration::from_hours(1), stale: Duration::from_hours(1), alone: Duration::from_hours(1) };

async fn node(redis: &Redis, rules: Rules) -> Tiers<Price> {
    let bound = Duration::from_secs(2);
    let settings = Settings { budget: PATIENCE, connect: PATIENCE, bound, ..Settings::new(redis.url()) };
    let tiers = Tiers::open(1 << 20, rules, settings).expect("the settings are sound");
    assert!(tiers.remote().ready(PATIENCE).await, "the second tier did not come into use");
    tiers
}

/// What makes values: the number of the making, each when it is let go on.
#[derive(Clone)]
struct Source {
    made: Arc<AtomicU64>,
    gate: Arc<Semaphore>,
}

impl Source {
    fn open() -> Self {
        Self { made: Arc::default(), gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)) }
    }

    fn closed() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), ..Self::open() }
    }

    async fn read(&self, tiers: &Tiers<Price>) -> (u64, FoundIn) {
        let source = self.clone();
        let make = move || {
            let source = source.clone();
            async move {
                let number = source.made.fetch_add(1, Ordering::SeqCst) + 1;
                source.gate.acquire().await.map_err(drop)?.forget();
                Ok::<_, ()>(Made { value: Price(number), tags: vec![Tag(7)] })
            }
        };
        let got = tiers.get(&key(), Instant::now() + PATIENCE, make).await.expect("the gate stays");
        (got.value.0, got.found_in)
    }

    /// Waits until so many have been begun.
    async fn begun(&self, count: u64) {
        until(|| self.made.load(Ordering::SeqCst) == count).await;
    }
}

fn key() -> Key {
    KeyBuilder::new().part(b"a").part(b"key").build()
}

/// Waits for something that happens by itself.
async fn until(happened: impl Fn() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to pass");
}

async fn all_nodes(published: impl Future<Output = Published>) {
    let published = published.await;
    assert!(matches!(published, Published::Reached { nodes, of, .. } if nodes == of), "{published:?}");
}

/// Reads until a value is found in a place.
async fn until_found(source: &Source, tiers: &Tiers<Price>, expected: (u64, FoundIn)) {
    let reading = async { while source.read(tiers).await != expected {} };
    tokio::time::timeout(PATIENCE, reading).await.expect("it comes to be found there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_has_read_the_other_finds_until_either_writes() {
    let redis = Redis::start();
    let table = Table::default();
    let one = Prices::open(&redis.url(), &table).await.unwrap();
    let other = Prices::open(&redis.url(), &table).await.unwrap();
    for price in [100, 120] {
        one.write(7, price).await;
        assert_eq!(one.read(7).await, (price, FoundIn::Source));
        assert_eq!(one.read(7).await, (price, FoundIn::Memory));
        let asked = Instant::now();
        let mut found = other.read(7).await;
        while found.1 == FoundIn::Source && asked.elapsed() < PATIENCE {
            // Entries are written behind the caller's back, so it may have been too early.
            other.write(7, price).await;
            one.read(7).await;
            found = other.read(7).await;
        }
        assert_eq!(found, (price, FoundIn::OtherNode));
        assert_eq!(other.read(7).await, (price, FoundIn::Memory));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_wait_for_a_key_on_all_nodes_one_makes_it() {
    let redis = Redis::start();
    let (one, other) = (node(&redis, RULES).await, node(&redis, RULES).await);
    let source = Source::closed();
    let reads = (0..20).map(|number| {
        let (source, tiers) = (source.clone(), if number % 2 == 0 { one.clone() } else { other.clone() });
        tokio::spawn(async move { source.read(&tiers).await.0 })
    });
    let reads: Vec<_> = reads.collect();
    source.begun(1).await;
    source.gate.add_permits(20);
    for read in reads {
        assert_eq!(read.await.unwrap(), 1);
    }
    assert_eq!(source.made.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_began_before_a_change_is_found_by_nobody_after_it() {
    let redis = Redis::start();
    let (one, other) = (node(&redis, RULES).await, node(&redis, RULES).await);
    let source = Source::closed();
    let late = tokio::spawn({
        let (source, one) = (source.clone(), one.clone());
        async move { source.read(&one).await }
    });
    source.begun(1).await;
    all_nodes(other.changed(vec![Tag(7)], PATIENCE)).await;
    source.gate.add_permits(1);
    assert_eq!(late.await.unwrap(), (1, FoundIn::Source), "who asked before is answered");
    source.gate.add_permits(1);
    let (second, _) = source.read(&one).await;
    assert_eq!(second, 2, "who asks later is not given it");
    assert_eq!(source.read(&other).await.0, 2, "nor on another node");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stale_is_given_at_once_and_made_anew_once() {
    let redis = Redis::start();
    let (one, other) = (node(&redis, RULES).await, node(&redis, RULES).await);
    let source = Source::closed();
    source.gate.add_permits(1);
    assert_eq!(source.read(&one).await, (1, FoundIn::Source));
    all_nodes(other.purge(Reach::Tags(vec![Tag(7)]), Mode::Soft, PATIENCE)).await;
    for _ in 0..10 {
        assert_eq!(source.read(&one).await, (1, FoundIn::Stale));
    }
    source.begun(2).await;
    source.gate.add_permits(1);
    until_found(&source, &one, (2, FoundIn::Memory)).await;
    until_found(&source, &other, (2, FoundIn::Memory)).await;
    assert_eq!(source.made.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_a_node_goes_on_alone_for_as_long_as_it_may() {
    for (alone, expected) in
        [(Duration::from_hours(1), (1, FoundIn::Memory)), (Duration::ZERO, (2, FoundIn::Source))]
    {
        let mut redis = Redis::start();
        let tiers = node(&redis, Rules { alone, ..RULES }).await;
        let source = Source::open();
        assert_eq!(source.read(&tiers).await, (1, FoundIn::Source));
        assert_eq!(source.read(&tiers).await, (1, FoundIn::Memory));
        redis.kill();
        until(|| !tiers.remote().is_current()).await;
        assert_eq!(source.read(&tiers).await, expected, "{alone:?}");
        assert_eq!(tiers.changed(vec![Tag(7)], Duration::ZERO).await, Published::Waiting);
        let (number, found_in) = source.read(&tiers).await;
        assert_eq!((number, found_in), (expected.0 + 1, FoundIn::Source), "its own changes it knows");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_and_kept_nowhere() {
    let redis = Redis::start();
    let tiers = node(&redis, RULES).await;
    let failed = tiers.get(&key(), Instant::now() + PATIENCE, || async { Err::<Made<Price>, _>("no") }).await;
    assert_eq!(failed.err(), Some("no"));
    assert_eq!(Source::open().read(&tiers).await, (1, FoundIn::Source), "the lease was given back");
}
