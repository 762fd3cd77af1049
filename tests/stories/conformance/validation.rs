//! RFC 9111 §4.3, RFC 9110 §13: asking whether what is stored still holds, and answering callers who ask that.

use super::row::{Expect, Row, row, validated};
use super::stand::check;

const FRESH: &str = "Cache-Control: max-age=3600";
const STALE: [&str; 2] = ["Cache-Control: max-age=3600", "Age: 7200"];
const CHANGED: &str = "Last-Modified: {-864000}";

/// Something stale with these fields, asked for again: what the origin is asked by.
fn asked_by(claim: &str, validators: &[&str], expected: &[Expect]) -> Row {
    let lines = [&STALE[..], validators].concat();
    let update = [&[FRESH][..], validators].concat();
    row("RFC 9111 §4.3.1", claim).ok(&lines).says(304, &update, "").get(&[], &[]).get(&[], expected)
}

#[tokio::test]
async fn the_origin_is_asked_by_what_it_said() {
    use Expect::{Forwarded, Saw, SawNo, Validated};
    check(vec![
        asked_by(
            "a strong tag",
            &["ETag: \"a\""],
            &[Validated, Saw("if-none-match", "\"a\""), SawNo("if-modified-since")],
        ),
        asked_by("a weak tag", &["ETag: W/\"a\""], &[Validated, Saw("if-none-match", "W/\"a\"")]),
        asked_by("an empty tag", &["ETag: \"\""], &[Validated, Saw("if-none-match", "\"\"")]),
        asked_by("a tag with a comma", &["ETag: \"a,b\""], &[Validated, Saw("if-none-match", "\"a,b\"")]),
        asked_by(
            "a tag with a backslash",
            &["ETag: \"a\\b\""],
            &[Validated, Saw("if-none-match", "\"a\\b\"")],
        ),
        asked_by("a long tag", &[&format!("ETag: \"{}\"", "a".repeat(500))], &[Validated]),
        asked_by(
            "a date",
            &[CHANGED],
            &[Validated, Saw("if-modified-since", "{-864000}"), SawNo("if-none-match")],
        ),
        asked_by(
            "a tag and a date",
            &["ETag: \"a\"", CHANGED],
            &[Validated, Saw("if-none-match", "\"a\""), Saw("if-modified-since", "{-864000}")],
        ),
        asked_by(
            "a date as RFC 850 has it",
            &["Last-Modified: {-864000|rfc850}"],
            &[Validated, Saw("if-modified-since", "{-864000|rfc850}")],
        ),
        row("RFC 9111 §4.3.1", "a tag without quotes is none")
            .ok(&["Cache-Control: max-age=3600", "Age: 7200", "ETag: a"])
            .get(&[], &[])
            .get(&[], &[Forwarded, SawNo("if-none-match")]),
        row("RFC 9111 §4.3.1", "a caller's own tag is not asked by where something is stored")
            .ok(&["Cache-Control: max-age=3600", "Age: 7200", "ETag: \"a\""])
            .says(304, &[FRESH, "ETag: \"a\""], "")
            .get(&[], &[])
            .get(&["If-None-Match: \"b\""], &[Validated, Saw("if-none-match", "\"a\"")]),
        row("RFC 9111 §4.3.1", "a caller's own date is not either")
            .ok(&["Cache-Control: max-age=3600", "Age: 7200", CHANGED])
            .says(304, &[FRESH, CHANGED], "")
            .get(&[], &[])
            .get(&["If-Modified-Since: {-999999}"], &[Validated, Saw("if-modified-since", "{-864000}")]),
        row("RFC 9111 §4.3.2", "a caller's question is passed on where nothing is stored")
            .says(304, &["ETag: \"a\""], "")
            .get(&["If-None-Match: \"a\""], &[Expect::Status(304), Saw("if-none-match", "\"a\"")]),
        row("RFC 9111 §4.3.2", "and so is one by date").says(304, &[CHANGED], "").get(
            &["If-Modified-Since: {-864000}"],
            &[Expect::Status(304), Saw("if-modified-since", "{-864000}")],
        ),
        row("RFC 9111 §4.3.4", "a 304 without validators is about what was asked for")
            .ok(&["Cache-Control: max-age=3600", "Age: 7200", "ETag: \"a\""])
            .says(304, &[FRESH], "")
            .get(&[], &[])
            .get(&[], &[Validated])
            .get(&[], &[Expect::Reused]),
        row("RFC 9111 §4.3.4", "a 304 with the weak form of the tag is about it")
            .ok(&["Cache-Control: max-age=3600", "Age: 7200", "ETag: \"a\""])
            .says(304, &[FRESH, "ETag: W/\"a\""], "")
            .get(&[], &[])
            .get(&[], &[Validated]),
        row("RFC 9111 §4.3.4", "a 304 about something else is no answer")
            .ok(&["Cache-Control: max-age=3600", "Age: 7200", "ETag: \"a\""])
            .says(304, &[FRESH, "ETag: \"b\""], "")
            .ok(&[FRESH, "ETag: \"b\""])
            .get(&[], &[])
            .get(&[], &[Expect::Asked(3), Expect::Status(200), Expect::Body("answer 3")])
            .get(&[], &[Expect::Reused, Expect::Body("answer 3")]),
        row("RFC 9111 §4.3.3", "a 200 replaces what is stored")
            .ok(&["Cache-Control: max-age=3600", "Age: 7200", "ETag: \"a\""])
            .ok(&[FRESH, "ETag: \"b\""])
            .get(&[], &[])
            .get(&[], &[Forwarded, Expect::Body("answer 2")])
            .get(&[], &[Expect::Reused, Expect::Body("answer 2"), Expect::Field("etag", "\"b\"")]),
        validated(
            "RFC 9111 §4.3.1",
            "a 404 can be validated, too",
            &["Cache-Control: no-cache", "ETag: \"a\""],
        ),
        row("RFC 9111 §4.3.4", "a 304 that says no-store takes away what it freshens")
            .ok(&["Cache-Control: max-age=3600", "Age: 7200", "ETag: \"a\""])
            .says(304, &["Cache-Control: no-store", "ETag: \"a\""], "")
            .ok(&[FRESH])
            .get(&[], &[])
            .get(&[], &[Validated])
            .get(&[], &[Forwarded, SawNo("if-none-match")]),
    ])
    .await;
}

/// A stored answer, and a caller who asks by something: 304 or the whole, from storage.
fn asked_of_us(claim: &str, stored: &[&str], lines: &[&str], status: u16) -> Row {
    let lines_stored = [&[FRESH][..], stored].concat();
    let expected = [Expect::Reused, Expect::Status(status)];
    row("RFC 9111 §4.3.2", claim).ok(&lines_stored).get(&[], &[]).get(lines, &expected)
}

#[tokio::test]
async fn callers_who_ask_are_answered_from_storage() {
    const TAG: &[&str] = &["ETag: \"a\""];
    const WEAK: &[&str] = &["ETag: W/\"a\""];
    const DATE: &[&str] = &[CHANGED];
    const BOTH: &[&str] = &["ETag: \"a\"", CHANGED];
    check(vec![
        asked_of_us("the same tag", TAG, &["If-None-Match: \"a\""], 304),
        asked_of_us("another tag", TAG, &["If-None-Match: \"b\""], 200),
        asked_of_us("the same tag, weak", TAG, &["If-None-Match: W/\"a\""], 304),
        asked_of_us("a weak tag, strong", WEAK, &["If-None-Match: \"a\""], 304),
        asked_of_us("a weak tag, weak", WEAK, &["If-None-Match: W/\"a\""], 304),
        asked_of_us("in a list, first", TAG, &["If-None-Match: \"a\", \"b\""], 304),
        asked_of_us("in a list, last", TAG, &["If-None-Match: \"b\", \"a\""], 304),
        asked_of_us("in a list without blanks", TAG, &["If-None-Match: \"b\",\"a\",\"c\""], 304),
        asked_of_us("in a list with empty members", TAG, &["If-None-Match: , \"b\",, \"a\""], 304),
        asked_of_us("on a second line", TAG, &["If-None-Match: \"b\"", "If-None-Match: \"a\""], 304),
        asked_of_us("not in a list", TAG, &["If-None-Match: \"b\", \"c\""], 200),
        asked_of_us("anything", TAG, &["If-None-Match: *"], 304),
        asked_of_us("anything, where there is no tag", &[], &["If-None-Match: *"], 304),
        asked_of_us("a tag, where there is none", &[], &["If-None-Match: \"a\""], 200),
        asked_of_us("a tag with a comma, whole", &["ETag: \"a,b\""], &["If-None-Match: \"a,b\""], 304),
        asked_of_us("a tag with a comma, in parts", &["ETag: \"b\""], &["If-None-Match: \"a,b\""], 200),
        asked_of_us("a tag in another case", TAG, &["If-None-Match: \"A\""], 200),
        asked_of_us("a tag without quotes", TAG, &["If-None-Match: a"], 200),
        asked_of_us("a W in the small", WEAK, &["If-None-Match: w/\"a\""], 200),
        asked_of_us("the same date", DATE, &["If-Modified-Since: {-864000}"], 304),
        asked_of_us("a later date", DATE, &["If-Modified-Since: {-100}"], 304),
        asked_of_us("an earlier date", DATE, &["If-Modified-Since: {-900000}"], 200),
        asked_of_us("the same date as RFC 850 has it", DATE, &["If-Modified-Since: {-864000|rfc850}"], 304),
        asked_of_us("the same date as asctime has it", DATE, &["If-Modified-Since: {-864000|asctime}"], 304),
        asked_of_us("a date that is none", DATE, &["If-Modified-Since: yesterday"], 200),
        asked_of_us("a date without a zone", DATE, &["If-Modified-Since: {-864000|no zone}"], 200),
        asked_of_us(
            "Date stands where Last-Modified does not",
            &["Date: {-100}"],
            &["If-Modified-Since: {-100}"],
            304,
        ),
        asked_of_us(
            "Date stands where Last-Modified does not, and is later",
            &["Date: {-100}"],
            &["If-Modified-Since: {-200}"],
            200,
        ),
        asked_of_us(
            "the tag counts and the date does not",
            BOTH,
            &["If-None-Match: \"b\"", "If-Modified-Since: {-864000}"],
            200,
        ),
        asked_of_us(
            "the tag counts and the date does not, the other way round",
            BOTH,
            &["If-None-Match: \"a\"", "If-Modified-Since: {-900000}"],
            304,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_304_from_storage_has_the_fields_that_matter() {
    use Expect::{Field, Reused, Status, Without};
    check(vec![
        row("RFC 9110 §15.4.5", "those that a 200 would have had")
            .ok(&[FRESH, "ETag: \"a\"", "Date: {-10}", "Expires: {+9}", "Vary: Foo", "Content-Location: /x"])
            .get(&[], &[])
            .get(
                &["If-None-Match: \"a\""],
                &[
                    Reused,
                    Status(304),
                    Field("etag", "\"a\""),
                    Field("cache-control", "max-age=3600"),
                    Field("date", "{-10}"),
                    Field("expires", "{+9}"),
                    Field("vary", "Foo, accept-encoding"),
                    Field("content-location", "/x"),
                    Expect::Body(""),
                ],
            ),
        row("RFC 9110 §15.4.5", "and none that describe content that is not there")
            .ok(&[FRESH, "ETag: \"a\"", "Content-Type: text/plain", "Content-Language: ja"])
            .get(&[], &[])
            .get(
                &["If-None-Match: \"a\""],
                &[Status(304), Without("content-length"), Without("content-type")],
            ),
        row("RFC 9110 §13.1.1", "If-Match is for the origin")
            .ok(&[FRESH, "ETag: \"a\""])
            .status(412, &[])
            .get(&[], &[])
            .get(&["If-Match: \"b\""], &[Expect::Forwarded, Status(412), Expect::Saw("if-match", "\"b\"")])
            .get(&[], &[Reused]),
        row("RFC 9110 §13.1.4", "If-Unmodified-Since is for the origin")
            .ok(&[FRESH, CHANGED])
            .status(412, &[])
            .get(&[], &[])
            .get(&["If-Unmodified-Since: {-900000}"], &[Expect::Forwarded, Status(412)])
            .get(&[], &[Reused]),
        row("RFC 9110 §13.2.1", "a stored error is not asked about by callers")
            .status(404, &[FRESH, "ETag: \"a\""])
            .get(&[], &[])
            .get(&["If-None-Match: \"a\""], &[Reused, Status(404)]),
        row("RFC 9110 §13.2.1", "nor is a stored redirection")
            .status(301, &[FRESH, "ETag: \"a\"", "Location: /x"])
            .get(&[], &[])
            .get(&["If-None-Match: \"a\""], &[Reused, Status(301), Field("location", "/x")]),
        row("RFC 9110 §13.1.2", "a HEAD may ask, too").ok(&[FRESH, "ETag: \"a\""]).get(&[], &[]).ask(
            "HEAD",
            "",
            &["If-None-Match: \"a\""],
            &[Reused, Status(304)],
        ),
        row("RFC 9111 §4.3.3", "a caller who knows the new one is told so, and it is stored")
            .ok(&[STALE[0], STALE[1], "ETag: \"a\""])
            .ok(&[FRESH, "ETag: \"b\""])
            .get(&[], &[])
            .get(&["If-None-Match: \"b\""], &[Status(304), Field("etag", "\"b\"")])
            .until(&[], &[Reused, Expect::Body("answer 2"), Expect::Asked(2)]),
    ])
    .await;
}
