//! Paths that are a route's but for a slash at their end.

use http::header::{HeaderValue, LOCATION};
use kasoku_pipeline::{Body, BoxFuture, Outcome, Promises, Request, Response, Source};

use super::Refusal;

/// Sends the caller to the same path with, or without, a slash at its end. 308 keeps method and body.
pub(super) struct OtherSlash;

impl Source for OtherSlash {
    fn promises(&self) -> &Promises {
        const { &Promises::none() }
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let location = other_slash(request.uri.path()).and_then(|mut location| {
                if let Some(query) = request.uri.query() {
                    location.push('?');
                    location.push_str(query);
                }
                HeaderValue::try_from(location).ok()
            });
            let Some(location) = location else {
                return Err(Refusal::NoRoute.problem().into());
            };
            let mut response = Response::new(http::StatusCode::PERMANENT_REDIRECT, Body::Empty);
            response.headers.insert(LOCATION, location);
            Ok(response)
        })
    }
}

/// The same path with, or without, a slash at its end. A path that begins with two slashes or with a backslash
/// would lead a browser to another host, and has none.
pub(super) fn other_slash(path: &str) -> Option<String> {
    if path.len() < 2 || path.starts_with("//") || path.starts_with("/\\") {
        return None;
    }
    Some(match path.strip_suffix('/') {
        Some(shorter) => shorter.to_owned(),
        None => format!("{path}/"),
    })
}
