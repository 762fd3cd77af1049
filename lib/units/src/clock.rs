//! Time as an argument: engines ask a [`Clock`], and tests hand them one that they move themselves.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

/// Tells the time. Rules never hold one; they take an [`Instant`] as an argument.
pub trait Clock: Send + Sync + 'static {
    /// Monotonic time, for ages, lifetimes and deadlines. It never goes backwards.
    fn now(&self) -> Instant;

    /// The calendar, for `Date` fields and logs only. It may jump.
    fn wall(&self) -> SystemTime;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct ManualClock {
    start: (Instant, SystemTime),
    moved: Mutex<Duration>,
}

impl ManualClock {
    /// A clock that shows the moment of its making.
    pub fn new() -> Self {
        Self { start: (Instant::now(), SystemTime::now()), moved: Mutex::new(Duration::ZERO) }
    }

    /// Moves both times forward.
    pub fn advance(&self, by: Duration) {
        *self.moved.lock().expect("no panic while the clock is held") += by;
    }

    fn moved(&self) -> Duration {
        *self.moved.lock().expect("no panic while the clock is held")
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.start.0 + self.moved()
    }

    fn wall(&self) -> SystemTime {
        self.start.1 + self.moved()
    }
}
