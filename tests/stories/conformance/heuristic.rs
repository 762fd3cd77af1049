//! RFC 9111 §3, §4.2.2, RFC 9110 §15.1: lifetimes that are guessed, and which statuses that is done for.

use super::row::{Expect, not_reused, reused, row};
use super::stand::check;

/// Ten days, of which a tenth is a day.
const OLD: &str = "Last-Modified: {-864000}";

/// Final statuses that mean something for caches, and some that nobody knows.
const STATUSES: [u16; 41] = [
    200, 201, 202, 203, 204, 205, 207, 226, 299, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404,
    405, 406, 409, 410, 411, 414, 415, 418, 422, 423, 451, 499, 500, 501, 502, 503, 504, 505, 507, 599,
];

/// RFC 9110 §15.1.
const HEURISTIC: [u16; 11] = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];

#[tokio::test]
async fn a_lifetime_is_guessed_for_some_statuses() {
    let mut rows = Vec::new();
    for status in STATUSES {
        let second = if HEURISTIC.contains(&status) { Expect::Reused } else { Expect::Forwarded };
        rows.push(
            row("RFC 9110 §15.1", format!("{status} with an old Last-Modified"))
                .status(status, &[OLD, "Date: {0}"])
                .get(&[], &[Expect::Forwarded, Expect::Status(status)])
                .get(&[], &[second, Expect::Status(status)]),
        );
    }
    check(rows).await;
}

#[tokio::test]
async fn any_final_status_is_stored_with_a_lifetime() {
    let mut rows = Vec::new();
    for status in STATUSES {
        for (how, line) in [
            ("max-age", "Cache-Control: max-age=3600"),
            ("s-maxage", "Cache-Control: s-maxage=3600"),
            ("Expires", "Expires: {+3600}"),
        ] {
            rows.push(
                row("RFC 9111 §3", format!("{status} with {how}"))
                    .status(status, &[line, "Date: {0}"])
                    .get(&[], &[Expect::Forwarded, Expect::Status(status)])
                    .get(&[], &[Expect::Reused, Expect::Status(status)]),
            );
        }
        rows.push(
            row("RFC 9111 §3", format!("{status} with a lifetime that is over"))
                .status(status, &["Cache-Control: max-age=3600", "Age: 7200"])
                .get(&[], &[])
                .get(&[], &[Expect::Forwarded]),
        );
    }
    check(rows).await;
}

/// RFC 6585 §3 to §6 forbids to store some; the others speak of what is in no key.
#[tokio::test]
async fn statuses_that_are_about_one_request_are_not_stored() {
    let statuses = [407, 408, 412, 413, 416, 417, 421, 425, 426, 428, 429, 431, 511];
    let rows = statuses.map(|status| {
        row("RFC 6585 §3", format!("{status} with a lifetime"))
            .status(status, &["Cache-Control: max-age=3600"])
            .get(&[], &[Expect::Forwarded, Expect::Status(status)])
            .get(&[], &[Expect::Forwarded, Expect::Status(status)])
    });
    check(rows.into()).await;
}

#[tokio::test]
async fn a_guess_is_a_fraction_of_the_time_without_a_change() {
    check(vec![
        not_reused("RFC 9111 §4.2.2", "a change of just now", &["Last-Modified: {0}", "Date: {0}"]),
        not_reused("RFC 9111 §4.2.2", "a change ahead of now", &["Last-Modified: {+3600}", "Date: {0}"]),
        not_reused("RFC 9111 §4.2.2", "a change that is no date", &["Last-Modified: yesterday", "Date: {0}"]),
        not_reused("RFC 9111 §4.2.2", "nothing to guess from but a tag", &["ETag: \"a\"", "Date: {0}"]),
        not_reused("RFC 9111 §4.2.2", "an Age beyond the guess", &[OLD, "Date: {0}", "Age: 90000"]),
        reused("RFC 9111 §4.2.2", "an Age within the guess", &[OLD, "Date: {0}", "Age: 3600"]),
        not_reused(
            "RFC 9111 §4.2.2",
            "max-age=0 leaves nothing to guess",
            &[OLD, "Cache-Control: max-age=0"],
        ),
        not_reused("RFC 9111 §4.2.2", "an Expires that is past does not either", &[OLD, "Expires: {-10}"]),
        not_reused(
            "RFC 9111 §4.2.1",
            "nor does a max-age that cannot be read",
            &[OLD, "Cache-Control: max-age=a"],
        ),
        not_reused("RFC 9111 §5.2.2.4", "nor does no-cache", &[OLD, "Cache-Control: no-cache"]),
        not_reused("RFC 9111 §5.2.2.5", "nor does no-store", &[OLD, "Cache-Control: no-store"]),
        reused("RFC 9111 §4.2.2", "other directives do", &[OLD, "Cache-Control: foo, no-transform"]),
        reused(
            "RFC 9111 §4.2.2",
            "there is no guess beyond a day, but one up to it",
            &["Last-Modified: Thu, 01 Jan 1998 00:00:00 GMT", "Date: {0}", "Age: 80000"],
        ),
        not_reused(
            "RFC 9111 §4.2.2",
            "there is no guess beyond a day",
            &["Last-Modified: Thu, 01 Jan 1998 00:00:00 GMT", "Date: {0}", "Age: 90000"],
        ),
        row("RFC 9111 §4.2.2", "public lets the lifetime of any status be guessed")
            .status(299, &[OLD, "Date: {0}", "Cache-Control: public"])
            .get(&[], &[])
            .get(&[], &[Expect::Reused]),
        row("RFC 9111 §4.2.2", "a guess is made for a target with a query, too")
            .ok(&[OLD, "Date: {0}"])
            .ask("GET", "?a=1", &[], &[])
            .ask("GET", "?a=1", &[], &[Expect::Reused]),
    ])
    .await;
}
