//! The half that asks the origin: it validates what is stored, stores what comes back, and combines parts.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use kasoku_http_caching::freshness::Freshness;
use kasoku_http_caching::groups;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::storing::{self, Received, Refusal, Storing};
use kasoku_observe::Observation;
use kasoku_pipeline::{Body, Next, Outcome, Policy, Request, Response, SharedBody};

use super::arrival::{Arrival, Asked, Came};
use super::further::Further;
use super::names::{FOR_CACHES, date, fields_to_keep};
use super::shelf::{Candidate, Kept, Shelf};
use super::validate::Asks;
use super::view::is_query;

/// Bodies up to this are stored even while those in flight take more than they may.
const SMALL_BYTES: u64 = 64 << 10;

/// See the module. It stands next to the source, behind `collapse`.
pub struct HttpFill {
    pub(super) shelf: Arc<Shelf>,
}

impl Policy for HttpFill {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let is_read = request.method == Method::GET || request.method == Method::HEAD;
        if !is_read && !is_query(&request.method) {
            return next.run(request).await.map(personal);
        }
        Box::pin(self.fill(request, next)).await
    }
}

impl HttpFill {
    async fn fill<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let now = self.shelf.surroundings.clock.now();
        let primary = request.primary.take().unwrap_or_else(|| self.shelf.primary(&request));
        let mut found = self.shelf.find(&primary, &request, now);
        let mut ticket = None;
        if let Some(second_tier) = self.second_tier(&request) {
            let further = self.look_further(second_tier, &primary, &mut request, found).await;
            match further {
                Further::Answered(response) => return Ok(response),
                Further::Ask(known, right) => (found, ticket) = (known, right),
            }
        }
        // The answer is judged by what the caller asked, without what is asked here beyond that.
        let own = request.again();
        let asks =
            if request.method == Method::GET { self.ask(&mut request, found) } else { Asks::AsItIs(found) };
        let snapshot = self.shelf.store.snapshot();
        let now = self.shelf.surroundings.clock.now();
        let asked = Asked { primary, request: own, snapshot, sent: now, ticket };
        let response = next.run(request).await?;
        let came =
            Came { at: self.shelf.surroundings.clock.wall(), arrived: self.shelf.surroundings.clock.now() };
        if response.status == StatusCode::NOT_MODIFIED {
            return self.not_modified(asked, &came, asks, response, next).await;
        }
        if asked.request.method == Method::HEAD {
            return Ok(self.head(asked, &came, asks.candidate(), response));
        }
        if let (Asks::Completes(candidate), StatusCode::PARTIAL_CONTENT) = (&asks, response.status) {
            return self.complete(asked, &came, candidate, response, next).await;
        }
        Ok(self.take(asked, &came, asks.candidate(), response))
    }

    /// A new answer: kept, if it may be.
    pub(super) fn take(
        &self,
        asked: Asked,
        came: &Came,
        candidate: Option<&Candidate>,
        mut response: Response,
    ) -> Response {
        let may_stand_in = candidate.is_some() && is_outage(response.status);
        let storing = match self.judge(&asked, came, response.status, &response.headers) {
            Storing::Store(freshness) if !may_stand_in => self.fits(&response).map(|()| freshness),
            Storing::Store(_) => Err(Reason::OriginFailed),
            Storing::Refuse(refusal) => Err(Reason::NotStored(refusal)),
        };
        match storing {
            Ok(freshness) => self.store(asked, came, &freshness, &mut response),
            Err(reason) => {
                if let Some(candidate) = candidate.filter(|_| !may_stand_in && supersedes(reason)) {
                    // What has been superseded is not served again.
                    self.shelf.remove(&candidate.key);
                }
                refuse(&mut response, reason);
            }
        }
        for_callers(&mut response.headers);
        response
    }

    pub(super) fn judge(
        &self,
        asked: &Asked,
        came: &Came,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Storing {
        let received = Received {
            method: &Method::GET,
            request: &asked.request.headers,
            status,
            headers,
            at: came.at,
            delay: came.arrived.saturating_duration_since(asked.sent),
        };
        match storing::judge(&received, &self.shelf.rules.storing) {
            Storing::Store(mut freshness) if !freshness.source.is_explicit() => {
                freshness.lifetime = jittered(freshness.lifetime, self.shelf.rules.jitter);
                Storing::Store(freshness)
            }
            storing => storing,
        }
    }

    /// Whether there is room for an answer, as far as its head says.
    fn fits(&self, response: &Response) -> Result<(), Reason> {
        if response.body.len().is_some_and(|length| length > self.shelf.body_bytes_max()) {
            return Err(Reason::TooLarge);
        }
        if self.shelf.surroundings.in_flight.is_exhausted() && !is_small(&response.body) {
            return Err(Reason::NoRoom);
        }
        let named = groups::groups(&response.headers)
            .and_then(|_| groups::surrogate_keys(&response.headers))
            .and_then(|_| groups::cache_tags(&response.headers));
        named.map(drop).map_err(|_| Reason::TooManyTags)
    }

    fn store(&self, mut asked: Asked, came: &Came, freshness: &Freshness, response: &mut Response) {
        date(&mut response.headers, came.at);
        response.tags = self.shelf.tags(&asked.request, &response.headers).into();
        let mut headers = response.headers.clone();
        fields_to_keep(&mut headers, freshness);
        let keep = asked.keep(came, response.status, headers, Bytes::new(), freshness.clone());
        response.cache.ttl_s = Some(kasoku_http_caching::freshness::ttl_s(freshness, freshness.age));
        let storing = Arrival { shelf: Arc::clone(&self.shelf), asked, keep };
        match std::mem::take(&mut response.body) {
            body if body.len() == Some(0) => self.say(response, storing.finish(Bytes::new()), freshness),
            Body::Full(body) => {
                response.body = Body::Full(body.clone());
                // It may be a small part of something large.
                self.say(response, storing.finish(Bytes::copy_from_slice(&body)), freshness);
            }
            body => {
                response.cache.stored = true;
                let bytes_max = self.shelf.body_bytes_max();
                let on_whole = Box::new(move |body: Bytes| drop(storing.finish(body)));
                let in_flight = &self.shelf.surroundings.in_flight;
                response.body = Body::Shared(SharedBody::new(body, bytes_max, in_flight, on_whole));
            }
        }
    }

    pub(super) fn say(&self, response: &mut Response, kept: Kept, freshness: &Freshness) {
        match kept {
            Kept::Stored(stored) => {
                response.cache.stored = true;
                response.cache.ttl_s = Some(kasoku_http_caching::freshness::ttl_s(freshness, freshness.age));
                response.forms = Some(stored as _);
            }
            Kept::Not(reason) => {
                if reason == Reason::Fenced {
                    let route = &self.shelf.surroundings.route;
                    self.shelf.surroundings.observe(&Observation::Fenced { route });
                }
                response.cache.reason = Some(reason);
            }
        }
    }
}

/// Whether a body is one that is not worth counting among those in flight.
fn is_small(body: &Body) -> bool {
    body.len().is_some_and(|length| length <= SMALL_BYTES)
}

/// A lifetime, shortened at random by this part of it at the most.
fn jittered(lifetime: Duration, jitter: f64) -> Duration {
    if jitter <= 0.0 {
        return lifetime;
    }
    // Each hasher of the standard library has keys of its own.
    let random = RandomState::new().hash_one(()) as f64 / u64::MAX as f64;
    lifetime.mul_f64(1.0 - jitter.min(1.0) * random)
}

/// An answer for who asked alone.
pub(super) fn personal(mut response: Response) -> Response {
    response.is_personal = true;
    for_callers(&mut response.headers);
    response
}

/// Whether an answer that is not stored leaves nothing of what is. One that is not stored because of who asked, or how,
/// says nothing of what others get; else any caller could empty the store.
pub(super) fn supersedes(reason: Reason) -> bool {
    let is_of_the_request = matches!(
        reason,
        Reason::NotStored(Refusal::RequestNoStore | Refusal::Credentials | Refusal::Provoked(_))
    );
    !is_of_the_request
}

pub(super) fn refuse(response: &mut Response, reason: Reason) {
    response.is_personal = true;
    response.cache.reason = Some(reason);
}

pub(super) fn for_callers(headers: &mut HeaderMap) {
    // Few answers have one: passing over the names that are there costs less than to hash these.
    if !headers.keys().any(|name| FOR_CACHES.contains(name)) {
        return;
    }
    for name in &FOR_CACHES {
        headers.remove(name);
    }
}

/// The statuses for which a stale answer may be given instead (RFC 5861 §4).
pub(super) fn is_outage(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502..=504)
}
