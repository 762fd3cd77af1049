//! A view of the database that is kept from one read to the next.
//!
//! To begin a transaction of reading and to end it takes a lock of the system each, which together cost more than
//! finding a row. So a connection that is read from again and again keeps its transaction open, for [`KEPT_MOST`] at
//! the longest, and only as long as a new one would have to see nothing more.
//!
//! That no read sees less than it must holds by this order. The writer commits, counts the commit in
//! [`Horizon::commits`], publishes its position, and answers. A read takes the horizon, first the snapshot and then
//! the count, and only then its view. A view that was begun for an equal horizon was begun after the count had been
//! taken, and so after each commit in that count:
//!
//! - A read that begins after a write was answered finds the write in the count; so does the view, which therefore
//!   shows it.
//! - A read whose snapshot shows a commit of this database finds it in the count, because the snapshot was taken
//!   first and is published last. So a view never shows less than the snapshot that goes with it, which is what the
//!   fence of the store rests on. It may show more, as ever.
//!
//! What another process writes is in no count before it is noticed. A view is no older than [`KEPT_MOST`] when it is
//! used, and the noticing itself is counted like a commit. A purge moves the snapshot, so that what is read after it
//! is read anew.
//!
//! A view that is kept keeps the log from starting anew and from being copied beyond what it shows. So none is kept
//! while the log is long, and upkeep ends those that nobody uses.

use std::time::{Duration, Instant};

use crate::tell::Horizon;

/// A view is used for this long. It bounds how late a read sees what another process wrote.
pub(crate) const KEPT_MOST: Duration = Duration::from_millis(5);

/// Reads that follow each other within this time are worth keeping a view for.
const TOGETHER: Duration = Duration::from_millis(1);

/// What a connection keeps.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// No transaction is open. The last read, if any, began at this time and had to see this much.
    Nothing(Option<(Instant, Horizon)>),
    /// A transaction that was begun at this time, for this horizon or a later one.
    View(Instant, Horizon),
}

/// What a read does about the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes on in the one that is open.
    Reuse,
    /// It begins one to be kept, after it has ended the one that is open, if there is one.
    Begin,
    /// It runs by itself, after it has ended the one that is open, if there is one.
    Alone,
}

impl Kept {
    /// What a read does that begins now and has to see this much; `may_keep` is whether views may be kept.
    pub(super) fn step(&self, now: Instant, horizon: &Horizon, may_keep: bool) -> Step {
        let (since, known, most) = match self {
            Self::Nothing(None) => return Step::Alone,
            Self::Nothing(Some((last, known))) => (last, known, TOGETHER),
            Self::View(since, known) => (since, known, KEPT_MOST),
        };
        let young = now.saturating_duration_since(*since) < most;
        match self {
            _ if !may_keep || known != horizon => Step::Alone,
            Self::View(..) if young => Step::Reuse,
            // It has been in use until now, or else upkeep had ended it.
            Self::View(..) => Step::Begin,
            Self::Nothing(_) if young => Step::Begin,
            Self::Nothing(_) => Step::Alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use kasoku_coherence::Snapshot;

    use super::*;

    #[test]
    fn a_view_is_kept_for_reads_that_follow_each_other_and_need_to_see_nothing_more() {
        let start = Instant::now();
        let at = |micros| start + Duration::from_micros(micros);
        let horizon = Horizon { snapshot: Snapshot(3), commits: 2 };
        let check = |kept: Kept, micros, horizon: Horizon, may_keep, expected| {
            assert_eq!(kept.step(at(micros), &horizon, may_keep), expected, "{kept:?} {micros} {horizon:?}");
        };
        let before = Kept::Nothing(Some((start, horizon)));
        check(Kept::Nothing(None), 0, horizon, true, Step::Alone);
        check(before, 999, horizon, true, Step::Begin);
        check(before, 999, horizon, false, Step::Alone);
        check(before, 1_000, horizon, true, Step::Alone);
        let view = Kept::View(start, horizon);
        check(view, 0, horizon, true, Step::Reuse);
        check(view, 4_999, horizon, true, Step::Reuse);
        check(view, 4_999, horizon, false, Step::Alone);
        check(view, 5_000, horizon, true, Step::Begin);
        for later in [Horizon { commits: 3, ..horizon }, Horizon { snapshot: Snapshot(4), ..horizon }] {
            check(before, 0, later, true, Step::Alone);
            check(view, 0, later, true, Step::Alone);
        }
    }
}
