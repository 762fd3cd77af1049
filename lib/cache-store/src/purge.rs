//! Purges: by key, by prefix of a part of the key, by tag, or everything; soft or hard.
//!
//! A purge draws a position like a change does, and is remembered, so that a fill that began before it is not
//! stored after it: tags and keys in the slots of [`crate::tags`], everything as one position for the whole store,
//! and prefixes in a short list. When the list is full its oldest purge is forgotten and fills that began before
//! that one are refused from then on, whatever their keys.

use std::collections::VecDeque;
use std::sync::Arc;

use kasoku_coherence::{Key, Position, Snapshot, Tag};

use crate::entry::{Entry, NOWHERE};
use crate::store::Store;
use crate::sync::{AtomicU64, Ordering};
use crate::weight::Weigh;

/// What a purge does to the entries that it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purge {
    /// They stay, and look-ups say that they are stale.
    Soft,
    /// They are gone.
    Hard,
}

/// Prefix purges that are remembered.
const PREFIXES_MAX: usize = 256;

/// Bytes of a prefix that are remembered; what is cut off would only have made it match less.
const PREFIX_BYTES_MAX: usize = 1024;

impl<V: Weigh + Send + Sync + 'static> Store<V> {
    /// Purges one key. Says how many entries it reached: none or one. Costs one look-up under the lock.
    pub fn purge_key(&self, key: &Key, mode: Purge) -> u64 {
        let hash = self.index.hash(key);
        let mut ledger = self.ledger.lock();
        let position = self.sequence.next();
        self.tags.remember(hash, position);
        let Some(entry) = self.index.find(hash, key) else { return 0 };
        match mode {
            Purge::Soft => entry.soften(position),
            Purge::Hard => self.remove(&mut ledger, &entry),
        }
        drop(ledger);
        1
    }

    /// Purges every key whose part number `part` (from 0) is there and begins with `prefix`. Says how many entries
    /// it reached. Walks through all keys, a shard at a time, without stopping look-ups in the others.
    pub fn purge_prefix(&self, part: usize, prefix: &[u8], mode: Purge) -> u64 {
        self.purge_where(part, prefix, |_| true, mode)
    }

    /// As [`purge_prefix`](Self::purge_prefix), but reaches only keys that also match. Fills that began before it
    /// are refused by the prefix alone: they are asked for again, which costs no more than time.
    pub fn purge_where(
        &self,
        part: usize,
        prefix: &[u8],
        matches: impl Fn(&Key) -> bool,
        mode: Purge,
    ) -> u64 {
        let mut ledger = self.ledger.lock();
        let position = self.sequence.next();
        ledger.prefixes.remember(position, part, prefix);
        drop(ledger);
        // Fills that checked the list before this purge was on it have been stored by now, for they do both under
        // one hold of the ledger. So walking through what is stored reaches them, and the list stops the others.
        let mut reached = 0;
        for shard in self.index.shards() {
            let matching: Vec<_> = {
                let table = shard.table.read();
                let begun =
                    table.iter().filter(|entry| begins_with(&entry.key, part, prefix) && matches(&entry.key));
                begun.filter(|entry| !entry.snapshot.shows(position)).cloned().collect()
            };
            reached += matching.len() as u64;
            for entry in &matching {
                match mode {
                    Purge::Soft => entry.soften(position),
                    Purge::Hard => self.discard(entry),
                }
            }
        }
        reached
    }

    /// Purges everything that depends on a tag. Says how many entries do. Costs as much as a change with one tag.
    pub fn purge_tag(&self, tag: Tag, mode: Purge) -> u64 {
        self.tags.apply(tag, self.sequence.next(), mode)
    }

    /// Purges everything, in constant time: what a hard purge leaves unusable is freed as it is met or evicted.
    /// Says how many entries there were. See [`clear`](Self::clear) for having the memory back at once.
    pub fn purge_all(&self, mode: Purge) -> u64 {
        let ledger = self.ledger.lock();
        self.epoch.purge(self.sequence.next(), mode);
        ledger.queues.len() as u64
    }

    /// Purges everything, hard, and frees it. Takes entries out one by one; look-ups and fills go on
    /// meanwhile.
    pub fn clear(&self) {
        self.purge_all(Purge::Hard);
        for shard in self.index.shards() {
            let entries: Vec<_> = shard.table.read().iter().cloned().collect();
            for entry in &entries {
                if self.epoch.hides(entry.snapshot) {
                    self.discard(entry);
                }
            }
        }
    }

    /// Removes an entry, unless it has gone by itself.
    pub(crate) fn discard(&self, entry: &Arc<Entry<V>>) {
        let mut ledger = self.ledger.lock();
        if entry.place() != NOWHERE {
            self.remove(&mut ledger, entry);
        }
    }
}

/// The last purges of everything.
#[derive(Debug)]
pub(crate) struct Epoch {
    changed: AtomicU64,
    softened: AtomicU64,
}

impl Epoch {
    pub(crate) fn new() -> Self {
        Self { changed: AtomicU64::new(0), softened: AtomicU64::new(0) }
    }

    /// Whether what was read from this snapshot has been purged hard.
    pub(crate) fn hides(&self, snapshot: Snapshot) -> bool {
        !snapshot.shows(Position(self.changed.load(Ordering::Acquire)))
    }

    /// The soft purge of everything that this snapshot does not show.
    pub(crate) fn softens(&self, snapshot: Snapshot) -> Option<Position> {
        let softened = Position(self.softened.load(Ordering::Acquire));
        (!snapshot.shows(softened)).then_some(softened)
    }

    fn purge(&self, position: Position, mode: Purge) {
        let last = match mode {
            Purge::Hard => &self.changed,
            Purge::Soft => &self.softened,
        };
        last.fetch_max(position.0, Ordering::AcqRel);
    }
}

/// The last prefix purges, in the order of their positions.
#[derive(Debug, Default)]
pub(crate) struct RecentPrefixes {
    purges: VecDeque<PrefixPurge>,
    /// The latest purge that has been forgotten.
    floor: Option<Position>,
}

#[derive(Debug)]
struct PrefixPurge {
    position: Position,
    part: usize,
    prefix: Box<[u8]>,
}

impl RecentPrefixes {
    /// Positions come in rising order, for they are drawn under the ledger's lock.
    pub(crate) fn remember(&mut self, position: Position, part: usize, prefix: &[u8]) {
        if self.purges.len() == PREFIXES_MAX {
            self.floor = self.purges.pop_front().map(|oldest| oldest.position);
        }
        let prefix = prefix[..prefix.len().min(PREFIX_BYTES_MAX)].into();
        self.purges.push_back(PrefixPurge { position, part, prefix });
    }

    /// Whether a fill with this snapshot comes after every prefix purge that matches its key.
    pub(crate) fn shown(&self, key: &Key, snapshot: Snapshot) -> bool {
        if self.floor.is_some_and(|floor| !snapshot.shows(floor)) {
            return false;
        }
        let mut later = self.purges.iter().rev().take_while(|purge| !snapshot.shows(purge.position));
        !later.any(|purge| begins_with(key, purge.part, &purge.prefix))
    }
}

fn begins_with(key: &Key, part: usize, prefix: &[u8]) -> bool {
    key.parts().nth(part).flatten().is_some_and(|bytes| bytes.starts_with(prefix))
}
