//! What is stored, and the verdicts about it.

use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Key, Position, Snapshot, Tag};

use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::tags::TagCell;

/// A finished fill: a value, and what it is known by and depends on.
#[derive(Debug)]
pub struct Fill<V> {
    /// The value; it is shared with whoever answers from it now.
    pub value: Arc<V>,
    /// Everything that the value depends on. Repeated tags count once.
    pub tags: Vec<Tag>,
    /// Noted before the value was read; see [`Store::snapshot`](crate::Store::snapshot) for sources without one.
    pub snapshot: Snapshot,
    /// When the value was made, for ages; the store gives it back and makes nothing of it.
    pub inserted: Instant,
    /// From this moment on the entry is absent; `None` where only changes, purges and eviction end it.
    pub expires: Option<Instant>,
}

/// What a look-up found.
#[derive(Debug)]
pub enum Found<V> {
    /// An entry whose snapshot shows every change to each of its tags.
    Usable {
        /// The stored value.
        value: Arc<V>,
        /// When it was made.
        inserted: Instant,
        /// What it was read from.
        snapshot: Snapshot,
        /// The last soft purge that reached it: use it only as one uses a stale value.
        softened: Option<Position>,
        /// How often the key was found since it was first stored without a gap, this time included.
        hits: u32,
    },
    /// There was an entry, but it did not show a change or a hard purge; it is removed.
    Changed,
    /// There is no entry, or it has expired.
    Absent,
}

/// What became of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Look-ups find it.
    Stored,
    /// A change or a purge that its snapshot does not show matches it, or may match it: answer with it, keep it not.
    Fenced,
    /// It weighs more than one entry may; see [`Store::entry_bytes_max`](crate::Store::entry_bytes_max).
    TooLarge,
    /// An entry with a later snapshot is stored already, and stays.
    Older,
}

/// What became of an entry whose value had changed its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reweighed {
    /// It is still stored, at its new weight.
    Kept,
    /// The value is not, or no longer, stored for the key.
    Gone,
    /// It weighs more than one entry may, and was removed.
    TooLarge,
}

/// No place in the eviction queues: the entry is not stored, or no longer.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// One stored value.
#[derive(Debug)]
pub(crate) struct Entry<V> {
    pub(crate) key: Key,
    pub(crate) hash: u64,
    pub(crate) value: Arc<V>,
    pub(crate) cells: Box<[Arc<TagCell>]>,
    pub(crate) snapshot: Snapshot,
    pub(crate) inserted: Instant,
    pub(crate) expires: Option<Instant>,
    softened: AtomicU64,
    hits: AtomicU32,
    place: AtomicU32,
}

impl<V> Clone for Fill<V> {
    /// Shares the value.
    fn clone(&self) -> Self {
        let (value, tags) = (Arc::clone(&self.value), self.tags.clone());
        Self { value, tags, snapshot: self.snapshot, inserted: self.inserted, expires: self.expires }
    }
}

/// Whether an entry may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Usable { softened: Option<Position> },
    Changed,
    Expired,
}

impl<V> Entry<V> {
    pub(crate) fn new(key: Key, hash: u64, fill: Fill<V>, cells: Box<[Arc<TagCell>]>, hits: u32) -> Self {
        Self {
            key,
            hash,
            value: fill.value,
            cells,
            snapshot: fill.snapshot,
            inserted: fill.inserted,
            expires: fill.expires,
            softened: AtomicU64::new(0),
            hits: AtomicU32::new(hits),
            place: AtomicU32::new(NOWHERE),
        }
    }

    /// The fence, for what the entry itself knows: its cells and the purges of its key.
    pub(crate) fn judge(&self) -> Judgement {
        let mut softened = self.softened.load(Ordering::Acquire);
        for cell in &self.cells {
            if !self.snapshot.shows(cell.changed()) {
                return Judgement::Changed;
            }
            softened = softened.max(cell.softened().0);
        }
        let softened = Position(softened);
        Judgement::Usable { softened: (!self.snapshot.shows(softened)).then_some(softened) }
    }

    /// Marks it stale for all who look it up from now on.
    pub(crate) fn soften(&self, position: Position) {
        self.softened.fetch_max(position.0, Ordering::AcqRel);
    }

    /// Counts a hit, and says how many there were. It stops counting, rather than wrap, at the end.
    pub(crate) fn hit(&self) -> u32 {
        let hits = self.hits.load(Ordering::Relaxed);
        if hits == u32::MAX {
            return hits;
        }
        self.hits.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    pub(crate) fn hits(&self) -> u32 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Its place in the eviction queues; read and written under the ledger's lock only.
    pub(crate) fn place(&self) -> u32 {
        self.place.load(Ordering::Relaxed)
    }

    pub(crate) fn set_place(&self, place: u32) {
        self.place.store(place, Ordering::Relaxed);
    }
}
