//! Tags and the fence: which changes have been applied, and which entries can tell.
//!
//! Every tag that a stored entry depends on has one *cell* with the position of the last change to it; the entries
//! refer to the cell, so that applying a change costs as much as it has tags, however many entries depend on
//! them. A cell exists only while entries refer to it. What happened to a tag before its cell existed is
//! remembered in a fixed table of *slots*, shared by all tags whose hash falls into the same slot, that hold the
//! latest position each. A collision can only refuse a fill that might have been kept.
//!
//! # Why no change is lost
//!
//! [`Tags::apply`] writes the slot (A1), then locks the tag's shard and writes the cell if it is there (A2). An
//! insert locks the same shard and gets or makes the cell (I1), then reads the slot and gives up if its snapshot
//! does not show what it reads (I2), and only then lets look-ups see the entry (I3). A2 and I1 hold the same lock,
//! so one comes first:
//!
//! - *A2 before I1.* The lock hands on what happened before it was released, and A1 did. So I2 reads a slot at
//!   least as late as the change, and refuses the fill unless its snapshot shows the change.
//! - *I1 before A2.* The cell is there when A2 looks, for the insert keeps it referred to until the entry is
//!   removed or refused. So the cell is written before `apply` returns, and a look-up that begins after that
//!   reads it, whether I3 came before or after.
//!
//! There is no third case. Reading the slot before getting the cell would make one: both could miss each other.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;
use kasoku_coherence::{Position, Snapshot, Tag};

use crate::purge::Purge;
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering, secret_hasher};
use crate::weight::{ARC_BYTES, FRAGMENTATION_PART, TABLE_SLOT_BYTES};

/// What happened last to one tag that entries refer to.
#[derive(Debug)]
pub(crate) struct TagCell {
    tag: Tag,
    changed: AtomicU64,
    softened: AtomicU64,
    /// How many entries refer to it; written under the lock of its shard only.
    referrers: AtomicU32,
}

/// The cells of all live tags, and the slots that remember the others.
#[derive(Debug)]
pub(crate) struct Tags {
    hasher: SeedableRandomState,
    slots: Box<[AtomicU64]>,
    shards: Box<[Mutex<HashTable<Arc<TagCell>>>]>,
    live: AtomicU64,
}

impl TagCell {
    pub(crate) fn changed(&self) -> Position {
        Position(self.changed.load(Ordering::Acquire))
    }

    pub(crate) fn softened(&self) -> Position {
        Position(self.softened.load(Ordering::Acquire))
    }
}

impl Tags {
    /// Both numbers are powers of two.
    pub(crate) fn new(slots: usize, shards: usize) -> Self {
        Self {
            hasher: secret_hasher(),
            slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            shards: (0..shards).map(|_| Mutex::new(HashTable::new())).collect(),
            live: AtomicU64::new(0),
        }
    }

    /// What a live tag costs beside the references that entries hold to it.
    pub(crate) const fn cell_bytes() -> u64 {
        let block = (ARC_BYTES + size_of::<TagCell>() as u64).next_multiple_of(16);
        block + block / FRAGMENTATION_PART + TABLE_SLOT_BYTES
    }

    /// What all live tags cost.
    pub(crate) fn bytes(&self) -> u64 {
        self.live() * Self::cell_bytes()
    }

    /// How many tags entries refer to.
    pub(crate) fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }

    /// Applies a change or a purge to one tag, and says how many entries depend on it.
    pub(crate) fn apply(&self, tag: Tag, position: Position, mode: Purge) -> u64 {
        let hash = self.hash(tag);
        self.remember(hash, position);
        let shard = self.shard(hash).lock();
        let Some(cell) = shard.find(hash, |cell| cell.tag == tag) else { return 0 };
        match mode {
            Purge::Hard => cell.changed.fetch_max(position.0, Ordering::AcqRel),
            Purge::Soft => cell.softened.fetch_max(position.0, Ordering::AcqRel),
        };
        u64::from(cell.referrers.load(Ordering::Relaxed))
    }

    /// Remembers that something happened to whatever has this hash.
    pub(crate) fn remember(&self, hash: u64, position: Position) {
        self.slot(hash).fetch_max(position.0, Ordering::AcqRel);
    }

    /// Gets or makes the cells of an entry about to be stored. Whoever has them must either store them with the
    /// entry or [`release`](Self::release) them.
    pub(crate) fn register(&self, tags: &[Tag]) -> Box<[Arc<TagCell>]> {
        tags.iter().map(|tag| self.register_one(*tag)).collect()
    }

    /// Gives the cells of an entry back; those that nobody else refers to are forgotten.
    pub(crate) fn release(&self, cells: &[Arc<TagCell>]) {
        for cell in cells {
            let hash = self.hash(cell.tag);
            let mut shard = self.shard(hash).lock();
            if cell.referrers.fetch_sub(1, Ordering::Relaxed) > 1 {
                continue;
            }
            if let Ok(found) = shard.find_entry(hash, |other| Arc::ptr_eq(other, cell)) {
                found.remove();
                self.live.fetch_sub(1, Ordering::Relaxed);
            }
            if shard.capacity() > 64 && shard.len() * 4 < shard.capacity() {
                let half_full = shard.len() * 2;
                shard.shrink_to(half_full, |cell| self.hash(cell.tag));
            }
        }
    }

    /// Whether a snapshot shows everything that is remembered for these tags.
    pub(crate) fn shown(&self, tags: &[Tag], snapshot: Snapshot) -> bool {
        tags.iter().all(|tag| self.shown_hash(self.hash(*tag), snapshot))
    }

    /// Whether a snapshot shows everything that is remembered for this hash.
    pub(crate) fn shown_hash(&self, hash: u64, snapshot: Snapshot) -> bool {
        snapshot.shows(Position(self.slot(hash).load(Ordering::Acquire)))
    }

    fn register_one(&self, tag: Tag) -> Arc<TagCell> {
        let hash = self.hash(tag);
        let mut shard = self.shard(hash).lock();
        let entry = shard.entry(hash, |cell| cell.tag == tag, |cell| self.hash(cell.tag));
        let occupied = entry.or_insert_with(|| {
            self.live.fetch_add(1, Ordering::Relaxed);
            Arc::new(TagCell {
                tag,
                changed: AtomicU64::new(0),
                softened: AtomicU64::new(0),
                referrers: AtomicU32::new(0),
            })
        });
        let cell = occupied.get();
        cell.referrers.fetch_add(1, Ordering::Relaxed);
        Arc::clone(cell)
    }

    fn hash(&self, tag: Tag) -> u64 {
        self.hasher.hash_one(tag.0)
    }

    fn slot(&self, hash: u64) -> &AtomicU64 {
        &self.slots[(hash >> 24) as usize & (self.slots.len() - 1)]
    }

    fn shard(&self, hash: u64) -> &Mutex<HashTable<Arc<TagCell>>> {
        &self.shards[(hash >> 48) as usize & (self.shards.len() - 1)]
    }
}
