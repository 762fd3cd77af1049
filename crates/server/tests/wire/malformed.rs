//! Bytes and verdicts: what is answered, and whether the connection goes on.
//!
//! Each case is followed by a marker request on the same connection. `"200 …"` shows the request as it was
//! understood; where the marker is missing, the connection was closed, and nothing behind the fault was read as a
//! request.

use crate::peer::Peer;
use crate::site::Site;

const MARKER: &str = "GET /echo?marker HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const SEEN: &str = "200 GET /echo?marker []";

#[track_caller]
fn check(site: &Site, bytes: &[u8], expected: &[&str]) {
    let mut peer = Peer::to(site.address);
    let answers = peer.send(bytes).send(MARKER).answers();
    let got: Vec<String> = answers
        .iter()
        .map(|answer| match answer.status {
            200 => format!("200 {}", answer.text()),
            status => status.to_string(),
        })
        .collect();
    assert_eq!(got, expected, "{}", String::from_utf8_lossy(bytes).escape_debug());
}

/// A request to `/echo` with these fields, each with its line end, and this body.
fn post(fields: &str, body: &str) -> Vec<u8> {
    format!("POST /echo HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}").into_bytes()
}

#[test]
fn framing_is_read_in_one_way_or_not_at_all() {
    let site = Site::start();
    let cases: &[(&str, &str, &[&str])] = &[
        // Sound ones.
        ("Content-Length: 3\r\n", "abc", &["200 POST /echo [abc]", SEEN]),
        ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", &["200 POST /echo [abc]", SEEN]),
        ("Transfer-Encoding: Chunked\r\n", "3;x=y\r\nabc\r\n0\r\n\r\n", &["200 POST /echo [abc]", SEEN]),
        (
            "Transfer-Encoding: chunked\r\n",
            "0\r\nContent-Length: 5\r\nHost: g\r\n\r\n",
            &["200 POST /echo []", SEEN],
        ),
        ("Content-Length: 3\r\nContent-Length: 3\r\n", "abc", &["200 POST /echo [abc]", SEEN]),
        ("Content-Length: 05\r\n", "abcde", &["200 POST /echo [abcde]", SEEN]),
        // Both: the coding counts, and the connection ends (RFC 9112 §6.3).
        (
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            &["200 POST /echo [abc]"],
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            &["200 POST /echo [abc]"],
        ),
        // Lengths.
        ("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd", &["400"]),
        ("Content-Length: 3, 3\r\n", "abc", &["400"]),
        ("Content-Length: 3, 4\r\n", "abcd", &["400"]),
        ("Content-Length: +3\r\n", "abc", &["400"]),
        ("Content-Length: -1\r\n", "", &["400"]),
        ("Content-Length: 0x3\r\n", "abc", &["400"]),
        ("Content-Length: 5_0\r\n", "abc", &["400"]),
        ("Content-Length: 18446744073709551621\r\n", "abcde", &["400"]),
        ("Content-Length: \r\n", "abc", &["400"]),
        ("Content-Length: 3 3\r\n", "abc", &["400"]),
        ("Content-Length: \u{0663}\r\n", "abc", &["400"]),
        // Codings.
        ("Transfer-Encoding: xchunked\r\n", "3\r\nabc\r\n0\r\n\r\n", &["400"]),
        ("Transfer-Encoding: identity\r\n", "abc", &["400"]),
        ("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n", &["400"]),
        ("Transfer-Encoding: \r\n", "0\r\n\r\n", &["400"]),
        ("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n", &["400"]),
        ("Transfer-Encoding: chunked;x=y\r\n", "0\r\n\r\n", &["400"]),
    ];
    for (fields, body, expected) in cases {
        check(&site, &post(fields, body), expected);
    }
}

#[test]
fn codings_that_are_not_decoded_are_not_taken_for_granted() {
    let site = Site::start();
    for coding in ["gzip, chunked", "chunked, chunked", ", chunked", "identity, chunked"] {
        let mut peer = Peer::to(site.address);
        let bytes = post(&format!("Transfer-Encoding: {coding}\r\n"), "3\r\nabc\r\n0\r\n\r\n");
        assert_eq!(peer.send(bytes).answer().unwrap().status, 501, "{coding}");
    }
    let mut peer = Peer::to(site.address);
    let twice = post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n");
    assert_eq!(peer.send(twice).answer().unwrap().status, 501);
    check(&site, b"POST /echo HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &["400"]);
}

#[test]
fn chunks_are_strict() {
    let site = Site::start();
    for body in [
        "+3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "1_0\r\nabc\r\n0\r\n\r\n",
        "x\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabcXX0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3;a\nabc\r\n0\r\n\r\n",
        "\r\n3\r\nabc\r\n0\r\n\r\n",
        "11111111111111111\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffff0\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\r\nbad trailer\r\n\r\n",
    ] {
        check(&site, &post("Transfer-Encoding: chunked\r\n", body), &["400"]);
    }
}

#[test]
fn heads_are_strict_where_peers_differ() {
    let site = Site::start();
    let cases: &[(&str, &[&str])] = &[
        // RFC 9112 §2.2 allows both of these.
        ("\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n", &["200 GET /echo []", SEEN]),
        ("GET /echo HTTP/1.1\nHost: h\n\n", &["200 GET /echo []", SEEN]),
        ("GET /echo HTTP/1.1\r\nHost : h\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\n Host: h\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: h\r\nX(: a\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: h\r\nX\u{e9}: a\r\n\r\n", &["400"]),
        ("GET  /echo HTTP/1.1\r\nHost: h\r\n\r\n", &["400"]),
        ("GET /echo  HTTP/1.1\r\nHost: h\r\n\r\n", &["400"]),
        ("GET /ec ho HTTP/1.1\r\nHost: h\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.2\r\nHost: h\r\n\r\n", &["400"]),
        ("GET /echo HTTP/3.0\r\nHost: h\r\n\r\n", &["400"]),
        ("GET /echo\r\n\r\n", &["400"]),
        ("GET /echo#x HTTP/1.1\r\nHost: h\r\n\r\n", &["200 GET /echo []", SEEN]),
        ("G(T /echo HTTP/1.1\r\nHost: h\r\n\r\n", &["400"]),
        ("GET echo HTTP/1.1\r\nHost: echo\r\n\r\n", &["400"]),
        ("\0GET /echo HTTP/1.1\r\nHost: h\r\n\r\n", &["400"]),
        // Hosts. Who gets these wrong may get framing wrong too: the connection ends.
        ("GET /echo HTTP/1.1\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: a, b\r\n\r\n", &["400"]),
        ("GET /echo HTTP/1.1\r\nHost: u@h\r\n\r\n", &["400"]),
        ("GET http://g/echo HTTP/1.1\r\nHost: h\r\n\r\n", &["400"]),
        ("GET http://h/echo?a HTTP/1.1\r\nHost: h\r\n\r\n", &["200 GET /echo?a []", SEEN]),
        // Methods.
        ("PURGE /echo HTTP/1.1\r\nHost: h\r\n\r\n", &["501", SEEN]),
        ("TRACE /echo HTTP/1.1\r\nHost: h\r\n\r\n", &["405", SEEN]),
        ("get /echo HTTP/1.1\r\nHost: h\r\n\r\n", &["501", SEEN]),
        ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", &["204", SEEN]),
        ("GET * HTTP/1.1\r\nHost: h\r\n\r\n", &["400", SEEN]),
        (
            "GET /echo HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            &["200 GET /echo []", SEEN],
        ),
    ];
    for (bytes, expected) in cases {
        check(&site, bytes.as_bytes(), expected);
    }
    let mut peer = Peer::to(site.address);
    assert_eq!(peer.send("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n").answer().unwrap().status, 405);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let site = Site::start();
    let targets: Vec<String> =
        (0..50).map(|number| format!("/slow/{}?{number}", (50 - number) % 7)).collect();
    let echoes: Vec<String> = (0..50).map(|number| format!("/echo?{number}")).collect();
    let mut peer = Peer::to(site.address);
    let mixed: Vec<&String> = targets.iter().zip(&echoes).flat_map(|(slow, echo)| [slow, echo]).collect();
    peer.send(mixed.iter().map(|target| crate::peer::get(target)).collect::<String>());
    for target in mixed {
        let answer = peer.answer().unwrap();
        let expected = if target.starts_with("/echo") { format!("GET {target} []") } else { "slow".into() };
        assert_eq!(answer.text(), expected);
    }
}

#[test]
fn a_body_that_nobody_read_is_never_read_as_a_request() {
    let site = Site::start();
    let smuggled = "GET /echo?smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    let small =
        format!("POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{smuggled}", smuggled.len());
    check(&site, small.as_bytes(), &["200 ignored", SEEN]);
    for path in ["/nothing", "/health", "/ignore"] {
        let body = smuggled.repeat(10_000);
        let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut peer = Peer::to(site.address);
        let answers = peer.send(head).send(&body).send(MARKER).answers();
        assert_eq!(answers.len(), 1, "{path}: {answers:?}");
        // The body comes only after the answer.
        let mut peer = Peer::to(site.address);
        peer.send(format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", smuggled.len()));
        assert!(peer.answer().is_some());
        let answers = peer.send(smuggled).answers();
        assert_eq!(answers, [], "{path}");
    }
}

#[test]
fn an_expectation_is_met_only_when_the_body_is_wanted() {
    let site = Site::start();
    let head = "HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    let mut peer = Peer::to(site.address);
    assert_eq!(peer.send(format!("POST /echo {head}")).answer().unwrap().status, 100);
    assert_eq!(peer.send("abc").answer().unwrap().text(), "POST /echo [abc]");
    let mut peer = Peer::to(site.address);
    assert_eq!(peer.send(format!("POST /ignore {head}")).answer().unwrap().text(), "ignored");
    assert_eq!(peer.send("GET /echo?smuggled HTTP/1.1\r\nHost: h\r\n\r\n").answers(), []);
}
