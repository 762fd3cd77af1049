//! Requests that the cache only passes on, and what their answers invalidate (RFC 9111 §4.4, RFC 9875 §3).

use std::sync::Arc;

use http::Uri;
use http::header::UPGRADE;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::{groups, invalidation};
use kasoku_pipeline::{Failure, Forward, Next, Outcome, Request};

use super::shelf::group_tag;
use super::view::{authority, target_tag};
use super::{HttpCache, said};

impl HttpCache {
    pub(super) async fn pass<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let (forward, reason) = if request.headers.contains_key(UPGRADE) {
            (Forward::Bypass, Some(Reason::Upgrade))
        } else {
            (Forward::Method, None)
        };
        let (method, authority) = (request.method.clone(), authority(&request));
        let target = absolute(&request.uri, &authority);
        request.key = None;
        match next.run(request).await {
            Ok(mut response) => {
                if let Some(target) = target {
                    for uri in invalidation::targets(&method, &target, response.status, &response.headers) {
                        let authority = uri.authority().map_or("", |authority| authority.as_str());
                        self.shelf.purge(target_tag(authority, uri.path(), uri.query()));
                    }
                }
                if !response.status.is_client_error() && !response.status.is_server_error() {
                    // A list that is too long to be kept is too long to be followed, and then so is everything.
                    match groups::invalidated(&method, &response.headers) {
                        Ok(groups) => {
                            for group in &groups {
                                self.shelf.purge(group_tag(&authority, group));
                            }
                        }
                        Err(_) => self.shelf.purge_all(),
                    }
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

/// A request's target as an absolute URI. The scheme is not told apart: what is stored is found under either.
fn absolute(uri: &Uri, authority: &str) -> Option<Uri> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder().scheme("http").authority(authority).path_and_query(path).build().ok()
}
