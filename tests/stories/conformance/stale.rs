//! RFC 9111 §4.2.4, RFC 5861: answers that are stale, and when they are given all the same.

use super::row::{Expect, Row, row};
use super::stand::check;

const TAG: &str = "ETag: \"a\"";

/// Something that has been stale for 1000 seconds, and an origin that then fails in this way.
fn failing(
    claim: &str,
    directives: &str,
    failure: impl Fn(Row) -> Row,
    lines: &[&str],
    expected: &[Expect],
) -> Row {
    let line = format!("Cache-Control: {directives}");
    failure(row("RFC 5861 §4", claim).ok(&[&line, "Age: 4600"])).get(&[], &[]).get(lines, expected)
}

#[tokio::test]
async fn stale_answers_stand_in_for_errors_where_they_may() {
    use Expect::{Forwarded, Stale, Status};
    let with = |status: u16| move |row: Row| row.status(status, &[]);
    let cut = |row: Row| row.bytes_and_end("");
    let half = |row: Row| row.bytes_and_end("HTTP/1.1 200 OK\r\ncontent-le");
    let mut rows = vec![
        failing("a 500 without any permission", "max-age=3600", with(500), &[], &[Status(500)]),
        failing("a 503 without any permission", "max-age=3600", with(503), &[], &[Status(503)]),
        failing(
            "stale-if-error that is too short",
            "max-age=3600, stale-if-error=500",
            with(503),
            &[],
            &[Status(503)],
        ),
        failing(
            "stale-if-error that cannot be read",
            "max-age=3600, stale-if-error=a",
            with(503),
            &[],
            &[Status(503)],
        ),
        failing(
            "stale-if-error of nothing",
            "max-age=3600, stale-if-error=0",
            with(503),
            &[],
            &[Status(503)],
        ),
        failing(
            "stale-if-error in quotes",
            "max-age=3600, stale-if-error=\"5000\"",
            with(503),
            &[],
            &[Stale],
        ),
        failing(
            "stale-if-error in a request",
            "max-age=3600",
            with(503),
            &["Cache-Control: stale-if-error=5000"],
            &[Stale],
        ),
        failing(
            "stale-if-error in a request that is too short",
            "max-age=3600",
            with(503),
            &["Cache-Control: stale-if-error=500"],
            &[Status(503)],
        ),
        failing(
            "a connection that ends, without a word on stale answers",
            "max-age=3600",
            cut,
            &[],
            &[Stale, Status(200)],
        ),
        failing("a connection that ends within the head", "max-age=3600", half, &[], &[Stale, Status(200)]),
        failing(
            "a connection that ends with stale-if-error",
            "max-age=3600, stale-if-error=5000",
            cut,
            &[],
            &[Stale],
        ),
        failing(
            "a connection that ends with a stale-if-error that is too short",
            "max-age=3600, stale-if-error=500",
            cut,
            &[],
            &[Status(502)],
        ),
    ];
    for status in [500, 502, 503, 504] {
        rows.push(failing(
            &format!("{status} with stale-if-error"),
            "max-age=3600, stale-if-error=5000",
            with(status),
            &[],
            &[Stale, Status(200), Expect::Body("answer 1")],
        ));
    }
    for status in [400, 404, 410, 501, 505, 429] {
        rows.push(failing(
            &format!("{status} is no error of this kind"),
            "max-age=3600, stale-if-error=5000",
            with(status),
            &[],
            &[Forwarded, Status(status)],
        ));
    }
    for forbidden in ["must-revalidate", "proxy-revalidate", "s-maxage=3600", "no-cache"] {
        let directives = format!("max-age=3600, stale-if-error=5000, {forbidden}");
        rows.push(failing(&format!("a 503 with {forbidden}"), &directives, with(503), &[], &[Status(503)]));
        rows.push(failing(
            &format!("a connection that ends with {forbidden}"),
            &directives,
            cut,
            &[],
            &[Status(502)],
        ));
        rows.push(failing(
            &format!("stale-if-error in a request with {forbidden}"),
            &directives,
            with(503),
            &["Cache-Control: stale-if-error=5000"],
            &[Status(503)],
        ));
    }
    for line in ["Cache-Control: no-cache", "Pragma: no-cache", "Cache-Control: no-store"] {
        rows.push(failing(
            &format!("a caller who says {line} is told of the error"),
            "max-age=3600, stale-if-error=5000",
            with(503),
            &[line],
            &[Status(503)],
        ));
    }
    check(rows).await;
}

#[tokio::test]
async fn stale_answers_are_given_while_a_new_one_is_fetched() {
    use Expect::{Body, Forwarded, Reused, Stale, Status, Told};
    const WINDOW: &str = "Cache-Control: max-age=3600, stale-while-revalidate=5000";
    let asks = |claim: &str, directives: &str, lines: &[&str], expected: &[Expect]| {
        let line = format!("Cache-Control: {directives}");
        row("RFC 5861 §3", claim).ok(&[&line, "Age: 4600"]).get(&[], &[]).get(lines, expected)
    };
    let mut rows = vec![
        asks(
            "within the window",
            "max-age=3600, stale-while-revalidate=5000",
            &[],
            &[Stale, Body("answer 1"), Told("detail=")],
        ),
        asks("beyond the window", "max-age=3600, stale-while-revalidate=500", &[], &[Forwarded]),
        asks("a window that cannot be read", "max-age=3600, stale-while-revalidate=a", &[], &[Forwarded]),
        asks("a window of nothing", "max-age=3600, stale-while-revalidate=0", &[], &[Forwarded]),
        asks("a window in quotes", "max-age=3600, stale-while-revalidate=\"5000\"", &[], &[Stale]),
        asks(
            "a caller who wants it validated",
            "max-age=3600, stale-while-revalidate=5000",
            &["Cache-Control: no-cache"],
            &[Forwarded],
        ),
        asks(
            "a caller who wants something young",
            "max-age=3600, stale-while-revalidate=5000",
            &["Cache-Control: max-age=10"],
            &[Forwarded],
        ),
        row("RFC 5861 §3", "the next caller gets the new one")
            .ok(&[WINDOW, "Age: 4600"])
            .ok(&["Cache-Control: max-age=3600"])
            .get(&[], &[])
            .get(&[], &[Stale, Body("answer 1")])
            .until(&[], &[Reused, Body("answer 2"), Expect::Asked(2)]),
        row("RFC 5861 §3", "the question in the background is by the tag")
            .ok(&[WINDOW, "Age: 4600", TAG])
            .says(304, &["Cache-Control: max-age=3600", TAG], "")
            .get(&[], &[])
            .get(&[], &[Stale])
            .until(&[], &[Reused, Body("answer 1"), Expect::Asked(2), Expect::Saw("if-none-match", "\"a\"")]),
        row("RFC 5861 §3", "an error in the background leaves the stale one in its place")
            .ok(&[
                "Cache-Control: max-age=3600, stale-while-revalidate=5000, stale-if-error=5000",
                "Age: 4600",
            ])
            .status(503, &[])
            .get(&[], &[])
            .get(&[], &[Stale])
            .until(&[], &[Stale, Expect::AskedAtLeast(2), Body("answer 1")])
            .get(&[], &[Stale, Body("answer 1"), Status(200)]),
    ];
    for forbidden in ["must-revalidate", "proxy-revalidate", "s-maxage=3600", "no-cache"] {
        let directives = format!("max-age=3600, stale-while-revalidate=5000, {forbidden}");
        rows.push(asks(&format!("the window with {forbidden}"), &directives, &[], &[Forwarded]));
    }
    check(rows).await;
}

#[tokio::test]
async fn a_stale_answer_is_validated_or_replaced() {
    use Expect::{Body, Forwarded, Reused, SawNo, Told};
    check(vec![
        row("RFC 9111 §4.2.4", "without a validator it is asked for anew")
            .ok(&["Cache-Control: max-age=3600", "Age: 4600"])
            .ok(&["Cache-Control: max-age=3600"])
            .get(&[], &[])
            .get(&[], &[Forwarded, Told("fwd=stale"), SawNo("if-none-match")])
            .get(&[], &[Reused, Body("answer 2")]),
        row("RFC 9111 §4.2.4", "a newer one that must not be stored takes its place, too")
            .ok(&["Cache-Control: max-age=3600", "Age: 4600"])
            .ok(&["Cache-Control: no-store"])
            .bytes_and_end("")
            .get(&[], &[])
            .get(&[], &[Forwarded, Body("answer 2")])
            .get(&[], &[Expect::Status(502)]),
        row("RFC 9111 §4.2.4", "a 404 does, too")
            .ok(&["Cache-Control: max-age=3600", "Age: 4600"])
            .status(404, &["Cache-Control: max-age=3600"])
            .get(&[], &[])
            .get(&[], &[Forwarded, Expect::Status(404)])
            .get(&[], &[Reused, Expect::Status(404)]),
        row("RFC 9111 §4.2.4", "an error of the origin's does not")
            .ok(&["Cache-Control: max-age=3600", "Age: 4600", TAG])
            .status(500, &["Cache-Control: max-age=3600"])
            .says(304, &["Cache-Control: max-age=3600", TAG], "")
            .get(&[], &[])
            .get(&[], &[Forwarded, Expect::Status(500)])
            .get(&[], &[Expect::Validated]),
        row("RFC 9111 §5.5", "a stale answer says so")
            .ok(&["Cache-Control: max-age=3600", "Age: 4600"])
            .get(&[], &[])
            .get(&["Cache-Control: max-stale"], &[Expect::Stale, Told("ttl=-10"), Told("detail=max-stale")]),
    ])
    .await;
}
