//! A shared cache in front of an origin, after RFC 9111.
//!
//! Two policies share this folder. [`HttpCache`] looks a request up, and answers it with what is stored, or hands it
//! on and says why. [`HttpFill`] stands next to the source: it asks the origin whether what is stored still holds, and
//! stores what comes back. Between them equal requests may be collapsed. All decisions are those of
//! `kasoku-http-caching`; here they are carried out.
//!
//! **What the origin sees.** On a read that may be stored, what is not in the key is hidden from the origin, apart
//! from application fields, which are shown and keyed if `Vary` names them, and whose values no stored answer may
//! repeat. [`Treatment`] has the table.
//!
//! **What invalidates.** A successful unsafe request removes what is stored for its target, its `Location` and its
//! `Content-Location`, and what is in the groups that its answer names, before that answer is given (RFC 9111 §4.4,
//! RFC 9875 §3). Fills that began before are fenced like fills from a database.

mod arrival;
mod codec;
pub mod explain;
mod facts;
mod fields;
mod fill;
mod further;
mod invalidate;
mod passes;
mod searches;
mod second_tier;
mod shelf;
mod view;
mod wants;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{AGE, CACHE_CONTROL, UPGRADE};
use http::{HeaderValue, Method};
use kasoku_coherence::{Key, Snapshot, Tag};
use kasoku_http_caching::cache_control::RequestDirectives;
use kasoku_http_caching::freshness;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::reuse::{self, Failure as HowItFailed, Mark, OnError, Reuse, Validate};
use kasoku_http_caching::storing;
use kasoku_pipeline::{
    Body, CacheFacts, Failure, Forward, Next, Outcome, Policy, Request, RequestBody, Response, Verdict,
};
use kasoku_problem::{Kind, Problem};

use self::passes::Passes;
use self::searches::Searches;
use self::shelf::{Candidate, Lookup, Shelf};
use self::view::Views;
use self::wants::Wants;
use crate::Surroundings;
use crate::cache::{Refresher, ResponseStore, age_value};
use crate::collapse::Changes;

pub(crate) use facts::HttpFacts;
pub use fields::{Because, FieldRules, Treatment};
pub use fill::HttpFill;
pub use second_tier::{Accepts, Gone, LookedUp, SecondTier, Shared, Ticket};
pub use shelf::group_tag;
pub use view::AUTHORITY_PART;

/// How answers of a route's origin are reused.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpCacheRules {
    /// What is added to what the origin says.
    pub storing: storing::Rules,
    /// What the origin sees.
    pub fields: FieldRules,
    /// Bodies larger than this are passed on but not stored.
    pub body_bytes_max: u64,
    /// Variants of one target that are stored beside each other.
    pub variants_max: usize,
    /// How long an origin that failed is left alone where a stale answer may stand in.
    pub retry: Duration,
    /// How long the origin may take before a stale answer stands in, where one may; it is awaited in the background.
    pub soft_timeout: Option<Duration>,
    /// The part of its lifetime, from 0 to 1, after which a fresh answer is refreshed in the background.
    pub eager: Option<f64>,
}

impl Default for HttpCacheRules {
    fn default() -> Self {
        Self {
            storing: storing::Rules::default(),
            fields: FieldRules::default(),
            body_bytes_max: 8 << 20,
            variants_max: 64,
            retry: Duration::from_secs(1),
            soft_timeout: None,
            eager: None,
        }
    }
}

/// The half that looks up. See the module.
pub struct HttpCache {
    shelf: Arc<Shelf>,
    refresher: Refresher,
    passes: Passes,
}

/// The two halves for one route, and what tells `collapse` of purges.
pub fn pair(
    rules: HttpCacheRules,
    store: &Arc<ResponseStore>,
    surroundings: &Surroundings,
    second_tier: Option<Arc<dyn SecondTier>>,
) -> (HttpCache, HttpFill, Arc<dyn Changes>) {
    let shelf = Arc::new(Shelf {
        views: Views::new(surroundings.route.index, &rules.fields),
        rules,
        store: Arc::clone(store),
        surroundings: surroundings.clone(),
        second_tier,
        searches: Searches::default(),
    });
    let cache = HttpCache {
        shelf: Arc::clone(&shelf),
        refresher: Refresher::new(surroundings),
        passes: Passes::new(),
    };
    (cache, HttpFill { shelf }, Arc::new(Purges(Arc::clone(store))))
}

/// Tells which forwards began before a purge of their target.
struct Purges(Arc<ResponseStore>);

impl Changes for Purges {
    fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    fn allow(&self, key: &Key, tags: &[Tag], since: Snapshot) -> bool {
        let all: Vec<Tag> = tags.iter().copied().chain(view::tag_of_key(key)).collect();
        self.0.accepts(key, &all, since)
    }
}

impl Policy for HttpCache {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let is_read = request.method == Method::GET || request.method == Method::HEAD;
        if !is_read || request.headers.contains_key(UPGRADE) {
            return Box::pin(self.other(request, next)).await;
        }
        self.read(request, next).await
    }
}

impl HttpCache {
    /// What is not a `GET` or a `HEAD`. A query that is too long to be part of a key is only passed on.
    async fn other<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let is_short = request.body.len().is_some_and(|length| length <= QUERY_BYTES_MAX);
        if !view::is_query(&request.method) || !is_short {
            return self.pass(request, next).await;
        }
        let body = std::mem::replace(&mut request.body, RequestBody::empty()).read().await?;
        request.body = RequestBody::new(Body::Full(body), QUERY_BYTES_MAX as usize);
        self.read(request, next).await
    }

    async fn read<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let directives = RequestDirectives::of(&request.headers);
        let now = request.seen.unwrap_or_else(|| self.shelf.surroundings.clock.now());
        let primary = self.shelf.primary(&request);
        let reading = match self.shelf.find(&primary, &request, now) {
            Lookup::Found(candidate) => match judge(&request, &directives, &candidate) {
                Judged::Use(verdict, reason) => {
                    return self.answer(request, &primary, &candidate, verdict, reason, next);
                }
                Judged::Ask(forward, reason) => Reading { forward, reason, candidate: Some(candidate) },
            },
            Lookup::OtherVariants(_) => Reading { forward: Forward::VaryMiss, reason: None, candidate: None },
            Lookup::Changed => {
                Reading { forward: Forward::Stale, reason: Some(Reason::Changed), candidate: None }
            }
            Lookup::Absent => Reading { forward: Forward::UriMiss, reason: None, candidate: None },
        };
        Box::pin(self.forward(request, &directives, primary, reading, next)).await
    }
}

/// The content of a `QUERY` that can be part of a key.
const QUERY_BYTES_MAX: u64 = 64 << 10;

/// What is done with what was found.
enum Judged {
    Use(Verdict, Option<Reason>),
    Ask(Forward, Option<Reason>),
}

/// Why the origin is asked, and what there is if it fails.
struct Reading {
    forward: Forward,
    reason: Option<Reason>,
    candidate: Option<Box<Candidate>>,
}

impl HttpCache {
    /// Answers with what is stored.
    fn answer<N: Next>(
        &self,
        mut request: Request,
        primary: &Key,
        candidate: &Candidate,
        verdict: Verdict,
        reason: Option<Reason>,
        next: &Arc<N>,
    ) -> Outcome {
        let response = reuse(candidate, verdict, reason);
        let wants = Wants::take(&mut request);
        let response = match &candidate.facts().parts {
            Some(parts) => wants.part(parts, response).ok_or_else(|| Failure::from(Kind::Internal))?,
            None => wants.fit(response),
        };
        if verdict == Verdict::Stale && reason == Some(Reason::Revalidating) || self.is_due_early(candidate) {
            if request.method == Method::HEAD {
                request.method = Method::GET;
            }
            let mut request = self.shelf.views.confine(request);
            request.key = Some(self.shelf.views.forward(primary, &request));
            self.refresher.refresh(request, &candidate.stored, next);
        }
        Ok(response)
    }

    fn is_due_early(&self, candidate: &Candidate) -> bool {
        let lifetime = candidate.facts().freshness.lifetime;
        self.shelf.rules.eager.is_some_and(|part| candidate.age >= lifetime.mul_f64(part))
    }

    /// Asks the origin.
    async fn forward<N: Next>(
        &self,
        mut request: Request,
        directives: &RequestDirectives,
        primary: Key,
        reading: Reading,
        next: &Arc<N>,
    ) -> Outcome {
        let Reading { forward, reason, candidate } = reading;
        if directives.only_if_cached {
            // RFC 9111 §5.2.1.7: a stored response or a 504.
            let problem = Problem::new(Kind::DeadlineExceeded)
                .detail("nothing is stored for an only-if-cached request");
            return Err(Failure { problem, cache: said(CacheFacts::default(), forward, reason) });
        }
        let wants = Wants::take(&mut request);
        if let Some(candidate) = &candidate
            && let Some(how) = candidate.facts().has_failed_within(self.shelf.rules.retry, self.now())
            && let Some(response) = self.stand_in(candidate, directives, how)
        {
            return Ok(wants.fit(with_reason(response, Reason::OriginFailing)));
        }
        let is_whole = candidate.as_ref().is_some_and(|candidate| candidate.facts().parts.is_none());
        let asks_itself = !is_whole || wants.are_for_the_origin() || request.method == Method::HEAD;
        let request = self.prepare(request, directives, &primary, asks_itself.then_some(&wants));
        let outcome = match candidate.as_deref().zip(self.shelf.rules.soft_timeout) {
            Some((candidate, limit)) => self.run_softly(request, candidate, directives, limit, next).await,
            None => next.run(request).await,
        };
        let outcome = match candidate.as_deref() {
            Some(candidate) => self.or_stand_in(outcome, candidate, directives),
            None => outcome,
        };
        match outcome {
            Ok(response) if matches!(response.cache.verdict, Verdict::Stale | Verdict::Hit) => {
                // What is stored stands in.
                Ok(wants.fit(response))
            }
            Ok(mut response) => {
                if response.is_personal {
                    self.passes.note(&primary, self.now());
                }
                let decided = response.cache.reason.or(reason);
                response.cache = said(response.cache, forward, decided);
                Ok(if asks_itself { response } else { finish(response, &wants) })
            }
            Err(failure) => {
                Err(Failure { cache: said(failure.cache, forward, reason), problem: failure.problem })
            }
        }
    }

    fn now(&self) -> Instant {
        self.shelf.surroundings.clock.now()
    }

    /// What the origin gets to see.
    fn prepare(
        &self,
        request: Request,
        directives: &RequestDirectives,
        primary: &Key,
        own: Option<&Wants>,
    ) -> Request {
        let mut request = self.shelf.views.confine(request);
        if let Some(wants) = own {
            wants.put_back(&mut request.headers);
        }
        if let Some(said) = say(directives) {
            request.headers.insert(CACHE_CONTROL, said);
        }
        let is_shared = request.method != Method::HEAD
            && !directives.no_store
            && !self.passes.contains(primary, self.now());
        request.key = is_shared.then(|| self.shelf.views.forward(primary, &request));
        request
    }

    /// Waits for the origin for a while only, if what is stored may stand in meanwhile.
    async fn run_softly<N: Next>(
        &self,
        request: Request,
        candidate: &Candidate,
        directives: &RequestDirectives,
        limit: Duration,
        next: &Arc<N>,
    ) -> Outcome {
        let Some(stale) = self.stand_in(candidate, directives, HowItFailed::Unreachable) else {
            return next.run(request).await;
        };
        let next = Arc::clone(next);
        let mut work = tokio::spawn(async move { next.run(request).await });
        match tokio::time::timeout(limit, &mut work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Kind::Internal.into()),
            Err(_) => {
                tokio::spawn(async move {
                    if let Ok(Ok(response)) = work.await {
                        response.into_fields().body.drain().await;
                    }
                });
                Ok(with_reason(stale, Reason::OriginSlow))
            }
        }
    }

    /// Puts what is stored in the place of a failure, where that is allowed (RFC 5861 §4, RFC 9111 §4.2.4).
    fn or_stand_in(
        &self,
        outcome: Outcome,
        candidate: &Candidate,
        directives: &RequestDirectives,
    ) -> Outcome {
        let how = match &outcome {
            Ok(response) if fill::is_outage(response.status) => HowItFailed::Answered(response.status),
            Err(failure) if fill::is_outage(failure.problem.kind().status()) => HowItFailed::Unreachable,
            _ => return outcome,
        };
        candidate.facts().note_failure(how, self.now());
        match self.stand_in(candidate, directives, how) {
            Some(response) => Ok(with_reason(response, Reason::OriginFailed)),
            None => outcome,
        }
    }

    /// The stored answer, if it may stand in. It is looked up again, so that a purge that came while the origin was
    /// asked is not hidden by it.
    fn stand_in(
        &self,
        candidate: &Candidate,
        directives: &RequestDirectives,
        how: HowItFailed,
    ) -> Option<Response> {
        let current = self.shelf.again(&candidate.key, self.now())?;
        let facts = current.facts();
        match reuse::on_error(directives, &facts.freshness, current.age, how) {
            OnError::ServeStale(_) if facts.parts.is_none() => {
                let fresh = current.mark == Mark::None && current.age < facts.freshness.lifetime;
                Some(reuse(&current, if fresh { Verdict::Hit } else { Verdict::Stale }, None))
            }
            OnError::ServeStale(_) | OnError::Fail(_) => None,
        }
    }
}

/// What is done with a stored answer.
fn judge(request: &Request, directives: &RequestDirectives, candidate: &Candidate) -> Judged {
    let facts = candidate.facts();
    if view::has_credentials(&request.headers) && !facts.freshness.shareable_with_credentials {
        return Judged::Ask(Forward::Request, Some(Reason::NotForCredentials));
    }
    if wants::are_for_the_origin(&request.headers) {
        return Judged::Ask(Forward::Request, Some(Reason::ForTheOrigin));
    }
    match reuse::judge(directives, &facts.freshness, candidate.age, candidate.mark) {
        Reuse::Fresh => covers(request, candidate, Verdict::Hit, None),
        Reuse::Stale(_) => covers(request, candidate, Verdict::Stale, Some(Reason::MaxStale)),
        Reuse::StaleWhileRevalidate => covers(request, candidate, Verdict::Stale, Some(Reason::Revalidating)),
        Reuse::Validate(why) => Judged::Ask(forward_of(why), Some(Reason::Validated(why))),
    }
}

/// A stored part answers only who wants that part.
fn covers(request: &Request, candidate: &Candidate, verdict: Verdict, reason: Option<Reason>) -> Judged {
    match &candidate.facts().parts {
        Some(parts) if !wants::are_covered(&request.method, &request.headers, parts) => {
            Judged::Ask(Forward::Partial, Some(Reason::Partial))
        }
        _ => Judged::Use(verdict, reason),
    }
}

/// What is asked of the caches between here and the origin: an end-to-end reload is one for all of them (RFC 9111
/// §5.2.1.4), and so is the wish for something younger.
fn say(directives: &RequestDirectives) -> Option<HeaderValue> {
    let seconds = |name: &str, time: Option<Duration>| time.map(|time| format!("{name}={}", time.as_secs()));
    let words = match directives {
        RequestDirectives { no_store: true, .. } => vec!["no-store".to_owned()],
        RequestDirectives { no_cache: true, .. } => vec!["no-cache".to_owned()],
        RequestDirectives { max_age, min_fresh, .. } => {
            [seconds("max-age", *max_age), seconds("min-fresh", *min_fresh)].into_iter().flatten().collect()
        }
    };
    (!words.is_empty()).then(|| HeaderValue::try_from(words.join(", ")).expect("names and digits"))
}

fn forward_of(why: Validate) -> Forward {
    match why {
        Validate::NoCacheRequest
        | Validate::NoStoreRequest
        | Validate::MaxAgeRequest
        | Validate::MinFreshRequest => Forward::Request,
        Validate::Expired | Validate::NoCacheResponse | Validate::MustRevalidate | Validate::Purged => {
            Forward::Stale
        }
    }
}

/// The stored answer, as it is.
fn reuse(candidate: &Candidate, verdict: Verdict, reason: Option<Reason>) -> Response {
    let stored = &candidate.stored;
    let mut ttl_s = freshness::ttl_s(&candidate.facts().freshness, candidate.age);
    if candidate.mark == Mark::Softened {
        ttl_s = ttl_s.min(0);
    }
    let mut headers = stored.headers().clone();
    headers.insert(AGE, age_value(candidate.age.as_secs().min(1 << 31)));
    let mut response = Response::new(stored.status(), Body::Full(stored.body().clone()));
    response.headers = headers;
    response.tags = Arc::clone(stored.tags());
    response.snapshot = Some(candidate.snapshot);
    response.cache = CacheFacts { verdict, ttl_s: Some(ttl_s), reason, ..CacheFacts::default() };
    response.forms = candidate.facts().parts.is_none().then(|| Arc::clone(stored) as _);
    response
}

/// Fits a new answer to what was wanted. If the body is not wanted, it is read all the same, to be stored.
fn finish(response: Response, wants: &Wants) -> Response {
    if wants.is_plain() {
        return wants.fit(response);
    }
    let again = matches!(response.body, Body::Shared(_)).then(|| response.try_clone()).flatten();
    let fitted = wants.fit(response);
    if let Some(again) = again.filter(|_| matches!(fitted.body, Body::Empty)) {
        tokio::spawn(again.into_fields().body.drain());
    }
    fitted
}

fn with_reason(mut response: Response, reason: Reason) -> Response {
    response.cache.reason = Some(reason);
    response
}

fn said(facts: CacheFacts, forward: Forward, reason: Option<Reason>) -> CacheFacts {
    CacheFacts { verdict: Verdict::Forwarded(forward), reason: facts.reason.or(reason), ..facts }
}
