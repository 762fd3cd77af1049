//! What the second tier counts.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::entry::Refusal;
use crate::line::Away;

/// What was asked of the second tier and what came of it; all counters start at zero with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Look-ups that found a usable entry.
    pub hits: u64,
    /// Look-ups that found none.
    pub absent: u64,
    /// Look-ups that found an entry which a change or a purge had made unusable.
    pub changed: u64,
    /// Look-ups that found an entry of another epoch, or an expired one.
    pub outdated: u64,
    /// Look-ups that found a damaged entry or another key's.
    pub damaged: u64,
    /// Operations that were not begun: not current, breaker open, or too many in progress.
    pub not_asked: u64,
    /// Operations that did not end within their budget.
    pub timed_out: u64,
    /// Operations that failed.
    pub failed: u64,
    /// Entries that were stored.
    pub stored: u64,
    /// Entries that the server had a reason not to take: a newer token, a later entry, another epoch.
    pub refused: u64,
    /// Entries that were dropped before they reached the server, or because it failed.
    pub dropped: u64,
    /// Times that the breaker opened.
    pub opened: u64,
    /// Messages that were applied.
    pub applied: u64,
    /// Times that the local store was emptied.
    pub gaps: u64,
    /// Messages that wait to be published.
    pub unpublished: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: Counter,
    pub(crate) absent: Counter,
    changed: Counter,
    outdated: Counter,
    damaged: Counter,
    not_asked: Counter,
    timed_out: Counter,
    failed: Counter,
    pub(crate) stored: Counter,
    pub(crate) refused: Counter,
    pub(crate) dropped: Counter,
    pub(crate) opened: Counter,
    pub(crate) applied: Counter,
    pub(crate) gaps: Counter,
}

/// Counts without ordering anything else.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counters {
    pub(crate) fn refusal(&self, refusal: Refusal) {
        match refusal {
            Refusal::Changed => self.changed.add_one(),
            Refusal::OtherEpoch | Refusal::Expired => self.outdated.add_one(),
            Refusal::Damaged | Refusal::OtherKey => self.damaged.add_one(),
        }
    }

    pub(crate) fn away(&self, away: Away) {
        match away {
            Away::NotCurrent | Away::Open | Away::Busy => self.not_asked.add_one(),
            Away::TimedOut => self.timed_out.add_one(),
            Away::Failed => self.failed.add_one(),
        }
    }

    pub(crate) fn stats(&self, unpublished: u64) -> Stats {
        Stats {
            hits: self.hits.get(),
            absent: self.absent.get(),
            changed: self.changed.get(),
            outdated: self.outdated.get(),
            damaged: self.damaged.get(),
            not_asked: self.not_asked.get(),
            timed_out: self.timed_out.get(),
            failed: self.failed.get(),
            stored: self.stored.get(),
            refused: self.refused.get(),
            dropped: self.dropped.get(),
            opened: self.opened.get(),
            applied: self.applied.get(),
            gaps: self.gaps.get(),
            unpublished,
        }
    }
}

impl Counter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
