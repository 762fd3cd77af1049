//! When a statement begins, and when it must stop.

use std::time::{Duration, Instant};

use crate::error::DatabaseError;

/// When a read begins, and when it must stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) now: Instant,
    pub(crate) until: Instant,
}

impl Span {
    /// From now to the earlier of the deadline and the longest that a statement may take.
    pub(crate) fn from_now(deadline: Option<Instant>, timeout: Duration) -> Result<Self, DatabaseError> {
        let now = Instant::now();
        match deadline {
            Some(deadline) if deadline <= now => Err(DatabaseError::Deadline),
            Some(deadline) => Ok(Self { now, until: deadline.min(now + timeout) }),
            None => Ok(Self { now, until: now + timeout }),
        }
    }
}

/// The earlier of the deadline and the longest that a statement may take.
pub(crate) fn until(deadline: Option<Instant>, timeout: Duration) -> Result<Instant, DatabaseError> {
    Span::from_now(deadline, timeout).map(|span| span.until)
}
