//! From the caller's request to the one that is sent.

use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, MAX_FORWARDS, TE, TRAILER, UPGRADE,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri};
use http_body_util::{BodyExt, Empty};
use kasoku_http_caching::hop_fields;
use kasoku_origin_client::Upload;
use kasoku_pipeline::{Request, RequestFields};
use kasoku_problem::{Kind, Problem};

use crate::trimmed::Trimmed;
use crate::upload::{Bounded, Fate};
use crate::{Climbing, HostRule, OriginRules, forwarded, trailers};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What becomes of a request.
pub(crate) enum Next {
    /// It goes to the origin.
    Send(Box<Outgoing>),
    /// It may go no further (RFC 9110 §7.6.2).
    Answer,
}

/// A request that is sent.
pub(crate) struct Outgoing {
    pub(crate) request: http::Request<Upload>,
    /// Why its body failed, once it has.
    pub(crate) fate: Option<Arc<Fate>>,
    /// The protocols that the caller would go on in.
    pub(crate) upgrade: Option<HeaderValue>,
}

/// Makes the request that is sent.
pub(crate) fn outgoing(request: Request, rules: &OriginRules) -> Result<Next, Problem> {
    let RequestFields { method, uri, version, scheme, mut headers, body, peer, upgrade, id, .. } =
        request.into_fields();
    if rules.pseudonym.has_sent(&headers) {
        return Err(Kind::LoopDetected.into());
    }
    if method == Method::OPTIONS && count_forward(&mut headers) == Forward::Stop {
        return Ok(Next::Answer);
    }
    if rules.climbing == Climbing::Refused && climbs(uri.path()) {
        return Err(Problem::new(Kind::Malformed).detail("the path leads out of what is served here"));
    }
    let target = target(&uri, rules.strip.as_deref());
    pass(&mut headers, upgrade.as_ref(), !body.is_empty());
    let peer = peer.map(|peer| peer.ip());
    if !peer.is_some_and(|peer| rules.trusted.contains(peer)) {
        forwarded::distrust(&mut headers);
    }
    forwarded::say(&mut headers, peer, &scheme);
    forwarded::via(&mut headers, rules.pseudonym.in_via(version));
    forwarded::cdn_loop(&mut headers, rules.pseudonym.in_cdn_loop());
    if rules.host == HostRule::Origin {
        headers.remove(HOST);
    }
    headers.insert(REQUEST_ID, id.to_value());
    let (body, fate) = if body.is_empty() {
        // RFC 9110 §8.6: a method that means something with content says that there is none.
        if matches!(method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        }
        (Empty::new().map_err(|never| match never {}).boxed_unsync(), None)
    } else {
        let (body, fate) = Bounded::new(body.into_body(), rules.body_bytes_max)?;
        (Trimmed(body).boxed_unsync(), Some(fate))
    };
    let mut request = http::Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target;
    *request.headers_mut() = headers;
    Ok(Next::Send(Box::new(Outgoing { request, fate, upgrade })))
}

/// Leaves of the header fields what may pass, and says anew what is for the next connection.
fn pass(headers: &mut HeaderMap, upgrade: Option<&HeaderValue>, has_body: bool) {
    let host = headers.get(HOST).cloned();
    let takes_trailers = takes_trailers(headers);
    let trailer = has_body.then(|| trailers::announced(headers)).flatten();
    hop_fields::remove(headers);
    headers.remove(CONTENT_LENGTH);
    if !has_body {
        headers.remove(EXPECT);
    }
    if let Some(host) = host
        && !headers.keys().any(|name| *name == HOST)
    {
        // Whatever `Connection` says, the host is for the origin.
        headers.insert(HOST, host);
    }
    if let Some(trailer) = trailer {
        headers.insert(TRAILER, trailer);
    }
    let options = match (upgrade, takes_trailers) {
        (Some(_), true) => "upgrade, te",
        (Some(_), false) => "upgrade",
        (None, true) => "te",
        (None, false) => return,
    };
    headers.insert(CONNECTION, HeaderValue::from_static(options));
    if let Some(upgrade) = upgrade {
        headers.insert(UPGRADE, upgrade.clone());
    }
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(TE).into_iter();
    let mut words = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// The target as it was sent, without the prefix that the origin does not know.
fn target(uri: &Uri, strip: Option<&str>) -> Uri {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let Some(rest) = strip.and_then(|strip| whole.strip_prefix(strip)) else {
        return uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    };
    let target = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    // The end of a target is one, too.
    PathAndQuery::try_from(target).map_or_else(|_| uri.clone(), Uri::from)
}

/// Whether a path has a segment `..`, in any spelling that an origin might read as one.
fn climbs(path: &str) -> bool {
    let mut rest = path.as_bytes();
    let mut segment = Some(0);
    while let Some((first, behind)) = rest.split_first() {
        let coded = (*first == b'%').then(|| behind.first_chunk::<2>()).flatten();
        let (read, length) = match coded.map(|digits| digits.map(|digit| digit.to_ascii_lowercase())) {
            Some([b'2', b'e']) => (b'.', 3),
            Some([b'2', b'f'] | [b'5', b'c']) => (b'/', 3),
            _ if *first == b'\\' => (b'/', 1),
            _ => (*first, 1),
        };
        segment = match (read, segment) {
            (b'/', Some(2)) => return true,
            (b'/', _) => Some(0),
            (b'.', Some(dots)) => Some(dots + 1),
            _ => None,
        };
        rest = &rest[length..];
    }
    segment == Some(2)
}

#[derive(Debug, PartialEq, Eq)]
enum Forward {
    On,
    Stop,
}

/// Counts down how often the request may be forwarded (RFC 9110 §7.6.2). What is no number is ignored.
fn count_forward(headers: &mut HeaderMap) -> Forward {
    let count = headers.get(MAX_FORWARDS).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match count {
        Some(0) => return Forward::Stop,
        Some(count) => drop(headers.insert(MAX_FORWARDS, HeaderValue::from(count - 1))),
        None => {}
    }
    Forward::On
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_keeps_its_spelling() {
        let check = |sent: &str, strip: Option<&str>, expected: &str| {
            assert_eq!(target(&sent.parse().unwrap(), strip).to_string(), expected, "{sent} {strip:?}");
        };
        check("/a%2Fb/%7e?x=%20&y=a+b", None, "/a%2Fb/%7e?x=%20&y=a+b");
        check("/?", None, "/?");
        check("/old/a%2F?q", Some("/old"), "/a%2F?q");
        check("/old", Some("/old"), "/");
        check("/old?q=1", Some("/old"), "/?q=1");
        check("/new/old", Some("/old"), "/new/old");
        check("/old//a", Some("/old"), "//a");
    }

    #[test]
    fn a_path_that_climbs_is_seen_in_every_spelling() {
        for path in
            ["/a/../b", "/..", "/a/..", "/a/%2e%2E/b", "/a/.%2e", "/a%2f..%2Fb", "/a/..\\b", "/a%5C..%5cb"]
        {
            assert!(climbs(path), "{path}");
        }
        for path in
            ["/", "/a", "/a.b/..c", "/a/...", "/a/.", "/a/b..", "/%2", "/a/%252e%252e/", "/.well-known/x"]
        {
            assert!(!climbs(path), "{path}");
        }
    }

    #[test]
    fn only_what_is_for_the_origin_passes() {
        let check = |before: &[(&str, &str)], upgrade: Option<&str>, expected: &[(&str, &str)]| {
            let fields = |fields: &[(&str, &str)]| -> HeaderMap {
                let parsed =
                    fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
                parsed.collect()
            };
            let mut headers = fields(before);
            let upgrade = upgrade.map(|protocols| HeaderValue::from_str(protocols).unwrap());
            pass(&mut headers, upgrade.as_ref(), true);
            assert_eq!(headers, fields(expected), "{before:?}");
        };
        check(&[("host", "h"), ("connection", "close, host, x-a"), ("x-a", "1")], None, &[("host", "h")]);
        check(
            &[("te", "gzip, Trailers"), ("x", "1")],
            None,
            &[("te", "trailers"), ("connection", "te"), ("x", "1")],
        );
        check(&[("te", "gzip"), ("proxy-authorization", "a"), ("keep-alive", "b")], None, &[]);
        check(&[("trailer", "host, x-sum"), ("content-length", "5")], None, &[("trailer", "x-sum")]);
        check(
            &[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "k")],
            Some("websocket"),
            &[("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "k")],
        );
        check(&[("connection", "Upgrade"), ("upgrade", "websocket")], None, &[]);
    }

    #[test]
    fn forwards_are_counted_down() {
        let check = |before: &str, expected: Forward, after: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(MAX_FORWARDS, before.parse().unwrap());
            assert_eq!(count_forward(&mut headers), expected, "{before}");
            assert_eq!(headers[MAX_FORWARDS], after);
        };
        check("0", Forward::Stop, "0");
        check("2", Forward::On, "1");
        check("many", Forward::On, "many");
        assert_eq!(count_forward(&mut HeaderMap::new()), Forward::On);
    }
}
