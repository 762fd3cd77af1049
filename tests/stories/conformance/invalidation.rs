//! RFC 9111 §4.4: what a write puts in doubt.

use super::row::{Expect, Row, row};
use super::stand::check;

const FRESH: &str = "Cache-Control: max-age=3600";
const UNSAFE: [&str; 7] = ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "PROPPATCH", "FOO"];

/// Something stored at a place behind the row's path, then a request with another method to the row's path, which is
/// answered so, and what there is at the place afterwards.
fn after(claim: &str, method: &str, place: &str, status: u16, lines: &[&str], expected: &Expect) -> Row {
    row("RFC 9111 §4.4", format!("{claim}: {method}"))
        .ok(&[FRESH])
        .status(status, lines)
        .ok(&[FRESH])
        .ask("GET", place, &[], &[Expect::Forwarded])
        .ask(method, "", &[], &[Expect::Forwarded, Expect::Told("fwd=method"), Expect::Status(status)])
        .ask("GET", place, &[], std::slice::from_ref(expected))
}

#[tokio::test]
async fn a_write_takes_away_what_it_may_have_changed() {
    use Expect::{Forwarded, Reused};
    let mut rows = Vec::new();
    for method in UNSAFE {
        rows.extend([
            after("the target, on success", method, "", 204, &[], &Forwarded),
            after("the target, on a redirection", method, "", 303, &["Location: /elsewhere"], &Forwarded),
            after("the target, not on an error of the caller's", method, "", 404, &[], &Reused),
            after("the target, not on a failure", method, "", 500, &[], &Reused),
            after("the Location", method, "/b", 201, &["Location: {here}/b"], &Forwarded),
            after("the Content-Location", method, "/b", 200, &["Content-Location: {here}/b"], &Forwarded),
            after("not the Location of an error", method, "/b", 500, &["Location: {here}/b"], &Reused),
            after(
                "not the Content-Location of an error",
                method,
                "/b",
                400,
                &["Content-Location: {here}/b"],
                &Reused,
            ),
            after(
                "not a Location elsewhere",
                method,
                "/b",
                201,
                &["Location: http://other.example{here}/b"],
                &Reused,
            ),
            after(
                "not a Content-Location elsewhere",
                method,
                "/b",
                200,
                &["Content-Location: http://other.example{here}/b"],
                &Reused,
            ),
            after("nothing beside the target", method, "/b", 204, &[], &Reused),
            after("nothing but the target with its query", method, "?b", 204, &[], &Reused),
        ]);
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        let asked = row("RFC 9111 §4.4", format!("a {method} changes nothing"))
            .ok(&[FRESH])
            .status(200, &["Location: {here}/b", "Content-Location: {here}/b"])
            .ask("GET", "/b", &[], &[])
            .ask(method, "", &[], &[])
            .ask("GET", "/b", &[], &[Reused]);
        rows.push(asked);
    }
    check(rows).await;
}

#[tokio::test]
async fn references_are_resolved() {
    use Expect::{Forwarded, Reused};
    let mut rows = Vec::new();
    for (reference, place, expected) in [
        ("{here}/b", "/b", Forwarded),
        ("{here}/b#part", "/b", Forwarded),
        ("{here}/a/../b", "/b", Forwarded),
        ("?b", "?b", Forwarded),
        ("", "", Forwarded),
        ("{here}/b?c=d", "/b?c=d", Forwarded),
        ("{here}/b?c=d", "/b", Reused),
        ("//other.example{here}/b", "/b", Reused),
        ("https://other.example{here}/b", "/b", Reused),
        ("mailto:a@b.example", "/b", Reused),
        ("not a reference", "/b", Reused),
    ] {
        for name in ["Location", "Content-Location"] {
            let line = format!("{name}: {reference}");
            rows.push(after(&format!("{line} and {place}"), "POST", place, 201, &[&line], &expected));
        }
    }
    check(rows).await;
}

#[tokio::test]
async fn all_that_is_stored_of_a_target_goes() {
    use Expect::{Forwarded, Reused, Told};
    check(vec![
        row("RFC 9111 §4.4", "all variants")
            .ok(&[FRESH, "Vary: Foo"])
            .ok(&[FRESH, "Vary: Foo"])
            .status(204, &[])
            .ok(&[FRESH, "Vary: Foo"])
            .get(&["Foo: 1"], &[])
            .get(&["Foo: 2"], &[])
            .get(&["Foo: 1"], &[Reused])
            .ask("POST", "", &[], &[])
            .get(&["Foo: 1"], &[Forwarded])
            .get(&["Foo: 2"], &[Forwarded]),
        row("RFC 9111 §4.4", "for callers with other fields, too")
            .ok(&[FRESH])
            .status(204, &[])
            .ok(&[FRESH])
            .get(&["Cookie: a=b"], &[])
            .ask("POST", "", &[], &[])
            .get(&["Cookie: a=b"], &[Forwarded]),
        row("RFC 9111 §4.4", "what is stored in part")
            .says(206, &[FRESH, "ETag: \"a\"", "Content-Range: bytes 0-1/4"], "an")
            .status(204, &[])
            .says(206, &[FRESH, "ETag: \"b\"", "Content-Range: bytes 0-1/4"], "AN")
            .get(&["Range: bytes=0-1"], &[])
            .ask("DELETE", "", &[], &[])
            .get(&["Range: bytes=0-1"], &[Forwarded, Expect::Body("AN")]),
        row("RFC 9111 §4.4", "what is stored of another authority stays")
            .ok(&[FRESH])
            .ok(&[FRESH])
            .status(204, &[])
            .get(&["Host: a.example"], &[])
            .get(&["Host: b.example"], &[])
            .ask("POST", "", &["Host: a.example"], &[])
            .get(&["Host: b.example"], &[Reused])
            .get(&["Host: a.example"], &[Forwarded]),
        row("RFC 9111 §4", "the answer to a write is not stored")
            .ok(&[FRESH])
            .send("POST", &[], "content", &[Forwarded])
            .send("POST", &[], "content", &[Forwarded, Told("fwd=method")])
            .get(&[], &[Forwarded]),
        row("RFC 9110 §9.3.3", "not even where it says that it is what a GET would get")
            .ok(&[FRESH, "Content-Location: {here}"])
            .send("POST", &[], "content", &[Forwarded])
            .get(&[], &[Forwarded]),
        row("RFC 9111 §4", "a write is forwarded, whatever is stored")
            .ok(&[FRESH])
            .status(405, &[FRESH])
            .get(&[], &[])
            .ask("PUT", "", &[], &[Forwarded, Expect::Status(405)])
            .get(&[], &[Reused]),
    ])
    .await;
}
