//! Answers from origins over HTTP.
//!
//! An [`OriginSource`] makes of each request a new one, sends it to an origin, and makes of the answer a new one:
//! no bytes are forwarded, and whatever belongs to one connection stays on it (RFC 9110 §7.6). What callers say of
//! where they came from, and how an origin should read their requests, passes only if they are trusted to say it.
//! Bodies stream in both directions. This crate must not know any policy, nor how connections are made and kept.

mod foresight;
mod forwarded;
mod request;
mod response;
mod rules;
mod trailers;
mod trimmed;
mod trust;
mod upload;

use std::sync::Arc;

use http::Method;
use http::header::ALLOW;
use kasoku_observe::Observer;
use kasoku_origin_client::{Client, ConnectError, SendError};
use kasoku_pipeline::{Body, BoxFuture, Foresight, Outcome, Promises, Request, Response, Source};
use kasoku_problem::{Kind, Problem};

pub use kasoku_origin_client::{CertificateError, ClientSettings, ExtraRoots, Protocol, Server, ServerError};
pub use response::received;
pub use rules::{Climbing, HostRule, OriginRules};
pub use trust::{Network, NetworkError, TrustedProxies};

use crate::request::Outgoing;
use crate::upload::Fate;

/// The methods that an `OPTIONS` which may go no further is told of.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// See the crate.
pub struct OriginSource {
    rules: OriginRules,
    client: Client,
    promises: Promises,
}

impl OriginSource {
    /// Connects to nothing before it is asked something.
    pub fn new(rules: OriginRules, observer: &Arc<dyn Observer>) -> Self {
        let client = Client::new(rules.client.clone(), observer);
        let methods =
            vec![Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        Self { client, rules, promises: Promises { methods, streams: true, ..Promises::none() } }
    }

    async fn forward(&self, request: Request) -> Outcome {
        let Outgoing { request, fate, upgrade } = match request::outgoing(request, &self.rules)? {
            request::Next::Send(outgoing) => *outgoing,
            request::Next::Answer => return Ok(last_hop()),
        };
        let method = request.method().clone();
        let answer = self.client.send(request).await.map_err(|error| problem(error, fate))?;
        response::incoming(answer, &method, upgrade.as_ref(), &self.rules)
    }
}

impl Source for OriginSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(self.forward(request))
    }

    fn foresee(&self, request: Request) -> Result<Foresight, Problem> {
        foresight::foresee(request, &self.rules)
    }
}

/// The answer to an `OPTIONS` that may go no further (RFC 9110 §7.6.2).
fn last_hop() -> Response {
    let mut response = Response::new(http::StatusCode::NO_CONTENT, Body::Empty);
    response.headers.insert(ALLOW, http::HeaderValue::from_static(METHODS));
    response
}

/// What a caller is told when there is no answer.
fn problem(error: SendError, fate: Option<Arc<Fate>>) -> Problem {
    let (kind, detail) = match &error {
        SendError::Unreachable { error, .. } if error.is_timeout() => {
            (Kind::DeadlineExceeded, "the origin could not be connected to in time")
        }
        SendError::Unreachable { error: ConnectError::Io(error), .. }
            if error.kind() != std::io::ErrorKind::InvalidData =>
        {
            (Kind::Unavailable, "the origin cannot be reached")
        }
        SendError::Unreachable { .. } => {
            (Kind::BadUpstream, "no connection to the origin could be agreed on")
        }
        SendError::Crowded { .. } => (Kind::Overloaded, "all connections to the origin are in use"),
        SendError::Silent { .. } => (Kind::DeadlineExceeded, "the origin did not answer in time"),
        SendError::Broken { .. } => (Kind::BadUpstream, "the origin gave no sound answer"),
        SendError::Upload => {
            let told = fate.and_then(|fate| fate.take());
            return told.unwrap_or_else(|| {
                Problem::new(Kind::InvalidBody).detail("the body ended before its end").cause(error)
            });
        }
    };
    Problem::new(kind).detail(detail).cause(error)
}
