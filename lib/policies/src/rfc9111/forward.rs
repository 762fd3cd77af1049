//! Asking the origin, and what stands in for it when it fails or takes long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method};
use kasoku_coherence::Key;
use kasoku_http_caching::cache_control::RequestDirectives;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::reuse::{self, Failure as HowItFailed, Mark, OnError};
use kasoku_pipeline::{Body, CacheFacts, Failure, Next, Outcome, Request, Response, Verdict};
use kasoku_problem::{Kind, Problem};

use super::lookup::Reading;
use super::shelf::Candidate;
use super::wants::Wants;
use super::{HttpCache, fill, said};

impl HttpCache {
    /// Asks the origin.
    pub(super) async fn forward<N: Next>(
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
        let wants = Wants::take(&mut request, &*self.shelf.surroundings.clock);
        if let Some(candidate) = &candidate
            && let Some(how) = candidate.facts().has_failed_within(self.shelf.rules.retry, self.now())
            && let Some(response) = self.stand_in(candidate, directives, how)
        {
            return Ok(wants.fit(with_reason(response, Reason::OriginFailing)));
        }
        let is_whole = candidate.as_ref().is_some_and(|candidate| candidate.facts().parts.is_none());
        let asks_itself = !is_whole || wants.are_for_the_origin() || request.method == Method::HEAD;
        let request = self.prepare(request, directives, &primary, asks_itself.then_some(&wants));
        if let Some(problem) = self.failures.recent(&primary, self.now()) {
            return Err(Failure {
                problem,
                cache: said(CacheFacts::default(), forward, Some(Reason::OriginFailing)),
            });
        }
        let outcome = match candidate.as_deref().zip(self.shelf.rules.soft_timeout) {
            Some((candidate, limit)) => self.run_softly(request, candidate, directives, limit, next).await,
            None => next.run(request).await,
        };
        let outcome = match candidate.as_deref() {
            Some(candidate) => self.or_stand_in(outcome, candidate, directives),
            None => outcome,
        };
        self.note_failure(&primary, &outcome);
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
                response.cache.key = Some(primary.hash64());
                Ok(if asks_itself { response } else { finish(response, &wants) })
            }
            Err(failure) => {
                Err(Failure { cache: said(failure.cache, forward, reason), problem: failure.problem })
            }
        }
    }

    /// Remembers a failure for which nothing stood in, if the route wants that.
    fn note_failure(&self, primary: &Key, outcome: &Outcome) {
        let status = match outcome {
            Ok(response) if response.cache.stored => return,
            Ok(response) => response.status,
            Err(failure) => failure.problem.kind().status(),
        };
        if let Some(time) = self.shelf.rules.failures
            && fill::is_outage(status)
        {
            self.failures.note(primary, status, self.now() + time, self.now());
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
        request.primary = Some(primary.clone());
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
                Some(current.reuse(if fresh { Verdict::Hit } else { Verdict::Stale }, None))
            }
            OnError::ServeStale(_) | OnError::Fail(_) => None,
        }
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
