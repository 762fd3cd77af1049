//! Which answers are worth coding.

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use kasoku_pipeline::{Body, Response};

/// Whether an answer may be coded here, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suitability {
    /// It may; so `Vary` has to say that another caller may get another form.
    Suitable,
    /// Below the threshold.
    Small,
    /// Its body comes in parts; sources of long answers code them themselves or not at all.
    Streamed,
    /// The source has coded it already.
    Coded,
    /// A part of something: ranges count the bytes of the form that they were taken from.
    Partial,
    /// `no-transform` (RFC 9110 §7.7).
    Forbidden,
    /// Its type is not text, or is not said.
    Incompressible,
}

/// Judges an answer. Everything is judged that does not depend on the caller.
pub fn suitability(response: &Response, bytes_min: u64) -> Suitability {
    let headers = &response.headers;
    match &response.body {
        Body::Stream(_) | Body::Shared(_) => return Suitability::Streamed,
        Body::Empty => return Suitability::Small,
        Body::Full(bytes) if (bytes.len() as u64) < bytes_min => return Suitability::Small,
        Body::Full(_) => {}
    }
    of_head(response.status, headers)
}

/// Whether an answer with this head may be coded, whatever its body is.
pub fn may_be_coded(status: StatusCode, headers: &HeaderMap) -> bool {
    of_head(status, headers) == Suitability::Suitable
}

fn of_head(status: StatusCode, headers: &HeaderMap) -> Suitability {
    if headers.contains_key(CONTENT_ENCODING) {
        return Suitability::Coded;
    }
    // Lists name their rows in this field too, and are whole all the same.
    let names_bytes = |range: &HeaderValue| range.as_bytes().starts_with(b"bytes");
    if status == StatusCode::PARTIAL_CONTENT || headers.get(CONTENT_RANGE).is_some_and(names_bytes) {
        return Suitability::Partial;
    }
    if no_transform(headers) {
        return Suitability::Forbidden;
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media_type.is_some_and(is_text) { Suitability::Suitable } else { Suitability::Incompressible }
}

fn no_transform(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|word| word.trim().eq_ignore_ascii_case("no-transform"))
}

/// Whether a media type is text that a coding makes smaller.
fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let Some((kind, subtype)) = essence.split_once('/') else {
        return false;
    };
    let ends = |end: &str| {
        subtype.len() > end.len()
            && subtype.as_bytes()[subtype.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
    };
    let is = |name: &&str| subtype.eq_ignore_ascii_case(name);
    let known = ["json", "javascript", "ecmascript", "xml", "x-ndjson", "wasm", "manifest+json"];
    kind.eq_ignore_ascii_case("text")
        || ends("+json")
        || ends("+xml")
        || kind.eq_ignore_ascii_case("application") && known.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize, fields: &[(&'static str, &'static str)]) -> Response {
        let mut response = Response::ok(Body::from(vec![b'x'; bytes]));
        for (name, value) in fields {
            response.headers.insert(*name, value.parse().unwrap());
        }
        response
    }

    #[test]
    fn only_whole_plain_text_above_the_threshold_is_coded() {
        let check = |bytes, fields: &[_], expected| {
            assert_eq!(suitability(&answer(bytes, fields), 100), expected, "{bytes} {fields:?}");
        };
        let json = ("content-type", "application/json");
        check(100, &[json], Suitability::Suitable);
        check(99, &[json], Suitability::Small);
        check(0, &[json], Suitability::Small);
        check(100, &[json, ("content-encoding", "gzip")], Suitability::Coded);
        check(100, &[json, ("content-range", "bytes 0-99/200")], Suitability::Partial);
        check(100, &[json, ("cache-control", "max-age=1, No-Transform")], Suitability::Forbidden);
        check(100, &[], Suitability::Incompressible);
        for text in [
            "text/html; charset=utf-8",
            "TEXT/CSV",
            "application/problem+json",
            "application/atom+xml",
            "image/svg+xml",
            "application/javascript",
        ] {
            check(100, &[("content-type", text)], Suitability::Suitable);
        }
        for other in ["image/png", "application/octet-stream", "application/zip", "json", "", "a/+json"] {
            check(100, &[("content-type", other)], Suitability::Incompressible);
        }
        let mut streamed = answer(0, &[json]);
        streamed.body = Body::stream(Body::from(vec![b'x'; 100]));
        assert_eq!(suitability(&streamed, 100), Suitability::Streamed);
    }
}
