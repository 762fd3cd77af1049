//! What answers for `*`, which stands for no path.

use http::header::ALLOW;
use http::{Method, StatusCode};
use kasoku_pipeline::{Body, BoxFuture, Outcome, Promises, Request, Response, Source};

use super::{METHODS, Refusal};

/// The server as a whole, which `*` stands for: `OPTIONS` says which methods it may have at all (RFC 9110 §9.3.7), and
/// nothing else can be asked of it (RFC 9112 §3.2.4).
pub(super) struct Whole;

impl Source for Whole {
    fn promises(&self) -> &Promises {
        const { &Promises::none() }
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            if request.method != Method::OPTIONS {
                return Err(Refusal::BadTarget.problem().into());
            }
            let mut response = Response::new(StatusCode::NO_CONTENT, Body::Empty);
            response.headers.insert(ALLOW, METHODS);
            Ok(response)
        })
    }
}
