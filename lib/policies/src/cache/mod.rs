//! Reuses stored responses.
//!
//! Two policies share this folder. [`Cache`] looks a request up and answers it with a stored response, or
//! hands it on and says why. [`Fill`] stands next to the source and stores what comes back. Between them,
//! equal requests may be collapsed. What ties the two is the key, which `Cache` puts on the request.
//!
//! What is not in the key is not visible to the source: a request that is handed on has lost its body, its
//! peer and all header fields by which the source has not promised to vary, credentials among them. So an
//! answer cannot depend on them, and may be shared. A route whose answers do depend on who asks has to vary
//! by what says so, or must not be cached.
//!
//! Whether an entry still shows the truth is the store's to judge, by the fence. Lifetimes only bound how
//! long an answer goes without being asked for again. An entry that the fence calls changed is not served,
//! stale or not.

mod age;
mod audit;
pub mod explain;
mod fallback;
mod fields;
mod fill;
mod freshness;
mod key;
mod outline;
mod refresh;
mod stored;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::CACHE_CONTROL;
use kasoku_cache_store::{Found, Store};
use kasoku_coherence::{Key, Lease};
use kasoku_http_caching::directives::Directive;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::reuse::Validate;
use kasoku_pipeline::{
    CacheFacts, Failure, Forward, Next, Outcome, Policy, Promises, Request, RequestId, Response, Verdict,
};
use kasoku_problem::{Kind, Problem};

use self::audit::Auditor;
use self::fallback::is_outage;
use self::freshness::Freshness;
use self::key::Keying;
use crate::Surroundings;

pub use explain::KeyPart;
pub(crate) use fields::{fields_bytes, own_fields, own_value, value_bytes};
pub use fill::{Fill, Storable};
pub use key::{PATH_PART, ROUTE_PART};
pub(crate) use refresh::Refresher;
pub use stored::StoredResponse;

/// How a route's answers are reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheRules {
    /// How long a stored response is fresh, unless a change to what it depends on removes it before.
    pub fresh: Duration,
    /// How long after that it may be served while a new one is fetched in the background (RFC 5861 §3).
    pub stale_while_revalidate: Duration,
    /// How long after it became stale it may be served if the source fails (RFC 5861 §4).
    pub stale_if_error: Duration,
    /// `max-age` for the caller's own cache; zero tells it to validate each time, which a change cannot
    /// outrun.
    pub client: Duration,
    /// Bodies larger than this are passed on but not stored.
    pub body_bytes_max: u64,
}

/// Where all routes keep their stored responses.
pub type ResponseStore = Store<StoredResponse>;

/// The half that looks up. See the module.
pub struct Cache {
    rules: CacheRules,
    surroundings: Surroundings,
    store: Arc<ResponseStore>,
    keying: Keying,
    refresher: Refresher,
    auditor: Option<Auditor>,
    lease: Option<Arc<Lease>>,
}

impl Cache {
    /// For a route whose source makes these promises.
    pub fn new(
        rules: CacheRules,
        promises: &Promises,
        store: &Arc<ResponseStore>,
        surroundings: &Surroundings,
    ) -> Self {
        Self {
            rules,
            surroundings: surroundings.clone(),
            store: Arc::clone(store),
            keying: Keying::new(surroundings.route.index, promises),
            refresher: Refresher::new(surroundings),
            auditor: None,
            lease: None,
        }
    }

    /// Reuses what is stored only while this lease holds: others may change what it depends on.
    #[must_use]
    pub fn leased(self, lease: Option<Arc<Lease>>) -> Self {
        Self { lease, ..self }
    }

    /// Re-reads this share of the hits, from 0 to 1, and reports whether they were right.
    #[must_use]
    pub fn audited(mut self, share: f64) -> Self {
        self.auditor = Auditor::new(share, &self.store, &self.surroundings);
        self
    }
}

impl Policy for Cache {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        if request.method != Method::GET {
            return Box::pin(pass(request, next)).await;
        }
        if request.owed.is_some() {
            // For this caller alone: others were told of nothing.
            let why = (Forward::Stale, Some(Reason::Behind));
            let key = self.keying.key(&request).build();
            return self.cold(why, Directive::Private, key, request, next).await;
        }
        let asks = request.headers.keys().any(|name| *name == CACHE_CONTROL);
        let directive = if asks { Directive::of(&request.headers) } else { Directive::Usual };
        let now = request.seen.unwrap_or_else(|| self.surroundings.clock.now());
        let key = self.keying.key(&request);
        let (stored, age, reuse) = match self.store.look_up_bytes(key.bytes(), now) {
            Found::Changed => {
                let why = (Forward::Stale, Some(Reason::Changed));
                return self.cold(why, directive, key.build(), request, next).await;
            }
            Found::Absent => {
                return self.cold((Forward::UriMiss, None), directive, key.build(), request, next).await;
            }
            Found::Usable { .. } if self.lease.as_ref().is_some_and(|lease| !lease.holds(now)) => {
                let why = (Forward::Stale, Some(Reason::Unheard));
                return self.cold(why, directive, key.build(), request, next).await;
            }
            Found::Usable { value, inserted, snapshot, softened, .. } => {
                let age = now.saturating_duration_since(inserted);
                let bound = self.lease.as_ref().and_then(|lease| lease.age(now));
                let reuse = Reuse {
                    age,
                    snapshot,
                    softened: softened.is_some(),
                    observed_as: request.id.given(),
                    bound,
                };
                (value, age, reuse)
            }
        };
        match Freshness::of(age, stored.fresh(), reuse.softened, &self.rules) {
            _ if directive.asks_the_source() => {
                let asked = match directive {
                    Directive::Private => Validate::NoStoreRequest,
                    _ => Validate::NoCacheRequest,
                };
                let why = (Forward::Request, Some(Reason::Validated(asked)));
                self.cold(why, directive, key.build(), request, next).await
            }
            Freshness::Fresh => {
                let response = stored.reuse(Verdict::Hit, None, &reuse);
                if let Some(auditor) = self.auditor.as_ref().filter(|auditor| auditor.is_due()) {
                    auditor.audit(self.keying.confine(request, None), key.build(), stored, next);
                }
                Ok(response)
            }
            Freshness::Stale { revalidate: true, .. } => {
                let response = stored.reuse(Verdict::Stale, Some(Reason::Revalidating), &reuse);
                self.refresher.refresh(self.keying.confine(request, Some(key.build())), &stored, next);
                Ok(response)
            }
            Freshness::Stale { .. } => {
                let old = if reuse.softened { Validate::Purged } else { Validate::Expired };
                let why = (Forward::Stale, Some(Reason::Validated(old)));
                self.cold(why, directive, key.build(), request, next).await
            }
        }
    }
}

/// Why the source is asked, and what decided beyond that.
type Why = (Forward, Option<Reason>);

/// How a stored response is being reused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reuse<'a> {
    age: Duration,
    snapshot: kasoku_coherence::Snapshot,
    softened: bool,
    /// What `observe` has named the request.
    observed_as: Option<&'a RequestId>,
    /// How old it can be at the most, where others may change what it depends on.
    bound: Option<Duration>,
}

impl Cache {
    /// Everything that is not a hit, boxed to keep the future of a hit small.
    async fn cold<N: Next>(
        &self,
        why: Why,
        directive: Directive,
        key: Key,
        request: Request,
        next: &Arc<N>,
    ) -> Outcome {
        Box::pin(self.forward(why, directive, key, request, next)).await
    }

    async fn forward<N: Next>(
        &self,
        why: Why,
        directive: Directive,
        key: Key,
        request: Request,
        next: &Arc<N>,
    ) -> Outcome {
        if directive == Directive::OnlyIfCached {
            // RFC 9111 §5.2.1.7: a stored response or a 504.
            let problem = Problem::new(Kind::DeadlineExceeded)
                .detail("nothing is stored for an only-if-cached request");
            return Err(problem.into());
        }
        let deadline = request.deadline;
        let fallback = why.0 == Forward::Stale && self.fallback(&key).is_some();
        let kept_key = (directive != Directive::Private).then(|| key.clone());
        let work = next.run(self.keying.confine(request, kept_key));
        let outcome = match deadline.filter(|_| fallback) {
            Some(deadline) => self.run_with_margin(deadline, work).await,
            None => work.await,
        };
        match outcome {
            Ok(response) if is_outage(response.status) => {
                Ok(self.fallback(&key).unwrap_or_else(|| said(response, why)))
            }
            Ok(response) => Ok(said(response, why)),
            Err(failure) => {
                let outage = is_outage(failure.problem.kind().status());
                let stale = outage.then(|| self.fallback(&key)).flatten();
                stale.ok_or_else(|| Failure { cache: forwarded(failure.cache, why), ..failure })
            }
        }
    }
}

/// A request whose method the cache has no part in.
async fn pass<N: Next>(request: Request, next: &Arc<N>) -> Outcome {
    match next.run(request).await {
        Ok(response) => Ok(said(response, (Forward::Method, None))),
        Err(failure) => Err(Failure { cache: forwarded(failure.cache, (Forward::Method, None)), ..failure }),
    }
}

fn said(mut response: Response, why: Why) -> Response {
    response.cache = forwarded(response.cache, why);
    response
}

fn forwarded(facts: CacheFacts, (forward, reason): Why) -> CacheFacts {
    CacheFacts { verdict: Verdict::Forwarded(forward), reason: facts.reason.or(reason), ..facts }
}
