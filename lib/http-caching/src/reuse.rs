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
    /// It may have been purged elsewhere: nothing was heard of others for longer than is allowed.
    OutOfTouch,
}

/// Whether a stored response is marked stale, by a purge or because one may have been missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It has not.
    None,
    /// It has: the response is not fresh, however young it is.
    Softened,
    /// A purge may have been missed: the response is not fresh, however young it is.
    OutOfTouch,
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
    match mark {
        Mark::Softened => return Reuse::Validate(Validate::Purged),
        Mark::OutOfTouch => return Reuse::Validate(Validate::OutOfTouch),
        Mark::None => {}
    }
    match request.max_stale.map(MaxStale::limit) {
        Some(limit) if stale_by <= limit => Reuse::Stale(StaleBecause::MaxStale),
        _ => Reuse::Validate(Validate::Expired),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freshness::LifetimeSource;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Fresh for 100 s, then 20 s while it is validated, 40 s in place of an error, 60 s in place of silence.
    fn usual() -> Freshness {
        Freshness {
            lifetime: seconds(100),
            age: Duration::ZERO,
            source: LifetimeSource::MaxAge,
            always_validate: false,
            withheld: Vec::new(),
            must_revalidate: false,
            immutable: false,
            shareable_with_credentials: false,
            stale_while_revalidate: seconds(20),
            stale_if_error: seconds(40),
            stale_if_unreachable: seconds(60),
        }
    }

    fn plain() -> Freshness {
        let none = Duration::ZERO;
        Freshness {
            stale_while_revalidate: none,
            stale_if_error: none,
            stale_if_unreachable: none,
            ..usual()
        }
    }

    fn must_revalidate() -> Freshness {
        Freshness { must_revalidate: true, ..plain() }
    }

    fn always_validate() -> Freshness {
        Freshness { always_validate: true, ..plain() }
    }

    fn asks(text: &'static str) -> RequestDirectives {
        let value = http::HeaderValue::from_static(text);
        RequestDirectives::of(&http::HeaderMap::from_iter([(http::header::CACHE_CONTROL, value)]))
    }

    fn check(freshness: &Freshness, request: &'static str, age_s: u64, expected: Reuse) {
        let reuse = judge(&asks(request), freshness, seconds(age_s), Mark::None);
        assert_eq!(reuse, expected, "{request:?} at {age_s} of {freshness:?}");
    }

    #[test]
    fn section_4_2_a_response_is_fresh_while_its_lifetime_is_longer_than_its_age() {
        for (freshness, age_s, expected) in [
            (plain(), 0, Reuse::Fresh),
            (plain(), 99, Reuse::Fresh),
            (plain(), 100, Reuse::Validate(Validate::Expired)),
            (usual(), 100, Reuse::StaleWhileRevalidate),
            (usual(), 120, Reuse::StaleWhileRevalidate),
            (usual(), 121, Reuse::Validate(Validate::Expired)),
            (must_revalidate(), 99, Reuse::Fresh),
            (must_revalidate(), 100, Reuse::Validate(Validate::MustRevalidate)),
            (always_validate(), 0, Reuse::Validate(Validate::NoCacheResponse)),
            (Freshness { lifetime: Duration::ZERO, ..plain() }, 0, Reuse::Validate(Validate::Expired)),
        ] {
            check(&freshness, "", age_s, expected);
        }
    }

    #[test]
    fn section_5_2_1_what_the_request_asks_for_is_followed() {
        use Validate::{
            Expired, MaxAgeRequest, MinFreshRequest, MustRevalidate, NoCacheRequest, NoStoreRequest,
        };
        let accepted = Reuse::Stale(StaleBecause::MaxStale);
        for (freshness, request, age_s, expected) in [
            (plain(), "max-age=50", 50, Reuse::Fresh),
            (plain(), "max-age=50", 51, Reuse::Validate(MaxAgeRequest)),
            (plain(), "max-age=0", 1, Reuse::Validate(MaxAgeRequest)),
            (plain(), "min-fresh=50", 50, Reuse::Fresh),
            (plain(), "min-fresh=50", 51, Reuse::Validate(MinFreshRequest)),
            (plain(), "min-fresh=101", 0, Reuse::Validate(MinFreshRequest)),
            (usual(), "min-fresh=1", 110, Reuse::Validate(MinFreshRequest)),
            (plain(), "max-stale", 1_000_000, accepted),
            (plain(), "max-stale=10", 110, accepted),
            (plain(), "max-stale=10", 111, Reuse::Validate(Expired)),
            (usual(), "max-stale=10", 110, Reuse::StaleWhileRevalidate),
            (usual(), "max-stale=1000", 121, accepted),
            (plain(), "max-stale=10, max-age=105", 105, accepted),
            (plain(), "max-stale=10, max-age=105", 106, Reuse::Validate(MaxAgeRequest)),
            (usual(), "max-age=1000", 110, Reuse::Validate(Expired)),
            (usual(), "max-age=1000, max-stale=5", 110, Reuse::StaleWhileRevalidate),
            (must_revalidate(), "max-stale", 100, Reuse::Validate(MustRevalidate)),
            (plain(), "no-cache", 0, Reuse::Validate(NoCacheRequest)),
            (plain(), "no-cache, max-stale", 0, Reuse::Validate(NoCacheRequest)),
            (plain(), "no-store", 0, Reuse::Validate(NoStoreRequest)),
            (plain(), "only-if-cached", 0, Reuse::Fresh),
        ] {
            check(&freshness, request, age_s, expected);
        }
    }

    #[test]
    fn rfc_8246_a_reload_does_not_validate_what_is_immutable_and_fresh() {
        let immutable = Freshness { immutable: true, ..plain() };
        for (request, age_s, expected) in [
            ("max-age=0", 99, Reuse::Fresh),
            ("max-age=0", 100, Reuse::Validate(Validate::MaxAgeRequest)),
            ("no-cache", 99, Reuse::Validate(Validate::NoCacheRequest)),
        ] {
            check(&immutable, request, age_s, expected);
        }
    }

    #[test]
    fn a_soft_purge_leaves_what_may_be_used_stale() {
        for (freshness, request, age_s, expected) in [
            (usual(), "", 0, Reuse::StaleWhileRevalidate),
            (usual(), "", 120, Reuse::StaleWhileRevalidate),
            (usual(), "", 121, Reuse::Validate(Validate::Purged)),
            (plain(), "", 0, Reuse::Validate(Validate::Purged)),
            (plain(), "max-stale", 0, Reuse::Validate(Validate::Purged)),
            (must_revalidate(), "", 0, Reuse::Validate(Validate::MustRevalidate)),
            (
                Freshness { immutable: true, ..plain() },
                "max-age=0",
                1,
                Reuse::Validate(Validate::MaxAgeRequest),
            ),
        ] {
            let reuse = judge(&asks(request), &freshness, seconds(age_s), Mark::Softened);
            assert_eq!(reuse, expected, "{request:?} at {age_s}");
        }
    }

    #[test]
    fn section_4_2_4_and_rfc_5861_what_stands_in_for_a_failure() {
        use FailBecause::{MustRevalidate, NoCacheRequest, NoCacheResponse, TooStale};
        use OnError::{Fail, ServeStale};
        use ServeBecause::{Disconnected, RequestStaleIfError, StaleIfError, StillFresh};
        for (freshness, request, age_s, unreachable, answered) in [
            (usual(), "", 50, ServeStale(StillFresh), ServeStale(StillFresh)),
            (usual(), "", 140, ServeStale(StaleIfError), ServeStale(StaleIfError)),
            (usual(), "", 141, ServeStale(Disconnected), Fail(TooStale)),
            (usual(), "", 161, Fail(TooStale), Fail(TooStale)),
            (plain(), "", 100, Fail(TooStale), Fail(TooStale)),
            (
                plain(),
                "stale-if-error=30",
                130,
                ServeStale(RequestStaleIfError),
                ServeStale(RequestStaleIfError),
            ),
            (plain(), "stale-if-error=30", 131, Fail(TooStale), Fail(TooStale)),
            (
                plain(),
                "no-cache, stale-if-error=30",
                50,
                ServeStale(RequestStaleIfError),
                ServeStale(RequestStaleIfError),
            ),
            (usual(), "no-cache", 50, Fail(NoCacheRequest), Fail(NoCacheRequest)),
            (usual(), "no-store", 50, Fail(NoCacheRequest), Fail(NoCacheRequest)),
            (must_revalidate(), "", 99, ServeStale(StillFresh), ServeStale(StillFresh)),
            (must_revalidate(), "", 100, Fail(MustRevalidate), Fail(MustRevalidate)),
            (must_revalidate(), "stale-if-error=30", 100, Fail(MustRevalidate), Fail(MustRevalidate)),
            (always_validate(), "stale-if-error=30", 0, Fail(NoCacheResponse), Fail(NoCacheResponse)),
        ] {
            let on_error = |failure| on_error(&asks(request), &freshness, seconds(age_s), failure);
            assert_eq!(on_error(Failure::Unreachable), unreachable, "{request:?} at {age_s}");
            for status in [500, 502, 503, 504] {
                let status = StatusCode::from_u16(status).unwrap();
                assert_eq!(on_error(Failure::Answered(status)), answered, "{status} {request:?} at {age_s}");
            }
            for status in [200, 404, 429, 501, 505] {
                let status = StatusCode::from_u16(status).unwrap();
                assert_eq!(on_error(Failure::Answered(status)), Fail(FailBecause::NotAnError), "{status}");
            }
        }
    }

    #[test]
    fn no_window_reaches_beyond_the_longest_age() {
        check(&usual(), "", u64::MAX, Reuse::Validate(Validate::Expired));
        check(&plain(), "max-stale", u64::MAX, Reuse::Stale(StaleBecause::MaxStale));
    }
}
