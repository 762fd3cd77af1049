//! RFC 9111 §4.2, §4.2.1: how long an answer is fresh.

use super::row::{Expect, Row, not_reused, reused, row, validated};
use super::stand::check;

const TAG: &str = "ETag: \"a\"";

#[tokio::test]
async fn lifetimes_are_what_answers_say() {
    let mut rows = vec![
        reused("RFC 9111 §4.2.1", "max-age", &["Cache-Control: max-age=3600"]),
        reused("RFC 9111 §4.2.1", "s-maxage", &["Cache-Control: s-maxage=3600"]),
        reused("RFC 9111 §4.2.1", "Expires", &["Expires: {+3600}", "Date: {0}"]),
        reused("RFC 9111 §4.2.1", "Expires without a Date", &["Expires: {+3600}"]),
        reused("RFC 9111 §4.2.1", "s-maxage before max-age", &["Cache-Control: max-age=0, s-maxage=3600"]),
        reused(
            "RFC 9111 §4.2.1",
            "s-maxage before max-age, the other way round",
            &["Cache-Control: s-maxage=3600, max-age=0"],
        ),
        not_reused(
            "RFC 9111 §4.2.1",
            "a small s-maxage before max-age",
            &["Cache-Control: max-age=3600, s-maxage=0"],
        ),
        reused(
            "RFC 9111 §4.2.1",
            "s-maxage before Expires",
            &["Cache-Control: s-maxage=3600", "Expires: {-10}"],
        ),
        reused(
            "RFC 9111 §4.2.1",
            "max-age before Expires",
            &["Cache-Control: max-age=3600", "Expires: {-10}"],
        ),
        reused(
            "RFC 9111 §5.3",
            "max-age before an Expires that is none",
            &["Cache-Control: max-age=3600", "Expires: 0"],
        ),
        not_reused(
            "RFC 9111 §4.2.1",
            "max-age=0 before Expires",
            &["Cache-Control: max-age=0", "Expires: {+3600}"],
        ),
        not_reused(
            "RFC 9111 §4.2.1",
            "s-maxage=0 before Expires",
            &["Cache-Control: s-maxage=0", "Expires: {+3600}"],
        ),
        not_reused("RFC 9111 §4.2.1", "max-age=0", &["Cache-Control: max-age=0"]),
        not_reused("RFC 9111 §4.2.1", "nothing at all", &[]),
        validated("RFC 9111 §4.2.1", "max-age=0 with a tag", &["Cache-Control: max-age=0", TAG]),
        reused("RFC 9111 §1.2.2", "max-age of 2³¹ - 1", &["Cache-Control: max-age=2147483647"]),
        reused("RFC 9111 §1.2.2", "max-age of 2³¹", &["Cache-Control: max-age=2147483648"]),
        reused("RFC 9111 §1.2.2", "max-age of 2³²", &["Cache-Control: max-age=4294967296"]),
        reused("RFC 9111 §1.2.2", "max-age beyond 2⁶⁴", &["Cache-Control: max-age=99999999999999999999999"]),
        reused(
            "RFC 9111 §1.2.2",
            "s-maxage beyond 2⁶⁴",
            &["Cache-Control: s-maxage=99999999999999999999999"],
        ),
        row("RFC 9111 §4.2", "time that passes makes stale")
            .ok(&["Cache-Control: max-age=1"])
            .get(&[], &[Expect::Forwarded])
            .wait_ms(1_200)
            .get(&[], &[Expect::Forwarded, Expect::Told("fwd=stale")]),
        row("RFC 9111 §4.2", "a lifetime of which most has passed still counts")
            .ok(&["Cache-Control: max-age=3600", "Age: 3000"])
            .get(&[], &[])
            .get(&[], &[Expect::Reused]),
    ];
    rows.extend(malformed("max-age"));
    rows.extend(malformed("s-maxage"));
    check(rows).await;
}

/// §4.2.1: "caches are encouraged to consider responses that have invalid freshness information […] stale".
fn malformed(name: &str) -> Vec<Row> {
    let line = |value: &str| format!("Cache-Control: {name}{value}");
    let stale = [
        ("negative", "=-3600"),
        ("with a fraction", "=3600.0"),
        ("with letters behind", "=3600s"),
        ("with letters before", "=a3600"),
        ("hexadecimal", "=0xe10"),
        ("with a sign", "=+3600"),
        ("in single quotes", "='3600'"),
        ("without a value", ""),
        ("with an empty value", "="),
        ("with a space before the sign", " =3600"),
        ("with a space behind the sign", "= 3600"),
        ("with a colon", ":3600"),
    ];
    let mut rows: Vec<Row> = stale
        .map(|(how, value)| not_reused("RFC 9111 §4.2.1", format!("{name} {how}"), &[&line(value)]))
        .into();
    let fresh = [
        ("with zeros before", "=003600"),
        ("in quotes", "=\"3600\""),
        ("in capitals", "=3600"),
        ("with an extension behind", "=3600, foo=bar"),
        ("with an extension before", "=3600, foo"),
    ];
    rows.extend(fresh.map(|(how, value)| {
        let line = line(value);
        let line = if how.contains("capitals") { line.to_uppercase() } else { line };
        reused("RFC 9111 §5.2", format!("{name} {how}"), &[&line])
    }));
    rows
}

#[tokio::test]
async fn two_lifetimes_are_the_shorter_one() {
    check(vec![
        not_reused("RFC 9111 §4.2.1", "two max-age on one line", &["Cache-Control: max-age=3600, max-age=0"]),
        not_reused("RFC 9111 §4.2.1", "the other way round", &["Cache-Control: max-age=0, max-age=3600"]),
        not_reused(
            "RFC 9111 §4.2.1",
            "two lines",
            &["Cache-Control: max-age=3600", "Cache-Control: max-age=0"],
        ),
        not_reused(
            "RFC 9111 §4.2.1",
            "two lines, the other way round",
            &["Cache-Control: max-age=0", "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9111 §4.2.1",
            "one of them is no number",
            &["Cache-Control: max-age=3600, max-age=a"],
        ),
        not_reused("RFC 9111 §4.2.1", "two s-maxage", &["Cache-Control: s-maxage=3600, s-maxage=0"]),
        reused("RFC 9111 §4.2.1", "two that are equal", &["Cache-Control: max-age=3600, max-age=3600"]),
        reused(
            "RFC 9111 §4.2.1",
            "two that both suffice",
            &["Cache-Control: max-age=3600", "Cache-Control: max-age=1800"],
        ),
        not_reused(
            "RFC 9111 §4.2.1",
            "two Expires, one of which is past",
            &["Expires: {+3600}", "Expires: {-3600}", "Date: {0}"],
        ),
        not_reused(
            "RFC 9111 §4.2.1",
            "two Expires, the other way round",
            &["Expires: {-3600}", "Expires: {+3600}", "Date: {0}"],
        ),
        reused(
            "RFC 9111 §4.2.1",
            "two Expires that both suffice",
            &["Expires: {+3600}", "Expires: {+1800}", "Date: {0}"],
        ),
    ])
    .await;
}
