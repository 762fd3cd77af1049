//! Positions in the order of changes, and snapshots that show some of them.

use std::sync::atomic::{AtomicU64, Ordering};

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
pub struct Sequence(AtomicU64);

impl Sequence {
    /// A sequence in which nothing has changed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The position of a change that has just become visible to new reads.
    pub fn next(&self) -> Position {
        Position(self.0.fetch_add(1, Ordering::AcqRel) + 1)
    }

    /// What a read that begins now is certain to see.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.0.load(Ordering::Acquire))
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
}
