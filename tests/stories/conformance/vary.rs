//! RFC 9111 §4.1, RFC 9110 §12.5.5: `Vary`.

use super::row::{Expect, Row, row};
use super::stand::check;

const FRESH: &str = "Cache-Control: max-age=3600";

/// Whether an answer to the first request, which varies by these fields, answers the second.
fn varied(claim: &str, vary: &str, first: &[&str], second: &[&str], expected: &Expect) -> Row {
    row("RFC 9111 §4.1", format!("{claim}: Vary: {vary}"))
        .ok(&[FRESH, &format!("Vary: {vary}")])
        .get(first, &[Expect::Forwarded])
        .get(second, std::slice::from_ref(expected))
}

#[tokio::test]
async fn what_varies_is_told_apart() {
    use Expect::{Forwarded, Reused};
    let mut rows = vec![
        varied("the same", "Foo", &["Foo: 1"], &["Foo: 1"], &Reused),
        varied("another", "Foo", &["Foo: 1"], &["Foo: 2"], &Forwarded),
        varied("missing first", "Foo", &[], &["Foo: 1"], &Forwarded),
        varied("missing then", "Foo", &["Foo: 1"], &[], &Forwarded),
        varied("missing both times", "Foo", &[], &[], &Reused),
        varied("empty is not missing", "Foo", &["Foo:"], &[], &Forwarded),
        varied("empty both times", "Foo", &["Foo:"], &["Foo:"], &Reused),
        varied("in another case", "foo", &["FOO: 1"], &["foO: 1"], &Reused),
        varied("a value in another case", "Foo", &["Foo: a"], &["Foo: A"], &Forwarded),
        varied("a field that is not named", "Foo", &["Foo: 1", "Bar: 1"], &["Foo: 1", "Bar: 2"], &Reused),
        varied("two that agree", "Foo, Bar", &["Foo: 1", "Bar: 2"], &["Foo: 1", "Bar: 2"], &Reused),
        varied("two in another order", "Foo, Bar", &["Foo: 1", "Bar: 2"], &["Bar: 2", "Foo: 1"], &Reused),
        varied(
            "two, the first of which differs",
            "Foo, Bar",
            &["Foo: 1", "Bar: 2"],
            &["Foo: 3", "Bar: 2"],
            &Forwarded,
        ),
        varied(
            "two, the second of which differs",
            "Foo, Bar",
            &["Foo: 1", "Bar: 2"],
            &["Foo: 1", "Bar: 3"],
            &Forwarded,
        ),
        varied(
            "two, the second of which is missing",
            "Foo, Bar",
            &["Foo: 1", "Bar: 2"],
            &["Foo: 1"],
            &Forwarded,
        ),
        varied(
            "two that are exchanged",
            "Foo, Bar",
            &["Foo: 1", "Bar: 2"],
            &["Foo: 2", "Bar: 1"],
            &Forwarded,
        ),
        varied(
            "three that agree",
            "Foo, Bar, Baz",
            &["Foo: 1", "Bar: 2", "Baz: 3"],
            &["Foo: 1", "Bar: 2", "Baz: 3"],
            &Reused,
        ),
        varied(
            "three, the last of which differs",
            "Foo, Bar, Baz",
            &["Foo: 1", "Bar: 2", "Baz: 3"],
            &["Foo: 1", "Bar: 2", "Baz: 4"],
            &Forwarded,
        ),
        varied(
            "three without blanks",
            "Foo,Bar,Baz",
            &["Foo: 1", "Bar: 2", "Baz: 3"],
            &["Foo: 1", "Bar: 4", "Baz: 3"],
            &Forwarded,
        ),
        varied("with empty members", ",Foo,, ,", &["Foo: 1"], &["Foo: 2"], &Forwarded),
        varied("with empty members that agree", ",Foo,, ,", &["Foo: 1"], &["Foo: 1"], &Reused),
        varied("nothing", "", &["Foo: 1"], &["Foo: 2"], &Reused),
        varied("everything", "*", &["Foo: 1"], &["Foo: 1"], &Forwarded),
        varied("everything among others", "Foo, *", &["Foo: 1"], &["Foo: 1"], &Forwarded),
        varied("everything before others", "*, Foo", &["Foo: 1"], &["Foo: 1"], &Forwarded),
        varied("what cannot be a name", "Foo Bar", &["Foo: 1"], &["Foo: 1"], &Forwarded),
        varied(
            "as many as are told apart",
            "Foo, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o",
            &["Foo: 1"],
            &["Foo: 1"],
            &Reused,
        ),
        varied(
            "more than are told apart",
            "Foo, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p",
            &["Foo: 1"],
            &["Foo: 1"],
            &Forwarded,
        ),
        varied("lines that are one list", "Foo", &["Foo: 1", "Foo: 2"], &["Foo: 1, 2"], &Reused),
        varied("lines in another order", "Foo", &["Foo: 1", "Foo: 2"], &["Foo: 2", "Foo: 1"], &Forwarded),
        varied("a line less", "Foo", &["Foo: 1", "Foo: 2"], &["Foo: 1"], &Forwarded),
        varied("a cookie", "Cookie", &["Cookie: a=1"], &["Cookie: a=2"], &Forwarded),
        varied("the same cookie", "Cookie", &["Cookie: a=1"], &["Cookie: a=1"], &Reused),
        varied(
            "fields of the kind that is in keys anyway",
            "X-Foo",
            &["X-Foo: 1"],
            &["X-Foo: 2"],
            &Forwarded,
        ),
        varied("Origin", "Origin", &["Origin: https://a"], &["Origin: https://b"], &Forwarded),
        varied("Origin, the same", "Origin", &["Origin: https://a"], &["Origin: https://a"], &Reused),
    ];
    rows.push(
        row("RFC 9110 §5.3", "names on several lines")
            .ok(&[FRESH, "Vary: Foo", "Vary: Bar"])
            .get(&["Foo: 1", "Bar: 1"], &[])
            .get(&["Foo: 1", "Bar: 2"], &[Forwarded])
            .get(&["Foo: 1", "Bar: 1"], &[Reused]),
    );
    rows.push(
        row("RFC 9111 §4.1", "everything, on a line of its own")
            .ok(&[FRESH, "Vary: Foo", "Vary: *"])
            .get(&["Foo: 1"], &[])
            .get(&["Foo: 1"], &[Forwarded]),
    );
    check(rows).await;
}

/// §4.1: "normalizing both header field values in a way known to have identical semantics".
#[tokio::test]
async fn fields_are_compared_by_what_they_mean() {
    use Expect::{Forwarded, Reused};
    let mut rows = Vec::new();
    for (name, one, other, expected) in [
        ("Foo", "1, 2", " 1, 2 ", Reused),
        ("Accept-Language", "en, de", "en,de", Reused),
        ("Accept-Language", "en, de", "EN, dE", Reused),
        ("Accept-Language", "en, de;q=0.5", "en,de; q=0.50", Reused),
        ("Accept-Language", "de;q=0.5, en", "en, de;q=0.5", Reused),
        ("Accept-Language", "en, de", "de, en", Forwarded),
        ("Accept-Language", "en", "de", Forwarded),
        ("Accept-Language", "en;q=0.5", "en;q=0.6", Forwarded),
        ("Accept-Language", "en-GB", "en", Forwarded),
        ("Accept-Encoding", "gzip, br", "br,gzip", Reused),
        ("Accept-Encoding", "gzip, br", "GZIP, BR", Reused),
        ("Accept-Encoding", "gzip", "br", Forwarded),
        ("Accept-Encoding", "gzip", "identity", Forwarded),
        ("Accept-Encoding", "gzip", "gzip;q=0", Forwarded),
        ("Accept-Encoding", "gzip, sdch", "gzip", Reused),
        ("Accept", "text/html, text/plain", "text/html,text/plain", Reused),
        ("Accept", "text/html", "text/plain", Forwarded),
        ("Accept", "text/html;q=0.5", "text/html;q=0.4", Forwarded),
    ] {
        let lines = [one, other].map(|value| format!("{name}: {value}"));
        rows.push(varied(&format!("{one} and {other}"), name, &[&lines[0]], &[&lines[1]], &expected));
    }
    check(rows).await;
}

#[tokio::test]
async fn variants_stand_beside_each_other() {
    use Expect::{Body, Forwarded, Reused, Saw, Told};
    let variant = |tag: &str| [FRESH.to_owned(), "Vary: Foo".to_owned(), format!("ETag: \"{tag}\"")];
    let (a, b) = (variant("a"), variant("b"));
    let lines = |lines: &[String; 3]| -> Vec<String> { lines.to_vec() };
    let (a, b) = (lines(&a), lines(&b));
    let a: Vec<&str> = a.iter().map(String::as_str).collect();
    let b: Vec<&str> = b.iter().map(String::as_str).collect();
    check(vec![
        row("RFC 9111 §4.1", "each is found again")
            .ok(&[FRESH, "Vary: Foo"])
            .get(&["Foo: 1"], &[Forwarded])
            .get(&["Foo: 2"], &[Forwarded, Told("fwd=vary-miss")])
            .get(&["Foo: 1"], &[Reused, Body("answer 1")])
            .get(&["Foo: 2"], &[Reused, Body("answer 2")])
            .get(&["Foo: 3"], &[Forwarded]),
        row("RFC 9111 §4.3.1", "the origin is asked about those that there are")
            .ok(&a)
            .ok(&b)
            .says(304, &[FRESH, "Vary: Foo", "ETag: \"b\""], "")
            .get(&["Foo: 1"], &[])
            .get(&["Foo: 2"], &[])
            .get(&["Foo: 3"], &[Saw("if-none-match", "\"a\", \"b\""), Body("answer 2"), Expect::Status(200)]),
        row("RFC 9111 §4.1", "one without Vary answers all")
            .ok(&[FRESH])
            .get(&["Foo: 1"], &[])
            .get(&["Foo: 2"], &[Reused]),
        row("RFC 9111 §4.1", "a later answer may vary by more")
            .ok(&[FRESH, "Vary: Foo"])
            .ok(&[FRESH, "Vary: Foo, Bar"])
            .get(&["Foo: 1", "Bar: 1"], &[])
            .get(&["Foo: 2", "Bar: 1"], &[Forwarded])
            .get(&["Foo: 2", "Bar: 2"], &[Forwarded])
            .get(&["Foo: 1", "Bar: 1"], &[Expect::Status(200)]),
        row("RFC 9110 §12.5.5", "Vary is passed on")
            .ok(&[FRESH, "Vary: Foo, Bar"])
            .get(&[], &[])
            .get(&[], &[Reused, Expect::Field("vary", "Foo, Bar")]),
        row("RFC 9110 §12.5.3", "the origin is asked for codings in one form")
            .ok(&[FRESH, "Vary: Accept-Encoding"])
            .get(&["Accept-Encoding: deflate, GZIP;q=0.9, br"], &[Saw("accept-encoding", "br, gzip")]),
        row("RFC 9110 §12.5.3", "a caller who takes none of them is not sent one")
            .ok(&[FRESH, "Vary: Accept-Encoding", "Content-Encoding: gzip"])
            .ok(&[FRESH, "Vary: Accept-Encoding"])
            .get(&["Accept-Encoding: gzip"], &[Expect::Field("content-encoding", "gzip")])
            .get(&[], &[Forwarded, Expect::Without("content-encoding")])
            .get(&["Accept-Encoding: gzip"], &[Reused, Body("answer 1")]),
    ])
    .await;
}
