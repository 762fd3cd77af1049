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

mod convert;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::tower::{Layer, Service, ServiceExt};
use bytes::Bytes;
use http::Extensions;
use http_body::Body as HttpBody;
use kasoku_pipeline::{Body, BodyError, BoxFuture, Next, Outcome, Policy, Request};
use kasoku_problem::{Kind, Problem};

pub use convert::Provenance;

/// Bodies of known length up to this are taken into memory, so that they can be shaped and stored.
const BUFFER_BYTES_MAX: u64 = 1024 * 1024;

/// A policy as a layer. See the module.
pub struct PolicyLayer<P> {
    policy: Arc<P>,
    buffer_bytes_max: u64,
}

impl<P: Policy> PolicyLayer<P> {
    /// Wraps a policy. All services made by this layer and its clones share it.
    pub fn new(policy: P) -> Self {
        Self { policy: Arc::new(policy), buffer_bytes_max: BUFFER_BYTES_MAX }
    }

    /// Answers up to this size are taken into memory if their length is known beforehand; larger ones are
    /// passed on as streams, which are neither coded nor stored. 1 MiB unless said otherwise.
    #[must_use]
    pub fn buffer_up_to(mut self, bytes: u64) -> Self {
        self.buffer_bytes_max = bytes;
        self
    }
}

impl<P> Clone for PolicyLayer<P> {
    fn clone(&self) -> Self {
        Self { policy: Arc::clone(&self.policy), buffer_bytes_max: self.buffer_bytes_max }
    }
}

impl<P, S> Layer<S> for PolicyLayer<P> {
    type Service = PolicyService<P, S>;

    fn layer(&self, service: S) -> PolicyService<P, S> {
        PolicyService { policy: Arc::clone(&self.policy), service, buffer_bytes_max: self.buffer_bytes_max }
    }
}

/// A service with a policy around it.
pub struct PolicyService<P, S> {
    policy: Arc<P>,
    service: S,
    buffer_bytes_max: u64,
}

impl<P, S: Clone> Clone for PolicyService<P, S> {
    fn clone(&self) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            service: self.service.clone(),
            buffer_bytes_max: self.buffer_bytes_max,
        }
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
        let (request, extensions) = convert::request_from_http(request);
        let policy = Arc::clone(&self.policy);
        let service = self.service.clone();
        let rest = Arc::new(Rest { service, extensions, buffer_bytes_max: self.buffer_bytes_max });
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
    async fn run(&self, request: Request) -> Outcome {
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
