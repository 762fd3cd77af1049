//! From hyper's request to the pipeline's, and from the pipeline's answer to hyper's.

use std::convert::Infallible;
use std::mem;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use arc_swap::ArcSwap;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;
use http::{Method, StatusCode, Version};
use hyper::body::Incoming;
use kasoku_config::ConnectionLimits;
use kasoku_pipeline::{
    Body, BoxFuture, Outcome, PathParams, Pipeline, Request, RequestBody, RequestFields, Response, Upgrade,
};
use kasoku_problem::MEDIA_TYPE;
use parking_lot::Mutex;

use super::body::{Arriving, Leaving};
use super::pulse::Pulse;
use super::screen::{is_known, screen};
use crate::drain::{Drain, InFlight, Standing, Tally};
use crate::router::{Refusal, Routed, Router};

/// What all connections of a listener share.
pub(crate) struct Shared {
    pub(crate) router: Arc<ArcSwap<Router>>,
    pub(crate) limits: ConnectionLimits,
    pub(crate) drain: Arc<Drain>,
}

/// What the requests of one connection share.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: SocketAddr,
    pub(crate) scheme: Scheme,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) tally: Arc<Tally>,
    /// What the connection is joined with once a 101 has been sent.
    pub(crate) joined: Mutex<Option<Upgrade>>,
}

/// What answers a request.
pub(crate) enum Chosen {
    Pipeline(Arc<dyn Pipeline>, PathParams),
    /// The head is malformed. What follows it on the connection cannot be trusted to be a request either.
    Malformed(Arc<dyn Pipeline>),
    Health,
}

/// An answer on its way.
pub(crate) enum Serving {
    /// It was there at once.
    Answered(Option<http::Response<Leaving>>),
    /// A pipeline is at work.
    Working(BoxFuture<'static, Outcome>, Option<Giving>),
}

/// What of a request decides how its answer is given.
pub(crate) struct Giving {
    in_flight: InFlight,
    version: Version,
    is_head: bool,
    /// Whether nothing can follow it on the connection.
    is_last: bool,
}

/// Answers one request. Whatever fails below has become an answer before it comes here.
///
/// The work is begun here and now, and not when hyper asks for it: before it asks, it looks for the next request in a
/// buffer, and makes a new one as long as this one's request is still in use. Most answers are there at once, and then
/// it is not.
pub(crate) fn serve(connection: &Arc<Connection>, request: http::Request<Incoming>) -> Serving {
    let in_flight = InFlight::begin(Arc::clone(connection));
    let (mut head, incoming) = request.into_parts();
    let (version, is_head) = (head.version, head.method == Method::HEAD);
    let chosen = choose(&connection.shared.router.load(), &connection.shared.limits, &mut head);
    let is_last = matches!(chosen, Chosen::Malformed(_));
    let giving = Giving { in_flight, version, is_head, is_last };
    let mut work = match chosen {
        Chosen::Health => {
            let response = health(&head.method, connection.shared.drain.standing());
            return Serving::Answered(Some(giving.give(response)));
        }
        Chosen::Malformed(pipeline) => pipeline.start(Request::new(head.method, head.uri)),
        Chosen::Pipeline(pipeline, params) => {
            let limits = &connection.shared.limits;
            let body = if hyper::body::Body::is_end_stream(&incoming) {
                RequestBody::empty()
            } else {
                RequestBody::new(
                    Body::stream(Arriving::new(incoming, limits.body_timeout, &connection.pulse)),
                    limits.body_bytes_max,
                )
            };
            pipeline.start(Request::from(RequestFields {
                version,
                scheme: connection.scheme.clone(),
                upgrade: upgrade(version, &head.headers).filter(|_| body.is_empty()),
                headers: head.headers,
                body,
                params,
                peer: Some(connection.peer),
                ..RequestFields::new(head.method, head.uri)
            }))
        }
    };
    // Nobody is to be woken by this look: hyper polls what is not ready before it waits.
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Serving::Answered(Some(giving.give(answered(outcome)))),
        Poll::Pending => Serving::Working(work, Some(giving)),
    }
}

impl Future for Serving {
    type Output = Result<http::Response<Leaving>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match &mut *self {
            Self::Answered(answer) => answer.take(),
            Self::Working(work, giving) => {
                let outcome = ready!(work.as_mut().poll(context));
                giving.take().map(|giving| giving.give(answered(outcome)))
            }
        };
        Poll::Ready(Ok(answer.expect("it is not asked again once it has answered")))
    }
}

impl Giving {
    fn give(self, mut response: Response) -> http::Response<Leaving> {
        let Self { in_flight, version, is_head, is_last } = self;
        let connection = in_flight.connection();
        if is_head || response.status == StatusCode::NOT_MODIFIED || response.status == StatusCode::NO_CONTENT
        {
            drop_body(&mut response, is_head);
        }
        if version != Version::HTTP_2 && (is_last || connection.shared.drain.is_draining()) {
            response.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let window = (version == Version::HTTP_2).then(|| Arc::clone(&connection.pulse));
        if let Some(upgrade) = response.upgrade.take() {
            *connection.joined.lock() = Some(upgrade);
        }
        // Taken one by one out of their box: what else is in it need not be moved to be dropped.
        let mut answer = http::Response::new(Leaving::new(mem::take(&mut response.body), window, in_flight));
        *answer.status_mut() = response.status;
        *answer.headers_mut() = mem::take(&mut response.headers);
        answer
    }
}

/// What answers a request with this head, which is brought into one form.
pub(crate) fn choose(router: &Router, limits: &ConnectionLimits, head: &mut http::request::Parts) -> Chosen {
    if let Err(refusal) = screen(head, limits.header_fields_max) {
        let pipeline = Arc::clone(router.refusal(refusal));
        return match refusal {
            Refusal::MethodRefused => Chosen::Pipeline(pipeline, PathParams::default()),
            _ => Chosen::Malformed(pipeline),
        };
    }
    match router.find(head.uri.path()) {
        Routed::Open(pipeline) => Chosen::Pipeline(Arc::clone(pipeline), PathParams::default()),
        _ if !is_known(&head.method) => {
            Chosen::Pipeline(Arc::clone(router.refusal(Refusal::MethodUnknown)), PathParams::default())
        }
        Routed::Pipeline(pipeline, params) => Chosen::Pipeline(Arc::clone(pipeline), params),
        Routed::Elsewhere(pipeline) => Chosen::Pipeline(Arc::clone(pipeline), PathParams::default()),
        Routed::Health => Chosen::Health,
    }
}

/// The protocols that the caller would go on in. HTTP/2 cannot, and HTTP/1.0 is not believed (RFC 9110 §7.8).
pub(crate) fn upgrade(version: Version, headers: &HeaderMap) -> Option<HeaderValue> {
    // Passing over the names that are there costs less than to hash the one that is looked for.
    let asks = || headers.iter().find(|(name, _)| **name == header::UPGRADE);
    let (_, protocols) = asks().filter(|_| version == Version::HTTP_11)?;
    let lines = headers.get_all(header::CONNECTION).into_iter();
    let mut options = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade")).then(|| protocols.clone())
}

/// The server's own answer to load balancers: cheap, and nothing but its standing.
fn health(method: &Method, standing: Standing) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = Response::new(StatusCode::METHOD_NOT_ALLOWED, Body::Empty);
        response.headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let (status, text) = match standing {
        Standing::Serving => (StatusCode::OK, r#"{"status":"ok"}"#),
        Standing::Held => (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"held"}"#),
        Standing::Draining => (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"draining"}"#),
    };
    let mut response = Response::new(status, Body::from(text));
    let fields: [(HeaderName, &'static str); 2] =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    for (name, value) in fields {
        response.headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A failure that no policy made into an answer still becomes the right one.
fn answered(outcome: Outcome) -> Response {
    outcome.unwrap_or_else(|failure| {
        let problem = failure.problem;
        let mut response = Response::new(
            problem.kind().status(),
            Body::from(problem.document("00000000000000000000000000000000")),
        );
        response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        for (name, value) in problem.headers() {
            response.headers.insert(name, value.clone());
        }
        if let Some(seconds) = problem.retry_after_seconds() {
            response.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    })
}

/// Answers to `HEAD`, and 204 and 304, have no content (RFC 9110 §6.4.1); `HEAD` still tells its length.
fn drop_body(response: &mut Response, is_head: bool) {
    let length = response.body.len().filter(|length| *length > 0);
    if let (true, Some(length)) = (is_head, length) {
        response.headers.entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    response.body = Body::Empty;
}
