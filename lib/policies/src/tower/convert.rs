//! Between this project's requests and answers and those of `http`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Extensions;
use http_body::Body as HttpBody;
use http_body_util::BodyExt;
use kasoku_coherence::{Key, Snapshot, Tag};
use kasoku_pipeline::{
    Body, BodyError, CacheFacts, Caller, Failure, Forms, Outcome, PathParams, ProblemForm, Request,
    RequestBody, RequestId, Response,
};
use kasoku_problem::{Kind, Problem};

use crate::rescue;

/// What a handler says about where its answer comes from, among the extensions of its response.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// What it depends on.
    pub tags: Arc<[Tag]>,
    /// What was certain to be seen when it was read: noted *before* reading. Without one nothing is stored.
    pub snapshot: Option<Snapshot>,
    /// How long it holds, where the route's own rules leave that open.
    pub lifetime: Option<Duration>,
}

impl Provenance {
    /// Of an answer that was read from this snapshot and depends on these tags.
    pub fn new(snapshot: Snapshot, tags: impl Into<Arc<[Tag]>>) -> Self {
        Self { tags: tags.into(), snapshot: Some(snapshot), lifetime: None }
    }
}

/// The named fields of a request, on their way from layer to layer.
#[derive(Clone)]
struct Named {
    params: PathParams,
    peer: Option<SocketAddr>,
    id: RequestId,
    arrived: Option<Instant>,
    deadline: Option<Instant>,
    caller: Option<Arc<Caller>>,
    key: Option<Key>,
}

/// The named fields of an answer, on their way from layer to layer.
#[derive(Clone)]
struct Told {
    is_personal: bool,
    cache: CacheFacts,
    forms: Option<Arc<dyn Forms>>,
    problem: Option<Problem>,
}

/// A request of this project, and the extensions that stay beside it.
pub(super) fn request_from_http<B>(request: http::Request<B>) -> (Request, Extensions)
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let (mut parts, body) = request.into_parts();
    let mut converted = Request::new(parts.method, parts.uri);
    converted.version = parts.version;
    converted.headers = parts.headers;
    let body = if body.is_end_stream() { Body::Empty } else { Body::stream(body) };
    // The handler's own limit on bodies stays in force; there is none here to be lowered.
    converted.body = RequestBody::new(body, usize::MAX);
    if let Some(named) = parts.extensions.remove::<Named>() {
        converted.params = named.params;
        converted.peer = named.peer;
        converted.id = named.id;
        converted.arrived = named.arrived;
        converted.deadline = named.deadline;
        converted.caller = named.caller;
        converted.key = named.key;
    }
    (converted, parts.extensions)
}

/// The way back, towards the service.
pub(super) fn request_into_http(request: Request, extensions: Extensions) -> http::Request<Body> {
    let fields = request.into_fields();
    let mut converted = http::Request::new(fields.body.into_body());
    *converted.method_mut() = fields.method;
    *converted.uri_mut() = fields.uri;
    *converted.version_mut() = fields.version;
    *converted.headers_mut() = fields.headers;
    *converted.extensions_mut() = extensions;
    converted.extensions_mut().insert(Named {
        params: fields.params,
        peer: fields.peer,
        id: fields.id,
        arrived: fields.arrived,
        deadline: fields.deadline,
        caller: fields.caller,
        key: fields.key,
    });
    converted
}

/// What a service has answered. Bodies of known length that are not too long are taken into memory.
pub(super) async fn outcome_from_http<B>(response: http::Response<B>, buffer_bytes_max: u64) -> Outcome
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let (mut parts, body) = response.into_parts();
    if let Some(failure) = parts.extensions.remove::<Failure>() {
        return Err(failure);
    }
    let body = match body.size_hint().exact() {
        Some(0) => Body::Empty,
        Some(length) if length <= buffer_bytes_max => Body::Full(buffered(body).await?),
        _ => Body::stream(body),
    };
    let mut converted = Response::new(parts.status, body);
    converted.headers = parts.headers;
    if let Some(provenance) = parts.extensions.remove::<Provenance>() {
        converted.tags = provenance.tags;
        converted.snapshot = provenance.snapshot;
        converted.lifetime = provenance.lifetime;
    }
    if let Some(told) = parts.extensions.remove::<Told>() {
        converted.is_personal = told.is_personal;
        converted.cache = told.cache;
        converted.forms = told.forms;
        converted.problem = told.problem;
    }
    Ok(converted)
}

async fn buffered<B>(body: B) -> Result<Bytes, Failure>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    let collected = body.collect().await.map_err(|error| {
        let cause = std::io::Error::other(error.into());
        Problem::new(Kind::BadUpstream).cause(cause)
    })?;
    Ok(collected.to_bytes())
}

/// The way back, towards the caller. A failure is sent as the answer that it would become, and as itself for
/// layers further out.
pub(super) fn outcome_into_http(outcome: Outcome, id: &RequestId) -> http::Response<Body> {
    let (response, failure) = match outcome {
        Ok(response) => (response, None),
        Err(failure) => (rescue::answer(failure.clone(), id, ProblemForm::Plain), Some(failure)),
    };
    let response = response.into_fields();
    let mut converted = http::Response::new(response.body);
    *converted.status_mut() = response.status;
    *converted.headers_mut() = response.headers;
    let extensions = converted.extensions_mut();
    extensions.insert(Provenance {
        tags: response.tags,
        snapshot: response.snapshot,
        lifetime: response.lifetime,
    });
    extensions.insert(Told {
        is_personal: response.is_personal,
        cache: response.cache,
        forms: response.forms,
        problem: response.problem,
    });
    if let Some(failure) = failure {
        extensions.insert(failure);
    }
    converted
}
