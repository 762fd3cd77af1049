//! Whether a response is stored (RFC 9111 §3), and with which freshness.
//!
//! The rules are those of a shared cache, and two more for safety: a response that sets a cookie is not stored, and
//! neither is an error that the request may have brought about by something that is not in its key.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use http::{HeaderMap, HeaderValue, Method, StatusCode};
//! use kasoku_http_caching::storing::{Received, Refusal, Rules, Storing, judge};
//!
//! let request = HeaderMap::new();
//! let verdict = |cache_control: &'static str| {
//!     let mut headers = HeaderMap::new();
//!     headers.insert("cache-control", HeaderValue::from_static(cache_control));
//!     let received = Received {
//!         method: &Method::GET,
//!         request: &request,
//!         status: StatusCode::OK,
//!         headers: &headers,
//!         at: SystemTime::now(),
//!         delay: Duration::ZERO,
//!     };
//!     judge(&received, &Rules::default())
//! };
//!
//! let Storing::Store(freshness) = verdict("max-age=60, s-maxage=600") else { panic!("it is stored") };
//! assert_eq!(freshness.lifetime, Duration::from_mins(10));
//! assert_eq!(verdict("private, max-age=60"), Storing::Refuse(Refusal::Private));
//! assert_eq!(Refusal::Private.clause(), "RFC 9111 §5.2.2.7");
//! ```

mod provoked;
mod refusal;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, ETAG, LAST_MODIFIED, SET_COOKIE};
use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::cache_control::{RequestDirectives, ResponseDirectives};
use crate::freshness::{self, Freshness};
use crate::range::ContentRange;
use crate::targeted;
use crate::vary::Varying;

pub use provoked::{Provocation, provoked};
pub use refusal::Refusal;

/// A response whose head has arrived, with the request that it answers.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The request's fields, as the caller sent them.
    pub request: &'a HeaderMap,
    /// The response's status.
    pub status: StatusCode,
    /// The response's fields.
    pub headers: &'a HeaderMap,
    /// When its head arrived.
    pub at: SystemTime,
    /// How long that was after the request was sent.
    pub delay: Duration,
}

/// What the configuration adds to what responses say.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The part of its age since `Last-Modified` for which a response without a lifetime is fresh (§4.2.2).
    pub heuristic_fraction: f64,
    /// The most that such a guess comes to.
    pub heuristic_max: Duration,
    /// The lifetime of responses below 400 that say nothing of one.
    pub fresh: Option<Duration>,
    /// `stale-while-revalidate` for responses that do not say it.
    pub stale_while_revalidate: Option<Duration>,
    /// `stale-if-error` for responses that do not say it.
    pub stale_if_error: Option<Duration>,
    /// How long after their lifetime responses that say no `stale-if-error` may be used while the origin cannot be
    /// reached at all, which §4.2.4 allows.
    pub stale_if_unreachable: Option<Duration>,
    /// Whether a response is stored with its `Set-Cookie`.
    pub share_set_cookie: bool,
    /// What becomes of answers to requests with credentials.
    pub credentials: Credentials,
    /// The targeted fields that are listened to, the first wins (RFC 9213 §2.2).
    pub targets: Vec<HeaderName>,
}

impl Default for Rules {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            heuristic_fraction: 0.1,
            heuristic_max: DAY,
            fresh: None,
            stale_while_revalidate: None,
            stale_if_error: None,
            stale_if_unreachable: Some(DAY),
            share_set_cookie: false,
            credentials: Credentials::Shared,
            targets: targeted::TARGETS.to_vec(),
        }
    }
}

/// Who gets an answer to a request with credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// Everybody who asks the same: stored only where §3.5 allows it.
    Shared,
    /// Callers with the same credentials: they are part of the key.
    InKey,
}

/// Whether a response is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storing {
    /// It is, to be reused like this.
    Store(Freshness),
    /// It is not, for this reason.
    Refuse(Refusal),
}

/// Decides whether a response is stored.
pub fn judge(received: &Received<'_>, rules: &Rules) -> Storing {
    let effective = targeted::effective(received.headers, &rules.targets);
    let refusal = refused_by_request(received)
        .or_else(|| refused_by_status(received, &effective.directives))
        .or_else(|| refused_by_directives(received, &effective.directives, rules));
    if let Some(refusal) = refusal {
        return Storing::Refuse(refusal);
    }
    let freshness = freshness::of(received, &effective, rules);
    match refused_by_use(received, &effective.directives, &freshness, rules) {
        Some(refusal) => Storing::Refuse(refusal),
        None => Storing::Store(freshness),
    }
}

fn refused_by_request(received: &Received<'_>) -> Option<Refusal> {
    if *received.method != Method::GET && !is_query(received.method) {
        return Some(Refusal::Method);
    }
    RequestDirectives::of(received.request).no_store.then_some(Refusal::RequestNoStore)
}

fn refused_by_status(received: &Received<'_>, directives: &ResponseDirectives) -> Option<Refusal> {
    let status = received.status;
    match status.as_u16() {
        ..200 => Some(Refusal::NotFinal),
        // It speaks of what is stored already (§4.3.4), and is nothing without it.
        304 => Some(Refusal::NotModified),
        // §5.2.2.3
        _ if directives.must_understand && !is_understood(status) => Some(Refusal::NotUnderstood),
        // RFC 9110 §14.4: nothing can be made of a part that is nobody knows which.
        206 => match ContentRange::of(received.headers) {
            Some(ContentRange::Part { .. }) => None,
            _ => Some(Refusal::ContentRangeInvalid),
        },
        400.. => provoked(received).map(Refusal::Provoked),
        _ => None,
    }
}

fn refused_by_directives(
    received: &Received<'_>,
    directives: &ResponseDirectives,
    rules: &Rules,
) -> Option<Refusal> {
    // §5.2.2.3: who understands the status ignores the `no-store` that is there for those who do not.
    if directives.no_store && !directives.must_understand {
        return Some(Refusal::NoStore);
    }
    if directives.is_private() {
        return Some(Refusal::Private);
    }
    let credentials = received.request.contains_key(AUTHORIZATION);
    let shared = rules.credentials == Credentials::Shared;
    if credentials && shared && !freshness::is_shareable_with_credentials(directives) {
        return Some(Refusal::Credentials);
    }
    match Varying::of(received.headers) {
        Varying::Everything | Varying::TooMany => Some(Refusal::VaryAny),
        Varying::Nothing | Varying::By(_) => None,
    }
}

/// What can be said only once the freshness is known.
fn refused_by_use(
    received: &Received<'_>,
    directives: &ResponseDirectives,
    freshness: &Freshness,
    rules: &Rules,
) -> Option<Refusal> {
    let sets_cookie = received.headers.contains_key(SET_COOKIE) && !freshness.withheld.contains(&SET_COOKIE);
    if sets_cookie && !rules.share_set_cookie {
        return Some(Refusal::SetsCookie);
    }
    // §3: a lifetime, or `public`, or a status that may be stored without.
    let storable = freshness.source.is_explicit()
        || directives.public
        || freshness::is_heuristically_cacheable(received.status);
    if !storable {
        return Some(Refusal::Status);
    }
    let validates = received.headers.contains_key(ETAG) || received.headers.contains_key(LAST_MODIFIED);
    let longest = freshness.lifetime.max(freshness.stale_while_revalidate).max(freshness.stale_if_error);
    let reusable = !freshness.always_validate && longest > Duration::ZERO;
    (!validates && !reusable).then_some(Refusal::NoFreshnessNoValidator)
}

/// `QUERY` is safe and cacheable; its content is part of the key (draft-ietf-httpbis-safe-method-w-body).
fn is_query(method: &Method) -> bool {
    method.as_str() == "QUERY"
}

/// The final statuses whose meaning for caches is implemented here (RFC 9110 §15).
fn is_understood(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200..=206 | 300..=303 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 500..=505)
}
