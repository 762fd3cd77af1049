//! Positions in the order of changes, and snapshots that show some of them.
//!
//! A writer *reserves* the position of a change before the change becomes visible, lets it be applied, makes it
//! visible, and then *publishes* the position. Snapshots show published positions only, and none behind one that
//! is still reserved. So from before the change is visible until it is published, no snapshot shows it: what is
//! stored is unusable, and what is being read is not stored. Without that, a reader could see the new state in one
//! answer and then the old one in another that was stored before.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The place of a change in the order of this process. Positions start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// What a read could see: every change up to a position, and perhaps later ones.
///
/// A reader notes it *before* it begins to read. It may then see more than the snapshot says, which costs at
/// most a needless removal, but never less, which would be a stale answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snapshot(pub u64);

impl Snapshot {
    /// Whether a read with this snapshot is certain to have seen the change at `position`.
    pub fn shows(self, position: Position) -> bool {
        position.0 <= self.0
    }

    /// What two reads together can be certain of having seen.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

/// Hands out positions. One process has one, shared by all its databases and by its store, so that an answer
/// that was read from several of them still has one snapshot.
#[derive(Debug, Default)]
pub struct Sequence {
    /// The last position that snapshots show.
    shown: AtomicU64,
    drawn: Mutex<Drawn>,
}

#[derive(Debug, Default)]
struct Drawn {
    last: u64,
    /// As many as there are writers that commit at this moment.
    reserved: BTreeSet<u64>,
}

impl Sequence {
    /// A sequence in which nothing has changed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The position of a change that is about to become visible. It must be [published](Self::publish), whether or
    /// not the change came about: until then no snapshot shows it, nor any later one.
    pub fn reserve(&self) -> Position {
        let mut drawn = self.drawn();
        drawn.last += 1;
        let position = drawn.last;
        drawn.reserved.insert(position);
        Position(position)
    }

    /// Lets snapshots show a reserved position. The change is visible to new reads by now, or will never be.
    pub fn publish(&self, position: Position) {
        let mut drawn = self.drawn();
        drawn.reserved.remove(&position.0);
        self.show(&drawn);
    }

    /// The position of a change that is visible to new reads already.
    pub fn next(&self) -> Position {
        let mut drawn = self.drawn();
        drawn.last += 1;
        self.show(&drawn);
        Position(drawn.last)
    }

    /// What a read that begins now is certain to see.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.shown.load(Ordering::Acquire))
    }

    fn show(&self, drawn: &Drawn) {
        let shown = drawn.reserved.first().map_or(drawn.last, |reserved| reserved - 1);
        self.shown.store(shown, Ordering::Release);
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        // Every change of it is complete before anything can panic.
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_shows_what_came_before_it_and_nothing_after() {
        let sequence = Sequence::new();
        let early = sequence.snapshot();
        let change = sequence.next();
        let late = sequence.snapshot();
        assert!(!early.shows(change));
        assert!(late.shows(change));
        assert_eq!(early.and(late), early);
    }

    #[test]
    fn no_snapshot_shows_a_reserved_position_or_one_behind_it() {
        let sequence = Sequence::new();
        let before = sequence.next();
        let (first, second) = (sequence.reserve(), sequence.reserve());
        let purge = sequence.next();
        assert!(sequence.snapshot().shows(before));
        assert!(!sequence.snapshot().shows(first));
        sequence.publish(second);
        assert!(!sequence.snapshot().shows(first) && !sequence.snapshot().shows(second));
        sequence.publish(first);
        assert!(sequence.snapshot().shows(second) && sequence.snapshot().shows(purge));
    }
}
