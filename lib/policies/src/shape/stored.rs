//! Codes what is stored of an origin's answers, for callers that accept it.
//!
//! An origin shapes its answers itself, and is told what the caller accepts. Where it sends plain text all the same, and
//! the answer is stored for all, the coded forms are made once and kept beside it. The first answer passes as it comes.
//! What is for one caller alone is never coded: beside what the caller repeats, its length could give away what else is
//! in it. So requests with credentials and cookies are passed by.

use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderName, IF_MATCH, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kasoku_http_caching::coding::{Wish, negotiate};
use kasoku_http_caching::entity_tag;
use kasoku_pipeline::{Body, Next, Outcome, Policy, Request, Response, Verdict};

use super::ShapeRules;
use super::coder::Coder;
use super::vary::Vary;
use crate::coding::{self, Suitability};

/// Fields that say what the bytes of a content are; coded, they would be others (RFC 9530, RFC 1864).
const OF_THE_BYTES: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// See the module. It stands outside of the cache.
pub struct ShapeStored {
    bytes_min: u64,
    vary: Vary,
    coder: Coder,
}

impl ShapeStored {
    /// `None` if nothing is to be compressed.
    pub fn new(rules: ShapeRules) -> Option<Self> {
        let bytes_min = rules.compress_above?;
        Some(Self { bytes_min, vary: Vary::new(&[]), coder: Coder::new() })
    }
}

impl Policy for ShapeStored {
    async fn around<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let is_read = request.method == Method::GET || request.method == Method::HEAD;
        // A caller that was given a coded form knows the content by that form's tag; its origin does not.
        if request.headers.keys().any(|name| *name == IF_MATCH) {
            name_plain_forms(&mut request.headers);
        }
        let is_personal = request.headers.keys().any(|name| *name == COOKIE || *name == AUTHORIZATION);
        if !is_read || is_personal || request.headers.contains_key(RANGE) {
            return next.run(request).await;
        }
        let accepts = request.headers.contains_key(ACCEPT_ENCODING);
        let wish = if accepts { negotiate(&request.headers) } else { Wish::default() };
        let asks_for_change = request.headers.contains_key(IF_NONE_MATCH);
        let mut response = next.run(request).await?;
        if !is_shared(&response) {
            return Ok(response);
        }
        if response.status == StatusCode::NOT_MODIFIED && asks_for_change {
            self.vary.extend(&mut response.headers, true);
            return Ok(response);
        }
        let is_whole = matches!(response.body, Body::Full(_));
        let suitable = if is_whole { self.suits(&response) } else { self.may_suit(&response) };
        if !suitable {
            return Ok(response);
        }
        self.vary.extend(&mut response.headers, true);
        if is_whole && accepts && wish.best().is_some() {
            response = self.coder.code(response, wish).await;
        }
        Ok(response)
    }
}

impl ShapeStored {
    /// Whether a stored answer is coded; who asks first judges for all.
    fn suits(&self, response: &Response) -> bool {
        let judge = || {
            let says_bytes = OF_THE_BYTES.iter().any(|name| response.headers.contains_key(name));
            !says_bytes && coding::suitability(response, self.bytes_min) == Suitability::Suitable
        };
        response.status == StatusCode::OK
            && response.forms.as_ref().is_some_and(|forms| forms.is_worth_coding(&judge))
    }

    /// Whether the same answer could be coded for the next caller, as far as its head tells.
    fn may_suit(&self, response: &Response) -> bool {
        let says_bytes = OF_THE_BYTES.iter().any(|name| response.headers.contains_key(name));
        response.status == StatusCode::OK
            && !says_bytes
            && response.body.len().is_none_or(|length| length == 0 || length >= self.bytes_min)
            && coding::may_be_coded(response.status, &response.headers)
    }
}

/// Whether an answer is one that all are given.
fn is_shared(response: &Response) -> bool {
    let is_stored = matches!(response.cache.verdict, Verdict::Hit | Verdict::Stale);
    (is_stored || response.cache.stored || response.cache.collapsed) && !response.is_personal
}

/// Adds to the tags of `If-Match` those of the forms that coded ones were made from. They name the same state.
fn name_plain_forms(headers: &mut HeaderMap) {
    let lines: Vec<HeaderValue> = headers.get_all(IF_MATCH).iter().cloned().collect();
    for line in &lines {
        for plain in entity_tag::uncoded(line.as_bytes()) {
            headers.append(IF_MATCH, plain);
        }
    }
    // One line is what every origin reads.
    let all: Vec<&[u8]> = headers.get_all(IF_MATCH).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b", "[..])) {
        headers.insert(IF_MATCH, joined);
    }
}
