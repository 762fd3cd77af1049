//! Measures whether a store keeps its budget: fills it with ten times as much, in shapes that are unlike each other,
//! at about half a gibibyte a second, and compares the growth of the process (`VmRSS`, and its peak) with the budget.
//! `cargo run --release -p kasoku-cache-store --example memory -- 256 lists` runs the shapes with `lists` in their
//! names at 256 MiB; without the last word all run, one after the other.
//!
//! Bytes are written into every value, so that all of it is resident. What the allocator has freed and not yet given
//! back is resident too: `MIMALLOC_PURGE_DELAY` (milliseconds) and `MIMALLOC_ALLOW_THP=0` show how much that is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_cache_store::{Fill, Found, Store};
use kasoku_coherence::{Change, ChangeSink, Key, KeyBuilder, Sequence, Tag};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A shape of working set: bytes of a value from and to, tags an entry, and how many distinct tags.
const SHAPES: [(&str, u64, u64, u64, u64); 5] = [
    ("tiny values", 20, 60, 0, 1),
    ("tiny values with tags of their own", 20, 60, 4, 1 << 40),
    ("lists with many shared tags", 2_000, 8_000, 24, 20_000),
    ("large values", 50_000, 900_000, 2, 1_000),
    ("a bit of everything", 20, 60_000, 3, 100_000),
];

#[expect(clippy::print_stdout, reason = "an example shows what it measures")]
fn main() {
    let mebibytes = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(64_u64);
    let budget_bytes = mebibytes << 20;
    let before = resident_bytes("VmRSS");
    let sequence = Arc::new(Sequence::new());
    let store: Store<Vec<u8>> = Store::new(budget_bytes, Arc::clone(&sequence));
    let mut random = Random(7);
    let only = std::env::args().nth(2);
    for (name, from, to, tags, distinct) in SHAPES {
        if only.as_ref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let began = Instant::now();
        let (mut offered_bytes, mut fills) = (0, 0_u64);
        while offered_bytes < 10 * budget_bytes {
            let bytes = random.between(from, to);
            let tags = (0..tags).map(|_| Tag(random.between(0, distinct))).collect();
            let value = Arc::new(vec![1; bytes as usize]);
            let (snapshot, inserted) = (store.snapshot(), began);
            let key = key(&mut random);
            store.insert(key.clone(), Fill { value, tags, snapshot, inserted, expires: None });
            if offered_bytes >> 20 != (offered_bytes + bytes + 300) >> 20 {
                std::thread::sleep(Duration::from_millis(2));
            }
            offered_bytes += bytes + 300;
            fills += 1;
            if fills.is_multiple_of(8) {
                // One in eight earns its way into the main queue.
                let found = [0, 1].map(|_| store.look_up(&key, began));
                assert!(found.iter().all(|found| matches!(found, Found::Usable { .. })));
                let tags = vec![Tag(random.between(0, distinct))];
                store.apply(&Change { position: sequence.next(), tags });
            }
        }
        let took_ns = began.elapsed().as_nanos() as u64 / fills;
        let stats = store.stats();
        let growth = resident_bytes("VmRSS").saturating_sub(before);
        let peak = resident_bytes("VmHWM").saturating_sub(before);
        println!(
            "{name}: {} entries, {} tags, {:.3} of the budget by the books, {:.3} resident, {:.3} at the peak; \
             {took_ns} ns a fill",
            stats.entries,
            stats.tags,
            part(stats.bytes, budget_bytes),
            part(growth, budget_bytes),
            part(peak, budget_bytes)
        );
    }
}

fn key(random: &mut Random) -> Key {
    let path = format!("/v1/items?category={}&after={}", random.between(0, 100), random.between(0, 1 << 40));
    KeyBuilder::new().part(b"GET").part(b"localhost").part(path.as_bytes()).build()
}

fn part(bytes: u64, of_bytes: u64) -> f64 {
    bytes as f64 / of_bytes as f64
}

/// A figure of the kernel about this process.
fn resident_bytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells about its processes");
    let line = status.lines().find(|line| line.starts_with(name)).expect("it tells this figure");
    let kibibytes = line.split_whitespace().nth(1).and_then(|figure| figure.parse::<u64>().ok());
    kibibytes.expect("it is a number") << 10
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    /// Any number from `low` up to, but without, `high`.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + (self.0 >> 8) % (high - low)
    }
}
