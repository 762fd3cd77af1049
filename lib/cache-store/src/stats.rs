//! What the store counts.

use kasoku_coherence::Key;

use crate::sync::{AtomicU64, Ordering};

/// What a store holds and did; the counters start at zero with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Entries that are stored, usable or not.
    pub entries: u64,
    /// Distinct tags that they depend on.
    pub tags: u64,
    /// Bytes in use, bookkeeping included; never more than the budget.
    pub bytes: u64,
    /// Bytes that may be in use.
    pub budget_bytes: u64,
    /// Look-ups that found a usable entry.
    pub hits: u64,
    /// Look-ups that found an entry which did not show a change or a hard purge.
    pub changed: u64,
    /// Look-ups that found no entry.
    pub absent: u64,
    /// Look-ups that found an expired entry, and called it absent.
    pub expired: u64,
    /// Fills that were stored.
    pub inserted: u64,
    /// Fills that were refused because their snapshot did not show a change or a purge that matched them.
    pub fenced: u64,
    /// Fills that were refused because they weighed too much, and entries removed because they had come to.
    pub too_large: u64,
    /// Fills that were refused because a later one was stored already.
    pub older: u64,
    /// Entries that made room for others.
    pub evicted: u64,
}

/// A key and how often it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hot {
    /// The key.
    pub key: Key,
    /// How often it was found since it was first stored without a gap.
    pub hits: u32,
}

/// What look-ups count, in the shard that they visit anyway.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    pub(crate) hits: Counter,
    pub(crate) changed: Counter,
    pub(crate) absent: Counter,
    pub(crate) expired: Counter,
}

/// What the ledger counts, under its lock.
#[derive(Debug, Default)]
pub(crate) struct Fills {
    pub(crate) inserted: u64,
    pub(crate) fenced: u64,
    pub(crate) too_large: u64,
    pub(crate) older: u64,
    pub(crate) evicted: u64,
}

/// Counts without ordering anything else.
#[derive(Debug)]
pub(crate) struct Counter(AtomicU64);

impl Default for Counter {
    fn default() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Counter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
