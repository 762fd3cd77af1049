//! RFC 9111 §5.2.1, §5.4: what a caller asks of the cache.

use super::row::{Expect, Row, row};
use super::stand::check;

const TAG: &str = "ETag: \"a\"";

/// Something that is fresh for 2600 seconds more, after it has been so for 1000.
fn with_fresh(claim: &str, lines: &[&str], expected: &[Expect]) -> Row {
    row("RFC 9111 §5.2.1", claim)
        .ok(&["Cache-Control: max-age=3600", "Age: 1000"])
        .get(&[], &[])
        .get(lines, expected)
}

/// Something that has been stale for 1000 seconds.
fn with_stale(claim: &str, lines: &[&str], expected: &[Expect]) -> Row {
    row("RFC 9111 §5.2.1", claim)
        .ok(&["Cache-Control: max-age=3600", "Age: 4600"])
        .get(&[], &[])
        .get(lines, expected)
}

#[tokio::test]
async fn a_caller_may_want_something_fresher() {
    use Expect::{Forwarded, Reused, Saw, Told};
    check(vec![
        with_fresh("max-age that is enough", &["Cache-Control: max-age=2000"], &[Reused]),
        with_fresh("max-age that is not", &["Cache-Control: max-age=500"], &[Forwarded, Told("fwd=request")]),
        with_fresh(
            "max-age=0",
            &["Cache-Control: max-age=0"],
            &[Forwarded, Told("fwd=request"), Saw("cache-control", "max-age=0")],
        ),
        with_fresh("max-age in quotes", &["Cache-Control: max-age=\"500\""], &[Forwarded]),
        with_fresh("max-age in capitals", &["CACHE-CONTROL: MAX-AGE=500"], &[Forwarded]),
        with_fresh("two max-age", &["Cache-Control: max-age=2000, max-age=500"], &[Forwarded]),
        with_fresh(
            "max-age that cannot be read asks for the most",
            &["Cache-Control: max-age=a"],
            &[Forwarded],
        ),
        with_fresh("max-age beyond 2⁶⁴", &["Cache-Control: max-age=99999999999999999999"], &[Reused]),
        with_fresh("min-fresh that is enough", &["Cache-Control: min-fresh=2000"], &[Reused]),
        with_fresh(
            "min-fresh that is not",
            &["Cache-Control: min-fresh=3000"],
            &[Forwarded, Told("fwd=request")],
        ),
        with_fresh("min-fresh=0", &["Cache-Control: min-fresh=0"], &[Reused]),
        with_fresh("min-fresh with max-age", &["Cache-Control: max-age=2000, min-fresh=2000"], &[Reused]),
        with_fresh(
            "no-cache",
            &["Cache-Control: no-cache"],
            &[Forwarded, Told("fwd=request"), Saw("cache-control", "no-cache")],
        ),
        with_fresh("no-cache in capitals", &["Cache-Control: NO-CACHE"], &[Forwarded]),
        with_fresh("no-cache among others", &["Cache-Control: foo, no-cache, max-age=9999"], &[Forwarded]),
        with_fresh(
            "no-cache on the second line",
            &["Cache-Control: foo", "Cache-Control: no-cache"],
            &[Forwarded],
        ),
        with_fresh("no-store", &["Cache-Control: no-store"], &[Forwarded]),
        with_fresh("Pragma: no-cache", &["Pragma: no-cache"], &[Forwarded]),
        with_fresh("Pragma: no-cache in capitals", &["Pragma: NO-CACHE"], &[Forwarded]),
        with_fresh("Pragma: no-cache among others", &["Pragma: foo, no-cache"], &[Forwarded]),
        with_fresh(
            "Pragma beside Cache-Control does not count",
            &["Pragma: no-cache", "Cache-Control: max-age=2000"],
            &[Reused],
        ),
        with_fresh("another Pragma", &["Pragma: foo"], &[Reused]),
        with_fresh("an unknown directive", &["Cache-Control: foo=1"], &[Reused]),
        with_fresh(
            "directives of answers mean nothing in requests",
            &["Cache-Control: private, must-revalidate, s-maxage=0, public"],
            &[Reused],
        ),
        with_fresh("only-if-cached", &["Cache-Control: only-if-cached"], &[Reused]),
        with_fresh(
            "only-if-cached with a max-age that is enough",
            &["Cache-Control: only-if-cached, max-age=2000"],
            &[Reused],
        ),
        with_fresh(
            "only-if-cached with one that is not",
            &["Cache-Control: only-if-cached, max-age=500"],
            &[Expect::Status(504), Expect::Asked(1)],
        ),
        with_fresh("max-stale of something fresh", &["Cache-Control: max-stale=0"], &[Reused]),
        with_fresh("no-transform", &["Cache-Control: no-transform"], &[Reused]),
    ])
    .await;
}

#[tokio::test]
async fn a_caller_may_accept_what_is_stale() {
    use Expect::{Asked, Forwarded, Stale, Status};
    check(vec![
        with_stale("nothing said", &[], &[Forwarded]),
        with_stale("max-stale without a limit", &["Cache-Control: max-stale"], &[Stale, Asked(1)]),
        with_stale("max-stale that is enough", &["Cache-Control: max-stale=2000"], &[Stale, Asked(1)]),
        with_stale("max-stale that is not", &["Cache-Control: max-stale=500"], &[Forwarded]),
        with_stale("max-stale in quotes", &["Cache-Control: max-stale=\"2000\""], &[Stale]),
        with_stale("max-stale that cannot be read", &["Cache-Control: max-stale=a"], &[Forwarded]),
        with_stale("two max-stale", &["Cache-Control: max-stale=2000, max-stale=500"], &[Forwarded]),
        with_stale(
            "max-stale with a max-age that is enough",
            &["Cache-Control: max-stale=2000, max-age=5000"],
            &[Stale],
        ),
        with_stale(
            "max-stale with a max-age that is not",
            &["Cache-Control: max-stale=2000, max-age=4000"],
            &[Forwarded],
        ),
        with_stale(
            "max-stale with min-fresh",
            &["Cache-Control: max-stale=2000, min-fresh=10"],
            &[Forwarded],
        ),
        with_stale("max-stale with no-cache", &["Cache-Control: max-stale, no-cache"], &[Forwarded]),
        with_stale("only-if-cached", &["Cache-Control: only-if-cached"], &[Status(504), Asked(1)]),
        with_stale(
            "only-if-cached with max-stale",
            &["Cache-Control: only-if-cached, max-stale"],
            &[Stale, Asked(1)],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_request_may_forbid_and_demand() {
    use Expect::{Asked, Forwarded, Reused, Status, Told, Validated};
    const FRESH: &str = "Cache-Control: max-age=3600";
    check(vec![
        row("RFC 9111 §5.2.1.5", "what answers a request with no-store is not stored")
            .ok(&[FRESH])
            .get(&["Cache-Control: no-store"], &[Forwarded, Told("detail=request-no-store")])
            .get(&[], &[Forwarded])
            .get(&[], &[Reused]),
        row("RFC 9111 §5.2.1.5", "no-store leaves what is stored where it is")
            .ok(&[FRESH])
            .get(&[], &[])
            .get(&["Cache-Control: no-store"], &[Forwarded])
            .get(&[], &[Reused, Expect::Body("answer 1")]),
        row("RFC 9111 §5.2.1.4", "what answers a request with no-cache is stored")
            .ok(&[FRESH])
            .get(&["Cache-Control: no-cache"], &[Forwarded])
            .get(&[], &[Reused]),
        row("RFC 9111 §5.2.1.4", "and takes the place of what was stored")
            .ok(&[FRESH])
            .get(&[], &[])
            .get(&["Cache-Control: no-cache"], &[Forwarded])
            .get(&[], &[Reused, Expect::Body("answer 2")]),
        row("RFC 9111 §5.2.1.4", "no-cache is a question where there is a validator")
            .ok(&[FRESH, TAG])
            .says(304, &[FRESH, TAG], "")
            .get(&[], &[])
            .get(&["Cache-Control: no-cache"], &[Validated])
            .get(&[], &[Reused]),
        row("RFC 9111 §5.2.1.1", "and so is max-age=0")
            .ok(&[FRESH, TAG])
            .says(304, &[FRESH, TAG], "")
            .get(&[], &[])
            .get(&["Cache-Control: max-age=0"], &[Validated])
            .get(&[], &[Reused]),
        row("RFC 9111 §5.4", "and so is Pragma")
            .ok(&[FRESH, TAG])
            .says(304, &[FRESH, TAG], "")
            .get(&[], &[])
            .get(&["Pragma: no-cache"], &[Validated]),
        row("RFC 9111 §5.2.1.7", "only-if-cached with nothing stored")
            .ok(&[FRESH])
            .get(&["Cache-Control: only-if-cached"], &[Status(504), Asked(0)]),
        row("RFC 9111 §5.2.1.7", "only-if-cached with another variant stored")
            .ok(&[FRESH, "Vary: Foo"])
            .get(&["Foo: 1"], &[])
            .get(&["Foo: 2", "Cache-Control: only-if-cached"], &[Status(504), Asked(1)]),
        row("RFC 9111 §5.2.2.2", "max-stale is not followed against must-revalidate")
            .ok(&["Cache-Control: max-age=3600, must-revalidate", "Age: 4600"])
            .get(&[], &[])
            .get(&["Cache-Control: max-stale"], &[Forwarded]),
        row("RFC 9111 §5.2.2.8", "nor against proxy-revalidate")
            .ok(&["Cache-Control: max-age=3600, proxy-revalidate", "Age: 4600"])
            .get(&[], &[])
            .get(&["Cache-Control: max-stale"], &[Forwarded]),
        row("RFC 9111 §5.2.2.10", "nor against s-maxage")
            .ok(&["Cache-Control: s-maxage=3600", "Age: 4600"])
            .get(&[], &[])
            .get(&["Cache-Control: max-stale"], &[Forwarded]),
    ])
    .await;
}
