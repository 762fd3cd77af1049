//! What faults cost, with the default settings: `cargo run -p kasoku-cache-remote --example faults`.

#![expect(clippy::print_stdout, reason = "an example prints what it measures")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kasoku_cache_remote::{Away, Fill, Found, Listener, Message, Mode, Published, Reach, Remote, Settings};
use kasoku_coherence::{Key, KeyBuilder, Tag};
use kasoku_observe::Silent;
use kasoku_testkit::Redis;
use kasoku_units::SystemClock;

struct Nothing;

impl Listener for Nothing {
    fn apply(&self, _: &Message) {}
    fn gap(&self) {}
}

#[tokio::main]
async fn main() {
    let mut redis = Redis::start();
    let remote = open(&redis).await;
    let other = open(&redis).await;
    let key = KeyBuilder::new().part(b"GET").part(b"/").build();
    store(&remote, &key).await;
    // The first bound of a new epoch waits for nodes that nobody knows of.
    tokio::time::sleep(Duration::from_secs(1)).await;

    let (mut hits, mut purges) = (Vec::new(), Vec::new());
    for _ in 0..5_000 {
        let began = Instant::now();
        assert!(matches!(remote.get(&key, remote.deadline()).await, Found::Usable(_)));
        hits.push(began.elapsed());
    }
    print("a hit", &mut hits);
    for number in 0..500 {
        let began = Instant::now();
        let reach = Reach::Tags(vec![Tag(1_000 + number)]);
        let published = remote.publish(reach, Mode::Hard, Duration::from_secs(1)).await;
        assert!(matches!(published, Published::Reached { nodes: 2, of: 2, .. }));
        purges.push(began.elapsed());
    }
    print("a purge that both nodes have applied", &mut purges);

    redis.hang();
    fall_away(&remote, &key, "hung").await;
    redis.go_on();
    come_back(&remote, &other, "hung").await;
    store(&remote, &key).await;
    redis.kill();
    fall_away(&remote, &key, "killed").await;
    redis.restart();
    come_back(&remote, &other, "restarted").await;
    store(&remote, &key).await;
}

async fn open(redis: &Redis) -> Remote {
    let settings = Settings::new(redis.url());
    let remote = Remote::open(settings, Arc::new(SystemClock), Arc::new(Nothing), Arc::new(Silent))
        .expect("the settings are sound");
    assert!(remote.ready(Duration::from_secs(10)).await);
    remote
}

async fn store(remote: &Remote, key: &Key) {
    let stamp = remote.stamp().expect("it has joined");
    let (tags, lifetime) = (vec![Tag(1)], Duration::from_mins(1));
    let fill = Fill { value: Bytes::from_static(&[7; 1_000]), tags, stamp, age: Duration::ZERO, lifetime };
    remote.store(key.clone(), fill, None).await;
}

/// One request after the other until the breaker is open, and then what each costs.
async fn fall_away(remote: &Remote, key: &Key, what: &str) {
    let began = Instant::now();
    let mut delays = Vec::new();
    loop {
        let asked = Instant::now();
        let found = remote.get(key, remote.deadline()).await;
        delays.push(asked.elapsed());
        if let Found::Away(Away::Open | Away::NotCurrent) = found {
            break;
        }
    }
    println!("{what}: away after {:.1?}, {} look-ups", began.elapsed(), delays.len());
    print("  a look-up meanwhile", &mut delays);
    let mut delays = Vec::new();
    for _ in 0..100_000 {
        let asked = Instant::now();
        let found = remote.get(key, remote.deadline()).await;
        delays.push(asked.elapsed());
        assert!(matches!(found, Found::Away(_)));
    }
    print("  a look-up while it is away", &mut delays);
}

async fn come_back(remote: &Remote, other: &Remote, what: &str) {
    let began = Instant::now();
    for remote in [remote, other] {
        assert!(remote.ready(Duration::from_secs(30)).await);
    }
    println!("{what}: both nodes use it again after {:.1?}", began.elapsed());
}

fn print(what: &str, delays: &mut [Duration]) {
    delays.sort_unstable();
    let at = |part: usize| delays[(delays.len() - 1) * part / 1_000];
    println!(
        "{what}: p50 {:.1?}, p99 {:.1?}, p99.9 {:.1?}, max {:.1?}",
        at(500),
        at(990),
        at(999),
        at(1_000)
    );
}
