//! Which fields may stand behind a body.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, TRAILER};

/// Fields that decide how a message is framed, routed, authenticated, stored or read: whoever reads them has decided
/// before a trailer comes (RFC 9110 §6.5.1).
const NEVER: [&str; 29] = [
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "cookie",
    "date",
    "expect",
    "expires",
    "forwarded",
    "host",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "referer",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "origin",
];

/// Families of the same kind.
const NEVER_BEGINNING: [&str; 9] = [
    "accept",
    "access-control-",
    "content-",
    "cross-origin-",
    "if-",
    "proxy-",
    "sec-",
    "x-forwarded-",
    "x-frame-",
];

/// Digests are known only when the content has gone by (RFC 9530).
const ALLOWED: [&str; 2] = ["content-digest", "content-md5"];

/// Whether a field may stand behind a body.
pub(crate) fn may_trail(name: &HeaderName) -> bool {
    let name = name.as_str();
    let never = NEVER.contains(&name) || NEVER_BEGINNING.iter().any(|start| name.starts_with(start));
    ALLOWED.contains(&name) || !never
}

/// Takes away what may not stand there.
pub(crate) fn trim(trailers: &mut HeaderMap) {
    let wrong: Vec<HeaderName> = trailers.keys().filter(|name| !may_trail(name)).cloned().collect();
    for name in wrong {
        trailers.remove(name);
    }
}

/// The `Trailer` field with the names that may be there, if there are any.
pub(crate) fn announced(headers: &HeaderMap) -> Option<HeaderValue> {
    // Passing over the names that are there costs less than to hash the one that is looked for.
    if !headers.keys().any(|name| *name == TRAILER) {
        return None;
    }
    let lines = headers.get_all(TRAILER).into_iter();
    let words = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let names = words.filter_map(|word| HeaderName::from_bytes(word.trim_ascii()).ok());
    let names: Vec<String> = names.filter(may_trail).map(|name| name.to_string()).collect();
    (!names.is_empty()).then(|| HeaderValue::from_str(&names.join(", ")).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_anything_never_trails() {
        let check = |name: &str, expected: bool| {
            assert_eq!(may_trail(&name.parse().unwrap()), expected, "{name}");
        };
        for name in ["grpc-status", "x-checksum", "etag", "server-timing", "content-digest", "repr-digest"] {
            check(name, true);
        }
        for name in ["content-length", "transfer-encoding", "host", "authorization", "set-cookie", "trailer"]
        {
            check(name, false);
        }
        for name in ["if-match", "proxy-authenticate", "content-type", "x-forwarded-for", "cache-control"] {
            check(name, false);
        }
    }

    #[test]
    fn only_names_that_may_trail_are_announced() {
        let mut headers = HeaderMap::new();
        assert_eq!(announced(&headers), None);
        headers.append(TRAILER, HeaderValue::from_static("X-A, Host"));
        headers.append(TRAILER, HeaderValue::from_static("ETag"));
        assert_eq!(announced(&headers).unwrap(), "x-a, etag");
    }
}
