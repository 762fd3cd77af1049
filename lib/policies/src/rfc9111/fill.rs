//! The half that asks the origin: it validates what is stored, stores what comes back, and combines parts.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_RANGE, ETAG};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use kasoku_http_caching::freshness::Freshness;
use kasoku_http_caching::groups;
use kasoku_http_caching::partial::{Inserted as Merged, Parts};
use kasoku_http_caching::range::Span;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::storing::{self, Received, Refusal, Storing};
use kasoku_http_caching::validation::{self, HeadVerdict};
use kasoku_observe::Observation;
use kasoku_pipeline::{Body, Next, Outcome, Policy, Request, Response, SharedBody};
use kasoku_problem::{Kind, Problem};

use crate::cache::StoredResponse;

use super::arrival::{Arrival, Asked, Came};
use super::further::Further;
use super::shelf::{Candidate, FOR_CACHES, Kept, Lookup, Shelf, date, fields_to_keep};
use super::view::is_query;

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
        let primary = self.shelf.primary(&request);
        let mut found = self.shelf.find(&primary, &request, now);
        let mut ticket = None;
        if let Some(second_tier) = self.second_tier(&request) {
            let further = self.look_further(second_tier, &primary, &mut request, found).await;
            match further {
                Further::Answered(response) => return Ok(response),
                Further::Ask(known, right) => (found, ticket) = (known, right),
            }
        }
        let asks =
            if request.method == Method::GET { self.ask(&mut request, found) } else { Asks::AsItIs(found) };
        let snapshot = self.shelf.store.snapshot();
        let now = self.shelf.surroundings.clock.now();
        let asked = Asked { primary, request: request.again(), snapshot, sent: now, ticket };
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

    /// The rest of what is stored in part (§3.3): the caller, who wants the whole, is given it when all is there.
    async fn complete<N: Next>(
        &self,
        asked: Asked,
        came: &Came,
        candidate: &Candidate,
        response: Response,
        next: &Arc<N>,
    ) -> Outcome {
        let fields = response.into_fields();
        let limited = Limited::new(fields.body, self.shelf.rules.body_bytes_max as usize).collect().await;
        let body = limited.map_err(|error| {
            Problem::new(Kind::BadUpstream)
                .detail("the rest of the answer did not come")
                .cause(io::Error::other(error))
        })?;
        let rest = Parts::of_response(fields.status, &fields.headers, body.to_bytes()).ok();
        let whole = candidate.facts().parts.clone().zip(rest).and_then(|(mut parts, rest)| {
            (parts.merge(rest) == Merged::Merged).then(|| parts.whole()).flatten()
        });
        let Some(pieces) = whole else {
            // What came does not fit what is there.
            self.shelf.remove(&candidate.key);
            return self.ask_plainly(asked, came, next).await;
        };
        let mut response = Response::ok(Body::from(pieces.concat()));
        response.headers.clone_from(candidate.stored.headers());
        validation::freshen(&mut response.headers, &fields.headers);
        response.headers.remove(CONTENT_RANGE);
        response.cache.forward_status = Some(fields.status.as_u16());
        Ok(self.take(asked, came, None, response))
    }

    /// Asks by what is stored, where the request does not ask by something of its own.
    fn ask(&self, request: &mut Request, found: Lookup) -> Asks {
        let has_own = super::wants::has_any(&request.headers);
        match found {
            Lookup::Found(candidate) if has_own => Asks::AsItIs(Lookup::Found(candidate)),
            Lookup::Found(candidate) => {
                if let Some(parts) = &candidate.facts().parts {
                    request.headers.extend(completing(parts).unwrap_or_default());
                    return Asks::Completes(*candidate);
                }
                request.headers.extend(validation::conditions([candidate.stored.headers()]));
                Asks::Validates(vec![*candidate])
            }
            Lookup::OtherVariants(first) if !has_own => {
                let variants = self.variants(&first);
                request
                    .headers
                    .extend(validation::conditions(variants.iter().map(|one| one.stored.headers())));
                Asks::Validates(variants)
            }
            other => Asks::AsItIs(other),
        }
    }

    /// The variants that are stored beside the one that was asked for (§4.1): the origin may choose one of them.
    fn variants(&self, first: &Arc<StoredResponse>) -> Vec<Candidate> {
        let Some(facts) = first.http() else { return Vec::new() };
        let now = self.shelf.surroundings.clock.now();
        let others = facts.tagged().into_iter().filter_map(|variant| self.shelf.again(&variant.key, now));
        let first = self.shelf.again(first.key(), now);
        let all = first.into_iter().chain(others);
        all.filter(|one| one.stored.headers().contains_key(ETAG)).collect()
    }

    /// A 304: to this cache's own question, or to the caller's.
    async fn not_modified<N: Next>(
        &self,
        mut asked: Asked,
        came: &Came,
        asks: Asks,
        response: Response,
        next: &Arc<N>,
    ) -> Outcome {
        let candidates = match asks {
            Asks::Validates(candidates) => candidates,
            // The caller asked, and is answered.
            Asks::AsItIs(_) | Asks::Completes(_) => return Ok(personal(response)),
        };
        let headers: Vec<&HeaderMap> = candidates.iter().map(|one| one.stored.headers()).collect();
        let selected = validation::selected(&response.headers, &headers);
        let mut freshened = None;
        for place in selected {
            freshened = Some(self.freshen(&mut asked, came, &candidates[place], &response.headers));
        }
        if let Some(response) = freshened {
            return Ok(response);
        }
        // RFC 9111 §4.3.4: none of what is stored is meant, so the answer is of no use.
        self.ask_plainly(asked, came, next).await
    }

    /// Asks once more, for the whole and on no condition.
    async fn ask_plainly<N: Next>(&self, asked: Asked, came: &Came, next: &Arc<N>) -> Outcome {
        let mut request = asked.request.again();
        super::wants::remove(&mut request.headers);
        let asked = Asked { request: request.again(), sent: came.arrived, ..asked };
        let response = next.run(request).await?;
        let came =
            Came { at: self.shelf.surroundings.clock.wall(), arrived: self.shelf.surroundings.clock.now() };
        if response.status == StatusCode::NOT_MODIFIED {
            return Ok(personal(response));
        }
        Ok(self.take(asked, &came, None, response))
    }

    /// Freshens a stored answer (§4.3.4) and answers with it.
    fn freshen(&self, asked: &mut Asked, came: &Came, candidate: &Candidate, update: &HeaderMap) -> Response {
        let mut headers = candidate.stored.headers().clone();
        headers.extend(candidate.facts().for_caches.clone());
        let mut update = update.clone();
        date(&mut update, came.at);
        validation::freshen(&mut headers, &update);
        let status = candidate.stored.status();
        let mut response = Response::new(status, Body::Full(candidate.stored.body().clone()));
        response.headers.clone_from(&headers);
        response.tags = Arc::clone(candidate.stored.tags());
        response.cache.forward_status = Some(StatusCode::NOT_MODIFIED.as_u16());
        match self.judge(asked, came, status, &headers) {
            Storing::Store(freshness) => {
                fields_to_keep(&mut headers, &freshness);
                let body = candidate.stored.body().clone();
                let keep = asked.keep(came, status, headers, body, freshness.clone());
                self.say(&mut response, self.shelf.freshen(candidate, keep), &freshness);
            }
            Storing::Refuse(refusal) => {
                let reason = Reason::NotStored(refusal);
                if supersedes(reason) {
                    self.shelf.remove(&candidate.key);
                }
                refuse(&mut response, reason);
            }
        }
        for_callers(&mut response.headers);
        response
    }

    /// The answer to a `HEAD` (§4.3.5).
    fn head(
        &self,
        mut asked: Asked,
        came: &Came,
        candidate: Option<&Candidate>,
        response: Response,
    ) -> Response {
        if let Some(candidate) = candidate {
            let length = Some(candidate.stored.body().len() as u64);
            match validation::head(candidate.stored.headers(), length, response.status, &response.headers) {
                HeadVerdict::Freshens => drop(self.freshen(&mut asked, came, candidate, &response.headers)),
                HeadVerdict::Invalidates => self.shelf.remove(&candidate.key),
                HeadVerdict::Nothing => {}
            }
        }
        personal(response)
    }

    /// A new answer: kept, if it may be.
    fn take(
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

    fn judge(&self, asked: &Asked, came: &Came, status: StatusCode, headers: &HeaderMap) -> Storing {
        let received = Received {
            method: &Method::GET,
            request: &asked.request.headers,
            status,
            headers,
            at: came.at,
            delay: came.arrived.saturating_duration_since(asked.sent),
        };
        storing::judge(&received, &self.shelf.rules.storing)
    }

    /// Whether there is room for an answer, as far as its head says.
    fn fits(&self, response: &Response) -> Result<(), Reason> {
        if response.body.len().is_some_and(|length| length > self.shelf.rules.body_bytes_max) {
            return Err(Reason::TooLarge);
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
            body if body.len() == Some(0) => self.say(response, storing.finish(b""), freshness),
            Body::Full(body) => {
                response.body = Body::Full(body.clone());
                self.say(response, storing.finish(&body), freshness);
            }
            body => {
                response.cache.stored = true;
                let bytes_max = self.shelf.rules.body_bytes_max;
                let on_whole = Box::new(move |body: Bytes| drop(storing.finish(&body)));
                response.body = Body::Shared(SharedBody::new(body, bytes_max, on_whole));
            }
        }
    }

    fn say(&self, response: &mut Response, kept: Kept, freshness: &Freshness) {
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

/// How the origin is asked.
enum Asks {
    /// By what the request says.
    AsItIs(Lookup),
    /// Whether one of these still holds.
    Validates(Vec<Candidate>),
    /// For the rest of this one.
    Completes(Candidate),
}

impl Asks {
    fn candidate(&self) -> Option<&Candidate> {
        match self {
            Self::AsItIs(Lookup::Found(candidate)) => Some(candidate),
            Self::Validates(candidates) if candidates.len() == 1 => candidates.first(),
            Self::Completes(candidate) => Some(candidate),
            Self::AsItIs(_) | Self::Validates(_) => None,
        }
    }
}

/// What asks for all that is missing of a whole.
fn completing(parts: &Parts) -> Option<HeaderMap> {
    parts.completing(Span::whole(parts.complete_length())?)
}

/// An answer for who asked alone.
fn personal(mut response: Response) -> Response {
    response.is_personal = true;
    for_callers(&mut response.headers);
    response
}

/// Whether an answer that is not stored leaves nothing of what is. One that is not stored because of who asked, or how,
/// says nothing of what others get; else any caller could empty the store.
fn supersedes(reason: Reason) -> bool {
    let is_of_the_request = matches!(
        reason,
        Reason::NotStored(Refusal::RequestNoStore | Refusal::Credentials | Refusal::Provoked(_))
    );
    !is_of_the_request
}

fn refuse(response: &mut Response, reason: Reason) {
    response.is_personal = true;
    response.cache.reason = Some(reason);
}

fn for_callers(headers: &mut HeaderMap) {
    for name in FOR_CACHES {
        headers.remove(name);
    }
}

/// The statuses for which a stale answer may be given instead (RFC 5861 §4).
pub(super) fn is_outage(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502..=504)
}
