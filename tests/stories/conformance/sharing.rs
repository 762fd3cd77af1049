//! RFC 9111 §3.5, §7.3: credentials and cookies in front of a cache that all share.

use super::row::{Expect, row};
use super::stand::check;

#[tokio::test]
async fn answers_to_credentials_are_shared_only_where_they_say_so() {
    use Expect::{Forwarded, Reused, Saw, Told};
    const WHO: &str = "Authorization: Basic YTpi";
    let mut rows = Vec::new();
    for (directives, second) in [
        ("max-age=3600", Forwarded),
        ("max-age=3600, public", Reused),
        ("max-age=3600, must-revalidate", Reused),
        ("s-maxage=3600", Reused),
        ("max-age=3600, s-maxage=3600", Reused),
        ("max-age=3600, proxy-revalidate", Forwarded),
        ("max-age=3600, immutable", Forwarded),
        ("max-age=3600, public, private", Forwarded),
        ("max-age=3600, public, no-store", Forwarded),
        ("max-age=3600, public=1", Forwarded),
    ] {
        let line = format!("Cache-Control: {directives}");
        rows.push(
            row("RFC 9111 §3.5", format!("{directives}, with credentials and then without"))
                .ok(&[&line])
                .get(&[WHO], &[Forwarded, Saw("authorization", "Basic YTpi")])
                .get(&[], std::slice::from_ref(&second)),
        );
        rows.push(
            row("RFC 9111 §3.5", format!("{directives}, with credentials both times"))
                .ok(&[&line])
                .get(&[WHO], &[Forwarded])
                .get(&[WHO], std::slice::from_ref(&second)),
        );
        rows.push(
            row("RFC 9111 §3.5", format!("{directives}, with the credentials of another"))
                .ok(&[&line])
                .get(&[WHO], &[Forwarded])
                .get(&["Authorization: Basic Yzpk"], &[second]),
        );
    }
    rows.push(
        row(
            "RFC 9111 §3.5",
            "what is stored for all does not answer credentials if nothing says that it may",
        )
        .ok(&["Cache-Control: max-age=3600"])
        .get(&[], &[])
        .get(&[WHO], &[Forwarded, Told("fwd=request"), Told("detail=credentials")])
        .get(&[], &[Reused]),
    );
    rows.push(
        row("RFC 9111 §3.5", "Expires does not say it")
            .ok(&["Expires: {+3600}"])
            .get(&[WHO], &[Forwarded])
            .get(&[WHO], &[Forwarded]),
    );
    rows.push(
        row("RFC 9111 §3.5", "a targeted field may say it")
            .ok(&["CDN-Cache-Control: max-age=3600, public"])
            .get(&[WHO], &[Forwarded])
            .get(&[], &[Reused]),
    );
    check(rows).await;
}

#[tokio::test]
async fn cookies_are_for_one() {
    use Expect::{Field, Forwarded, Reused, Saw, Without};
    let mut rows = Vec::new();
    for directives in ["max-age=3600", "s-maxage=3600", "public, max-age=3600", "immutable, max-age=3600"] {
        rows.push(
            row("RFC 9111 §7.3", format!("what sets a cookie is not stored: {directives}"))
                .ok(&[&format!("Cache-Control: {directives}"), "Set-Cookie: a=b"])
                .get(&[], &[Forwarded, Field("set-cookie", "a=b")])
                .get(&[], &[Forwarded, Field("set-cookie", "a=b")]),
        );
    }
    rows.extend([
        row("RFC 9111 §7.3", "several cookies keep their lines")
            .ok(&["Cache-Control: max-age=3600", "Set-Cookie: a=b", "Set-Cookie: c=d"])
            .get(&[], &[Field("set-cookie", "a=b, c=d")]),
        row("RFC 9111 §4.1", "a cookie in a request is part of what is asked for")
            .ok(&["Cache-Control: max-age=3600"])
            .get(&["Cookie: a=1"], &[Forwarded, Saw("cookie", "a=1")])
            .get(&["Cookie: a=1"], &[Reused])
            .get(&["Cookie: a=2"], &[Forwarded])
            .get(&[], &[Forwarded, Expect::SawNo("cookie")]),
        row("RFC 9111 §3", "a guess does not make a cookie storable")
            .ok(&["Last-Modified: {-864000}", "Set-Cookie: a=b"])
            .get(&[], &[])
            .get(&[], &[Forwarded]),
        row("RFC 9111 §4.3.4", "what is stored stays without a cookie")
            .ok(&["Cache-Control: max-age=3600"])
            .get(&[], &[Without("set-cookie")])
            .get(&[], &[Reused, Without("set-cookie")]),
    ]);
    check(rows).await;
}

#[tokio::test]
async fn targets_are_told_apart() {
    use Expect::{Forwarded, Reused};
    const FRESH: &str = "Cache-Control: max-age=3600";
    let mut rows = Vec::new();
    for (one, other) in [
        ("?a", "?b"),
        ("?a", ""),
        ("?", ""),
        ("?a=1&b=2", "?b=2&a=1"),
        ("?a=%20", "?a=+"),
        ("?a=%41", "?a=A"),
        ("/a", "/a/"),
        ("/a", "/A"),
        ("/%61", "/a"),
        ("/a//b", "/a/b"),
        ("/%2f", "/%2F"),
    ] {
        rows.push(
            row("RFC 9111 §2", format!("{one} is not {other}"))
                .ok(&[FRESH])
                .ask("GET", one, &[], &[Forwarded])
                .ask("GET", other, &[], &[Forwarded])
                .ask("GET", one, &[], &[Reused, Expect::Body("answer 1")])
                .ask("GET", other, &[], &[Reused, Expect::Body("answer 2")]),
        );
    }
    rows.push(
        row("RFC 9110 §4.2.3", "a host in another case is the same host")
            .ok(&[FRESH])
            .get(&["Host: a.example"], &[])
            .get(&["Host: A.EXAMPLE"], &[Reused])
            .get(&["Host: b.example"], &[Forwarded]),
    );
    check(rows).await;
}
