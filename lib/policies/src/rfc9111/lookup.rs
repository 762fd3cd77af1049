//! The look-up: what is stored is judged, and given, or said to be in need of the origin.

use std::sync::Arc;

use http::Method;
use kasoku_coherence::Key;
use kasoku_http_caching::cache_control::{LONGEST, RequestDirectives};
use kasoku_http_caching::freshness;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::reuse::{self, Mark, Reuse, Validate};
use kasoku_pipeline::{
    Body, CacheFacts, Failure, Forward, Next, Outcome, Request, RequestId, Response, Verdict,
};
use kasoku_problem::Kind;

use super::shelf::{Candidate, Lookup};
use super::wants::{self, Wants};
use super::{HttpCache, view};

/// What is done with what was found.
pub(super) enum Judged {
    Use(Verdict, Option<Reason>),
    Ask(Forward, Option<Reason>),
}

/// Why the origin is asked, and what there is if it fails.
pub(super) struct Reading {
    pub(super) forward: Forward,
    pub(super) reason: Option<Reason>,
    pub(super) candidate: Option<Box<Candidate>>,
}

impl HttpCache {
    pub(super) async fn read<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
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
        let response = candidate.reuse_observed(verdict, reason, request.id.given());
        let wants = Wants::take(&mut request, &*self.shelf.surroundings.clock);
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
}

/// What is done with a stored answer.
pub(super) fn judge(request: &Request, directives: &RequestDirectives, candidate: &Candidate) -> Judged {
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
pub(super) fn covers(
    request: &Request,
    candidate: &Candidate,
    verdict: Verdict,
    reason: Option<Reason>,
) -> Judged {
    match &candidate.facts().parts {
        Some(parts) if !wants::are_covered(&request.method, &request.headers, parts) => {
            Judged::Ask(Forward::Partial, Some(Reason::Partial))
        }
        _ => Judged::Use(verdict, reason),
    }
}

fn forward_of(why: Validate) -> Forward {
    match why {
        Validate::NoCacheRequest
        | Validate::NoStoreRequest
        | Validate::MaxAgeRequest
        | Validate::MinFreshRequest => Forward::Request,
        Validate::Expired
        | Validate::NoCacheResponse
        | Validate::MustRevalidate
        | Validate::Purged
        | Validate::OutOfTouch => Forward::Stale,
    }
}

impl Candidate {
    /// The stored answer, as it is.
    pub(super) fn reuse(&self, verdict: Verdict, reason: Option<Reason>) -> Response {
        self.reuse_observed(verdict, reason, None)
    }

    /// The same, for a request that `observe` has named.
    fn reuse_observed(
        &self,
        verdict: Verdict,
        reason: Option<Reason>,
        observed_as: Option<&RequestId>,
    ) -> Response {
        let stored = &self.stored;
        let mut ttl_s = freshness::ttl_s(&self.facts().freshness, self.age);
        if self.mark != Mark::None {
            ttl_s = ttl_s.min(0);
        }
        let mut response = Response::new(stored.status(), Body::Full(stored.body().clone()));
        response.cache = CacheFacts { verdict, ttl_s: Some(ttl_s), reason, ..CacheFacts::default() };
        let age_s = self.age.min(LONGEST).as_secs();
        (response.headers, response.marked) = stored.fields_at(age_s, &response.cache, observed_as);
        response.tags = Arc::clone(stored.tags());
        response.snapshot = Some(self.snapshot);
        response.forms = self.facts().parts.is_none().then(|| Arc::clone(stored) as _);
        response
    }
}
