//! How a cache took part in an answer, in the terms of RFC 9211.

use kasoku_http_caching::reason::Reason;

/// What is said in `Cache-Status`, `X-Cache`, logs and metrics alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheFacts {
    /// Whether a stored response was used.
    pub verdict: Verdict,
    /// Whether the answer was stored (RFC 9211 §2.5).
    pub stored: bool,
    /// Whether another request's forward was shared (RFC 9211 §2.6).
    pub collapsed: bool,
    /// Seconds of freshness left; negative when stale (RFC 9211 §2.4).
    pub ttl_s: Option<i64>,
    /// The snapshot that the answer was read from.
    pub as_of: Option<u64>,
    /// How old the answer can be at the most, in milliseconds, where others may change what it depends on.
    pub bound_ms: Option<u32>,
    /// The origin's status, where it differs from the answer's (RFC 9211 §2.3).
    pub forward_status: Option<u16>,
    /// A digest of the key, where the request was forwarded (RFC 9211 §2.7).
    pub key: Option<u64>,
    /// What decided, beyond the verdict.
    pub reason: Option<Reason>,
}

/// Whether a stored response was used, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A fresh stored response was reused.
    Hit,
    /// A stale stored response was reused, as the route allows, while or because a new one is not there.
    Stale,
    /// The request was forwarded to the source.
    Forwarded(Forward),
}

/// Why a request was forwarded (RFC 9211 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forward {
    /// The route is not cached.
    Bypass,
    /// The method's meaning demands it.
    Method,
    /// Nothing is stored for the key.
    UriMiss,
    /// Stored for the key, but for other values of the varying fields.
    VaryMiss,
    /// The request's own directives demand it.
    Request,
    /// Stored, but too old, or not showing a change to what it depends on.
    Stale,
    /// Only a part is stored, and not all of what was asked for.
    Partial,
}

impl Default for Verdict {
    fn default() -> Self {
        Self::Forwarded(Forward::Bypass)
    }
}

impl CacheFacts {
    /// The facts of a forward that is neither stored nor collapsed.
    pub fn forwarded(reason: Forward) -> Self {
        Self { verdict: Verdict::Forwarded(reason), ..Self::default() }
    }

    /// One word for logs and metric labels.
    pub fn label(&self) -> &'static str {
        match self.verdict {
            Verdict::Hit => "hit",
            Verdict::Stale => "stale-hit",
            Verdict::Forwarded(reason) => reason.token(),
        }
    }
}

impl Forward {
    /// The `fwd` token.
    pub fn token(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Request => "request",
            Self::Stale => "stale",
            Self::Partial => "partial",
        }
    }
}
