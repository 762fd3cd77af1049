//! The store: look-ups, fills, and the one lock that puts everything but look-ups and changes in order.
//!
//! Three things are locked, in this order, and never the other way round: the *ledger* (eviction queues, byte
//! count, recent prefix purges), then a shard of the *index*, or a shard of the *tags*. A look-up takes the read
//! lock of one index shard, and the ledger only afterwards, to remove what it found unusable. A change takes
//! shards of the tags only. Everything that is stored or removed is so under the ledger; a fill is work for a
//! source, beside which the microsecond under one lock is small, and the byte count is exact for it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Change, ChangeSink, Key, Sequence, Snapshot, Tag};

use crate::entry::{Entry, Fill, Found, Inserted, Judgement, NOWHERE, Reweighed};
use crate::eviction::Queues;
use crate::index::Index;
use crate::limits::Limits;
use crate::purge::{Epoch, Purge, RecentPrefixes};
use crate::stats::Fills;
use crate::sync::Mutex;
use crate::tags::Tags;
use crate::weight::{self, Weigh};

/// A bounded store of values that knows when what they were read from has changed.
///
/// It is shared as an `Arc`; every method takes `&self`. The [crate's page](crate) shows it at work.
pub struct Store<V> {
    pub(crate) sequence: Arc<Sequence>,
    pub(crate) limits: Limits,
    pub(crate) index: Index<V>,
    pub(crate) tags: Tags,
    pub(crate) epoch: Epoch,
    pub(crate) ledger: Mutex<Ledger<V>>,
    fence: Fence,
}

/// What is only touched under the store's one lock.
#[derive(Debug)]
pub(crate) struct Ledger<V> {
    pub(crate) queues: Queues<V>,
    pub(crate) prefixes: RecentPrefixes,
    pub(crate) fills: Fills,
}

/// Whether the fence works. Checkers of a whole product need a store whose fence does not, to see that they would
/// notice; nobody else does.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// As it should be.
    Whole,
    /// Fills read the slots before they have their cells, and not after.
    Early,
    /// Fills do not read the slots: what changed while they were made is lost, as in a store that only deletes.
    Forgetful,
    /// Changes to tags hide nothing and refuse nothing.
    Down,
}

impl<V: Weigh + Send + Sync + 'static> Store<V> {
    /// An empty store that keeps at most `budget_bytes`, bookkeeping included (64 KiB if less is asked for), and
    /// orders its purges by the sequence that the changes to come are ordered by.
    pub fn new(budget_bytes: u64, sequence: Arc<Sequence>) -> Self {
        Self::with_fence(budget_bytes, sequence, Fence::Whole)
    }

    #[doc(hidden)]
    pub fn with_fence(budget_bytes: u64, sequence: Arc<Sequence>, fence: Fence) -> Self {
        let limits = Limits::new::<V>(budget_bytes);
        Self {
            sequence,
            index: Index::new(limits.shards),
            tags: Tags::new(limits.slots, limits.shards),
            epoch: Epoch::new(),
            ledger: Mutex::new(Ledger {
                queues: Queues::new(limits.budget_bytes),
                prefixes: RecentPrefixes::default(),
                fills: Fills::default(),
            }),
            limits,
            fence,
        }
    }

    /// The snapshot of a fill that begins now, for sources that have none of their own. Take it *before* reading.
    pub fn snapshot(&self) -> Snapshot {
        self.sequence.snapshot()
    }

    /// Whether the fence would let a fill with this snapshot in, as of now. For those that share an answer before it
    /// is stored: what was read before a change must not answer who came after it. Takes the store's one lock.
    pub fn accepts(&self, key: &Key, tags: &[Tag], snapshot: Snapshot) -> bool {
        let refused = self.refuses(&self.ledger.lock(), key, self.index.hash(key), snapshot);
        let blind = matches!(self.fence, Fence::Forgetful | Fence::Down);
        !refused && (blind || self.tags.shown(tags, snapshot))
    }

    /// What one entry may weigh, key, tags and bookkeeping included: an eighth of the budget.
    pub fn entry_bytes_max(&self) -> u64 {
        self.limits.entry_bytes_max
    }

    /// Looks a key up. An entry that cannot be used any more is removed. Costs a hash of the key, a read lock and a
    /// load for each tag; allocates nothing.
    pub fn look_up(&self, key: &Key, now: Instant) -> Found<V> {
        self.look_up_bytes(key.bytes(), now)
    }

    /// Looks up the key with these bytes, as [`look_up`](Self::look_up) does.
    pub fn look_up_bytes(&self, key: &[u8], now: Instant) -> Found<V> {
        let hash = self.index.hash_bytes(key);
        let shard = self.index.shard(hash);
        let table = shard.table.read();
        let Some(entry) = table.find(hash, |entry| entry.key.bytes() == key) else {
            shard.lookups.absent.add_one();
            return Found::Absent;
        };
        let judgement = self.judge(entry, now);
        if let Judgement::Usable { softened } = judgement {
            shard.lookups.hits.add_one();
            return Found::Usable {
                value: Arc::clone(&entry.value),
                inserted: entry.inserted,
                snapshot: entry.snapshot,
                softened,
                hits: entry.hit(),
            };
        }
        let unusable = Arc::clone(entry);
        drop(table);
        self.discard(&unusable);
        if judgement == Judgement::Expired {
            shard.lookups.expired.add_one();
            return Found::Absent;
        }
        shard.lookups.changed.add_one();
        Found::Changed
    }

    /// Stores a fill, unless the fence, the limits or a later fill forbid it; an entry that is there for the key is
    /// then replaced. Evicts what has to make room. Costs a few hundred nanoseconds, and for each tag two to four
    /// visits of a small table, under the store's one lock.
    pub fn insert(&self, key: Key, mut fill: Fill<V>) -> Inserted {
        fill.tags.sort_unstable();
        fill.tags.dedup();
        let hash = self.index.hash(&key);
        let bytes = weight::entry(&key, &*fill.value, fill.tags.len());
        let cells_bytes = fill.tags.len() as u64 * Tags::cell_bytes();
        let mut evicted = Vec::new();
        let mut ledger = self.ledger.lock();
        if bytes.saturating_add(cells_bytes) > self.limits.entry_bytes_max {
            ledger.fills.too_large += 1;
            return Inserted::TooLarge;
        }
        // Reading the slots here spares others from an eviction in vain; what counts is reading them again below.
        if self.refuses(&ledger, &key, hash, fill.snapshot) || !self.tags_shown(&fill) {
            ledger.fills.fenced += 1;
            return Inserted::Fenced;
        }
        if self.index.find(hash, &key).is_some_and(|stored| stored.snapshot > fill.snapshot) {
            ledger.fills.older += 1;
            return Inserted::Older;
        }
        self.make_room(&mut ledger, bytes + cells_bytes, &mut evicted);
        let cells = self.tags.register(&fill.tags);
        if self.fence != Fence::Early && !self.tags_shown(&fill) {
            self.tags.release(&cells);
            ledger.fills.fenced += 1;
            return Inserted::Fenced;
        }
        let replaced = self.index.find(hash, &key);
        let hits = replaced.as_ref().map_or(0, |stored| stored.hits());
        let entry = Arc::new(Entry::new(key, hash, fill, cells, hits));
        self.index.put(Arc::clone(&entry));
        match &replaced {
            Some(stored) => {
                ledger.queues.replace(stored.place(), entry, bytes);
                self.tags.release(&stored.cells);
            }
            None => ledger.queues.push(entry, bytes),
        }
        ledger.fills.inserted += 1;
        // What was evicted or replaced is freed after the lock.
        drop(ledger);
        drop((evicted, replaced));
        Inserted::Stored
    }

    /// Weighs an entry again whose value has come to keep more bytes, or fewer. Asks [`Weigh::bytes`] under the lock,
    /// so that it does not matter how many ask at once. Makes room where it must.
    pub fn reweigh(&self, key: &Key, value: &Arc<V>) -> Reweighed {
        let hash = self.index.hash(key);
        let mut evicted = Vec::new();
        let mut ledger = self.ledger.lock();
        let Some(entry) = self.index.find(hash, key).filter(|entry| Arc::ptr_eq(&entry.value, value)) else {
            return Reweighed::Gone;
        };
        let bytes = weight::entry(key, &**value, entry.cells.len());
        let cells_bytes = entry.cells.len() as u64 * Tags::cell_bytes();
        if bytes.saturating_add(cells_bytes) > self.limits.entry_bytes_max {
            self.remove(&mut ledger, &entry);
            ledger.fills.too_large += 1;
            return Reweighed::TooLarge;
        }
        let before = ledger.queues.weight(entry.place());
        self.make_room(&mut ledger, bytes.saturating_sub(before), &mut evicted);
        if entry.place() == NOWHERE {
            return Reweighed::Gone;
        }
        ledger.queues.reweigh(entry.place(), bytes);
        Reweighed::Kept
    }

    /// Everything that is in use, given what the ledger holds.
    pub(crate) fn bytes(&self, ledger: &Ledger<V>) -> u64 {
        self.limits.fixed_bytes + ledger.queues.bytes() + self.tags.bytes()
    }

    /// Takes an entry that is stored out of everything.
    pub(crate) fn remove(&self, ledger: &mut Ledger<V>, entry: &Arc<Entry<V>>) {
        ledger.queues.remove(entry.place());
        self.forget(entry);
    }

    /// Evicts until so many bytes are free. What goes is handed out, to be freed after the lock.
    fn make_room(&self, ledger: &mut Ledger<V>, bytes: u64, evicted: &mut Vec<Arc<Entry<V>>>) {
        while self.bytes(ledger) + bytes > self.limits.budget_bytes {
            let unusable = |entry: &Entry<V>| self.judge_fence(entry) == Judgement::Changed;
            let Some(victim) = ledger.queues.evict(unusable) else { return };
            self.forget(&victim);
            ledger.fills.evicted += 1;
            evicted.push(victim);
        }
    }

    /// Takes an entry that has left the queues out of the index, and its references from the tags.
    fn forget(&self, entry: &Arc<Entry<V>>) {
        self.index.remove(entry);
        self.tags.release(&entry.cells);
    }

    fn judge(&self, entry: &Entry<V>, now: Instant) -> Judgement {
        if entry.expires.is_some_and(|expires| expires <= now) {
            return Judgement::Expired;
        }
        self.judge_fence(entry)
    }

    fn judge_fence(&self, entry: &Entry<V>) -> Judgement {
        if self.epoch.hides(entry.snapshot) {
            return Judgement::Changed;
        }
        let everything = self.epoch.softens(entry.snapshot);
        if self.fence == Fence::Down {
            return Judgement::Usable { softened: everything };
        }
        match entry.judge() {
            Judgement::Usable { softened } => Judgement::Usable { softened: softened.max(everything) },
            unusable => unusable,
        }
    }

    /// Whether a purge of the key, of a prefix of it or of everything forbids a fill from this snapshot.
    fn refuses(&self, ledger: &Ledger<V>, key: &Key, hash: u64, snapshot: Snapshot) -> bool {
        let everything = self.epoch.hides(snapshot) || self.epoch.softens(snapshot).is_some();
        everything || !self.tags.shown_hash(hash, snapshot) || !ledger.prefixes.shown(key, snapshot)
    }

    fn tags_shown(&self, fill: &Fill<V>) -> bool {
        matches!(self.fence, Fence::Forgetful | Fence::Down) || self.tags.shown(&fill.tags, fill.snapshot)
    }
}

impl<V> fmt::Debug for Store<V> {
    /// Says what it may hold, and nothing of what it holds.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<V: Weigh + Send + Sync + 'static> ChangeSink for Store<V> {
    /// Hides every entry that depends on one of the tags from look-ups that begin when this has returned, unless its
    /// snapshot shows the change; and refuses fills that do not. Costs one visit of a small table for each tag.
    fn apply(&self, change: &Change) {
        for tag in &change.tags {
            self.tags.apply(*tag, change.position, Purge::Hard);
        }
    }
}
