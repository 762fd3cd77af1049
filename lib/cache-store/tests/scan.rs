//! What is used often survives a scan of what is used once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use kasoku_cache_store::{Fill, Found, Inserted, Store};
use kasoku_coherence::{Key, KeyBuilder, Sequence};

const BUDGET_BYTES: u64 = 4 << 20;
const KEYS: usize = 20_000;
const REQUESTS: usize = 200_000;

/// After so many requests a scan passes, of so many keys that nobody asks for again.
const REQUESTS_BETWEEN_SCANS: usize = 10_000;
const SCANNED: usize = 5_000;

/// Requests that follow each other: popular keys by their number, and scans counted upwards behind them.
fn trace(scans: bool) -> Vec<usize> {
    let weights = (1..=KEYS).map(|rank| 1.0 / (rank as f64).powf(0.9));
    let cumulated: Vec<f64> = weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect();
    let total = cumulated[KEYS - 1];
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut trace = Vec::new();
    for request in 0..REQUESTS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let point = (random >> 11) as f64 / (1_u64 << 53) as f64 * total;
        trace.push(cumulated.partition_point(|sum| *sum < point));
        if scans && request % REQUESTS_BETWEEN_SCANS == 0 {
            let first = KEYS + request / REQUESTS_BETWEEN_SCANS * SCANNED;
            trace.extend(first..first + SCANNED);
        }
    }
    trace
}

/// The part of the requests for popular keys that found one.
fn hit_ratio(trace: &[usize], mut find_or_insert: impl FnMut(usize) -> bool) -> f64 {
    let popular = trace.iter().filter(|key| **key < KEYS).count();
    let hits = trace.iter().filter(|key| find_or_insert(**key) && **key < KEYS).count();
    hits as f64 / popular as f64
}

/// The same for a store, and how many entries it had at the end.
fn store_hit_ratio(trace: &[usize]) -> (f64, usize) {
    let store: Store<Vec<u8>> = Store::new(BUDGET_BYTES, Arc::new(Sequence::new()));
    let now = Instant::now();
    let value = Arc::new(vec![0; 1_000]);
    let ratio = hit_ratio(trace, |number| {
        let key = key(number);
        if matches!(store.look_up(&key, now), Found::Usable { .. }) {
            return true;
        }
        let (value, snapshot) = (Arc::clone(&value), store.snapshot());
        let fill = Fill { value, tags: Vec::new(), snapshot, inserted: now, expires: None };
        assert_eq!(store.insert(key, fill), Inserted::Stored);
        false
    });
    (ratio, store.stats().entries as usize)
}

/// Least recently used, of so many entries.
fn lru_hit_ratio(trace: &[usize], entries: usize) -> f64 {
    let (mut used, mut order) = (HashMap::new(), BTreeMap::new());
    let mut now = 0_u64;
    hit_ratio(trace, |key| {
        now += 1;
        order.insert(now, key);
        let before = used.insert(key, now);
        if let Some(before) = before {
            order.remove(&before);
        } else if used.len() > entries {
            let (_, oldest) = order.pop_first().expect("there are entries");
            used.remove(&oldest);
        }
        before.is_some()
    })
}

fn key(number: usize) -> Key {
    KeyBuilder::new().part(&(number as u64).to_le_bytes()).build()
}

#[test]
fn a_popular_set_survives_scans_that_empty_a_least_recently_used_store() {
    let (quiet, entries) = store_hit_ratio(&trace(false));
    let (scanned, _) = store_hit_ratio(&trace(true));
    let (lru_quiet, lru_scanned) =
        (lru_hit_ratio(&trace(false), entries), lru_hit_ratio(&trace(true), entries));
    let figures = format!(
        "{entries} entries; store {quiet:.3}, with scans {scanned:.3}; \
         least recently used {lru_quiet:.3}, with scans {lru_scanned:.3}"
    );
    assert!(quiet > lru_quiet + 0.02, "{figures}");
    assert!(scanned > lru_scanned + 0.08, "{figures}");
    assert!(quiet - scanned < 0.03, "{figures}");
}
