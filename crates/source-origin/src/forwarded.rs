//! Who asks, and by which host and scheme: said to the origin by us, and by others only if they are trusted.

use std::net::IpAddr;

use http::header::{Entry, FORWARDED, HOST, HeaderName, OccupiedEntry, VIA};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue};
use kasoku_http_caching::pseudonym::CDN_LOOP;

/// What an element of `Forwarded` takes as a rule.
const LINE_BYTES: usize = 96;

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
    // None of them begins with another letter, which is seen soonest.
    if !matches!(name.as_str().as_bytes().first(), Some(b'c' | b'f' | b't' | b'x')) {
        return false;
    }
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
    if let Some(peer) = peer.map(|peer| peer.to_canonical()) {
        let mut line = Vec::with_capacity(LINE_BYTES);
        address(peer, &mut line);
        add_text(headers, &FOR, &line);
        line.clear();
        let (open, close): (&[u8], &[u8]) =
            if peer.is_ipv6() { (b"for=\"[", b"]\"") } else { (b"for=", b"") };
        line.extend_from_slice(open);
        address(peer, &mut line);
        line.extend_from_slice(close);
        // The listener takes only hosts without quotes and backslashes.
        if let Some(host) = host.as_ref().filter(|host| host.to_str().is_ok()) {
            line.extend_from_slice(b";host=\"");
            line.extend_from_slice(host.as_bytes());
            line.push(b'"');
        }
        line.extend_from_slice(b";proto=");
        line.extend_from_slice(scheme.as_str().as_bytes());
        add_text(headers, &FORWARDED, &line);
    }
    if let Entry::Vacant(place) = headers.entry(PROTO) {
        let said = match scheme.as_str() {
            "http" => Ok(HeaderValue::from_static("http")),
            "https" => Ok(HeaderValue::from_static("https")),
            other => HeaderValue::from_str(other),
        };
        if let Ok(scheme) = said {
            place.insert(scheme);
        }
    }
    if let Some(host) = host {
        headers.entry(FORWARDED_HOST).or_insert(host);
    }
}

/// Names us as one that the message went through (RFC 9110 §7.6.3).
pub(crate) fn via(headers: &mut HeaderMap, own: &HeaderValue) {
    add(headers, VIA, own);
}

/// Names us as one that has sent the request on (RFC 8586 §2).
pub(crate) fn cdn_loop(headers: &mut HeaderMap, own: &HeaderValue) {
    add(headers, CDN_LOOP, own);
}

fn add(headers: &mut HeaderMap, name: HeaderName, own: &HeaderValue) {
    match headers.entry(name) {
        Entry::Vacant(place) => drop(place.insert(own.clone())),
        Entry::Occupied(mut said) => extend(&mut said, own.as_bytes()),
    }
}

/// Writes an address. Those of IPv4 come with every request, and formatting costs more than digits do.
fn address(peer: IpAddr, line: &mut Vec<u8>) {
    let IpAddr::V4(peer) = peer else {
        return line.extend_from_slice(peer.to_string().as_bytes());
    };
    for (place, octet) in peer.octets().into_iter().enumerate() {
        if place > 0 {
            line.push(b'.');
        }
        if octet >= 100 {
            line.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            line.push(b'0' + octet / 10 % 10);
        }
        line.push(b'0' + octet % 10);
    }
}

/// Adds an element to what is said already, on one line.
fn extend(said: &mut OccupiedEntry<'_, HeaderValue>, element: &[u8]) {
    let all: Vec<&[u8]> = said.iter().map(HeaderValue::as_bytes).chain([element]).collect();
    if let Ok(value) = HeaderValue::from_bytes(&all.join(&b", "[..])) {
        said.insert(value);
    }
}

/// Adds an element to a list, which may not be there yet.
fn add_text(headers: &mut HeaderMap, name: &HeaderName, element: &[u8]) {
    match headers.entry(name) {
        Entry::Vacant(place) => {
            if let Ok(value) = HeaderValue::from_bytes(element) {
                place.insert(value);
            }
        }
        Entry::Occupied(mut said) => extend(&mut said, element),
    }
}

#[cfg(test)]
mod tests {
    use http::Version;
    use kasoku_http_caching::pseudonym::Pseudonym;

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
    fn an_address_is_written_as_everybody_writes_it() {
        for text in ["0.0.0.0", "1.20.255.100", "127.0.0.1", "99.10.9.199", "::1", "2001:db8::7"] {
            let mut line = Vec::new();
            address(text.parse().unwrap(), &mut line);
            assert_eq!(line, text.as_bytes());
        }
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
    fn via_and_cdn_loop_are_one_list_each() {
        let mut headers = fields(&[("via", "1.0 a"), ("via", "1.1 b (c)"), ("cdn-loop", "a;x=1")]);
        let own = Pseudonym::named("edge").unwrap();
        via(&mut headers, own.in_via(Version::HTTP_2));
        cdn_loop(&mut headers, own.in_cdn_loop());
        assert_eq!(headers, fields(&[("via", "1.0 a, 1.1 b (c), 2 edge"), ("cdn-loop", "a;x=1, edge")]));
        assert!(own.has_sent(&headers));
    }
}
