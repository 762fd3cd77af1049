//! Who asks, and by which host and scheme: said to the origin by us, and by others only if they are trusted.

use std::net::IpAddr;

use http::header::{FORWARDED, HOST, HeaderName, VIA};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Version};

/// Our name in `Via`.
pub(crate) const NAME: &str = "kasoku";

/// A request that has passed here this often goes in a circle.
const PASSES_MAX: usize = 8;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Fields by which origins and frameworks let themselves be told who asks, for what, and how. `x-forwarded-` and
/// whatever begins with it are such fields too.
const STEERING: [&str; 20] = [
    "client-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "fastly-client-ip",
    "forwarded",
    "true-client-ip",
    "x-backend-host",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// Whether a caller steers by a field. Origins that read their fields from variables cannot tell `_` from `-`.
pub(crate) fn steers(name: &HeaderName) -> bool {
    let spelt;
    let name = match name.as_str() {
        name if name.contains('_') => {
            spelt = name.replace('_', "-");
            spelt.as_str()
        }
        name => name,
    };
    name.starts_with("x-forwarded-") || STEERING.contains(&name)
}

/// Takes away what callers are not trusted to say.
pub(crate) fn distrust(headers: &mut HeaderMap) {
    let steering: Vec<HeaderName> = headers.keys().filter(|name| steers(name)).cloned().collect();
    for name in steering {
        headers.remove(name);
    }
}

/// Says who asks. What trusted peers have said stays: the two lists are extended by the peer, the other fields are
/// left as they are.
pub(crate) fn say(headers: &mut HeaderMap, peer: Option<IpAddr>, scheme: &Scheme) {
    let host = headers.get(HOST).cloned();
    if let Some(peer) = peer {
        let address = peer.to_canonical().to_string();
        extend(headers, &FOR, &address);
        let node = if peer.to_canonical().is_ipv6() { format!("\"[{address}]\"") } else { address };
        // The listener takes only hosts without quotes and backslashes.
        let named = host.as_ref().and_then(|host| host.to_str().ok());
        let named = named.map(|host| format!(";host=\"{host}\"")).unwrap_or_default();
        let element = format!("for={node}{named};proto={scheme}");
        extend(headers, &FORWARDED, &element);
    }
    if let (false, Ok(scheme)) = (headers.contains_key(PROTO), HeaderValue::from_str(scheme.as_str())) {
        headers.insert(PROTO, scheme);
    }
    if let (false, Some(host)) = (headers.contains_key(FORWARDED_HOST), host) {
        headers.insert(FORWARDED_HOST, host);
    }
}

/// Names us as one that the message went through (RFC 9110 §7.6.3).
pub(crate) fn via(headers: &mut HeaderMap, version: Version) {
    let version = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    };
    extend(headers, &VIA, &format!("{version} {NAME}"));
}

/// Whether a request comes by here again and again.
pub(crate) fn goes_in_a_circle(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(VIA).into_iter().filter_map(|line| line.to_str().ok());
    let passes = lines.flat_map(|line| line.split(',')).filter(|entry| {
        entry.trim().split_ascii_whitespace().nth(1).is_some_and(|by| by.eq_ignore_ascii_case(NAME))
    });
    passes.count() >= PASSES_MAX
}

/// Adds an element to a list, on one line.
fn extend(headers: &mut HeaderMap, name: &HeaderName, element: &str) {
    let mut line = Vec::new();
    for before in headers.get_all(name) {
        line.extend_from_slice(before.as_bytes());
        line.extend_from_slice(b", ");
    }
    line.extend_from_slice(element.as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&line) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(fields: &[(&str, &str)]) -> HeaderMap {
        let parsed = fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        parsed.collect()
    }

    #[track_caller]
    fn check(before: &[(&str, &str)], peer: &str, expected: &[(&str, &str)]) {
        let mut headers = fields(before);
        say(&mut headers, Some(peer.parse().unwrap()), &Scheme::HTTPS);
        assert_eq!(headers, fields(expected), "{before:?}");
    }

    #[test]
    fn the_peer_is_added_to_what_is_known() {
        check(
            &[("host", "h:1")],
            "192.0.2.1",
            &[
                ("host", "h:1"),
                ("x-forwarded-for", "192.0.2.1"),
                ("forwarded", "for=192.0.2.1;host=\"h:1\";proto=https"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "h:1"),
            ],
        );
        check(
            &[("x-forwarded-for", "a"), ("forwarded", "for=b"), ("x-forwarded-proto", "http")],
            "2001:db8::1",
            &[
                ("x-forwarded-for", "a, 2001:db8::1"),
                ("forwarded", "for=b, for=\"[2001:db8::1]\";proto=https"),
                ("x-forwarded-proto", "http"),
            ],
        );
    }

    #[test]
    fn steering_fields_go_however_they_are_spelt() {
        let kept = [("accept", "a"), ("x-forwarded", "b"), ("x-custom", "c"), ("host", "d")];
        let mut headers = fields(&kept);
        for name in ["X-Forwarded-For", "x-forwarded-anything", "X_Forwarded_Host", "Forwarded", "X-Real-IP"]
        {
            headers.insert(name.parse::<HeaderName>().unwrap(), "steered".parse().unwrap());
        }
        for name in STEERING {
            headers.insert(HeaderName::from_static(name), "steered".parse().unwrap());
        }
        distrust(&mut headers);
        assert_eq!(headers, fields(&kept));
    }

    #[test]
    fn via_is_one_list_and_tells_of_circles() {
        let mut headers = fields(&[("via", "1.0 a"), ("via", "1.1 b (c)")]);
        via(&mut headers, Version::HTTP_2);
        assert_eq!(headers, fields(&[("via", "1.0 a, 1.1 b (c), 2 kasoku")]));
        for _ in 0..PASSES_MAX - 2 {
            via(&mut headers, Version::HTTP_11);
        }
        assert!(!goes_in_a_circle(&headers));
        via(&mut headers, Version::HTTP_11);
        assert!(goes_in_a_circle(&headers));
    }
}
