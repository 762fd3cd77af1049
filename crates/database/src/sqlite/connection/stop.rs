//! When a running statement must stop.
//!
//! SQLite asks every thousand steps of its virtual machine, so a look-up by key never pays for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;

/// Steps of SQLite's virtual machine between two questions; some tens of microseconds.
pub(super) const STEPS_BETWEEN: i32 = 1_000;

const NEVER: u64 = u64::MAX;

/// Says when the statement of one connection must stop.
#[derive(Debug)]
pub(crate) struct Stop {
    until_ns: AtomicU64,
    cancelled: Mutex<Option<Arc<AtomicBool>>>,
}

impl Stop {
    pub(super) fn new() -> Self {
        Self { until_ns: AtomicU64::new(NEVER), cancelled: Mutex::new(None) }
    }

    /// From now on, stop at this instant.
    pub(crate) fn at(&self, until: Instant) {
        self.until_ns.store(since_start(until), Ordering::Relaxed);
    }

    /// From now on, stop at this instant or when nobody waits any more.
    pub(crate) fn at_or_when(&self, until: Instant, cancelled: Arc<AtomicBool>) {
        *self.cancelled.lock() = Some(cancelled);
        self.at(until);
    }

    /// From now on, let everything run to its end.
    pub(crate) fn never(&self) {
        self.until_ns.store(NEVER, Ordering::Relaxed);
    }

    /// As [`Stop::never`], for whoever called [`Stop::at_or_when`].
    pub(crate) fn never_again(&self) {
        self.never();
        *self.cancelled.lock() = None;
    }

    /// Whether the time is over.
    pub(crate) fn passed(&self) -> bool {
        let until_ns = self.until_ns.load(Ordering::Relaxed);
        until_ns != NEVER && since_start(Instant::now()) >= until_ns
    }

    /// Whether to stop, for either reason.
    pub(super) fn asked(&self) -> bool {
        self.passed() || self.cancelled.lock().as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// Nanoseconds since the first call, which is what fits an atomic.
fn since_start(instant: Instant) -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    u64::try_from(instant.saturating_duration_since(start).as_nanos()).unwrap_or(NEVER - 1)
}
