//! Requests that the cache only passes on, and what their answers invalidate (RFC 9111 §4.4, RFC 9875 §3).

use std::sync::Arc;

use http::header::UPGRADE;
use http::{Method, Uri};
use kasoku_coherence::Tag;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::{groups, invalidation};
use kasoku_pipeline::{Failure, Forward, Next, Outcome, Request, Response};

use super::second_tier::Gone;
use super::view::authority;
use super::{HttpCache, said};
use super::{names::group_tag, shelf::Shelf};

impl HttpCache {
    pub(super) async fn pass<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let (forward, reason) = if request.headers.contains_key(UPGRADE) {
            (Forward::Bypass, Some(Reason::Upgrade))
        } else {
            (Forward::Method, None)
        };
        let (method, authority) = (request.method.clone(), authority(&request).into_owned());
        let target = absolute(&request.uri, &authority);
        request.key = None;
        match next.run(request).await {
            Ok(mut response) => {
                if let Some(gone) = gone(&self.shelf, &method, target, &authority, &response) {
                    self.shelf.purge(gone).await;
                }
                response.cache = said(response.cache, forward, reason);
                Ok(response)
            }
            Err(failure) => {
                Err(Failure { cache: said(failure.cache, forward, reason), problem: failure.problem })
            }
        }
    }
}

/// What an answer to a request invalidates.
fn gone(
    shelf: &Shelf,
    method: &Method,
    target: Option<Uri>,
    authority: &str,
    response: &Response,
) -> Option<Gone> {
    let targets =
        target.map(|target| invalidation::targets(method, &target, response.status, &response.headers));
    let mut tags: Vec<Tag> = targets
        .into_iter()
        .flatten()
        .map(|uri| shelf.target_tag(uri.authority().map_or("", |one| one.as_str()), uri.path(), uri.query()))
        .collect();
    if !response.status.is_client_error() && !response.status.is_server_error() {
        // A list that is too long to be kept is too long to be followed, and then so is everything.
        let Ok(groups) = groups::invalidated(method, &response.headers) else {
            return Some(Gone::Everything);
        };
        tags.extend(groups.iter().map(|group| group_tag(authority, group)));
    }
    (!tags.is_empty()).then_some(Gone::Tags(tags))
}

/// A request's target as an absolute URI. The scheme is not told apart: what is stored is found under either.
fn absolute(uri: &Uri, authority: &str) -> Option<Uri> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder().scheme("http").authority(authority).path_and_query(path).build().ok()
}
