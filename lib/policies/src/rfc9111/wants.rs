//! What a caller wants of a whole answer: not the same once more, or only a part of it, or only its head.

use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kasoku_http_caching::byteranges::{ByteRanges, Piece};
use kasoku_http_caching::conditions::{Access, Conditions, Validators, Verdict};
use kasoku_http_caching::if_range::{self, RangeUse};
use kasoku_http_caching::partial::Parts;
use kasoku_http_caching::range::{ContentRange, Selection, Span};
use kasoku_pipeline::{Body, Request, Response};
use kasoku_units::Clock;

use crate::shape::not_modified;

/// The fields in which a caller says it.
static FIELDS: [HeaderName; 6] =
    [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE, RANGE];

/// See the module.
pub(super) struct Wants {
    is_head: bool,
    fields: Option<Box<HeaderMap>>,
    /// Decides whether a date is strong. Not read where no field needs it.
    now: SystemTime,
}

impl Wants {
    /// Takes the fields out of a request.
    pub(super) fn take(request: &mut Request, clock: &dyn Clock) -> Self {
        let is_head = request.method == Method::HEAD;
        let headers = &mut request.headers;
        let fields = has_any(headers).then(|| {
            let mut fields = HeaderMap::new();
            for name in &FIELDS {
                let lines: Vec<_> = headers.get_all(name).iter().cloned().collect();
                headers.remove(name);
                fields.extend(lines.into_iter().map(|line| (name.clone(), line)));
            }
            Box::new(fields)
        });
        let now = if fields.is_some() { clock.wall() } else { SystemTime::UNIX_EPOCH };
        Self { is_head, fields, now }
    }

    /// Whether there is a condition that only the origin can evaluate (RFC 9111 §4.3.2).
    pub(super) fn are_for_the_origin(&self) -> bool {
        self.fields.as_ref().is_some_and(|fields| are_for_the_origin(fields))
    }

    /// Whether a part is wanted.
    pub(super) fn has_range(&self) -> bool {
        !self.is_head && self.fields.as_ref().is_some_and(|fields| fields.contains_key(RANGE))
    }

    /// Whether there is anything that a whole answer has to be fitted to.
    pub(super) fn is_plain(&self) -> bool {
        self.fields.is_none()
    }

    /// Puts the fields into a request again, for the origin to follow.
    pub(super) fn put_back(&self, headers: &mut HeaderMap) {
        if let Some(fields) = &self.fields {
            headers.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }

    /// Fits a whole answer to what was wanted.
    pub(super) fn fit(&self, mut response: Response) -> Response {
        if let Some(fields) = self.fields.as_deref().filter(|_| response.status == StatusCode::OK) {
            response = fit(response, fields, self.is_head, self.now);
        }
        if self.is_head { response.head_only() } else { response }
    }

    /// The part that was wanted, from what is stored of the whole; `None` if that is not there.
    pub(super) fn part(&self, parts: &Parts, mut response: Response) -> Option<Response> {
        let fields = self.fields.as_deref().filter(|_| self.has_range())?;
        let Selection::Parts(spans) = Selection::of(fields, parts.complete_length()) else { return None };
        let [span] = spans[..] else { return None };
        let pieces = parts.slice(span)?;
        response.status = parts.describe(Some(span), &mut response.headers);
        response.body = Body::from(join(pieces));
        Some(response)
    }
}

/// Whether a request says any of it.
pub(super) fn has_any(headers: &HeaderMap) -> bool {
    // Requests have few fields, so that looking through them costs less than asking for each of these.
    headers.keys().any(|name| {
        matches!(*name, IF_MATCH | IF_NONE_MATCH | IF_MODIFIED_SINCE | IF_UNMODIFIED_SINCE | IF_RANGE | RANGE)
    })
}

/// Whether a request has a condition that only the origin can evaluate (RFC 9111 §4.3.2).
pub(super) fn are_for_the_origin(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_MATCH) || headers.contains_key(IF_UNMODIFIED_SINCE)
}

/// Whether what is held of a whole is what a request wants of it.
pub(super) fn are_covered(method: &Method, headers: &HeaderMap, parts: &Parts) -> bool {
    let one = |spans: &[Span]| matches!(spans, [span] if parts.covers(*span));
    let has_condition = headers.contains_key(IF_RANGE)
        || headers.contains_key(IF_NONE_MATCH)
        || headers.contains_key(IF_MODIFIED_SINCE);
    *method == Method::GET
        && headers.contains_key(RANGE)
        && !has_condition
        && matches!(Selection::of(headers, parts.complete_length()), Selection::Parts(spans) if one(&spans))
}

/// Takes it out of a request.
pub(super) fn remove(headers: &mut HeaderMap) {
    for name in &FIELDS {
        headers.remove(name);
    }
}

fn fit(response: Response, fields: &HeaderMap, is_head: bool, now: SystemTime) -> Response {
    match conditions(fields, &response.headers) {
        Some(Verdict::NotModified(etag)) => return not_modified(response, etag),
        // Those that fail are for the origin, and are not evaluated here.
        Some(Verdict::Failed(_) | Verdict::Proceed) | None => {}
    }
    if is_head || !fields.contains_key(RANGE) {
        return response;
    }
    match response.body.bytes() {
        Some(body) if use_of_range(fields, &response.headers, now) == RangeUse::Applies => {
            let body = body.clone();
            part(response, fields, &body)
        }
        _ => response,
    }
}

fn conditions(fields: &HeaderMap, headers: &HeaderMap) -> Option<Verdict> {
    let conditions = Conditions::take(&mut fields.clone())?;
    let mut validators = Validators::of(headers);
    let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    // RFC 9111 §4.3.2: without `Last-Modified`, `Date` is what `If-Modified-Since` is compared with.
    validators.modified = validators.modified.or(date);
    Some(conditions.evaluate(Access::Read, Some(&validators)))
}

fn use_of_range(fields: &HeaderMap, headers: &HeaderMap, now: SystemTime) -> RangeUse {
    if_range::evaluate(fields, &Validators::of(headers), now)
}

/// RFC 9110 §15.3.7, §15.5.17.
fn part(mut response: Response, fields: &HeaderMap, body: &Bytes) -> Response {
    let complete = body.len() as u64;
    let spans = match Selection::of(fields, complete) {
        Selection::Whole => return response,
        Selection::Parts(spans) => spans,
        Selection::Unsatisfiable => {
            let range = ContentRange::Unsatisfied { complete };
            response.status = StatusCode::RANGE_NOT_SATISFIABLE;
            response.headers.insert(CONTENT_RANGE, range.field());
            response.headers.remove(CONTENT_LENGTH);
            response.headers.remove(CONTENT_TYPE);
            (response.body, response.forms) = (Body::Empty, None);
            return response;
        }
    };
    response.status = StatusCode::PARTIAL_CONTENT;
    response.forms = None;
    if let [span] = spans[..] {
        let range = ContentRange::Part { span, complete: Some(complete) };
        response.headers.insert(CONTENT_RANGE, range.field());
        response.headers.insert(CONTENT_LENGTH, HeaderValue::from(span.length()));
        response.body = Body::Full(slice(body, span));
        return response;
    }
    let ranges = ByteRanges::new(&spans, complete, response.headers.get(CONTENT_TYPE));
    response.headers.insert(CONTENT_LENGTH, HeaderValue::from(ranges.length()));
    let pieces = ranges.pieces.into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Slice(span) => slice(body, span),
    });
    response.body = Body::from(join(pieces.collect()));
    response.headers.insert(CONTENT_TYPE, ranges.content_type);
    response
}

fn slice(body: &Bytes, span: Span) -> Bytes {
    body.slice(span.first as usize..=span.last as usize)
}

fn join(mut pieces: Vec<Bytes>) -> Bytes {
    if pieces.len() == 1 {
        return pieces.remove(0);
    }
    let mut joined = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces {
        joined.extend_from_slice(&piece);
    }
    joined.freeze()
}
