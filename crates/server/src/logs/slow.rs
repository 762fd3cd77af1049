//! Which slow statements are told of in the log: a few in each second. All are counted in the metrics; the log would be
//! the next thing to become slow.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Lines about slow statements in a second, at the most.
const LINES_MOST: u64 = 10;

/// How many lines this second has had.
pub(super) struct SlowLines {
    started: Instant,
    /// The second since the start in the upper half, the lines in the lower one.
    told: AtomicU64,
}

impl Default for SlowLines {
    fn default() -> Self {
        Self { started: Instant::now(), told: AtomicU64::new(0) }
    }
}

impl SlowLines {
    /// Takes a line, if there is one left.
    pub(super) fn take(&self) -> bool {
        self.take_at(self.started.elapsed())
    }

    fn take_at(&self, since: Duration) -> bool {
        let second = since.as_secs() & u64::from(u32::MAX);
        let next = |told: u64| {
            let lines = if told >> 32 == second { told & u64::from(u32::MAX) } else { 0 };
            (lines < LINES_MOST).then_some(second << 32 | (lines + 1))
        };
        self.told.fetch_update(Relaxed, Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_so_many_lines() {
        let lines = SlowLines::default();
        let told = |second| (0..50).filter(|_| lines.take_at(Duration::from_secs(second))).count() as u64;
        assert_eq!([told(3), told(3), told(4)], [LINES_MOST, 0, LINES_MOST]);
    }
}
