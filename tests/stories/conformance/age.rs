//! RFC 9111 §4.2.3, §5.1: how old an answer is, and how that is told.

use super::row::{Expect, not_reused, reused, row};
use super::stand::check;

const HOUR: &str = "Cache-Control: max-age=3600";

#[tokio::test]
async fn an_answer_is_as_old_as_it_says() {
    check(vec![
        not_reused("RFC 9111 §4.2.3", "an Age beyond the lifetime", &[HOUR, "Age: 7200"]),
        not_reused("RFC 9111 §4.2", "an Age of just the lifetime", &[HOUR, "Age: 3600"]),
        reused("RFC 9111 §4.2.3", "an Age within the lifetime", &[HOUR, "Age: 1800"]),
        reused("RFC 9111 §4.2.3", "an Age of nothing", &[HOUR, "Age: 0"]),
        reused("RFC 9111 §4.2.3", "an Age with zeros before", &[HOUR, "Age: 0010"]),
        not_reused("RFC 9111 §1.2.2", "an Age of 2³¹", &[HOUR, "Age: 2147483648"]),
        not_reused("RFC 9111 §1.2.2", "an Age beyond 2³²", &[HOUR, "Age: 4294967297"]),
        not_reused("RFC 9111 §1.2.2", "an Age beyond 2⁶⁴", &[HOUR, "Age: 99999999999999999999"]),
        reused("RFC 9111 §5.1", "an Age below nothing is ignored", &[HOUR, "Age: -7200"]),
        reused("RFC 9111 §5.1", "an Age that is a word is ignored", &[HOUR, "Age: old"]),
        reused("RFC 9111 §5.1", "an Age with a fraction is ignored", &[HOUR, "Age: 7200.0"]),
        reused("RFC 9111 §5.1", "an Age with letters behind is ignored", &[HOUR, "Age: 7200s"]),
        reused("RFC 9111 §5.1", "an Age in quotes is ignored", &[HOUR, "Age: \"7200\""]),
        reused("RFC 9111 §5.1", "an empty Age is ignored", &[HOUR, "Age:"]),
        not_reused("RFC 9111 §5.1", "of a list the first counts", &[HOUR, "Age: 7200, 0"]),
        reused("RFC 9111 §5.1", "of a list the others do not", &[HOUR, "Age: 0, 7200"]),
        not_reused("RFC 9111 §5.1", "of two lines the first counts", &[HOUR, "Age: 7200", "Age: 0"]),
        reused("RFC 9111 §5.1", "of two lines the other does not", &[HOUR, "Age: 0", "Age: 7200"]),
        not_reused("RFC 9111 §4.2.3", "an old Date", &[HOUR, "Date: {-7200}"]),
        reused("RFC 9111 §4.2.3", "a Date within the lifetime", &[HOUR, "Date: {-1800}"]),
        reused("RFC 9111 §4.2.3", "a Date ahead", &[HOUR, "Date: {+7200}"]),
        reused("RFC 9111 §4.2.3", "a Date that is none", &[HOUR, "Date: yesterday"]),
        not_reused("RFC 9111 §4.2.3", "an old Date and a small Age", &[HOUR, "Date: {-7200}", "Age: 0"]),
        not_reused("RFC 9111 §4.2.3", "a Date of now and a great Age", &[HOUR, "Date: {0}", "Age: 7200"]),
        not_reused(
            "RFC 9111 §4.2.3",
            "an Age beyond s-maxage",
            &["Cache-Control: s-maxage=10, max-age=3600", "Age: 60"],
        ),
        not_reused("RFC 9111 §4.2.3", "an Age beyond Expires", &["Expires: {+60}", "Date: {0}", "Age: 120"]),
    ])
    .await;
}

#[tokio::test]
async fn what_is_stored_tells_its_age() {
    check(vec![
        row("RFC 9111 §5.1", "an answer from storage has an Age")
            .ok(&[HOUR])
            .get(&[], &[])
            .get(&[], &[Expect::Reused, Expect::Field("age", "0")]),
        row("RFC 9111 §5.1", "it grows while it is here")
            .ok(&[HOUR, "Age: 100"])
            .get(&[], &[Expect::Field("age", "100")])
            .until(&[], &[Expect::Reused, Expect::Field("age", "101")]),
        row("RFC 9111 §5.1", "there is one Age, however many came")
            .ok(&["Cache-Control: max-age=99999", "Age: 3000", "Age: 50"])
            .get(&[], &[])
            .until(&[], &[Expect::Reused, Expect::Field("age", "3001")]),
        row("RFC 9111 §4.2.3", "it counts from Date")
            .ok(&[HOUR, "Date: {-1000}"])
            .get(&[], &[])
            .until(&[], &[Expect::Reused, Expect::Field("age", "1002")]),
        row("RFC 9110 §6.6.1", "Date stays the origin's")
            .ok(&[HOUR, "Date: {-1000}"])
            .get(&[], &[])
            .get(&[], &[Expect::Reused, Expect::Field("date", "{-1000}")]),
        row("RFC 9111 §5.1", "an answer from the origin has the Age that it came with, or none")
            .ok(&[HOUR])
            .get(&[], &[Expect::Without("age")]),
        row("RFC 9111 §4.3.4", "a 304 makes young again")
            .ok(&[HOUR, "Age: 7200", "ETag: \"a\""])
            .says(304, &[HOUR, "ETag: \"a\""], "")
            .get(&[], &[])
            .get(&[], &[Expect::Validated])
            .get(&[], &[Expect::Reused, Expect::Field("age", "0")]),
        row("RFC 9111 §4.3.4", "a 304 that is old itself does not")
            .ok(&[HOUR, "Age: 7200", "ETag: \"a\""])
            .says(304, &[HOUR, "ETag: \"a\"", "Age: 7200"], "")
            .get(&[], &[])
            .get(&[], &[Expect::Validated])
            .get(&[], &[Expect::Validated]),
    ])
    .await;
}
