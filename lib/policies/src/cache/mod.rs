//! Reuses stored responses.

use std::time::Duration;

/// How a route's answers are reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheRules {
    /// How long a stored response is fresh, unless a change to what it depends on removes it before.
    pub fresh: Duration,
    /// How long after that it may be served while a new one is fetched in the background (RFC 5861 §3).
    pub stale_while_revalidate: Duration,
    /// How long after it became stale it may be served if the source fails (RFC 5861 §4).
    pub stale_if_error: Duration,
    /// `max-age` for the caller's own cache; zero tells it to validate each time, which a change cannot outrun.
    pub client: Duration,
    /// Bodies larger than this are passed on but not stored.
    pub body_bytes_max: u64,
}
