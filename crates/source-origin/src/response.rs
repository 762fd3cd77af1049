//! From the origin's answer to the one that is given.

use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::response::Parts;
use http::{HeaderMap, Method, StatusCode};
use http_body::Body as HttpBody;
use kasoku_http_caching::hop_fields;
use kasoku_http_caching::pseudonym::Pseudonym;
use kasoku_origin_client::{Answer, Switched};
use kasoku_pipeline::{Body, Outcome, Response, Upgrade};
use kasoku_problem::{Kind, Problem};

use crate::trimmed::Trimmed;
use crate::{OriginRules, forwarded, trailers};

/// Makes the answer that is given.
pub(crate) fn incoming(
    answer: Answer,
    method: &Method,
    asked: Option<&HeaderValue>,
    rules: &OriginRules,
) -> Outcome {
    let Answer { mut head, body, switched } = answer;
    if let Some(stream) = switched {
        let protocol = head.headers.get(UPGRADE).cloned();
        pass(&mut head, &rules.pseudonym)?;
        return switch(head.headers, protocol, asked, stream, rules.silence_max);
    }
    let body = if body.is_end_stream() { Body::Empty } else { Body::stream(Trimmed(body)) };
    received(head, body, method, &rules.pseudonym)
}

/// The answer that is given for one that is no switch to another protocol.
pub fn received(mut head: Parts, body: Body, method: &Method, pseudonym: &Pseudonym) -> Outcome {
    let protocol = head.headers.get(UPGRADE).cloned();
    let trailer = pass(&mut head, pseudonym)?;
    let Parts { status, mut headers, .. } = head;
    if let (StatusCode::UPGRADE_REQUIRED, Some(protocol)) = (status, protocol) {
        // The protocols that would do (RFC 9110 §15.5.22).
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
    }
    let tells_length = *method == Method::HEAD || status == StatusCode::NOT_MODIFIED;
    if !tells_length {
        headers.remove(CONTENT_LENGTH);
    }
    if let (false, Some(trailer)) = (matches!(body, Body::Empty), trailer) {
        headers.insert(TRAILER, trailer);
    }
    let mut response = Response::new(status, body);
    response.headers = headers;
    Ok(response)
}

/// Leaves of an answer's fields what may pass, and gives what it says of its trailers.
fn pass(head: &mut Parts, pseudonym: &Pseudonym) -> Result<Option<HeaderValue>, Problem> {
    // RFC 9110 §15: such a status is no status. What it would mean to others cannot be known.
    if head.status.as_u16() >= 600 {
        return Err(Problem::new(Kind::BadUpstream).detail("the origin's answer has no valid status"));
    }
    if let Some(wrong) = lies(&head.headers) {
        return Err(Problem::new(Kind::BadUpstream).detail(wrong));
    }
    let trailer = trailers::announced(&head.headers);
    hop_fields::remove(&mut head.headers);
    forwarded::via(&mut head.headers, pseudonym.in_via(head.version));
    Ok(trailer)
}

/// What an answer says of its length and cannot be true, or would be untrue once the answer is framed anew.
fn lies(headers: &HeaderMap) -> Option<&'static str> {
    // Passing over the names that are there costs less than to hash the one that is looked for.
    if !headers.keys().any(|name| *name == TRANSFER_ENCODING) {
        return None;
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).into_iter();
    match (codings.next(), codings.next()) {
        (None, _) => None,
        // RFC 9112 §6.3: such a message may be an attempt at response splitting.
        (Some(_), _) if headers.contains_key(CONTENT_LENGTH) => Some("the origin's answer has two lengths"),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => None,
        _ => Some("the origin's answer has a transfer coding that is not understood"),
    }
}

/// Joins the caller with what the origin has agreed to.
fn switch(
    mut headers: HeaderMap,
    protocol: Option<HeaderValue>,
    asked: Option<&HeaderValue>,
    stream: Switched,
    silence_max: Duration,
) -> Outcome {
    let unasked =
        || Problem::new(Kind::BadUpstream).detail("the origin switched to a protocol that was not asked for");
    let (Some(protocol), Some(asked)) = (protocol, asked) else {
        return Err(unasked().into());
    };
    let mut offers = asked.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    if !offers.any(|offer| offer.eq_ignore_ascii_case(protocol.as_bytes())) {
        return Err(unasked().into());
    }
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
    let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS, Body::Empty);
    response.headers = headers;
    response.upgrade = Some(Upgrade::new(stream, silence_max));
    Ok(response)
}
