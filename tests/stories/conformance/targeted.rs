//! RFC 9213: `CDN-Cache-Control`, and Kasoku's own field.

use super::row::{Expect, Row, not_reused, reused, row, validated};
use super::stand::check;

const TAG: &str = "ETag: \"a\"";

#[tokio::test]
async fn a_targeted_field_wins() {
    check(vec![
        reused("RFC 9213 §2.2", "alone", &["CDN-Cache-Control: max-age=3600"]),
        reused(
            "RFC 9213 §2.2",
            "before Cache-Control: max-age=0",
            &["CDN-Cache-Control: max-age=3600", "Cache-Control: max-age=0"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "with max-age=0 before Cache-Control",
            &["CDN-Cache-Control: max-age=0", "Cache-Control: max-age=3600"],
        ),
        reused(
            "RFC 9213 §2.2",
            "before Cache-Control: no-store",
            &["CDN-Cache-Control: max-age=3600", "Cache-Control: no-store"],
        ),
        reused(
            "RFC 9213 §2.2",
            "before Cache-Control: private",
            &["CDN-Cache-Control: max-age=3600", "Cache-Control: private"],
        ),
        reused(
            "RFC 9213 §2.2",
            "before Cache-Control: no-cache",
            &["CDN-Cache-Control: max-age=3600", "Cache-Control: no-cache"],
        ),
        reused(
            "RFC 9213 §2.2",
            "before Cache-Control: s-maxage=0",
            &["CDN-Cache-Control: max-age=3600", "Cache-Control: s-maxage=0"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "no-store in it",
            &["CDN-Cache-Control: no-store", "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "private in it",
            &["CDN-Cache-Control: private", "Cache-Control: max-age=3600"],
        ),
        validated(
            "RFC 9213 §2.2",
            "no-cache in it",
            &["CDN-Cache-Control: no-cache", "Cache-Control: max-age=3600", TAG],
        ),
        reused("RFC 9213 §2.2", "s-maxage in it", &["CDN-Cache-Control: s-maxage=3600, max-age=0"]),
        reused(
            "RFC 9213 §2.2",
            "before an Expires that is past",
            &["CDN-Cache-Control: max-age=3600", "Expires: {-10}"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "Expires does not add to it",
            &["CDN-Cache-Control: max-age=0", "Expires: {+3600}"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "Expires does not add to one without a lifetime",
            &["CDN-Cache-Control: foo", "Expires: {+3600}"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "Cache-Control does not add to one without a lifetime",
            &["CDN-Cache-Control: foo", "Cache-Control: max-age=3600"],
        ),
        not_reused("RFC 9213 §2.2", "Age counts", &["CDN-Cache-Control: max-age=3600", "Age: 7200"]),
        reused(
            "RFC 9213 §2.2",
            "Age within the lifetime",
            &["CDN-Cache-Control: max-age=3600", "Age: 1800", "Cache-Control: max-age=60"],
        ),
        reused(
            "RFC 9213 §2.2",
            "Kasoku's own before that of all",
            &["Kasoku-Cache-Control: max-age=3600", "CDN-Cache-Control: no-store", "Cache-Control: no-store"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "no-store in Kasoku's own",
            &["Kasoku-Cache-Control: no-store", "CDN-Cache-Control: max-age=3600"],
        ),
        reused(
            "RFC 9213 §2.2",
            "the field of another cache means nothing",
            &["Other-Cache-Control: no-store", "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "the field of another cache gives nothing",
            &["Other-CDN-Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.2",
            "Surrogate-Control is no such field",
            &["Surrogate-Control: max-age=3600"],
        ),
    ])
    .await;
}

/// §2.1: what does not parse is not there.
fn ignored(claim: &str, value: &str) -> [Row; 2] {
    let line = format!("CDN-Cache-Control: {value}");
    [
        reused(
            "RFC 9213 §2.1",
            format!("{claim}, and Cache-Control allows"),
            &[&line, "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.1",
            format!("{claim}, and Cache-Control forbids"),
            &[&line, "Cache-Control: no-store"],
        ),
    ]
}

#[tokio::test]
async fn a_targeted_field_is_a_dictionary() {
    let mut rows: Vec<Row> = [
        ("an empty field", ""),
        ("capitals", "MAX-AGE=10000"),
        ("a comma at the end", "max-age=10000,"),
        ("a comma at the beginning", ", max-age=10000"),
        ("two commas", "max-age=10000,, foo"),
        ("a quote that never ends", "max-age=10000, foo=\"bar"),
        ("a blank before the sign", "max-age =10000"),
        ("a blank behind the sign", "max-age= 10000"),
        ("a sign without a value", "max-age="),
        ("a semicolon at the end", "max-age=10000;"),
        ("a name in quotes", "\"max-age\"=10000"),
        ("a colon", "max-age:10000"),
        ("a number with too many digits", "max-age=10000000000000000"),
        ("a byte beyond ASCII in a string", "foo=\"\u{e9}\", max-age=10000"),
        ("nonsense behind", "max-age=10000, &&&"),
    ]
    .into_iter()
    .flat_map(|(claim, value)| ignored(claim, value))
    .collect();
    rows.extend([
        reused("RFC 9213 §2.1", "a parameter is ignored", &["CDN-Cache-Control: max-age=3600;foo=bar"]),
        reused(
            "RFC 9213 §2.1",
            "several parameters are ignored",
            &["CDN-Cache-Control: max-age=3600;foo;bar=\"a\", baz;a=1"],
        ),
        reused("RFC 9213 §2.1", "a blank before a parameter", &["CDN-Cache-Control: max-age=3600; foo=bar"]),
        reused(
            "RFC 9213 §2.1",
            "unknown members of every type",
            &["CDN-Cache-Control: a=\"s\", b=t, c=1.5, d=:YQ==:, e=?1, f=(1 2), max-age=3600"],
        ),
        reused(
            "RFC 9213 §2.1",
            "members on two lines",
            &["CDN-Cache-Control: foo", "CDN-Cache-Control: max-age=3600"],
        ),
        reused(
            "RFC 9651 §3.2",
            "of one name the last counts",
            &["CDN-Cache-Control: max-age=0, max-age=3600"],
        ),
        not_reused(
            "RFC 9651 §3.2",
            "of one name the first does not",
            &["CDN-Cache-Control: max-age=3600, max-age=0"],
        ),
        not_reused(
            "RFC 9213 §2.1",
            "a lifetime as a string",
            &["CDN-Cache-Control: max-age=\"3600\"", "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.1",
            "a lifetime as a token",
            &["CDN-Cache-Control: max-age=a3600", "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.1",
            "a lifetime with a fraction",
            &["CDN-Cache-Control: max-age=3600.0", "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.1",
            "a lifetime below nothing",
            &["CDN-Cache-Control: max-age=-3600", "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.1",
            "a lifetime without a value",
            &["CDN-Cache-Control: max-age", "Cache-Control: max-age=3600"],
        ),
        not_reused(
            "RFC 9213 §2.1",
            "a lifetime in a list",
            &["CDN-Cache-Control: max-age=(3600)", "Cache-Control: max-age=3600"],
        ),
        reused("RFC 9213 §2.1", "no-store that is false", &["CDN-Cache-Control: no-store=?0, max-age=3600"]),
        not_reused(
            "RFC 9213 §2.1",
            "no-store that is true",
            &["CDN-Cache-Control: no-store=?1, max-age=3600"],
        ),
        reused("RFC 9651 §3.3.1", "the longest number", &["CDN-Cache-Control: max-age=999999999999999"]),
    ]);
    check(rows).await;
}

#[tokio::test]
async fn what_is_for_this_cache_ends_here() {
    use Expect::{Field, Reused, Stale, Without};
    check(vec![
        row("RFC 9213 §2", "CDN-Cache-Control is for caches further on, too")
            .ok(&["CDN-Cache-Control: max-age=3600", "Cache-Control: no-store"])
            .get(&[], &[Field("cdn-cache-control", "max-age=3600"), Field("cache-control", "no-store")])
            .get(
                &[],
                &[Reused, Field("cdn-cache-control", "max-age=3600"), Field("cache-control", "no-store")],
            ),
        row("RFC 9213 §2", "Kasoku's own field is not")
            .ok(&["Kasoku-Cache-Control: max-age=3600", "Surrogate-Key: a b", "Cache-Tag: c"])
            .get(&[], &[Without("kasoku-cache-control"), Without("surrogate-key"), Without("cache-tag")])
            .get(
                &[],
                &[Reused, Without("kasoku-cache-control"), Without("surrogate-key"), Without("cache-tag")],
            ),
        row("RFC 9213 §2.2", "stale-while-revalidate in it")
            .ok(&["CDN-Cache-Control: max-age=3600, stale-while-revalidate=5000", "Age: 4600"])
            .get(&[], &[])
            .get(&[], &[Stale]),
        row("RFC 9213 §2.2", "stale-if-error in it")
            .ok(&["CDN-Cache-Control: max-age=3600, stale-if-error=5000", "Age: 4600"])
            .status(503, &[])
            .get(&[], &[])
            .get(&[], &[Stale]),
        row("RFC 9111 §4.3.4", "a 304 updates it")
            .ok(&["CDN-Cache-Control: max-age=3600", "Age: 7200", TAG])
            .says(304, &["CDN-Cache-Control: max-age=9999", TAG], "")
            .get(&[], &[])
            .get(&[], &[Expect::Validated])
            .get(&[], &[Reused, Field("cdn-cache-control", "max-age=9999")]),
        row("RFC 9111 §4.3.4", "a 304 leaves Kasoku's own in force")
            .ok(&["Kasoku-Cache-Control: max-age=3600", "Age: 7200", TAG])
            .says(304, &[TAG], "")
            .get(&[], &[])
            .get(&[], &[Expect::Validated])
            .get(&[], &[Reused]),
    ])
    .await;
}
