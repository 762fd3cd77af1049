//! Whether a stored response answers a request (RFC 9111 §4), and what becomes of it when the origin fails.
//!
//! This is about freshness alone: that the key and `Vary` match is decided before.

use std::time::Duration;

use http::StatusCode;

use crate::cache_control::{MaxStale, RequestDirectives};
use crate::freshness::Freshness;

/// What is done with a stored response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// It answers: it is fresh.
    Fresh,
    /// It answers though it is stale.
    Stale(StaleBecause),
    /// It answers though it is stale, and is validated meanwhile (RFC 5861 §3).
    StaleWhileRevalidate,
    /// It answers only after it was validated (§4.3).
    Validate(Validate),
}

/// Why a stale response answers (§4.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleBecause {
    /// The request accepts it (§5.2.1.2).
    MaxStale,
}

/// Why a stored response is to be validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validate {
    /// It is stale (§4.2).
    Expired,
    /// It says `no-cache` (§5.2.2.4).
    NoCacheResponse,
    /// The request says `no-cache` (§5.2.1.4).
    NoCacheRequest,
    /// The request says `no-store`, and a caller who wants nothing kept is given nothing kept (§5.2.1.5).
    NoStoreRequest,
    /// It is older than the request accepts (§5.2.1.1).
    MaxAgeRequest,
    /// It is not fresh for as long as the request wants (§5.2.1.3).
    MinFreshRequest,
    /// It is stale and must not be used so (§5.2.2.2, §5.2.2.8, §5.2.2.10).
    MustRevalidate,
    /// It was marked stale by a purge.
    Purged,
}

/// Whether a purge has marked a stored response stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It has not.
    None,
    /// It has: the response is not fresh, however young it is.
    Softened,
}

/// How a request to the origin failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There was no answer: no connection, none in time, or one that broke off.
    Unreachable,
    /// This answer.
    Answered(StatusCode),
}

/// What a stored response is good for when the origin fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It answers.
    ServeStale(ServeBecause),
    /// The failure is passed on.
    Fail(FailBecause),
}

/// What allows a stored response to stand in for a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServeBecause {
    /// It is still fresh; only the caller wanted it validated.
    StillFresh,
    /// The response or the configuration says `stale-if-error` (RFC 5861 §4).
    StaleIfError,
    /// The request says `stale-if-error` (RFC 5861 §4).
    RequestStaleIfError,
    /// The origin cannot be reached (§4.2.4).
    Disconnected,
}

/// Why a stored response does not stand in for a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailBecause {
    /// The answer is not one of the errors of RFC 5861 §4: 500, 502, 503 and 504.
    NotAnError,
    /// It says `no-cache` (§5.2.2.4).
    NoCacheResponse,
    /// The request says `no-cache` or `no-store` (§5.2.1.4).
    NoCacheRequest,
    /// It is stale and must not be used so (§4.2.4).
    MustRevalidate,
    /// It is stale for longer than anything allows.
    TooStale,
}

/// Decides whether a stored response of this `age` answers. What the request asks for is followed, except that an
/// immutable response is not validated while it is fresh because of `max-age`, which is how a reload asks
/// (RFC 8246 §2); a forced reload says `no-cache`.
pub fn judge(request: &RequestDirectives, freshness: &Freshness, age: Duration, mark: Mark) -> Reuse {
    let fresh_for = freshness.lifetime.checked_sub(age).filter(|rest| !rest.is_zero());
    let fresh = fresh_for.is_some() && mark == Mark::None;
    if request.no_cache {
        return Reuse::Validate(Validate::NoCacheRequest);
    }
    if request.no_store {
        return Reuse::Validate(Validate::NoStoreRequest);
    }
    if freshness.always_validate {
        return Reuse::Validate(Validate::NoCacheResponse);
    }
    if request.max_age.is_some_and(|limit| age > limit) && !(fresh && freshness.immutable) {
        return Reuse::Validate(Validate::MaxAgeRequest);
    }
    if request.min_fresh.is_some_and(|wanted| fresh_for.unwrap_or_default() < wanted) {
        return Reuse::Validate(Validate::MinFreshRequest);
    }
    if fresh {
        return Reuse::Fresh;
    }
    judge_stale(request, freshness, age, mark)
}

/// Decides what the stored response is good for after the origin failed.
pub fn on_error(
    request: &RequestDirectives,
    freshness: &Freshness,
    age: Duration,
    failure: Failure,
) -> OnError {
    if let Failure::Answered(status) = failure
        && !matches!(status.as_u16(), 500 | 502 | 503 | 504)
    {
        return OnError::Fail(FailBecause::NotAnError);
    }
    if freshness.always_validate {
        return OnError::Fail(FailBecause::NoCacheResponse);
    }
    let stale_by = age.saturating_sub(freshness.lifetime);
    let stale = age >= freshness.lifetime;
    if stale && freshness.must_revalidate {
        return OnError::Fail(FailBecause::MustRevalidate);
    }
    if request.stale_if_error.is_some_and(|limit| stale_by <= limit) {
        return OnError::ServeStale(ServeBecause::RequestStaleIfError);
    }
    if request.no_cache || request.no_store {
        return OnError::Fail(FailBecause::NoCacheRequest);
    }
    if !stale {
        return OnError::ServeStale(ServeBecause::StillFresh);
    }
    let within = |limit: Duration| !limit.is_zero() && stale_by <= limit;
    if within(freshness.stale_if_error) {
        return OnError::ServeStale(ServeBecause::StaleIfError);
    }
    if failure == Failure::Unreachable && within(freshness.stale_if_unreachable) {
        return OnError::ServeStale(ServeBecause::Disconnected);
    }
    OnError::Fail(FailBecause::TooStale)
}

fn judge_stale(request: &RequestDirectives, freshness: &Freshness, age: Duration, mark: Mark) -> Reuse {
    if freshness.must_revalidate {
        return Reuse::Validate(Validate::MustRevalidate);
    }
    let stale_by = age.saturating_sub(freshness.lifetime);
    // §5.2.1.1: who says `max-age` alone does not want a stale response.
    let accepts_stale = request.max_age.is_none() || request.max_stale.is_some();
    let window = freshness.stale_while_revalidate;
    if accepts_stale && !window.is_zero() && stale_by <= window {
        return Reuse::StaleWhileRevalidate;
    }
    if mark == Mark::Softened {
        return Reuse::Validate(Validate::Purged);
    }
    match request.max_stale.map(MaxStale::limit) {
        Some(limit) if stale_by <= limit => Reuse::Stale(StaleBecause::MaxStale),
        _ => Reuse::Validate(Validate::Expired),
    }
}
