//! Names each request, says on each answer how the cache took part, and reports it.
//!
//! It stands outermost, so that it sees refusals and rescued failures too. A request whose caller goes away
//! before the answer is there is reported as abandoned. It knows neither logs nor metrics: those are views of
//! what it reports.

mod name;
mod status;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use http::header::HeaderName;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode};
use kasoku_http_caching::reason::Reason;
use kasoku_observe::{Answered, Observation, Observer, RouteName};
use kasoku_pipeline::{Body, CacheFacts, Next, Outcome, Policy, Request, RequestId, Response};
use kasoku_problem::{Kind, Problem};
use kasoku_units::Clock;

use crate::Surroundings;

pub use status::{cache_status, x_cache};

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
static X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// See the module.
pub struct Observe {
    route: Option<RouteName>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
}

impl Observe {
    /// For the requests of one route.
    pub fn new(surroundings: &Surroundings) -> Self {
        Self {
            route: Some(surroundings.route.clone()),
            observer: Arc::clone(&surroundings.observer),
            clock: Arc::clone(&surroundings.clock),
        }
    }

    /// For requests that no route matches.
    pub fn unmatched(observer: Arc<dyn Observer>, clock: Arc<dyn Clock>) -> Self {
        Self { route: None, observer, clock }
    }
}

impl Policy for Observe {
    async fn around<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        request.id = name::of(&request.headers);
        let arrived = request.arrived.unwrap_or_else(|| {
            let now = self.clock.now();
            (request.arrived, request.seen) = (Some(now), Some(now));
            now
        });
        let asked = Asked {
            method: request.method.clone(),
            target: request.uri.path_and_query().cloned(),
            id: request.id.clone(),
            peer: request.peer,
        };
        let present = Present { policy: self, arrived, answered: false };
        let mut response = match next.run(request).await {
            Ok(response) => response,
            Err(failure) => {
                // Rescue has let one through, which is a defect; the caller learns no more than that.
                let mut response = Response::new(StatusCode::INTERNAL_SERVER_ERROR, Body::Empty);
                response.cache = failure.cache;
                response.problem = Some(failure.problem);
                response
            }
        };
        present.answered();
        mark(&mut response, &asked.id);
        self.report(&asked, arrived, &response);
        Ok(response)
    }
}

impl Observe {
    fn report(&self, asked: &Asked, arrived: Instant, response: &Response) {
        let problem = response.problem.as_ref().map(|problem| (problem.kind().slug(), problem.source()));
        self.observer.observe(&Observation::Answered(Answered {
            route: self.route.as_ref(),
            method: asked.method.as_str(),
            target: asked.target.as_ref().map_or("*", PathAndQuery::as_str),
            status: response.status.as_u16(),
            cache: response.cache.label(),
            reason: response.cache.reason.map(Reason::token),
            latency: self.clock.now().saturating_duration_since(arrived),
            body_bytes: response.body.len(),
            request_id: asked.id.as_str(),
            peer: asked.peer,
            problem,
        }));
    }
}

/// What is reported of a request once it has been handed on.
struct Asked {
    method: Method,
    target: Option<PathAndQuery>,
    id: RequestId,
    peer: Option<std::net::SocketAddr>,
}

/// The values of `Cache-Status`, `X-Cache` and `X-Request-Id` in an answer that the cache took part in so.
pub(crate) fn marks(facts: &CacheFacts, problem: Option<Kind>, id: &RequestId) -> [HeaderValue; 3] {
    [cache_status(facts, problem), HeaderValue::from_static(x_cache(facts)), id.to_value()]
}

fn mark(response: &mut Response, id: &RequestId) {
    // Hits are laid out with their marks.
    if response.marked == Some(response.cache) {
        return;
    }
    let problem = response.problem.as_ref().map(Problem::kind);
    let [status, word, id] = marks(&response.cache, problem, id);
    let is_marked = response.marked.is_some();
    let headers = &mut response.headers;
    headers.insert(&X_REQUEST_ID, id);
    if is_marked {
        headers.insert(&CACHE_STATUS, status);
    } else {
        // RFC 9211 §2: what caches nearer to the origin have said is kept, and comes first.
        headers.append(&CACHE_STATUS, status);
    }
    headers.insert(&X_CACHE, word);
}

/// Reports the request as abandoned if it is dropped before it was answered.
struct Present<'a> {
    policy: &'a Observe,
    arrived: Instant,
    answered: bool,
}

impl Present<'_> {
    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let waited = self.policy.clock.now().saturating_duration_since(self.arrived);
            let route = self.policy.route.as_ref();
            self.policy.observer.observe(&Observation::Abandoned { route, waited });
        }
    }
}
