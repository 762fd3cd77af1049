//! RFC 9111 §5.2, §5.2.2, §5.2.3: what `Cache-Control` of an answer says, however it is written.

use super::row::{Expect, Row, not_reused, reused, row, validated};
use super::stand::check;

const TAG: &str = "ETag: \"a\"";
const OLD: &str = "Last-Modified: {-864000}";

#[tokio::test]
async fn directives_are_understood_in_every_spelling() {
    check(vec![
        reused("RFC 9111 §5.2", "in capitals", &["CACHE-CONTROL: MAX-AGE=3600"]),
        reused("RFC 9111 §5.2", "in mixed case", &["Cache-Control: mAx-AgE=3600"]),
        reused("RFC 9111 §5.2", "with tabs around", &["Cache-Control:\t max-age=3600\t "]),
        reused("RFC 9110 §5.6.1", "with empty members", &["Cache-Control: ,, ,max-age=3600,,"]),
        reused("RFC 9110 §5.6.1", "without blanks between", &["Cache-Control: foo,max-age=3600,bar"]),
        reused("RFC 9110 §5.3", "on the second line", &["Cache-Control: foo", "Cache-Control: max-age=3600"]),
        reused("RFC 9110 §5.3", "on the first line", &["Cache-Control: max-age=3600", "Cache-Control: foo"]),
        not_reused(
            "RFC 9110 §5.3",
            "across lines",
            &["Cache-Control: max-age=3600", "Cache-Control: no-store"],
        ),
        reused(
            "RFC 9111 §5.2.3",
            "behind an extension with a value",
            &["Cache-Control: foo=bar, max-age=3600"],
        ),
        reused(
            "RFC 9111 §5.2.3",
            "behind an extension in quotes",
            &["Cache-Control: foo=\"bar\", max-age=3600"],
        ),
        reused(
            "RFC 9111 §5.2.3",
            "behind an extension with commas in quotes",
            &["Cache-Control: foo=\"a, no-store\", max-age=3600"],
        ),
        reused(
            "RFC 9111 §5.2.3",
            "behind an extension with an escape in quotes",
            &["Cache-Control: foo=\"a\\\", no-store\", max-age=3600"],
        ),
        reused(
            "RFC 9111 §5.2.3",
            "max-age in the value of an extension is none",
            &["Cache-Control: foo=\"max-age=0\", max-age=3600"],
        ),
        not_reused(
            "RFC 9111 §5.2.3",
            "max-age in a string alone is none",
            &["Cache-Control: foo=\"x, max-age=3600\""],
        ),
        not_reused("RFC 9111 §5.2.3", "a name that only begins so", &["Cache-Control: max-age-not=3600"]),
        not_reused("RFC 9111 §5.2.3", "a name that only ends so", &["Cache-Control: x-max-age=3600"]),
        reused(
            "RFC 9111 §5.2.3",
            "a name that only looks like no-store",
            &["Cache-Control: no-storex, xno-store, max-age=3600"],
        ),
        reused(
            "RFC 9111 §5.2.3",
            "a name that only looks like private",
            &["Cache-Control: not-private, max-age=3600"],
        ),
        not_reused("RFC 9111 §5.2", "no-store in capitals", &["Cache-Control: NO-STORE, max-age=3600"]),
        not_reused("RFC 9111 §5.2", "private in mixed case", &["Cache-Control: Private, max-age=3600"]),
        not_reused(
            "RFC 9111 §5.2",
            "no-store with an argument",
            &["Cache-Control: no-store=1, max-age=3600"],
        ),
        not_reused(
            "RFC 9111 §5.2",
            "no-store behind a semicolon",
            &["Cache-Control: max-age=3600; no-store"],
        ),
        not_reused(
            "RFC 9111 §5.2",
            "no-store behind a quote that never ends",
            &["Cache-Control: foo=\"bar, no-store, max-age=3600"],
        ),
        not_reused("RFC 9110 §5.5", "an empty field", &["Cache-Control:"]),
    ])
    .await;
}

#[tokio::test]
async fn answers_that_are_not_for_storing_are_not_stored() {
    let mut rows = Vec::new();
    for directive in ["no-store", "private"] {
        for others in
            ["", ", max-age=3600", ", s-maxage=3600", ", public, max-age=3600", ", immutable, max-age=3600"]
        {
            let line = format!("Cache-Control: {directive}{others}");
            rows.push(not_reused("RFC 9111 §3", line.clone(), &[&line]));
            rows.push(
                row("RFC 9111 §3", format!("{line} with validators"))
                    .ok(&[&line, TAG, OLD])
                    .get(&[], &[Expect::Forwarded, Expect::Told("detail="), Expect::Untold("; stored")])
                    .get(
                        &[],
                        &[
                            Expect::Forwarded,
                            Expect::SawNo("if-none-match"),
                            Expect::SawNo("if-modified-since"),
                        ],
                    ),
            );
        }
        rows.push(not_reused(
            "RFC 9111 §3",
            format!("{directive} and Expires"),
            &[&format!("Cache-Control: {directive}"), "Expires: {+3600}"],
        ));
        rows.push(not_reused(
            "RFC 9111 §3",
            format!("max-age and {directive} the other way round"),
            &[&format!("Cache-Control: max-age=3600, {directive}")],
        ));
    }
    check(rows).await;
}

#[tokio::test]
async fn no_cache_is_stored_and_always_validated() {
    check(vec![
        validated("RFC 9111 §5.2.2.4", "no-cache", &["Cache-Control: no-cache", TAG]),
        validated(
            "RFC 9111 §5.2.2.4",
            "no-cache with max-age",
            &["Cache-Control: no-cache, max-age=3600", TAG],
        ),
        validated(
            "RFC 9111 §5.2.2.4",
            "max-age with no-cache",
            &["Cache-Control: max-age=3600, no-cache", TAG],
        ),
        validated(
            "RFC 9111 §5.2.2.4",
            "no-cache with s-maxage",
            &["Cache-Control: no-cache, s-maxage=3600", TAG],
        ),
        validated(
            "RFC 9111 §5.2.2.4",
            "no-cache with Expires",
            &["Cache-Control: no-cache", "Expires: {+3600}", TAG],
        ),
        validated(
            "RFC 9111 §5.2.2.4",
            "no-cache in capitals",
            &["Cache-Control: NO-CACHE, max-age=3600", TAG],
        ),
        validated(
            "RFC 9111 §5.2.2.4",
            "no-cache with an argument that cannot be read",
            &["Cache-Control: no-cache=, max-age=3600", TAG],
        ),
        validated(
            "RFC 9111 §5.2.2.4",
            "no-cache with no names",
            &["Cache-Control: no-cache=\"\", max-age=3600", TAG],
        ),
        validated(
            "RFC 9111 §5.2.2.4",
            "no-cache on a line of its own",
            &["Cache-Control: max-age=3600", "Cache-Control: no-cache", TAG],
        ),
        validated("RFC 9111 §5.2.2.4", "no-cache by Last-Modified", &["Cache-Control: no-cache", OLD]),
        not_reused(
            "RFC 9111 §5.2.2.4",
            "no-cache without a validator",
            &["Cache-Control: no-cache, max-age=3600"],
        ),
        row("RFC 9111 §5.2.2.4", "no-cache even where the caller accepts what is stale")
            .ok(&["Cache-Control: no-cache, max-age=3600", TAG])
            .says(304, &["Cache-Control: no-cache, max-age=3600", TAG], "")
            .get(&[], &[])
            .get(&["Cache-Control: max-stale"], &[Expect::Validated]),
        reused(
            "RFC 9111 §5.4",
            "Pragma in an answer means nothing",
            &["Cache-Control: max-age=3600", "Pragma: no-cache"],
        ),
        reused("RFC 9111 §5.4", "Pragma with Expires", &["Expires: {+3600}", "Pragma: no-cache"]),
        reused("RFC 9111 §5.4", "Pragma with a guess", &[OLD, "Pragma: no-cache"]),
    ])
    .await;
}

/// One directive with the names of fields in it, and what a second caller gets of them.
fn qualified(directive: &str, argument: &str, expected: &[Expect]) -> Row {
    let line = format!("Cache-Control: max-age=3600, {directive}={argument}");
    let first = [Expect::Forwarded, Expect::Field("x-one", "1"), Expect::Field("x-two", "2")];
    row("RFC 9111 §5.2.2.4, §5.2.2.7", line.clone())
        .ok(&[&line, "X-One: 1", "X-Two: 2"])
        .get(&[], &first)
        .get(&[], expected)
}

#[tokio::test]
async fn fields_that_are_named_are_left_out() {
    let mut rows = Vec::new();
    for directive in ["no-cache", "private"] {
        let one = [Expect::Reused, Expect::Without("x-one"), Expect::Field("x-two", "2")];
        let both = [Expect::Reused, Expect::Without("x-one"), Expect::Without("x-two")];
        rows.push(qualified(directive, "\"x-one\"", &one));
        rows.push(qualified(directive, "\"X-ONE\"", &one));
        rows.push(qualified(directive, "\" x-one \"", &one));
        rows.push(qualified(directive, "x-one", &one));
        rows.push(qualified(directive, "\"x-one, x-two\"", &both));
        rows.push(qualified(directive, "\"x-one,x-two\"", &both));
        rows.push(qualified(directive, "\", x-one ,, x-two,\"", &both));
        rows.push(qualified(directive, "\"x-three\"", &[Expect::Reused, Expect::Field("x-one", "1")]));
        rows.push(qualified(directive, "\"x-one\", foo=\"x-two\"", &one));
        rows.push(qualified(directive, &format!("\"x-one\", {directive}=\"x-two\""), &both));
        // A list that cannot be read is about everything.
        rows.push(qualified(directive, "\"x one\"", &[Expect::Forwarded]));
        rows.push(qualified(directive, "\"x-one\", NO-STORE", &[Expect::Forwarded]));
        rows.push(qualified(directive, &format!("\"x-one\", {directive}"), &[Expect::Forwarded]));
    }
    rows.push(
        row("RFC 9111 §5.2.2.7", "Set-Cookie that is named is left out, and the rest is stored")
            .ok(&["Cache-Control: max-age=3600, private=\"set-cookie\"", "Set-Cookie: a=b"])
            .get(&[], &[Expect::Field("set-cookie", "a=b")])
            .get(&[], &[Expect::Reused, Expect::Without("set-cookie")]),
    );
    rows.push(
        row("RFC 9111 §5.2.2.4", "a 304 does not bring a field that is named into the store")
            .ok(&["Cache-Control: max-age=3600, no-cache=\"x-one\"", "Age: 7200", TAG])
            .says(304, &["Cache-Control: max-age=3600, no-cache=\"x-one\"", "X-One: 1", TAG], "")
            .get(&[], &[])
            .get(&[], &[Expect::Validated, Expect::Field("x-one", "1")])
            .get(&[], &[Expect::Reused, Expect::Without("x-one")]),
    );
    check(rows).await;
}

#[tokio::test]
async fn must_understand_is_about_the_status() {
    let mut rows = Vec::new();
    for (status, line, second) in [
        (200, "must-understand, no-store, max-age=3600", Expect::Reused),
        (404, "must-understand, no-store, max-age=3600", Expect::Reused),
        (301, "no-store, max-age=3600, must-understand", Expect::Reused),
        (200, "must-understand, max-age=3600", Expect::Reused),
        (299, "must-understand, no-store, max-age=3600", Expect::Forwarded),
        (299, "must-understand, max-age=3600", Expect::Forwarded),
        (499, "must-understand, no-store, max-age=3600", Expect::Forwarded),
        (599, "must-understand, max-age=3600", Expect::Forwarded),
        (200, "must-understand=1, no-store, max-age=3600", Expect::Forwarded),
        (200, "must-understand, private, max-age=3600", Expect::Forwarded),
    ] {
        rows.push(
            row("RFC 9111 §5.2.2.3", format!("{status} with {line}"))
                .status(status, &[&format!("Cache-Control: {line}")])
                .get(&[], &[])
                .get(&[], &[second]),
        );
    }
    check(rows).await;
}

#[tokio::test]
async fn directives_that_change_nothing_of_the_storing() {
    check(vec![
        reused("RFC 9111 §5.2.2.9", "public", &["Cache-Control: public, max-age=3600"]),
        reused(
            "RFC 9111 §5.2.2.2",
            "must-revalidate while it is fresh",
            &["Cache-Control: must-revalidate, max-age=3600"],
        ),
        reused(
            "RFC 9111 §5.2.2.8",
            "proxy-revalidate while it is fresh",
            &["Cache-Control: proxy-revalidate, max-age=3600"],
        ),
        reused("RFC 9111 §5.2.2.6", "no-transform", &["Cache-Control: no-transform, max-age=3600"]),
        reused("RFC 8246 §2", "immutable", &["Cache-Control: immutable, max-age=3600"]),
        not_reused("RFC 8246 §2", "immutable alone gives no lifetime", &["Cache-Control: immutable"]),
        not_reused("RFC 9111 §5.2.2.9", "public alone gives none either", &["Cache-Control: public"]),
        row("RFC 8246 §2", "immutable is not validated because of a reload")
            .ok(&["Cache-Control: immutable, max-age=3600", TAG])
            .get(&[], &[])
            .get(&["Cache-Control: max-age=0"], &[Expect::Reused]),
        row("RFC 8246 §2", "immutable is validated once it is stale")
            .ok(&["Cache-Control: immutable, max-age=3600", "Age: 7200", TAG])
            .says(304, &["Cache-Control: immutable, max-age=3600", TAG], "")
            .get(&[], &[])
            .get(&[], &[Expect::Validated]),
        reused(
            "RFC 9111 §3.1",
            "unknown fields do not matter",
            &["Cache-Control: max-age=3600", "X-Unknown: a", "Warning: 199 - x"],
        ),
    ])
    .await;
}
