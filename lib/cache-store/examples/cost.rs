//! What the store's operations cost: `cargo run --release -p kasoku-cache-store --example cost`.
//!
//! One thread, 100,000 entries of 1 KB with three tags each, found in no order. Rounds are short and many, and the best
//! counts, so that other work on the machine disturbs only some.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use kasoku_cache_store::{Fill, Found, Store};
use kasoku_coherence::{Change, ChangeSink, Key, KeyBuilder, Sequence, Tag};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ENTRIES: u64 = 100_000;
const ROUND: u64 = 1_000;
const ROUNDS: u64 = 500;

fn main() {
    let sequence = Arc::new(Sequence::new());
    let store: Store<Vec<u8>> = Store::new(1 << 30, Arc::clone(&sequence));
    let now = Instant::now();
    let value = Arc::new(vec![1; 1_000]);
    let fill = |number: u64, snapshot| {
        let tags = vec![Tag(1), Tag(1_000 + number % 1_000), Tag(1_000_000 + number)];
        Fill { value: Arc::clone(&value), tags, snapshot, inserted: now, expires: None }
    };
    let keys: Vec<Key> = (0..ENTRIES).map(key).collect();
    for (number, key) in (0..).zip(&keys) {
        store.insert(key.clone(), fill(number, store.snapshot()));
    }
    measure("a look-up that finds", |turn| {
        let found = store.look_up(&keys[any(turn)], now);
        assert!(matches!(black_box(found), Found::Usable { .. }));
    });
    let absent: Vec<Key> = (0..ROUND).map(|number| key(ENTRIES + number)).collect();
    measure("a look-up that finds nothing", |turn| {
        assert!(matches!(black_box(store.look_up(&absent[(turn % ROUND) as usize], now)), Found::Absent));
    });
    measure("a fill", |turn| {
        let place = any(turn);
        black_box(store.insert(keys[place].clone(), fill(place as u64, store.snapshot())));
    });
    measure("a change of one tag", |turn| {
        let tags = vec![Tag(2_000_000 + turn)];
        store.apply(&Change { position: sequence.next(), tags });
    });
    measure("a change of a tag of 100 entries", |turn| {
        let tags = vec![Tag(1_000 + turn % 1_000)];
        store.apply(&Change { position: sequence.next(), tags });
    });
}

/// Any of the places, another each turn.
fn any(turn: u64) -> usize {
    (turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize % ENTRIES as usize
}

fn key(number: u64) -> Key {
    let path = format!("/v1/items?category=books&after={number}");
    KeyBuilder::new().part(b"GET").part(b"localhost").part(path.as_bytes()).build()
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn measure(name: &str, mut work: impl FnMut(u64)) {
    let mut best_ns = u64::MAX;
    for round in 0..ROUNDS {
        let began = Instant::now();
        for turn in 0..ROUND {
            work(round * ROUND + turn);
        }
        best_ns = best_ns.min(began.elapsed().as_nanos() as u64 / ROUND);
    }
    println!("{name:34} {best_ns:6} ns");
}
