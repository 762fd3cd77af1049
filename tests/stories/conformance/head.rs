//! RFC 9111 §4.3.5, RFC 9110 §9.3.2: `HEAD`, answered from a stored `GET` and never the other way.

use super::row::{Expect, Row, row};
use super::stand::check;

const FRESH: &str = "Cache-Control: max-age=3600";

#[tokio::test]
async fn a_head_is_answered_from_a_stored_get() {
    use Expect::{Body, Field, Forwarded, Reused, Status};
    check(vec![
        row("RFC 9111 §4", "from something fresh").ok(&[FRESH, "X-Any: 1"]).get(&[], &[]).ask(
            "HEAD",
            "",
            &[],
            &[Reused, Body(""), Field("content-length", "8"), Field("x-any", "1")],
        ),
        row("RFC 9111 §3", "the answer to a HEAD does not answer a GET")
            .ok(&[FRESH])
            .ask("HEAD", "", &[], &[Forwarded, Body("")])
            .get(&[], &[Forwarded, Body("answer 2")]),
        row("RFC 9110 §9.3.2", "a HEAD is sent as a HEAD").ok(&[FRESH]).ask(
            "HEAD",
            "",
            &[],
            &[Forwarded, Field("content-length", "8")],
        ),
        row("RFC 9111 §4", "from a stored error").status(404, &[FRESH]).get(&[], &[]).ask(
            "HEAD",
            "",
            &[],
            &[Reused, Status(404), Body("")],
        ),
        row("RFC 9111 §4", "not from something stale").ok(&[FRESH, "Age: 7200"]).get(&[], &[]).ask(
            "HEAD",
            "",
            &[],
            &[Forwarded],
        ),
        row("RFC 9111 §4.1", "not from another variant")
            .ok(&[FRESH, "Vary: Foo"])
            .get(&["Foo: 1"], &[])
            .ask("HEAD", "", &["Foo: 2"], &[Forwarded])
            .ask("HEAD", "", &["Foo: 1"], &[Reused]),
        row("RFC 9110 §14.2", "a Range means nothing in a HEAD").ok(&[FRESH]).get(&[], &[]).ask(
            "HEAD",
            "",
            &["Range: bytes=0-1"],
            &[Reused, Status(200), Field("content-length", "8")],
        ),
    ])
    .await;
}

/// Something stale, a `HEAD` that is answered so, and what a `GET` gets then.
fn after_a_head(claim: &str, stored: &[&str], head: &[&str], body: &str, expected: &[Expect]) -> Row {
    row("RFC 9111 §4.3.5", claim)
        .says(200, &[&[FRESH, "Age: 7200"][..], stored].concat(), "answer 1")
        .says(200, &[&[FRESH, "X-From: head"][..], head].concat(), body)
        .ok(&[FRESH])
        .get(&[], &[])
        .ask("HEAD", "", &[], &[Expect::Forwarded])
        .get(&[], expected)
}

#[tokio::test]
async fn a_head_freshens_and_invalidates() {
    use Expect::{Body, Field, Forwarded, Reused, SawNo};
    let freshened = [Reused, Body("answer 1"), Field("x-from", "head")];
    let gone = [Forwarded, Body("answer 3"), SawNo("if-none-match"), SawNo("if-modified-since")];
    let tag: &[&str] = &["ETag: \"a\""];
    let date: &[&str] = &["Last-Modified: {-864000}"];
    check(vec![
        after_a_head("the same tag freshens", tag, tag, "answer 1", &freshened),
        after_a_head("the same date freshens", date, date, "answer 1", &freshened),
        after_a_head("another tag invalidates", tag, &["ETag: \"b\""], "answer 1", &gone),
        after_a_head("another date invalidates", date, &["Last-Modified: {-800000}"], "answer 1", &gone),
        after_a_head("another length invalidates", tag, tag, "longer than before", &gone),
        after_a_head(
            "the same length alone tells nothing",
            &[],
            &[],
            "answer 1",
            &[Forwarded, Body("answer 3")],
        ),
        row("RFC 9111 §4.3.5", "a HEAD is no question by a validator")
            .ok(&[FRESH, "Age: 7200", "ETag: \"a\""])
            .get(&[], &[])
            .ask("HEAD", "", &[], &[Forwarded]),
        row("RFC 9111 §4.3.5", "a HEAD that fails leaves what is stored")
            .ok(&[FRESH, "ETag: \"a\""])
            .status(404, &[])
            .get(&[], &[])
            .ask("HEAD", "", &["Cache-Control: no-cache"], &[Forwarded, Expect::Status(404)])
            .get(&[], &[Reused, Body("answer 1")]),
    ])
    .await;
}
