//! Each policy as a `tower` layer, around any service of `http` types.
//!
//! [`PolicyLayer::new`] takes any [`Policy`]. Stack them in the order of the [crate's table](crate),
//! outermost first, as `tower::ServiceBuilder` does. What policies tell each other travels in the extensions
//! of requests and responses between the layers and is seen by nobody else.
//!
//! A handler says what its answer depends on with a [`Provenance`] among the extensions of its response;
//! without one nothing is stored. A failure becomes an answer in the `Rescue` layer, or where the layers end.
//!
//! Extensions that other middleware has put on a request reach the handler, also where a cached route has
//! taken the header fields away. They are not part of the key: put what identifies callers inside of the
//! cache, or make the source vary by the field that does.
//!
//! Compared with a pipeline of this project's own each layer costs a boxed future, a shared pointer and a
//! conversion each way. `examples/axum_service.rs` shows all of them around an axum router.
//!
//! [`HttpCacheLayer`] is a cache for services that say how they may be cached in the fields of HTTP, and need none of
//! the above: `Cache-Control`, `Vary`, `ETag`. `examples/http_cache.rs` shows it.

mod convert;
mod http_cache;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::tower::{Layer, Service, ServiceExt};
use bytes::Bytes;
use http::{Extensions, Uri};
use http_body::Body as HttpBody;
use kasoku_pipeline::{Body, BodyError, BoxFuture, Next, Outcome, Policy, Request};
use kasoku_problem::{Kind, Problem};

pub use convert::Provenance;
pub use http_cache::{HttpCacheLayer, HttpCaching};

/// Bodies of known length up to this are taken into memory, so that they can be shaped and stored.
const BUFFER_BYTES_MAX: u64 = 1024 * 1024;

/// Tells what was asked for, where middleware has shortened the target.
type TargetFrom = fn(&Extensions) -> Option<Uri>;

/// A policy as a layer. See the module.
pub struct PolicyLayer<P> {
    policy: Arc<P>,
    settings: Settings,
}

#[derive(Clone, Copy)]
struct Settings {
    buffer_bytes_max: u64,
    target_from: TargetFrom,
}

impl<P: Policy> PolicyLayer<P> {
    /// Wraps a policy. All services made by this layer and its clones share it.
    pub fn new(policy: P) -> Self {
        let settings = Settings { buffer_bytes_max: BUFFER_BYTES_MAX, target_from: |_| None };
        Self { policy: Arc::new(policy), settings }
    }

    /// Answers up to this size are taken into memory if their length is known beforehand; larger ones are
    /// passed on as streams, which are neither coded nor stored. 1 MiB unless said otherwise.
    #[must_use]
    pub fn buffer_up_to(mut self, bytes: u64) -> Self {
        self.settings.buffer_bytes_max = bytes;
        self
    }

    /// Shows the policy this target instead of the one that the request has here, if there is one; the service
    /// within sees the latter. Needed inside of what shortens targets, such as axum's `nest`, because stored answers
    /// are found by their targets: `|extensions| Some(extensions.get::<OriginalUri>()?.0.clone())`.
    #[must_use]
    pub fn target_from(mut self, target_from: fn(&Extensions) -> Option<Uri>) -> Self {
        self.settings.target_from = target_from;
        self
    }
}

impl<P> Clone for PolicyLayer<P> {
    fn clone(&self) -> Self {
        Self { policy: Arc::clone(&self.policy), settings: self.settings }
    }
}

impl<P, S> Layer<S> for PolicyLayer<P> {
    type Service = PolicyService<P, S>;

    fn layer(&self, service: S) -> PolicyService<P, S> {
        PolicyService { policy: Arc::clone(&self.policy), service, settings: self.settings }
    }
}

/// A service with a policy around it.
pub struct PolicyService<P, S> {
    policy: Arc<P>,
    service: S,
    settings: Settings,
}

impl<P, S: Clone> Clone for PolicyService<P, S> {
    fn clone(&self) -> Self {
        Self { policy: Arc::clone(&self.policy), service: self.service.clone(), settings: self.settings }
    }
}

impl<P, S, A, B> Service<http::Request<A>> for PolicyService<P, S>
where
    P: Policy,
    A: HttpBody<Data = Bytes> + Send + 'static,
    A::Error: Into<BodyError>,
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BodyError>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    /// Always: whether the service within is ready is asked when, and if, a request gets there.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<A>) -> Self::Future {
        let (mut request, extensions) = convert::request_from_http(request);
        let target = (self.settings.target_from)(&extensions);
        let target_here = target.map(|target| std::mem::replace(&mut request.uri, target));
        let policy = Arc::clone(&self.policy);
        let service = self.service.clone();
        let buffer_bytes_max = self.settings.buffer_bytes_max;
        let rest = Arc::new(Rest { service, extensions, target_here, buffer_bytes_max });
        Box::pin(async move {
            let id = request.id.clone();
            let outcome = policy.around(request, &rest).await;
            Ok(convert::outcome_into_http(outcome, &id))
        })
    }
}

/// The service behind a policy, for one request.
struct Rest<S> {
    service: S,
    extensions: Extensions,
    /// If the policy was shown another.
    target_here: Option<Uri>,
    buffer_bytes_max: u64,
}

impl<S, B> Next for Rest<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BodyError>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    async fn run(&self, mut request: Request) -> Outcome {
        if let Some(target) = &self.target_here {
            request.uri.clone_from(target);
        }
        let request = convert::request_into_http(request, self.extensions.clone());
        match self.service.clone().oneshot(request).await.map_err(Into::<BodyError>::into) {
            Ok(response) => convert::outcome_from_http(response, self.buffer_bytes_max).await,
            Err(error) => {
                let problem = Problem::new(Kind::BadUpstream);
                Err(problem.cause(std::io::Error::other(error)).into())
            }
        }
    }
}
