//! What a request's head must be before a route may see it. Pure; hyper has parsed the head already.
//!
//! Beyond what hyper refuses by itself, this demands one host that agrees with the target, a transfer coding that
//! is decoded here, a method that may come by here, and sizes within the limits. What passes has its target in origin
//! form and its host in `Host`, whichever version brought it.

use http::header::{self, HeaderMap};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Method, Uri, Version};

use crate::router::Refusal;

/// The longest target that is read. RFC 9110 §4.1 asks for 8,000 at the least.
pub(crate) const TARGET_BYTES_MAX: usize = 8_192;

/// Refuses a head, or brings it into one form.
pub(crate) fn screen(head: &mut Parts, fields_max: usize) -> Result<(), Refusal> {
    if matches!(head.method, Method::TRACE | Method::CONNECT) {
        return Err(Refusal::MethodRefused);
    }
    if target_length(&head.uri) > TARGET_BYTES_MAX {
        return Err(Refusal::TargetTooLong);
    }
    if head.headers.len() > fields_max {
        return Err(Refusal::TooManyFields);
    }
    // Passing over the names that are there costs less than to hash the ones that are looked for.
    if head.headers.keys().any(|name| *name == header::TRANSFER_ENCODING) {
        only_chunked(&head.headers)?;
    }
    one_host(head)?;
    if head.headers.keys().any(|name| *name == header::EXPECT) {
        only_continue(head)?;
    }
    if head.version == Version::HTTP_2 {
        nothing_blank_around(&head.headers)?;
        join_crumbs(&mut head.headers);
    }
    match (head.uri.scheme_str(), head.uri.authority()) {
        (None, None) => Ok(()),
        (Some("http" | "https"), Some(_)) => {
            head.uri = origin_form(&head.uri)?;
            Ok(())
        }
        _ => Err(Refusal::BadTarget),
    }
}

/// RFC 9112 §3.2.1: an empty path is sent as `/`. Behind a host that is followed by a fragment, the parser leaves one.
fn origin_form(target: &Uri) -> Result<Uri, Refusal> {
    match target.path_and_query() {
        // One that is empty says that it is `/` as long as there is a host.
        Some(path) if path.as_str() == "/" => Ok(Uri::default()),
        Some(path) if path.as_str().starts_with('/') => Ok(Uri::from(path.clone())),
        Some(path) => format!("/{}", path.as_str()).parse().map_err(|_| Refusal::BadTarget),
        None => Ok(Uri::default()),
    }
}

/// RFC 9110 §9.1: a method that is not known is answered by 501, one that is known and not allowed by 405.
pub(crate) fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::OPTIONS
    )
}

fn target_length(target: &Uri) -> usize {
    let host = target.authority().map_or(0, |authority| authority.as_str().len());
    host + target.path_and_query().map_or(0, |path| path.as_str().len())
}

/// RFC 9112 §6.1: a transfer coding that is not understood is answered by 501. Behind `chunked` none is decoded
/// here, and a second `chunked` is a smuggler's.
fn only_chunked(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut values = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Refusal::CodingUnknown),
    }
}

/// RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored, and one that is not known can be answered by 417 at once.
fn only_continue(head: &mut Parts) -> Result<(), Refusal> {
    if head.version == Version::HTTP_10 {
        head.headers.remove(header::EXPECT);
        return Ok(());
    }
    let mut lines = head.headers.get_all(header::EXPECT).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) if line.as_bytes().trim_ascii().eq_ignore_ascii_case(b"100-continue") => Ok(()),
        _ => Err(Refusal::ExpectationUnknown),
    }
}

/// RFC 9113 §8.2.1: such a field makes the request malformed. Over HTTP/1.1 the parser takes blanks away.
fn nothing_blank_around(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let has_blank =
        |value: &HeaderValue| is_blank(value.as_bytes().first()) || is_blank(value.as_bytes().last());
    if headers.values().any(has_blank) { Err(Refusal::BlankAround) } else { Ok(()) }
}

/// RFC 9113 §8.2.3: browsers send each cookie in a field of its own over HTTP/2, and HTTP/1.1 and keys know one field.
fn join_crumbs(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(header::COOKIE).iter();
    if let (Some(first), Some(second)) = (crumbs.next(), crumbs.next()) {
        let mut joined = first.as_bytes().to_vec();
        for crumb in std::iter::once(second).chain(crumbs) {
            joined.extend_from_slice(b"; ");
            joined.extend_from_slice(crumb.as_bytes());
        }
        let joined = HeaderValue::from_bytes(&joined).expect("values with a `; ` between them are a value");
        headers.insert(header::COOKIE, joined);
    }
}

/// RFC 9112 §3.2: one `Host`, and the target's host where the target has one. HTTP/2 may say it in `:authority`
/// alone (RFC 9113 §8.3.1).
fn one_host(head: &mut Parts) -> Result<(), Refusal> {
    let mut values = head.headers.iter().filter(|(name, _)| **name == header::HOST).map(|(_, value)| value);
    match (values.next(), values.next(), head.uri.authority()) {
        (_, Some(_), _) => Err(Refusal::BadHost),
        (Some(host), None, named) => match named {
            _ if !is_host(host.as_bytes()) => Err(Refusal::BadHost),
            Some(authority) if !same_host(authority, host) => Err(Refusal::HostMismatch),
            _ => Ok(()),
        },
        (None, None, Some(authority)) if head.version != Version::HTTP_11 => {
            let host = authority.as_str();
            let value = HeaderValue::from_str(host).ok().filter(|_| is_host(host.as_bytes()));
            head.headers.insert(header::HOST, value.ok_or(Refusal::BadHost)?);
            Ok(())
        }
        (None, None, None) if head.version == Version::HTTP_10 => Ok(()),
        (None, None, _) => Err(Refusal::NoHost),
    }
}

/// Whether this is one host with an optional port (RFC 9110 §7.2): no list, no user, no path, nothing blank.
/// Brackets are around the whole of a host, a port has digits alone, and nothing else has colons.
fn is_host(text: &[u8]) -> bool {
    let (host, port) = match text.strip_prefix(b"[") {
        Some(bracketed) => match bracketed.iter().position(|byte| *byte == b']') {
            Some(end) => (&bracketed[..end], &bracketed[end + 1..]),
            None => return false,
        },
        None => text.split_at(text.iter().position(|byte| *byte == b':').unwrap_or(text.len())),
    };
    if host.is_empty() {
        return false;
    }
    let is_port = port.is_empty() || port[0] == b':' && port[1..].iter().all(u8::is_ascii_digit);
    let is_bracketed = text[0] == b'[';
    is_port && host.iter().all(|byte| IN_HOSTS[usize::from(*byte)] || is_bracketed && *byte == b':')
}

/// Which bytes a host may have, brackets and colons apart (RFC 3986 §3.2.2).
static IN_HOSTS: [bool; 256] = {
    let mut allowed = [false; 256];
    let (mut byte, mut place) = (0, 0);
    while byte < 256 {
        allowed[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let signs = b"-._~%!$&'()*+;=";
    while place < signs.len() {
        allowed[signs[place] as usize] = true;
        place += 1;
    }
    allowed
};

fn same_host(authority: &Authority, host: &HeaderValue) -> bool {
    authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(
        version: Version,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        expected: Result<&str, Refusal>,
    ) {
        let mut request = http::Request::builder().version(version).method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        let screened = screen(&mut head, 8).map(|()| {
            let host = head.headers.get(header::HOST).map_or("", |host| host.to_str().unwrap());
            format!("{} {host}", head.uri)
        });
        assert_eq!(screened.as_deref(), expected.as_ref().copied(), "{method} {target}");
    }

    #[test]
    fn a_head_has_one_host_that_agrees_with_its_target() {
        let h1 = Version::HTTP_11;
        check(h1, "GET", "/a?b=c", &[("host", "h:80")], Ok("/a?b=c h:80"));
        check(h1, "GET", "/", &[], Err(Refusal::NoHost));
        check(Version::HTTP_10, "GET", "/", &[], Ok("/ "));
        check(h1, "GET", "/", &[("host", "a"), ("host", "a")], Err(Refusal::BadHost));
        for bad in ["", "a,b", "a b", "u@h", "h/", ":80", "h?"] {
            check(h1, "GET", "/", &[("host", bad)], Err(Refusal::BadHost));
        }
        for bad in ["[::1", "::1", "[]", "[]:80", "[::1]80", "[a[]", "h]", "h:80.", "h:8:0", "h:+80"] {
            check(h1, "GET", "/", &[("host", bad)], Err(Refusal::BadHost));
        }
        check(h1, "GET", "/", &[("host", "h.:")], Ok("/ h.:"));
        check(h1, "GET", "http://H/x", &[("host", "h")], Ok("/x h"));
        check(h1, "GET", "http://h", &[("host", "h")], Ok("/ h"));
        check(h1, "GET", "http://h/x", &[("host", "g")], Err(Refusal::HostMismatch));
        check(h1, "GET", "http://h/x", &[], Err(Refusal::NoHost));
        check(h1, "GET", "h", &[("host", "h")], Err(Refusal::BadTarget));
        check(h1, "GET", "ftp://h/x", &[("host", "h")], Err(Refusal::BadTarget));
        check(h1, "GET", "/", &[("host", "[::1]:8080")], Ok("/ [::1]:8080"));
    }

    #[test]
    fn cookies_that_http2_brings_apart_are_one_field() {
        let check = |version: Version, crumbs: &[&str], expected: &[&str]| {
            let mut request = http::Request::builder().version(version).uri("http://h/");
            for crumb in crumbs {
                request = request.header(header::COOKIE, *crumb);
            }
            let (mut head, ()) = request.header(header::HOST, "h").body(()).unwrap().into_parts();
            screen(&mut head, 8).unwrap();
            let found: Vec<_> = head.headers.get_all(header::COOKIE).iter().collect();
            assert_eq!(found, expected, "{version:?} {crumbs:?}");
        };
        check(Version::HTTP_2, &[], &[]);
        check(Version::HTTP_2, &["a=1"], &["a=1"]);
        check(Version::HTTP_2, &["a=1", "b=2; c=3", ""], &["a=1; b=2; c=3; "]);
        check(Version::HTTP_11, &["a=1", "b=2"], &["a=1", "b=2"]);
    }

    /// Pieces of targets and hosts in any order come further than arbitrary text does.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("http://"),
            Just("https://"),
            Just("//"),
            Just("/"),
            Just("*"),
            Just("h"),
            Just("h:80"),
            Just(":"),
            Just("@"),
            Just("[::1]"),
            Just("?"),
            Just("#"),
            Just("%2F"),
            Just(","),
            Just(" "),
            Just("é"),
            Just("CONNECT"),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_passes_is_in_origin_form_and_has_one_host(
            target in pieces(), hosts in proptest::collection::vec(pieces(), 0..3), http2: bool,
        ) {
            let version = if http2 { Version::HTTP_2 } else { Version::HTTP_11 };
            let mut request = http::Request::builder().version(version).uri(target);
            for host in &hosts {
                request = request.header(header::HOST, host);
            }
            let Ok(request) = request.body(()) else { return Ok(()) };
            let (mut head, ()) = request.into_parts();
            if screen(&mut head, 8).is_ok() {
                prop_assert!(head.uri.scheme().is_none() && head.uri.authority().is_none(), "{}", head.uri);
                prop_assert!(head.uri.path().starts_with('/') || head.uri.path() == "*", "{}", head.uri);
                let hosts: Vec<_> = head.headers.get_all(header::HOST).iter().collect();
                prop_assert!(hosts.len() == 1 && is_host(hosts[0].as_bytes()), "{hosts:?}");
            }
        }
    }

    #[test]
    fn http2_says_its_host_in_either_place() {
        let h2 = Version::HTTP_2;
        check(h2, "GET", "http://h/x?y", &[], Ok("/x?y h"));
        check(h2, "GET", "http://h/x", &[("host", "h")], Ok("/x h"));
        check(h2, "GET", "http://h/x", &[("host", "g")], Err(Refusal::HostMismatch));
        check(h2, "GET", "/x", &[], Err(Refusal::NoHost));
        check(h2, "GET", "http://u@h/x", &[], Err(Refusal::BadHost));
        check(h2, "GET", "http://*#", &[], Ok("/ *"));
        check(h2, "GET", "http://h?a#b", &[], Ok("/?a h"));
    }

    #[test]
    fn methods_are_known_refused_or_for_some_routes() {
        let host = &[("host", "h")];
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            check(Version::HTTP_11, method, "/", host, Ok("/ h"));
            assert!(is_known(&method.parse().unwrap()), "{method}");
        }
        check(Version::HTTP_11, "TRACE", "/", host, Err(Refusal::MethodRefused));
        check(Version::HTTP_11, "CONNECT", "h:80", host, Err(Refusal::MethodRefused));
        for method in ["PURGE", "get", "PROPFIND"] {
            check(Version::HTTP_11, method, "/", host, Ok("/ h"));
            assert!(!is_known(&method.parse().unwrap()), "{method}");
        }
    }

    #[test]
    fn sizes_and_codings_are_bounded() {
        let host = ("host", "h");
        let long = format!("/{}", "x".repeat(TARGET_BYTES_MAX));
        check(Version::HTTP_11, "GET", &long, &[host], Err(Refusal::TargetTooLong));
        check(
            Version::HTTP_11,
            "GET",
            &long[..TARGET_BYTES_MAX],
            &[host],
            Ok(&format!("{} h", &long[..TARGET_BYTES_MAX])),
        );
        check(Version::HTTP_11, "GET", "/", &[("a", "1"); 9], Err(Refusal::TooManyFields));
        let coded = |value| [host, ("transfer-encoding", value)];
        check(Version::HTTP_11, "POST", "/", &coded("Chunked"), Ok("/ h"));
        for coding in ["gzip, chunked", "chunked, chunked", "identity", "chunked;a=b", "xchunked"] {
            check(Version::HTTP_11, "POST", "/", &coded(coding), Err(Refusal::CodingUnknown));
        }
    }

    #[test]
    fn expectations_and_blanks_are_judged_by_version() {
        let check = |version: Version,
                     name: &'static str,
                     values: &[&'static [u8]],
                     expected: Result<bool, Refusal>| {
            let mut request = http::Request::builder().version(version).uri("http://h/");
            for value in values {
                request = request.header(name, HeaderValue::from_bytes(value).unwrap());
            }
            let (mut head, ()) = request.header("host", "h").body(()).unwrap().into_parts();
            let screened = screen(&mut head, 100).map(|()| head.headers.contains_key(name));
            assert_eq!(screened, expected, "{version:?} {name}: {values:?}");
        };
        check(Version::HTTP_10, "expect", &[b"100-continue"], Ok(false));
        check(Version::HTTP_10, "expect", &[b"anything"], Ok(false));
        for version in [Version::HTTP_11, Version::HTTP_2] {
            check(version, "expect", &[b"100-Continue"], Ok(true));
            for wrong in
                [&[&b"200-ok"[..]][..], &[b"100-continue, x"], &[b"100-continue", b"100-continue"], &[b""]]
            {
                check(version, "expect", wrong, Err(Refusal::ExpectationUnknown));
            }
        }
        for blank in [&b" a"[..], b"a ", b"\ta", b"a\t", b" "] {
            check(Version::HTTP_2, "x-a", &[blank], Err(Refusal::BlankAround));
            check(Version::HTTP_11, "x-a", &[blank], Ok(true));
        }
        check(Version::HTTP_2, "x-a", &[b"a b"], Ok(true));
        check(Version::HTTP_2, "x-a", &[b""], Ok(true));
    }
}
