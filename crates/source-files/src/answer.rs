//! Makes the answer: header fields, the whole or the parts that were asked for.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue,
    LAST_MODIFIED, LOCATION, RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use kasoku_http_caching::byteranges::{ByteRanges, Piece};
use kasoku_http_caching::if_range::RangeUse;
use kasoku_http_caching::range::{ContentRange, Selection, Span};
use kasoku_pipeline::{Body, Outcome, Response};
use kasoku_problem::{Kind, Problem};

use crate::body::FileBody;
use crate::lookup::{Content, FoundFile};

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
            let range = ContentRange::Unsatisfied { complete: length }.field();
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
    if !question.headers.contains_key(RANGE)
        || file.validators.range_use(question.headers, question.now) == RangeUse::Ignored
    {
        return Selection::Whole;
    }
    Selection::of(question.headers, length)
}

fn whole(content: Content) -> Body {
    match content {
        Content::Memory(bytes) => Body::Full(bytes),
        Content::Disk(file, length) => {
            Body::stream(FileBody::new(file, Span::whole(length).map(Piece::Slice)))
        }
    }
}

/// The body of a 206, and the fields that describe it (RFC 9110 §15.3.7).
fn partial(headers: &mut HeaderMap, content: Content, parts: &[Span], length: u64) -> Body {
    if let [part] = parts {
        let range = ContentRange::Part { span: *part, complete: Some(length) };
        headers.insert(CONTENT_RANGE, range.field());
        return slices(content, [Piece::Slice(*part)]);
    }
    let body = ByteRanges::new(parts, length, headers.get(CONTENT_TYPE));
    headers.insert(CONTENT_TYPE, body.content_type);
    slices(content, body.pieces)
}

fn slices(content: Content, pieces: impl IntoIterator<Item = Piece>) -> Body {
    let bytes = match content {
        Content::Disk(file, _) => return Body::stream(FileBody::new(file, pieces)),
        Content::Memory(bytes) => bytes,
    };
    let read = |piece| match piece {
        Piece::Text(text) => text,
        Piece::Slice(span) => bytes.slice(span.first as usize..=span.last as usize),
    };
    let mut pieces: Vec<Bytes> = pieces.into_iter().map(read).collect();
    Body::Full(if pieces.len() == 1 { pieces.swap_remove(0) } else { pieces.concat().into() })
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
