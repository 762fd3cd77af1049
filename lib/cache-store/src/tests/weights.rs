//! Whatever happens, the bytes in use are the sum of what is stored, and never more than the budget.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use kasoku_coherence::{Change, ChangeSink, Key, KeyBuilder, Sequence, Tag};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::tags::Tags;
use crate::weight::{self, allocated};
use crate::{Fill, Found, Inserted, Purge, Reweighed, Store, Weigh};

const BUDGET_BYTES: u64 = 256 << 10;

/// A value that can grow after it was stored.
#[derive(Debug)]
struct Growing(Mutex<u64>);

impl Weigh for Growing {
    fn bytes(&self) -> u64 {
        *self.0.lock().unwrap()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert { key: u8, bytes: u64, tags: Vec<u8> },
    Reweigh { key: u8, bytes: u64 },
    LookUp { key: u8 },
    Change { tag: u8 },
    PurgeKey { key: u8 },
    PurgePrefix { prefix: u8 },
    PurgeAll,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop_oneof![8 => 0..2_000_u64, 3 => 0..20_000_u64, 1 => 0..60_000_u64];
    let insert = (any::<u8>(), bytes.clone(), vec(any::<u8>(), 0..8));
    prop_oneof![
        40 => insert.prop_map(|(key, bytes, tags)| Step::Insert { key, bytes, tags }),
        10 => (any::<u8>(), bytes).prop_map(|(key, bytes)| Step::Reweigh { key, bytes }),
        20 => any::<u8>().prop_map(|key| Step::LookUp { key }),
        10 => any::<u8>().prop_map(|tag| Step::Change { tag }),
        5 => any::<u8>().prop_map(|key| Step::PurgeKey { key }),
        2 => (0..16_u8).prop_map(|prefix| Step::PurgePrefix { prefix }),
        1 => Just(Step::PurgeAll),
        1 => Just(Step::Clear),
    ]
}

fn key(number: u8) -> Key {
    KeyBuilder::new().part(&[number / 16, number]).build()
}

fn tag(number: u8) -> Tag {
    Tag(u64::from(number))
}

fn take(store: &Store<Growing>, sequence: &Sequence, step: Step) {
    match step {
        Step::Insert { key: number, bytes, tags } => {
            let value = Arc::new(Growing(Mutex::new(bytes)));
            let tags = tags.into_iter().map(tag).collect();
            let (snapshot, inserted) = (store.snapshot(), Instant::now());
            let verdict = store.insert(key(number), Fill { value, tags, snapshot, inserted, expires: None });
            assert!(matches!(verdict, Inserted::Stored | Inserted::TooLarge), "{verdict:?}");
        }
        Step::Reweigh { key: number, bytes } => {
            let Found::Usable { value, .. } = store.look_up(&key(number), Instant::now()) else { return };
            *value.0.lock().unwrap() = bytes;
            store.reweigh(&key(number), &value);
        }
        Step::LookUp { key: number } => drop(store.look_up(&key(number), Instant::now())),
        Step::Change { tag: number } => {
            store.apply(&Change { position: sequence.next(), tags: vec![tag(number)] });
        }
        Step::PurgeKey { key: number } => drop(store.purge_key(&key(number), Purge::Hard)),
        Step::PurgePrefix { prefix } => drop(store.purge_prefix(0, &[prefix], Purge::Hard)),
        Step::PurgeAll => drop(store.purge_all(Purge::Hard)),
        Step::Clear => store.clear(),
    }
}

/// Adds up what is stored from the index, and compares it with the books and with the queues.
fn audit(store: &Store<Growing>) {
    let (mut bytes, mut tags, mut places) = (store.limits.fixed_bytes, HashSet::new(), HashSet::new());
    let ledger = store.ledger.lock();
    for shard in store.index.shards() {
        for entry in shard.table.read().iter() {
            bytes += weight::entry(&entry.key, &*entry.value, entry.cells.len());
            tags.extend(entry.cells.iter().map(Arc::as_ptr));
            assert!(places.insert(entry.place()), "two entries have one place");
        }
    }
    bytes += tags.len() as u64 * Tags::cell_bytes();
    assert_eq!(store.bytes(&ledger), bytes);
    assert_eq!(ledger.queues.len(), places.len());
    ledger.queues.audit();
    drop(ledger);
    let stats = store.stats();
    assert_eq!((stats.bytes, stats.tags), (bytes, tags.len() as u64));
    assert!(stats.bytes <= stats.budget_bytes, "{} of {}", stats.bytes, stats.budget_bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_in_use_are_the_sum_of_what_is_stored(steps in vec(step(), 1..300)) {
        let sequence = Arc::new(Sequence::new());
        let store = Store::new(BUDGET_BYTES, Arc::clone(&sequence));
        for step in steps {
            take(&store, &sequence, step);
            audit(&store);
        }
        store.clear();
        prop_assert_eq!(store.stats().bytes, store.limits.fixed_bytes);
    }
}

#[test]
fn an_entry_larger_than_its_part_of_the_budget_is_refused_at_once_or_when_it_has_grown() {
    let store: Store<Growing> = Store::new(BUDGET_BYTES, Arc::new(Sequence::new()));
    let most = store.entry_bytes_max();
    let fill = |bytes| Fill {
        value: Arc::new(Growing(Mutex::new(bytes))),
        tags: vec![tag(1)],
        snapshot: store.snapshot(),
        inserted: Instant::now(),
        expires: None,
    };
    assert_eq!(store.insert(key(1), fill(most)), Inserted::TooLarge);
    assert_eq!(store.insert(key(1), fill(u64::MAX)), Inserted::TooLarge);
    let small = fill(10);
    assert_eq!(store.insert(key(1), small.clone()), Inserted::Stored);
    *small.value.0.lock().unwrap() = 1000;
    assert_eq!(store.reweigh(&key(1), &small.value), Reweighed::Kept);
    assert_eq!(store.reweigh(&key(1), &fill(10).value), Reweighed::Gone, "another value");
    assert_eq!(store.reweigh(&key(2), &small.value), Reweighed::Gone, "another key");
    *small.value.0.lock().unwrap() = most;
    assert_eq!(store.reweigh(&key(1), &small.value), Reweighed::TooLarge);
    let stats = store.stats();
    assert_eq!((stats.entries, stats.tags, stats.too_large), (0, 0, 3));
}

#[test]
fn a_block_is_rounded_up_to_a_size_class() {
    for (asked, spent) in
        [(0, 0), (1, 16), (16, 16), (17, 32), (64, 64), (65, 80), (128, 128), (129, 160), (1025, 1280)]
    {
        assert_eq!(allocated(asked), spent, "{asked} bytes");
    }
    for asked in (1..100_000).chain([(1 << 20) + 1, 10 << 20]) {
        let spent = allocated(asked);
        assert!(spent >= asked && (asked < 64 || spent <= asked + asked / 4 + 1), "{asked} bytes: {spent}");
    }
}
