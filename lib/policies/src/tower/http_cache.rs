//! The cache of RFC 9111 as one layer, for services that say how they may be cached in the fields of HTTP.

use std::sync::Arc;

use ::tower::Layer;
use http::{Extensions, Uri};
use kasoku_coherence::Sequence;
#[cfg(doc)]
use kasoku_pipeline::InFlight;
use kasoku_pipeline::{Next, Outcome, Policy, Promises, Request};

use super::{PolicyLayer, PolicyService};
use crate::Surroundings;
use crate::cache::ResponseStore;
use crate::collapse::Collapse;
use crate::rfc9111::{HttpCache, HttpCacheRules, HttpFill, SecondTier, pair};

/// A shared HTTP cache in front of a service of `http` types.
///
/// What it stores, for how long and for whom is what the service says in `Cache-Control`, `Expires`, `Vary`, `ETag`
/// and the other fields of RFC 9111, and what [`HttpCacheRules`] add. Equal requests that come at the same time are
/// answered by one call of the service. A `POST`, `PUT`, `PATCH` or `DELETE` that succeeds removes what is stored for
/// its target, and for its `Location` and `Content-Location`, before its answer is given.
///
/// # What is safe
///
/// - Answers with `Set-Cookie` are not stored, and answers to requests with `Authorization` only if they say `public`,
///   `s-maxage` or `must-revalidate` (RFC 9111 §3.5). Neither answers a request that waits for another.
/// - A `Cookie`, an `Origin` and fields that begin with `x-` are part of the key. What says who asks, from where and
///   on what device (`User-Agent`, `Referer`, `Sec-*`) is hidden from the service on a `GET` or `HEAD`; see
///   [`Treatment`](crate::rfc9111::Treatment), and [`FieldRules`](crate::rfc9111::FieldRules) to say otherwise.
///   What needs such fields, such as a log, belongs outside of this layer.
/// - What other middleware puts among the extensions of a request reaches the service and is not part of the key. A
///   service that answers by it has to say `private`, or stand outside.
/// - What the service does without a request to it, such as a job that changes what it answers from, is not noticed:
///   call [`purge_tag`](kasoku_cache_store::Store::purge_tag) or its siblings on the [store](Self::store), or let
///   answers be validated.
///
/// Put it around routers that are [nested](https://docs.rs/axum/latest/axum/struct.Router.html#method.nest), not
/// inside of them: there, requests have shorter targets, and those of two routers could be taken for each other.
/// [`target_from`](Self::target_from) makes it right inside, too.
///
/// # What it costs
///
/// `budget_bytes` of memory at most for what is stored, fields, keys and bookkeeping included, and 8 KiB; bodies on
/// their way are held beside that while they are read, 64 MiB of them all together ([`InFlight`]). A hit takes one
/// look-up and one copy of the fields; see the [crate's page](crate#costs) for figures.
///
/// ```
/// use axum::{Router, http::header::CACHE_CONTROL, routing::get};
/// use kasoku_policies::rfc9111::HttpCacheRules;
/// use kasoku_policies::tower::HttpCacheLayer;
///
/// let cache = HttpCacheLayer::new(HttpCacheRules::default(), 64 << 20);
/// let app: Router = Router::new()
///     .route("/", get(|| async { ([(CACHE_CONTROL, "max-age=60")], "hello") }))
///     .layer(cache.clone());
/// # drop(app);
/// assert_eq!(cache.store().stats().entries, 0);
/// ```
#[derive(Clone)]
pub struct HttpCacheLayer {
    layer: PolicyLayer<HttpCaching>,
    store: Arc<ResponseStore>,
}

/// Look-up, collapse and fill as one policy: what an [`HttpCacheLayer`] puts around a service.
pub struct HttpCaching {
    cache: HttpCache,
    collapse: Arc<Collapse>,
    fill: Arc<HttpFill>,
}

impl HttpCacheLayer {
    /// A cache with a store of its own, for at most so many bytes. All services that are made by this layer and its
    /// clones share it.
    pub fn new(rules: HttpCacheRules, budget_bytes: u64) -> Self {
        let store = Arc::new(ResponseStore::new(budget_bytes, Arc::new(Sequence::new())));
        Self::over(rules, &store, &Surroundings::quiet(0, "/"), None)
    }

    /// A cache over a store that others use too, with an observer and a clock, and with a second tier if there is
    /// one. Layers over one store whose answers are not each other's need surroundings with different indexes; an
    /// unsafe request that any of them sees invalidates for all.
    pub fn over(
        rules: HttpCacheRules,
        store: &Arc<ResponseStore>,
        surroundings: &Surroundings,
        second_tier: Option<Arc<dyn SecondTier>>,
    ) -> Self {
        let policy = HttpCaching::new(rules, store, surroundings, second_tier);
        Self { layer: PolicyLayer::new(policy), store: Arc::clone(store) }
    }

    /// Where answers are kept: to purge them, and to see how much there is.
    pub fn store(&self) -> &Arc<ResponseStore> {
        &self.store
    }

    /// See [`PolicyLayer::target_from`].
    #[must_use]
    pub fn target_from(mut self, target_from: fn(&Extensions) -> Option<Uri>) -> Self {
        self.layer = self.layer.target_from(target_from);
        self
    }
}

impl<S> Layer<S> for HttpCacheLayer {
    type Service = PolicyService<HttpCaching, S>;

    fn layer(&self, service: S) -> Self::Service {
        self.layer.layer(service)
    }
}

impl HttpCaching {
    /// For one route, over a store; see [`pair`].
    pub fn new(
        rules: HttpCacheRules,
        store: &Arc<ResponseStore>,
        surroundings: &Surroundings,
        second_tier: Option<Arc<dyn SecondTier>>,
    ) -> Self {
        let (cache, fill, changes) = pair(rules, store, surroundings, second_tier);
        let collapse = Arc::new(Collapse::new(&Promises::none(), changes));
        Self { cache, collapse, fill: Arc::new(fill) }
    }
}

impl Policy for HttpCaching {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let fill = Behind { policy: Arc::clone(&self.fill), next: Arc::clone(next) };
        let collapse = Behind { policy: Arc::clone(&self.collapse), next: Arc::new(fill) };
        self.cache.around(request, &Arc::new(collapse)).await
    }
}

/// A policy that stands behind another one, and the rest behind it, for one request.
struct Behind<P, N> {
    policy: Arc<P>,
    next: Arc<N>,
}

impl<P: Policy, N: Next> Next for Behind<P, N> {
    fn run(&self, request: Request) -> impl Future<Output = Outcome> + Send {
        self.policy.around(request, &self.next)
    }
}
