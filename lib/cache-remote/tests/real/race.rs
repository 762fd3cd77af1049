//! Reads and writes race on several nodes with two tiers each; no read may see less than a write that all nodes had
//! applied before the read began.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use kasoku_cache_remote::{Fill, Found, Listener, Message, Mode, Published, Reach, Remote, Settings};
use kasoku_coherence::{Key, KeyBuilder, Sequence, Snapshot, Tag};
use kasoku_observe::Silent;
use kasoku_units::SystemClock;

/// Few enough that reads and writes meet.
const KEYS: usize = 32;

/// Tasks that race on each node.
const TASKS: u64 = 8;

/// What one in so many rounds is.
const WRITES: u64 = 8;

/// What is raced.
#[derive(Debug, Clone)]
pub(crate) struct Race {
    pub(crate) settings: Settings,
    pub(crate) nodes: u64,
    pub(crate) rounds: u64,
    /// Ends it before the rounds do.
    pub(crate) over: Arc<AtomicBool>,
    /// Takes stamps after reading, to see that this race would notice.
    pub(crate) stamps_late: bool,
    /// How long a write waits for all nodes.
    pub(crate) patience: Duration,
}

/// What came of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Reads that saw less than they had to.
    pub(crate) stale: u64,
    /// Reads from the node's own memory.
    pub(crate) first_tier: u64,
    /// Reads from the second tier.
    pub(crate) second_tier: u64,
    /// Reads from the source that were stored.
    pub(crate) fills: u64,
    /// Reads from the source because the node was not current.
    pub(crate) bypassed: u64,
    /// Writes that all nodes had applied.
    pub(crate) acknowledged: u64,
    /// Writes of which that is not known.
    pub(crate) unacknowledged: u64,
}

/// What has been written, and what has been acknowledged.
struct Source {
    written: [AtomicU64; KEYS],
    acknowledged: [AtomicU64; KEYS],
}

/// A small first tier with a fence.
#[derive(Default)]
struct Memory {
    sequence: Sequence,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<usize, u64>,
    purged: HashMap<usize, u64>,
}

struct Node {
    remote: Remote,
    memory: Arc<Memory>,
}

/// Runs it.
pub(crate) async fn run(race: &Race) -> Outcome {
    let source = Arc::new(Source {
        written: std::array::from_fn(|_| AtomicU64::new(1)),
        acknowledged: std::array::from_fn(|_| AtomicU64::new(0)),
    });
    let mut tasks = Vec::new();
    let rounds = Arc::new(AtomicU64::new(0));
    for number in 0..race.nodes {
        let memory = Arc::new(Memory::default());
        let settings = race.settings.clone();
        let remote = Remote::open(settings, Arc::new(SystemClock), memory.clone(), Arc::new(Silent))
            .expect("the settings are sound");
        assert!(remote.ready(Duration::from_secs(30)).await, "the second tier did not come into use");
        let node = Arc::new(Node { remote, memory });
        for task in 0..TASKS {
            let (node, source, race) = (Arc::clone(&node), Arc::clone(&source), race.clone());
            let rounds = Arc::clone(&rounds);
            tasks.push(tokio::spawn(async move {
                let mut dice = Dice(number * TASKS + task + 1);
                let mut outcome = Outcome::default();
                while rounds.fetch_add(1, Ordering::Relaxed) < race.rounds
                    && !race.over.load(Ordering::Relaxed)
                {
                    round(&node, &source, &race, &mut dice, &mut outcome).await;
                }
                outcome
            }));
        }
    }
    let mut outcome = Outcome::default();
    for task in tasks {
        outcome.add(task.await.expect("no task panics"));
    }
    outcome
}

async fn round(node: &Node, source: &Source, race: &Race, dice: &mut Dice, outcome: &mut Outcome) {
    let number = dice.below(KEYS as u64) as usize;
    if dice.below(WRITES) == 0 {
        let version = source.written[number].fetch_add(1, Ordering::SeqCst) + 1;
        let reach = match dice.below(20) {
            0 => Reach::Everything,
            1 => Reach::Prefix { part: 1, prefix: Bytes::from(name(number)) },
            2..8 => Reach::Key(key(number)),
            _ => Reach::Tags(vec![Tag(number as u64), Tag(u64::MAX)]),
        };
        match node.remote.publish(reach, Mode::Hard, race.patience).await {
            Published::Reached { nodes, of, .. } if nodes == of => {
                source.acknowledged[number].fetch_max(version, Ordering::SeqCst);
                outcome.acknowledged += 1;
            }
            Published::Reached { .. } | Published::Waiting => outcome.unacknowledged += 1,
        }
        return;
    }
    let least = source.acknowledged[number].load(Ordering::SeqCst);
    let seen = read(node, source, race, dice, number, outcome).await;
    outcome.stale += u64::from(seen < least);
}

async fn read(
    node: &Node,
    source: &Source,
    race: &Race,
    dice: &mut Dice,
    number: usize,
    outcome: &mut Outcome,
) -> u64 {
    if !node.remote.is_current() {
        outcome.bypassed += 1;
        return source.written[number].load(Ordering::SeqCst);
    }
    if let Some(version) = node.memory.get(number) {
        outcome.first_tier += 1;
        return version;
    }
    let snapshot = node.memory.sequence.snapshot();
    if let Found::Usable(entry) = node.remote.get(&key(number), node.remote.deadline()).await {
        let version = u64::from_be_bytes(entry.value[..8].try_into().expect("it is a number"));
        node.memory.insert(number, version, snapshot);
        outcome.second_tier += 1;
        return version;
    }
    let snapshot = node.memory.sequence.snapshot();
    let early = node.remote.stamp();
    let version = source.written[number].load(Ordering::SeqCst);
    for _ in 0..dice.below(30) {
        tokio::task::yield_now().await;
    }
    let stamp = if race.stamps_late { node.remote.stamp() } else { early };
    if let Some(stamp) = stamp {
        let value = Bytes::copy_from_slice(&version.to_be_bytes());
        let (tags, lifetime) = (vec![Tag(number as u64)], Duration::from_mins(1));
        let fill = Fill { value, tags, stamp, age: Duration::ZERO, lifetime };
        drop(node.remote.store(key(number), fill, None));
    }
    node.memory.insert(number, version, snapshot);
    outcome.fills += 1;
    version
}

impl Memory {
    fn get(&self, number: usize) -> Option<u64> {
        self.kept.lock().expect("no panic meanwhile").entries.get(&number).copied()
    }

    fn insert(&self, number: usize, version: u64, snapshot: Snapshot) {
        let mut kept = self.kept.lock().expect("no panic meanwhile");
        if kept.purged.get(&number).is_none_or(|purged| *purged <= snapshot.0) {
            kept.entries.insert(number, version);
        }
        // A tier that keeps everything would leave nothing to the second.
        if kept.entries.len() > KEYS / 4 {
            kept.entries.clear();
        }
    }

    fn purge(&self, reached: impl Fn(usize) -> bool) {
        let mut kept = self.kept.lock().expect("no panic meanwhile");
        let position = self.sequence.next().0;
        for number in (0..KEYS).filter(|number| reached(*number)) {
            kept.entries.remove(&number);
            kept.purged.insert(number, position);
        }
    }
}

impl Listener for Memory {
    fn apply(&self, message: &Message) {
        match &message.reach {
            Reach::Tags(tags) => self.purge(|number| tags.contains(&Tag(number as u64))),
            Reach::Key(purged) => self.purge(|number| key(number) == *purged),
            Reach::Prefix { prefix, .. } => self.purge(|number| name(number).as_bytes().starts_with(prefix)),
            Reach::Everything => self.purge(|_| true),
        }
    }

    fn gap(&self) {
        self.purge(|_| true);
    }
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.stale += other.stale;
        self.first_tier += other.first_tier;
        self.second_tier += other.second_tier;
        self.fills += other.fills;
        self.bypassed += other.bypassed;
        self.acknowledged += other.acknowledged;
        self.unacknowledged += other.unacknowledged;
    }
}

fn name(number: usize) -> String {
    format!("{number:04}")
}

fn key(number: usize) -> Key {
    KeyBuilder::new().part(b"GET").part(name(number).as_bytes()).build()
}

/// xorshift: what is drawn is the same for each run, what comes of it is not.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }
}
