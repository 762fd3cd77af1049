//! How far a copy of a database must have come to be read in place of the database itself.
//!
//! A change has a position in the order of this process, and, once it is committed, a place in the database's log.
//! A copy that has replayed the log up to there shows it. So for each tag the position of its last change is
//! remembered, and for each position the place behind the change there and all before it.
//!
//! The order of events is what makes it right. A change [touches](Floors::touch) its tags before it is visible
//! anywhere, and its place is [noted](Floors::note) before its position is published. Whoever reads takes a snapshot
//! first and asks for the floor then: a floor that the snapshot does not show belongs to a change whose place is not
//! known yet, and no copy will do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::landmark::Mark;
use crate::sequence::{Position, Snapshot};
use crate::tag::Tag;

/// Tags that share a slot share their floor, which sends a read to the database itself that need not go there.
const SLOTS: usize = 1 << 14;

/// Places that are remembered one by one; older ones count as the oldest of these.
const PLACES_MAX: usize = 4_096;

/// What a read of these tags must be shown at the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// A copy that has come this far shows it.
    At(Mark),
    /// Something changes at this moment, or nobody knows where it was committed: only the database itself will do.
    Unknown,
}

/// The floors of all tags.
#[derive(Debug)]
pub struct Floors {
    slots: Box<[AtomicU64]>,
    /// The last change that could not be named by tags.
    all: AtomicU64,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    /// What everything must show; `None` until it is known.
    base: Option<Mark>,
    /// By position, each with the furthest place of all up to it.
    known: VecDeque<(Position, Mark)>,
    /// From here on places are not known: somebody lost the database while it committed.
    lost: Option<Position>,
    /// How often that happened.
    losses: u64,
}

impl Default for Floors {
    fn default() -> Self {
        let slots = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        Self { slots, all: AtomicU64::new(0), places: Mutex::default() }
    }
}

impl Floors {
    /// Floors that are not known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A change at this position touches these tags.
    pub fn touch(&self, position: Position, tags: &[Tag]) {
        for tag in tags {
            self.slot(*tag).fetch_max(position.0, Ordering::AcqRel);
        }
    }

    /// A change at this position may touch anything.
    pub fn touch_all(&self, position: Position) {
        self.all.fetch_max(position.0, Ordering::AcqRel);
    }

    /// The last change of any of these tags.
    pub fn last(&self, tags: &[Tag]) -> Position {
        let of_tags = tags.iter().map(|tag| self.slot(*tag).load(Ordering::Acquire)).max();
        Position(self.all.load(Ordering::Acquire).max(of_tags.unwrap_or(0)))
    }

    /// The change at this position was committed before this place.
    pub fn note(&self, position: Position, mark: Mark) {
        let mut places = self.places();
        let at = places.known.partition_point(|(known, _)| *known < position);
        let before = at.checked_sub(1).map(|before| places.known[before].1);
        places.known.insert(at, (position, before.map_or(mark, |before| before.max(mark))));
        for (_, later) in places.known.range_mut(at + 1..) {
            *later = mark.max(*later);
        }
        if places.known.len() > PLACES_MAX {
            places.known.pop_front();
        }
    }

    /// Nobody knows where the change at this position was committed, or whether it was.
    pub fn lose(&self, position: Position) {
        let mut places = self.places();
        places.lost = Some(places.lost.map_or(position, |lost| lost.min(position)));
        places.losses += 1;
    }

    /// How often a place was lost. To be asked before the database is asked where it is.
    pub fn losses(&self) -> u64 {
        self.places().losses
    }

    /// Everything that was committed before the database was asked, and so many places lost, was so before this place.
    pub fn settle(&self, mark: Mark, losses: u64) {
        let mut places = self.places();
        places.base = places.base.max(Some(mark));
        if places.losses == losses {
            places.lost = None;
        }
    }

    /// Whether [`settle`](Self::settle) is waited for.
    pub fn is_unsettled(&self) -> bool {
        let places = self.places();
        places.base.is_none() || places.lost.is_some()
    }

    /// How far a copy must have come to show the change at this position, for a reader with this snapshot.
    pub fn floor(&self, last: Position, snapshot: Snapshot) -> Floor {
        if !snapshot.shows(last) {
            return Floor::Unknown;
        }
        let places = self.places();
        if places.lost.is_some_and(|lost| lost <= last) {
            return Floor::Unknown;
        }
        let Some(base) = places.base else { return Floor::Unknown };
        let behind = places.known.partition_point(|(known, _)| *known <= last);
        // What came before the oldest that is remembered cannot have needed more than that one.
        let known = places.known.get(behind.saturating_sub(1)).map(|(_, mark)| *mark);
        let is_needed = behind > 0 || places.known.len() == PLACES_MAX;
        Floor::At(known.filter(|_| is_needed).map_or(base, |mark| mark.max(base)))
    }

    fn slot(&self, tag: Tag) -> &AtomicU64 {
        &self.slots[tag.0 as usize & (SLOTS - 1)]
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Every change of it is complete before anything can panic.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(log: u64) -> Mark {
        Mark { timeline: 1, log }
    }

    fn floor_of(floors: &Floors, tag: u64, snapshot: u64) -> Floor {
        floors.floor(floors.last(&[Tag(tag)]), Snapshot(snapshot))
    }

    #[test]
    fn a_read_needs_what_its_own_tags_were_changed_by_and_nothing_more() {
        let floors = Floors::new();
        assert_eq!(floor_of(&floors, 1, 0), Floor::Unknown, "nothing is known");
        floors.settle(at(10), 0);
        assert_eq!(floor_of(&floors, 1, 0), Floor::At(at(10)));
        floors.touch(Position(1), &[Tag(1)]);
        assert_eq!(floor_of(&floors, 1, 0), Floor::Unknown, "it is not committed yet");
        assert_eq!(floor_of(&floors, 2, 0), Floor::At(at(10)));
        floors.note(Position(1), at(20));
        assert_eq!(floor_of(&floors, 1, 1), Floor::At(at(20)));
        assert_eq!(floor_of(&floors, 2, 1), Floor::At(at(10)));
        floors.touch_all(Position(2));
        floors.note(Position(2), at(30));
        assert_eq!(floor_of(&floors, 2, 2), Floor::At(at(30)));
    }

    #[test]
    fn a_position_needs_the_places_of_all_before_it_in_whatever_order_they_were_noted() {
        let floors = Floors::new();
        floors.settle(at(1), 0);
        for (position, log) in [(3, 30), (1, 50), (2, 20)] {
            floors.touch(Position(position), &[Tag(position)]);
            floors.note(Position(position), at(log));
        }
        for (tag, expected) in [(1, 50), (2, 50), (3, 50), (4, 1)] {
            assert_eq!(floor_of(&floors, tag, 3), Floor::At(at(expected)), "{tag}");
        }
        // Another timeline is further, however short its log is.
        floors.note(Position(4), Mark { timeline: 2, log: 5 });
        floors.touch(Position(4), &[Tag(4)]);
        assert_eq!(floor_of(&floors, 4, 4), Floor::At(Mark { timeline: 2, log: 5 }));
    }

    #[test]
    fn what_was_lost_in_a_commit_is_not_read_from_copies_until_the_place_is_known_again() {
        let floors = Floors::new();
        floors.settle(at(1), 0);
        floors.touch(Position(1), &[Tag(1)]);
        floors.note(Position(1), at(5));
        floors.touch(Position(2), &[Tag(2)]);
        floors.lose(Position(2));
        assert!(floors.is_unsettled());
        assert_eq!(floor_of(&floors, 1, 2), Floor::At(at(5)));
        assert_eq!(floor_of(&floors, 2, 2), Floor::Unknown);
        floors.settle(at(8), 0);
        assert_eq!(floor_of(&floors, 2, 2), Floor::Unknown, "it was asked before the loss");
        floors.settle(at(9), floors.losses());
        assert_eq!(floor_of(&floors, 2, 2), Floor::At(at(9)));
    }

    #[test]
    fn what_is_forgotten_counts_as_the_oldest_that_is_known() {
        let floors = Floors::new();
        floors.settle(at(1), 0);
        let most = PLACES_MAX as u64 + 10;
        for position in 1..=most {
            floors.touch(Position(position), &[Tag(position)]);
            floors.note(Position(position), at(100 + position));
        }
        assert_eq!(floor_of(&floors, 1, most), Floor::At(at(111)));
        assert_eq!(floor_of(&floors, most, most), Floor::At(at(100 + most)));
    }
}
