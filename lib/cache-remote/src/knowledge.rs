//! What a node knows of the changes of one epoch, and the fence for entries that other nodes stored.
//!
//! An entry carries `as_of`: the position up to which the node that made it had applied every message **before** it
//! began to read. The source shows at least those changes, so the entry is usable unless a later message reaches
//! it. Later messages are remembered by their last position in a fixed table of slots (tags and keys by hash), a
//! short list of prefixes, and one position for everything. Where the memory does not reach back far enough,
//! there is a *floor*, and entries from before it are refused. Collisions and floors only refuse.
//!
//! Knowledge belongs to one epoch and is replaced with it, so nothing of an old epoch's positions, which begin
//! anew, can be compared with those of the next. It does no I/O and knows no clock, so the
//! simulation in `simulation.rs` can run it against a modelled server.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use foldhash::quality::RandomState;
use kasoku_coherence::{Key, Tag};
use parking_lot::RwLock;

use crate::message::{Message, Mode, Reach};

/// What a node knows of one epoch.
#[derive(Debug)]
pub(crate) struct Knowledge {
    epoch: u64,
    /// Entries with an earlier `as_of` may have missed what is not remembered.
    floor: u64,
    /// Every message up to here has been applied, here and by the listener.
    applied: AtomicU64,
    hasher: RandomState,
    hard: Last,
    soft: Last,
}

/// Whether an entry may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Usable { softened: bool },
    Changed,
}

/// The last positions of one mode.
#[derive(Debug)]
struct Last {
    slots: Box<[AtomicU64]>,
    everything: AtomicU64,
    prefixes: RwLock<Prefixes>,
}

#[derive(Debug, Default)]
struct Prefixes {
    recent: VecDeque<(u64, u32, Bytes)>,
    /// The latest prefix that has been forgotten.
    floor: u64,
}

/// Prefixes that are remembered.
const PREFIXES_MAX: usize = 256;

impl Knowledge {
    /// A node that has applied nothing, and will apply every message after `floor`.
    pub(crate) fn new(epoch: u64, floor: u64, slots: usize) -> Self {
        Self {
            epoch,
            floor,
            applied: AtomicU64::new(floor),
            hasher: RandomState::default(),
            hard: Last::new(slots),
            soft: Last::new(slots),
        }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(crate) fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Remembers a message, before the listener hears of it.
    pub(crate) fn remember(&self, position: u64, message: &Message) {
        let last = match message.mode {
            Mode::Soft => &self.soft,
            Mode::Hard => &self.hard,
        };
        match &message.reach {
            Reach::Tags(tags) => {
                for tag in tags {
                    last.slot(self.hash_tag(*tag)).fetch_max(position, Ordering::AcqRel);
                }
            }
            Reach::Key(key) => {
                last.slot(self.hash_key(key)).fetch_max(position, Ordering::AcqRel);
            }
            Reach::Prefix { part, prefix } => last.prefixes.write().remember(position, *part, prefix),
            Reach::Everything => {
                last.everything.fetch_max(position, Ordering::AcqRel);
            }
        }
    }

    /// Notes that the listener has applied everything up to a position, so that fills may say so.
    pub(crate) fn advance(&self, position: u64) {
        self.applied.store(position, Ordering::Release);
    }

    /// The fence.
    pub(crate) fn judge(&self, key: &Key, tags: &[Tag], as_of: u64) -> Judgement {
        let hash = self.hash_key(key);
        if as_of < self.floor || self.reached(&self.hard, key, hash, tags, as_of) {
            return Judgement::Changed;
        }
        Judgement::Usable { softened: self.reached(&self.soft, key, hash, tags, as_of) }
    }

    fn reached(&self, last: &Last, key: &Key, hash: u64, tags: &[Tag], as_of: u64) -> bool {
        let later = |position: &AtomicU64| position.load(Ordering::Acquire) > as_of;
        later(&last.everything)
            || later(last.slot(hash))
            || tags.iter().any(|tag| later(last.slot(self.hash_tag(*tag))))
            || last.prefixes.read().reached(key, as_of)
    }

    fn hash_tag(&self, tag: Tag) -> u64 {
        self.hasher.hash_one((0_u8, tag.0))
    }

    fn hash_key(&self, key: &Key) -> u64 {
        self.hasher.hash_one((1_u8, key.hash64()))
    }
}

impl Last {
    /// The number of slots is a power of two.
    fn new(slots: usize) -> Self {
        Self {
            slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            everything: AtomicU64::new(0),
            prefixes: RwLock::default(),
        }
    }

    fn slot(&self, hash: u64) -> &AtomicU64 {
        &self.slots[(hash >> 24) as usize & (self.slots.len() - 1)]
    }
}

impl Prefixes {
    /// Positions come in rising order, for one task applies messages.
    fn remember(&mut self, position: u64, part: u32, prefix: &Bytes) {
        if self.recent.len() == PREFIXES_MAX
            && let Some((oldest, ..)) = self.recent.pop_front()
        {
            self.floor = oldest;
        }
        self.recent.push_back((position, part, prefix.clone()));
    }

    fn reached(&self, key: &Key, as_of: u64) -> bool {
        if as_of < self.floor {
            return true;
        }
        let begins = |part: u32, prefix: &[u8]| {
            key.parts().nth(part as usize).flatten().is_some_and(|bytes| bytes.starts_with(prefix))
        };
        let mut later = self.recent.iter().rev().take_while(|(position, ..)| *position > as_of);
        later.any(|(_, part, prefix)| begins(*part, prefix))
    }
}

#[cfg(test)]
mod tests {
    use kasoku_coherence::KeyBuilder;

    use super::*;

    fn key(path: &str) -> Key {
        KeyBuilder::new().part(b"GET").part(path.as_bytes()).build()
    }

    fn prefix(prefix: &str) -> Reach {
        Reach::Prefix { part: 1, prefix: Bytes::copy_from_slice(prefix.as_bytes()) }
    }

    #[test]
    fn a_message_reaches_entries_from_before_it_and_none_from_after() {
        let check = |reach: Reach, mode: Mode, reached: bool| {
            let knowledge = Knowledge::new(1, 0, 1 << 16);
            knowledge.remember(5, &Message { reach, mode, sender: 0 });
            let judge = |as_of| knowledge.judge(&key("/items/7"), &[Tag(7)], as_of);
            let before = match (reached, mode) {
                (true, Mode::Hard) => Judgement::Changed,
                (softened, _) => Judgement::Usable { softened },
            };
            assert_eq!(judge(4), before);
            assert_eq!(judge(5), Judgement::Usable { softened: false });
        };
        for mode in [Mode::Soft, Mode::Hard] {
            check(Reach::Tags(vec![Tag(3), Tag(7)]), mode, true);
            check(Reach::Tags(vec![Tag(3)]), mode, false);
            check(Reach::Key(key("/items/7")), mode, true);
            check(Reach::Key(key("/items/8")), mode, false);
            check(prefix("/items"), mode, true);
            check(prefix("/orders"), mode, false);
            check(Reach::Everything, mode, true);
        }
    }

    #[test]
    fn entries_from_before_the_floor_are_refused() {
        let knowledge = Knowledge::new(1, 9, 16);
        assert_eq!(knowledge.judge(&key("/"), &[], 8), Judgement::Changed);
        assert_eq!(knowledge.judge(&key("/"), &[], 9), Judgement::Usable { softened: false });
    }

    #[test]
    fn a_forgotten_prefix_is_a_floor() {
        let knowledge = Knowledge::new(1, 0, 16);
        for position in 1..=PREFIXES_MAX as u64 + 1 {
            let message = Message { reach: prefix("/other"), mode: Mode::Hard, sender: 0 };
            knowledge.remember(position, &message);
        }
        assert_eq!(knowledge.judge(&key("/"), &[], 0), Judgement::Changed);
        assert_eq!(knowledge.judge(&key("/"), &[], 1), Judgement::Usable { softened: false });
    }
}
