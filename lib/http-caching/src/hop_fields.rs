//! Fields that belong to one connection and not to the message (RFC 9110 §7.6.1), so that no cache stores them
//! (RFC 9111 §3.1).

use http::HeaderMap;
use http::header::{CONNECTION, HeaderName};

/// Takes them out of a message: those that are known, and those that its `Connection` field names.
pub fn remove(headers: &mut HeaderMap) {
    // Most messages have one or two: looking through what is there costs less than asking for each.
    let mut gone: Vec<HeaderName> = headers.keys().filter(|name| contains(name)).cloned().collect();
    if gone.contains(&CONNECTION) {
        gone.extend(nominated(headers));
    }
    for name in gone {
        headers.remove(name);
    }
}

/// Whether a field is one that a cache does not store: those of RFC 9110 §7.6.1, named by `Connection` or not, and
/// those that a proxy consumes (RFC 9111 §3.1).
pub(crate) fn contains(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
    )
}

/// The fields that `Connection` names.
pub(crate) fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(CONNECTION).into_iter();
    let words = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    words.filter_map(|word| HeaderName::from_bytes(word.trim_ascii()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_connection_names_goes_with_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Hop"),
            ("connection", "x-other"),
            ("x-hop", "1"),
            ("x-other", "2"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("proxy-authenticate", "Basic"),
            ("x-end", "3"),
            ("content-length", "3"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        remove(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "x-end"]);
    }
}
