//! RFC 9111 §3.1, §3.2, §4.3.4: which fields are stored, and which a 304 changes.

use super::row::{Expect, Row, row};
use super::stand::check;

const FRESH: &str = "Cache-Control: max-age=3600";
const TAG: &str = "ETag: \"a\"";

/// A stored field, what a 304 says of it, and what callers get after that.
fn updated(name: &'static str, before: &str, update: &[&str], after: &'static str) -> Row {
    let stored = format!("{name}: {before}");
    let update = [&[FRESH, TAG][..], update].concat();
    let expected = if after.is_empty() { Expect::Without(name) } else { Expect::Field(name, after) };
    let mut first = vec![FRESH, TAG, "Age: 7200"];
    if !before.is_empty() {
        first.push(&stored);
    }
    row("RFC 9111 §3.2", format!("{name}: {before} updated by {update:?}"))
        .ok(&first)
        .says(304, &update, "")
        .get(&[], &[])
        .get(&[], &[Expect::Validated, expected.clone()])
        .get(&[], &[Expect::Reused, expected, Expect::Body("answer 1")])
}

#[tokio::test]
async fn a_304_updates_the_fields_that_it_has() {
    check(vec![
        updated("x-any", "1", &["X-Any: 2"], "2"),
        updated("x-any", "1", &[], "1"),
        updated("x-any", "", &["X-Any: 2"], "2"),
        updated("x-any", "1", &["X-Any: 2", "X-Any: 3"], "2, 3"),
        updated("x-any", "1, 2", &["X-Any: 3"], "3"),
        updated("content-type", "text/plain", &["Content-Type: text/html"], "text/html"),
        updated("content-language", "ja", &["Content-Language: en"], "en"),
        updated("content-location", "/a", &["Content-Location: /b"], "/b"),
        updated(
            "content-security-policy",
            "default-src 'none'",
            &["Content-Security-Policy: default-src *"],
            "default-src *",
        ),
        updated("content-disposition", "inline", &["Content-Disposition: attachment"], "attachment"),
        updated("content-foo", "1", &["Content-Foo: 2"], "2"),
        updated("x-content-foo", "1", &["X-Content-Foo: 2"], "2"),
        updated("x-frame-options", "deny", &["X-Frame-Options: sameorigin"], "sameorigin"),
        updated("x-xss-protection", "1", &["X-XSS-Protection: 0"], "0"),
        updated(
            "strict-transport-security",
            "max-age=1",
            &["Strict-Transport-Security: max-age=2"],
            "max-age=2",
        ),
        updated("clear-site-data", "\"cache\"", &["Clear-Site-Data: \"cookies\""], "\"cookies\""),
        updated("public-key-pins", "a", &["Public-Key-Pins: b"], "b"),
        updated(
            "access-control-allow-origin",
            "https://a",
            &["Access-Control-Allow-Origin: https://b"],
            "https://b",
        ),
        updated("expires", "{+60}", &["Expires: {+90}"], "{+90}"),
        updated("last-modified", "{-900000}", &["Last-Modified: {-900000}"], "{-900000}"),
        updated("location", "/a", &["Location: /b"], "/b"),
        updated("link", "</a>; rel=next", &["Link: </b>; rel=next"], "</b>; rel=next"),
        updated("server", "one", &["Server: two"], "two"),
        updated("p3p", "a", &["P3P: b"], "b"),
        updated("content-md5", "1", &["Content-MD5: 2"], "2"),
        updated("set-cookie2", "1", &["Set-Cookie2: 2"], "2"),
        updated("test-header", "1", &["Test-Header: 2"], "2"),
        // What the stored bytes are measured and taken apart by stays.
        updated("content-encoding", "gzip", &["Content-Encoding: br"], "gzip"),
        updated("content-encoding", "gzip", &["Content-Encoding: identity"], "gzip"),
        updated("content-encoding", "", &["Content-Encoding: gzip"], ""),
        updated("content-range", "", &["Content-Range: bytes 0-1/2"], ""),
        updated("content-length", "", &["Content-Length: 9999"], "8"),
        updated("transfer-encoding", "", &["Connection: close"], ""),
        // What is of the connection goes no further.
        updated("x-hop", "1", &["X-Hop: 2", "Connection: x-hop"], "1"),
        updated("x-hop", "", &["X-Hop: 2", "Connection: x-hop"], ""),
        updated("keep-alive", "", &["Keep-Alive: timeout=5"], ""),
        updated("proxy-authenticate", "", &["Proxy-Authenticate: Basic"], ""),
        updated("proxy-authentication-info", "", &["Proxy-Authentication-Info: a"], ""),
        updated("upgrade", "", &["Upgrade: x"], ""),
        updated("te", "", &["TE: gzip"], ""),
        updated("trailer", "", &["Trailer: x"], ""),
    ])
    .await;
}

#[tokio::test]
async fn a_304_says_how_what_is_stored_is_reused_from_then_on() {
    use Expect::{Field, Forwarded, Reused, Validated};
    let row_of = |claim: &str, update: &[&str]| {
        let update = [&[TAG][..], update].concat();
        row("RFC 9111 §4.3.4", claim)
            .ok(&[FRESH, TAG, "Age: 7200"])
            .says(304, &update, "")
            .get(&[], &[])
            .get(&[], &[Validated])
    };
    check(vec![
        row_of("a 304 with nothing makes fresh for the time that there was", &[]).get(&[], &[Reused]),
        row_of("a 304 with a new lifetime", &["Cache-Control: max-age=10000"])
            .get(&[], &[Reused, Field("cache-control", "max-age=10000")]),
        row_of("a 304 with none", &["Cache-Control: max-age=0"]).get(&[], &[Validated]),
        row_of("a 304 with no-cache", &["Cache-Control: no-cache"]).get(&[], &[Validated]),
        row_of("a 304 with private", &["Cache-Control: private"]).get(&[], &[Expect::SawNo("if-none-match")]),
        row_of("a 304 with s-maxage", &["Cache-Control: s-maxage=3600, max-age=0"]).get(&[], &[Reused]),
        row_of("a 304 with a Date", &["Date: {0}"]).get(&[], &[Reused, Field("date", "{0}")]),
        row("RFC 9111 §4.3.4", "an Expires in the 304")
            .ok(&["Expires: {-60}", "Date: {-90}", TAG])
            .says(304, &["Expires: {+3600}", "Date: {0}", TAG], "")
            .get(&[], &[])
            .get(&[], &[Validated])
            .get(&[], &[Reused, Field("expires", "{+3600}")]),
        row("RFC 9111 §3.2", "an empty field in the 304 empties what is stored")
            .ok(&[FRESH, TAG, "Age: 7200", "X-Any: 1"])
            .says(304, &[FRESH, TAG, "X-Any:"], "")
            .get(&[], &[])
            .get(&[], &[Validated, Field("x-any", "")])
            .get(&[], &[Reused, Field("x-any", "")]),
        row("RFC 9111 §4.3.4", "a cookie in the 304 is for who asked")
            .ok(&[FRESH, TAG, "Age: 7200"])
            .says(304, &[FRESH, TAG, "Set-Cookie: a=b"], "")
            .get(&[], &[])
            .get(&[], &[Validated])
            .get(&[], &[Reused, Expect::Without("set-cookie")]),
        row("RFC 9111 §4.3.4", "a stored error is freshened with its status")
            .status(404, &[FRESH, TAG, "Age: 7200"])
            .says(304, &[FRESH, TAG], "")
            .get(&[], &[])
            .get(&[], &[Validated, Expect::Status(404)])
            .get(&[], &[Reused, Expect::Status(404)]),
        row("RFC 9111 §4.3.3", "no other field survives a 200")
            .ok(&[FRESH, TAG, "Age: 7200", "X-Old: 1"])
            .ok(&[FRESH, "X-New: 2"])
            .get(&[], &[])
            .get(&[], &[Forwarded])
            .get(&[], &[Reused, Expect::Without("x-old"), Field("x-new", "2")]),
    ])
    .await;
}

#[tokio::test]
async fn fields_of_the_connection_are_neither_stored_nor_passed_on() {
    use Expect::{Field, Reused, Without};
    let row_of = |name: &'static str, lines: &[&str]| {
        let lines = [&[FRESH, "X-Kept: 1"][..], lines].concat();
        row("RFC 9111 §3.1", format!("{name} in {lines:?}"))
            .ok(&lines)
            .get(&[], &[Without(name), Field("x-kept", "1")])
            .get(&[], &[Reused, Without(name), Field("x-kept", "1")])
    };
    let kept = |name: &'static str, value: &'static str| {
        row("RFC 9111 §3.1", format!("{name} is stored"))
            .ok(&[FRESH, &format!("{name}: {value}")])
            .get(&[], &[Field(name, value)])
            .get(&[], &[Reused, Field(name, value)])
    };
    check(vec![
        row_of("x-hop", &["Connection: x-hop", "X-Hop: 1"]),
        row_of("x-hop", &["Connection: close, X-HOP", "X-Hop: 1"]),
        row_of("x-hop", &["Connection: keep-alive", "Connection: x-hop", "X-Hop: 1"]),
        row_of("x-hop", &["Connection: , x-hop,,", "X-Hop: 1", "X-Hop: 2"]),
        row_of("keep-alive", &["Keep-Alive: timeout=5"]),
        row_of("proxy-connection", &["Proxy-Connection: keep-alive"]),
        row_of("proxy-authenticate", &["Proxy-Authenticate: Basic"]),
        row_of("proxy-authentication-info", &["Proxy-Authentication-Info: a=b"]),
        row_of("te", &["TE: gzip"]),
        row_of("upgrade", &["Upgrade: x"]),
        kept("x-any", "1"),
        kept("test-header", "a, b"),
        kept("content-foo", "1"),
        kept("x-content-foo", "1"),
        kept("content-md5", "rL0Y20zC+Fzt72VPzMSk2A=="),
        kept("server", "one"),
        kept("strict-transport-security", "max-age=1"),
        kept("content-security-policy", "default-src 'none'"),
        kept("link", "</a>; rel=next"),
        kept("p3p", "a"),
        kept("warning", "199 - x"),
        row("RFC 9110 §5.3", "lines of a field keep their order")
            .ok(&[FRESH, "X-Many: 1", "X-Other: a", "X-Many: 2", "X-Many: 3"])
            .get(&[], &[])
            .get(&[], &[Reused, Field("x-many", "1, 2, 3")]),
        row("RFC 9111 §3.1", "bytes beyond ASCII are kept")
            .ok(&[FRESH, "X-Text: caf\u{e9}"])
            .get(&[], &[])
            .get(&[], &[Reused, Field("x-text", "caf\u{e9}")]),
    ])
    .await;
}
