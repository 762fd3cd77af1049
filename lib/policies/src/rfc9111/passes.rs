//! What lately could not be shared: requests for it are not made to wait for each other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kasoku_coherence::Key;

/// Keys that are remembered; a later one may take the place of an earlier one, which costs that one a wait.
const SLOTS: usize = 1_024;

/// How long a key is remembered.
const REMEMBERED: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Passes {
    base: Instant,
    /// The upper 32 bits of a key's hash, and the second, counted from the base, until which it is remembered.
    slots: Box<[AtomicU64]>,
}

impl Passes {
    pub(super) fn new(now: Instant) -> Self {
        Self { base: now, slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(super) fn note(&self, key: &Key, now: Instant) {
        let until = self.second(now + REMEMBERED);
        self.slot(key).store(key.hash64() >> 32 << 32 | until, Ordering::Relaxed);
    }

    pub(super) fn contains(&self, key: &Key, now: Instant) -> bool {
        let known = self.slot(key).load(Ordering::Relaxed);
        known >> 32 == key.hash64() >> 32 && known & u64::from(u32::MAX) > self.second(now)
    }

    fn slot(&self, key: &Key) -> &AtomicU64 {
        &self.slots[key.hash64() as usize % SLOTS]
    }

    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.base).as_secs() & u64::from(u32::MAX)
    }
}
