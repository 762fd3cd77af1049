//! Sheds load: a limit on requests in progress, and a bounded queue before it.

use std::time::Duration;

/// How much a route takes on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmitRules {
    /// Requests in progress at the most.
    pub concurrent: u32,
    /// Requests that may wait for their turn; one more is refused with 503.
    pub queue: u32,
    /// How long one may wait, and no longer than its deadline.
    pub wait: Duration,
}
