//! Failures of the origin, remembered for a short while: who asks for the same is told at once, and it is left alone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;
use http::StatusCode;
use kasoku_coherence::Key;
use kasoku_problem::{Kind, Problem};
use parking_lot::Mutex;

/// Failures that are remembered at a time; with more, the origin is asked.
const FAILURES_MAX: usize = 4_096;

/// See the module.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<Key, Failed, RandomState>>);

struct Failed {
    kind: Kind,
    until: Instant,
}

impl Failures {
    /// Remembers that a forward failed.
    pub(super) fn note(&self, key: &Key, status: StatusCode, until: Instant, now: Instant) {
        let kind = match status {
            StatusCode::BAD_GATEWAY => Kind::BadUpstream,
            StatusCode::GATEWAY_TIMEOUT => Kind::DeadlineExceeded,
            _ => Kind::Unavailable,
        };
        let mut failures = self.0.lock();
        if failures.len() >= FAILURES_MAX {
            failures.retain(|_, failed| failed.until > now);
        }
        if failures.len() < FAILURES_MAX {
            failures.insert(key.clone(), Failed { kind, until });
        }
    }

    /// The failure of an equal forward, if it is remembered still.
    pub(super) fn recent(&self, key: &Key, now: Instant) -> Option<Problem> {
        let mut failures = self.0.lock();
        let failed = failures.get(key)?;
        if failed.until <= now {
            failures.remove(key);
            return None;
        }
        let left = failed.until - now;
        let problem = Problem::new(failed.kind).detail("the origin failed a moment ago");
        Some(problem.retry_after(left.max(Duration::from_secs(1))))
    }
}
