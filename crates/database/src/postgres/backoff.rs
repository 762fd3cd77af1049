//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// Doubles from the first wait to the longest, each shortened by chance to between a half and the whole, so that
/// many who lost the same server do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
    chance: u64,
}

impl Backoff {
    pub(super) fn new([first, most]: [Duration; 2]) -> Self {
        use std::hash::{BuildHasher as _, Hasher as _};
        // The keys of a new hasher are chosen by chance.
        let chance = std::hash::RandomState::new().build_hasher().finish() | 1;
        Self { first, most: most.max(first), next: first, chance }
    }

    pub(super) fn most(&self) -> Duration {
        self.most
    }

    /// Begins anew with the shortest wait.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }

    pub(super) fn next(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.most);
        // Marsaglia, Xorshift RNGs (2003).
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        whole.mul_f64(0.5 + (self.chance >> 11) as f64 / (1_u64 << 53) as f64 / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::new([Duration::from_millis(100), Duration::from_secs(1)]);
        for whole_ms in [100, 200, 400, 800, 1_000, 1_000] {
            let wait = backoff.next();
            let whole = Duration::from_millis(whole_ms);
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(100));
    }
}
