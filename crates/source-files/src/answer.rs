//! Makes the answer: header fields, the whole or the parts that were asked for.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue,
    LAST_MODIFIED, LOCATION, RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use kasoku_http_caching::if_range::RangeUse;
use kasoku_pipeline::{Body, Outcome, Response};
use kasoku_problem::{Kind, Problem};

use crate::body::{FileBody, Part};
use crate::lookup::{Content, FoundFile};
use crate::range::{self, Selection, Span};

/// What of a request the answer depends on.
pub(crate) struct Question<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) max_age: Duration,
    pub(crate) now: SystemTime,
}

/// Answers with a file, or with parts of it.
pub(crate) fn with_file(question: &Question<'_>, file: FoundFile) -> Outcome {
    let length = file.content.length();
    let selection = selection(question, &file, length);
    let mut response = Response::ok(Body::Empty);
    let headers = &mut response.headers;
    headers.insert(CONTENT_TYPE, file.media_type.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ETAG, file.validators.etag.clone());
    headers.insert(LAST_MODIFIED, file.validators.modified.clone());
    headers.insert(CACHE_CONTROL, cache_control(question.max_age));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(coding) = file.coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    }
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    match selection {
        Selection::Whole => response.body = whole(file.content),
        Selection::Unsatisfiable => {
            let range = header(&format!("bytes */{length}"));
            let problem = Problem::new(Kind::RangeNotSatisfiable).header(CONTENT_RANGE, range);
            return Err(problem.detail(format!("the file has {length} bytes")).into());
        }
        Selection::Parts(parts) => {
            response.status = StatusCode::PARTIAL_CONTENT;
            response.body = partial(&mut response.headers, file.content, &parts, length);
        }
    }
    Ok(response)
}

/// Sends a caller who asked for a folder to its name with a slash, from where its relative links work.
pub(crate) fn with_slash(question: &Question<'_>) -> Response {
    // A relative reference, begun with `./`, cannot lead to another host whatever the name is.
    let name = question.path.rsplit('/').next().unwrap_or_default();
    let query = question.query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut response = Response::new(StatusCode::PERMANENT_REDIRECT, Body::Empty);
    response.headers.insert(LOCATION, header(&format!("./{name}/{query}")));
    response.headers.insert(CACHE_CONTROL, cache_control(question.max_age));
    response
}

fn selection(question: &Question<'_>, file: &FoundFile, length: u64) -> Selection {
    let mut fields = question.headers.get_all(RANGE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Selection::Whole };
    if file.validators.range_use(question.headers, question.now) == RangeUse::Ignored {
        return Selection::Whole;
    }
    field.to_str().map_or(Selection::Whole, |field| range::select(field, length))
}

fn whole(content: Content) -> Body {
    match content {
        Content::Memory(bytes) => Body::Full(bytes),
        Content::Disk(file, length) => {
            let all = length.checked_sub(1).map(|last| Part::Slice(Span { first: 0, last }));
            Body::stream(FileBody::new(file, all))
        }
    }
}

/// The body of a 206, and the fields that describe it (RFC 9110 §15.3.7).
fn partial(headers: &mut HeaderMap, content: Content, parts: &[Span], length: u64) -> Body {
    if let [part] = parts {
        headers.insert(CONTENT_RANGE, header(&content_range(*part, length)));
        return slices(content, [Part::Slice(*part)]);
    }
    let boundary = boundary();
    let multipart = header(&format!("multipart/byteranges; boundary={boundary}"));
    let media_type = headers.insert(CONTENT_TYPE, multipart).unwrap_or(HeaderValue::from_static(""));
    let mut body = Vec::with_capacity(2 * parts.len() + 1);
    for (place, part) in parts.iter().enumerate() {
        let line_end = if place == 0 { "" } else { "\r\n" };
        let (media_type, range) = (media_type.to_str().unwrap_or_default(), content_range(*part, length));
        let head =
            format!("{line_end}--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {range}\r\n\r\n");
        body.push(Part::Text(head.into()));
        body.push(Part::Slice(*part));
    }
    body.push(Part::Text(format!("\r\n--{boundary}--\r\n").into()));
    slices(content, body)
}

fn slices(content: Content, parts: impl IntoIterator<Item = Part>) -> Body {
    let bytes = match content {
        Content::Disk(file, _) => return Body::stream(FileBody::new(file, parts)),
        Content::Memory(bytes) => bytes,
    };
    let slice = |part| match part {
        Part::Text(text) => text,
        Part::Slice(span) => bytes.slice(span.first as usize..=span.last as usize),
    };
    let mut pieces: Vec<Bytes> = parts.into_iter().map(slice).collect();
    Body::Full(if pieces.len() == 1 { pieces.swap_remove(0) } else { pieces.concat().into() })
}

/// Hard to guess, so that a file cannot contain it on purpose.
fn boundary() -> String {
    // Each state is seeded at random, and the number behind it is the one thing that is hashed.
    format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}

fn content_range(part: Span, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.first, part.last)
}

fn cache_control(max_age: Duration) -> HeaderValue {
    match max_age.as_secs() {
        0 => HeaderValue::from_static("no-cache"),
        seconds => header(&format!("public, max-age={seconds}")),
    }
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("made of digits, and of what was valid in the request's target")
}
