//! How long something that others may change is believed without being asked about again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::landmark::{Landmark, Seen};

/// The time for which what was read may be reused after the last word from those who change it.
///
/// A feed renews it with the time at which it *asked*, whenever it was answered in full. Between two answers others
/// may have changed anything, so what is reused is older than the truth by the bound at the most. Only this machine's
/// monotonic clock takes part.
#[derive(Debug)]
pub struct Lease {
    bound: Duration,
    made: Instant,
    /// Nanoseconds since it was made; 0 is never.
    until_ns: AtomicU64,
    seen: RwLock<Seen>,
}

impl Lease {
    /// A lease that is made at this time and has not begun.
    pub fn new(bound: Duration, now: Instant) -> Self {
        Self { bound, made: now, until_ns: AtomicU64::new(0), seen: RwLock::default() }
    }

    /// How old what is reused can be at the most.
    pub fn bound(&self) -> Duration {
        self.bound
    }

    /// Everything that changed before this time is known.
    pub fn renew(&self, asked: Instant) {
        self.until_ns.fetch_max(self.since_made(asked + self.bound), Ordering::AcqRel);
    }

    /// What the feed has seen by now.
    pub fn note(&self, seen: Seen) {
        // A reader cannot leave it half-written, whatever panics.
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    /// Whether what is stored shows a commit, or is gone because of it.
    pub fn shows(&self, landmark: Landmark) -> bool {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).shows(landmark.transaction)
    }

    /// Whether what is stored may be reused at this time.
    pub fn holds(&self, now: Instant) -> bool {
        self.since_made(now) < self.until_ns.load(Ordering::Acquire)
    }

    /// For how long it has not held at this time; `None` if it holds, or has never held.
    pub fn lapsed_for(&self, now: Instant) -> Option<Duration> {
        let until_ns = self.until_ns.load(Ordering::Acquire);
        let since_ns = self.since_made(now).checked_sub(until_ns).filter(|_| until_ns > 0)?;
        Some(Duration::from_nanos(since_ns))
    }

    /// How old what is reused at this time can be at the most; `None` if it may not be.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        let left_ns = self
            .until_ns
            .load(Ordering::Acquire)
            .checked_sub(self.since_made(now))
            .filter(|left| *left > 0)?;
        Some(self.bound.saturating_sub(Duration::from_nanos(left_ns)))
    }

    /// Nanoseconds since it was made, which is what fits an atomic; at least one.
    fn since_made(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.made);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_for_the_bound_after_the_last_question_that_was_answered() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let lease = Lease::new(Duration::from_millis(100), start);
        assert!(!lease.holds(at(0)));
        assert_eq!((lease.age(at(0)), lease.lapsed_for(at(0))), (None, None));
        lease.renew(at(1_000));
        assert!(lease.holds(at(1_099)) && !lease.holds(at(1_100)));
        assert_eq!(lease.age(at(1_030)), Some(Duration::from_millis(30)));
        assert_eq!(lease.lapsed_for(at(1_099)), None);
        assert_eq!(lease.lapsed_for(at(1_107)), Some(Duration::from_millis(7)));
        // An answer that comes late takes nothing back.
        lease.renew(at(900));
        assert!(lease.holds(at(1_099)));
    }
}
