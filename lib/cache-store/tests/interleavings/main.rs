//! The store under a scheduler that tries many interleavings of its threads, down to single atomics.
//!
//! The store's files are compiled here a second time, with the `sync` module beside this file in place of their
//! own. Readers, writers, fills and purges race; the promise is that of the store's page. That the scheduler finds
//! what it looks for is shown by a store that reads the slots before it has its cells.

#![expect(unreachable_pub, dead_code, reason = "the store's files serve their crate, and this one in part")]

#[path = "../../src/admin.rs"]
mod admin;
#[path = "../../src/entry.rs"]
mod entry;
#[path = "../../src/eviction.rs"]
mod eviction;
#[path = "../../src/ghost.rs"]
mod ghost;
#[path = "../../src/index.rs"]
mod index;
#[path = "../../src/limits.rs"]
mod limits;
#[path = "../../src/nodes.rs"]
mod nodes;
#[path = "../../src/purge.rs"]
mod purge;
#[path = "../../src/stats.rs"]
mod stats;
#[path = "../../src/store.rs"]
mod store;
mod sync;
#[path = "../../src/tags.rs"]
mod tags;
#[path = "../../src/weight.rs"]
mod weight;

use std::sync::Arc;
use std::time::Instant;

use entry::{Fill, Found, Inserted};
use kasoku_coherence::{Change, ChangeSink, Key, KeyBuilder, Sequence, Tag};
use purge::Purge;
use shuttle::scheduler::PctScheduler;
use shuttle::{Config, Runner, thread};
use store::{Fence, Store};
use sync::{AtomicU64, Mutex, Ordering};
use weight::Weigh;

/// What a fill read: the versions of both rows, and how many purges had begun when it had its snapshot.
#[derive(Debug, Clone, Copy)]
struct Answer {
    versions: [u64; 2],
    purges: u64,
}

impl Weigh for Answer {
    fn bytes(&self) -> u64 {
        5_000
    }
}

/// Two rows with versions, and what everybody has been told about them.
struct World {
    sequence: Arc<Sequence>,
    store: Store<Answer>,
    table: Mutex<[u64; 2]>,
    applied: [AtomicU64; 2],
    purges_begun: AtomicU64,
    purges_done: AtomicU64,
}

impl World {
    fn new(fence: Fence) -> Arc<Self> {
        let sequence = Arc::new(Sequence::new());
        let counter = || AtomicU64::new(0);
        Arc::new(Self {
            store: Store::with_fence(0, Arc::clone(&sequence), fence),
            sequence,
            table: Mutex::new([0; 2]),
            applied: [counter(), counter()],
            purges_begun: counter(),
            purges_done: counter(),
        })
    }

    /// Fills a key with what both rows say.
    fn fill(&self, number: u8) {
        let snapshot = self.store.snapshot();
        let purges = self.purges_begun.load(Ordering::SeqCst);
        let versions = *self.table.lock();
        let tags = vec![Tag(0), Tag(1)];
        let (value, inserted) = (Arc::new(Answer { versions, purges }), Instant::now());
        let inserted =
            self.store.insert(key(number), Fill { value, tags, snapshot, inserted, expires: None });
        assert_ne!(inserted, Inserted::TooLarge, "a case in which nothing is stored shows nothing");
    }

    /// Changes one row and tells the store, then everybody.
    fn write(&self, row: usize) {
        let version = {
            let mut table = self.table.lock();
            table[row] += 1;
            table[row]
        };
        let position = self.sequence.next();
        thread::yield_now();
        self.store.apply(&Change { position, tags: vec![Tag(row as u64)] });
        self.applied[row].fetch_max(version, Ordering::SeqCst);
    }

    /// Purges what matches key 0, and then tells everybody.
    fn purge<T>(&self, purge: impl FnOnce(&Store<Answer>) -> T) {
        self.purges_begun.fetch_add(1, Ordering::SeqCst);
        purge(&self.store);
        self.purges_done.fetch_add(1, Ordering::SeqCst);
    }

    /// Looks a key up and checks what is found against what had been told before.
    fn look_up(&self, number: u8) {
        let applied = [0, 1].map(|row: usize| self.applied[row].load(Ordering::SeqCst));
        let purges = self.purges_done.load(Ordering::SeqCst);
        let Found::Usable { value, .. } = self.store.look_up(&key(number), Instant::now()) else { return };
        for row in [0, 1] {
            assert!(value.versions[row] >= applied[row], "{value:?} is older than {applied:?}");
        }
        assert!(value.purges >= purges, "{value:?} survived purge {purges}");
    }

    /// When all threads are done, the books balance, and an empty store weighs what it did at first.
    fn audit(&self) {
        self.store.ledger.lock().queues.audit();
        let stats = self.store.stats();
        assert!(stats.bytes <= stats.budget_bytes);
        for number in 0..KEYS {
            self.look_up(number);
        }
        self.store.clear();
        let stats = self.store.stats();
        assert_eq!((stats.entries, stats.tags), (0, 0));
        assert_eq!(stats.bytes, Store::<Answer>::new(0, Arc::default()).stats().bytes);
    }
}

fn key(number: u8) -> Key {
    KeyBuilder::new().part(b"k").part(&[number]).build()
}

type Action = fn(&World);

/// Runs each list of actions on a thread of its own, under many schedules, the same in every run.
fn race(fence: Fence, threads: &'static [&'static [Action]]) {
    let scheduler = PctScheduler::new_from_seed(SEED, DEPTH, SCHEDULES);
    Runner::new(scheduler, Config::default()).run(move || {
        let world = World::new(fence);
        let running = threads.iter().map(|actions| {
            let world = Arc::clone(&world);
            thread::spawn(move || actions.iter().for_each(|action| action(&world)))
        });
        let running: Vec<_> = running.collect();
        for thread in running {
            thread.join().unwrap();
        }
        world.audit();
    });
}

/// Chosen once, so that a case that passes does so again.
const SEED: u64 = 1;

/// Schedules tried for each case. From each of forty seeds, half as many showed what the negative case looks for.
const SCHEDULES: usize = 2_000;

/// A thread is stopped against its priority one time fewer than this in a schedule.
const DEPTH: usize = 3;

/// Keys that the actions use.
const KEYS: u8 = 10;

const FILL_AGAINST_WRITE: &[&[Action]] =
    &[&[|world| world.fill(0)], &[|world| world.write(0), |world| world.look_up(0)]];

#[test]
fn a_fill_races_a_write() {
    race(Fence::Whole, FILL_AGAINST_WRITE);
}

#[test]
fn the_scheduler_finds_a_store_that_reads_the_slots_too_early() {
    let found = std::panic::catch_unwind(|| race(Fence::Early, FILL_AGAINST_WRITE));
    let panic = found.expect_err("one schedule shows it");
    let message = panic.downcast_ref::<String>().expect("the checker says what it found");
    assert!(message.contains("is older than"), "{message}");
}

#[test]
fn fills_of_one_key_race_writes_of_both_rows_and_look_ups() {
    race(
        Fence::Whole,
        &[
            &[|world| world.fill(0), |world| world.look_up(0)],
            &[|world| world.fill(0), |world| world.write(1)],
            &[|world| world.write(0), |world| world.look_up(0), |world| world.fill(0)],
            &[|world| world.look_up(0), |world| world.look_up(0)],
        ],
    );
}

#[test]
fn fills_race_every_kind_of_hard_purge() {
    const PURGES: [&[Action]; 5] = [
        &[|world| world.purge(|store| store.purge_key(&key(0), Purge::Hard)), |world| world.look_up(0)],
        &[|world| world.purge(|store| store.purge_prefix(1, &[0], Purge::Hard)), |world| world.look_up(0)],
        &[|world| world.purge(|store| store.purge_tag(Tag(1), Purge::Hard)), |world| world.look_up(0)],
        &[|world| world.purge(|store| store.purge_all(Purge::Hard)), |world| world.look_up(0)],
        &[|world| world.purge(Store::clear), |world| world.look_up(0)],
    ];
    const FILLS: &[Action] = &[|world| world.fill(0), |world| world.look_up(0)];
    race(Fence::Whole, &[FILLS, FILLS, PURGES[0]]);
    race(Fence::Whole, &[FILLS, FILLS, PURGES[1]]);
    race(Fence::Whole, &[FILLS, FILLS, PURGES[2]]);
    race(Fence::Whole, &[FILLS, FILLS, PURGES[3]]);
    race(Fence::Whole, &[FILLS, FILLS, PURGES[4]]);
}

#[test]
fn evictions_race_everything_else() {
    const MANY: &[Action] = &[
        |world| (0..6).for_each(|number| world.fill(number)),
        |world| (0..6).for_each(|number| world.look_up(number)),
    ];
    const OTHERS: &[Action] = &[
        |world| (4..10).for_each(|number| world.fill(number)),
        |world| world.write(1),
        |world| (4..10).for_each(|number| world.look_up(number)),
    ];
    const PURGES: &[Action] = &[
        |world| {
            world.store.purge_prefix(1, &[], Purge::Soft);
        },
        |world| world.write(0),
        |world| {
            world.store.purge_key(&key(5), Purge::Hard);
        },
    ];
    race(Fence::Whole, &[MANY, OTHERS, PURGES]);
}
