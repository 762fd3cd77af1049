//! How far the database itself has come, and when: by that the age of a replica is told.
//!
//! The database is asked for the end of its log again and again. Whatever was committed before it was asked is in the
//! log before the place that it answers. So a replica that has replayed up to a place shows all that was committed
//! before the question that this place was the answer to; its age is the time since. Only this machine's monotonic
//! clock takes part.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use kasoku_coherence::Mark;

/// Questions that are remembered for the longest age of interest; beyond that they are thinned.
const KEPT: u32 = 512;

/// Where the database was when it was asked.
#[derive(Debug)]
pub(super) struct Tide {
    spacing: Duration,
    asked: VecDeque<(Instant, Mark)>,
}

impl Tide {
    /// For ages up to this one.
    pub(super) fn new(age_most: Duration) -> Self {
        Self { spacing: age_most / KEPT, asked: VecDeque::new() }
    }

    /// The database was asked at this time and answered with this place.
    pub(super) fn note(&mut self, asked: Instant, mark: Mark) {
        if self.asked.back().is_some_and(|(_, known)| known.timeline != mark.timeline) {
            // Places of another history say nothing about this one.
            self.asked.clear();
        }
        let count = self.asked.len();
        let thinned = count >= 2 && {
            let (before, last) = (self.asked[count - 2], self.asked[count - 1]);
            // The last one is replaced where it says nothing else, or comes too soon after the one before.
            last.1 == mark || asked.saturating_duration_since(before.0) < self.spacing
        };
        if thinned {
            self.asked.pop_back();
        }
        self.asked.push_back((asked, mark));
        if self.asked.len() > 2 * KEPT as usize {
            self.asked.pop_front();
        }
    }

    /// Since when, at the latest, what is committed is not shown by a replica that has replayed up to this place;
    /// `None` if that is too long ago to be known.
    pub(super) fn shows_until(&self, replayed: Mark) -> Option<Instant> {
        let behind = self.asked.partition_point(|(_, mark)| *mark <= replayed);
        let (asked, mark) = self.asked.get(behind.checked_sub(1)?)?;
        (mark.timeline == replayed.timeline).then_some(*asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(timeline: u32, log: u64) -> Mark {
        Mark { timeline, log }
    }

    #[test]
    fn a_replica_is_as_old_as_the_last_question_whose_answer_it_has_reached() {
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        let mut tide = Tide::new(Duration::from_secs(1));
        assert_eq!(tide.shows_until(at(1, 99)), None);
        for (when, log) in [(0, 10), (25, 10), (50, 20), (75, 30), (100, 30), (125, 30)] {
            tide.note(ms(when), at(1, log));
        }
        for (log, expected) in
            [(9, None), (10, Some(25)), (19, Some(25)), (20, Some(50)), (30, Some(125)), (99, Some(125))]
        {
            assert_eq!(tide.shows_until(at(1, log)), expected.map(ms), "{log}");
        }
        // Another server has taken over: what follows the old one is not known to show anything.
        tide.note(ms(150), at(2, 25));
        assert_eq!((tide.shows_until(at(1, 99)), tide.shows_until(at(2, 25))), (None, Some(ms(150))));
        assert_eq!(tide.shows_until(at(3, 99)), None);
    }

    #[test]
    fn questions_are_thinned_and_never_make_a_replica_look_younger() {
        let start = Instant::now();
        let mut tide = Tide::new(Duration::from_mins(1));
        let ms = |ms| start + Duration::from_millis(ms);
        for turn in 0..20_000 {
            tide.note(ms(turn * 10), at(1, turn));
        }
        assert!(tide.asked.len() <= 2 * KEPT as usize);
        for log in [19_900, 19_990, 19_999] {
            let shown = tide.shows_until(at(1, log)).unwrap();
            assert!(shown <= ms(log * 10) && shown + Duration::from_millis(130) > ms(log * 10), "{log}");
        }
    }
}
