//! RFC 9111 §3.3, §3.4, RFC 9110 §14, §13.1.5: parts of answers.

use super::row::{Expect, Row, row};
use super::stand::check;

const FRESH: &str = "Cache-Control: max-age=3600";
const TAG: &str = "ETag: \"a\"";
const TEN: &str = "0123456789";

/// Ten stored bytes, and what is cut from them.
fn cut(claim: &str, lines: &[&str], expected: &[Expect]) -> Row {
    let expected = [&[Expect::Reused][..], expected].concat();
    row("RFC 9110 §14.2", claim)
        .says(200, &[FRESH, TAG, "Last-Modified: {-864000}", "Content-Type: text/plain"], TEN)
        .get(&[], &[])
        .get(lines, &expected)
}

#[tokio::test]
async fn parts_are_cut_from_what_is_stored_whole() {
    use Expect::{Body, Field, Status, Without};
    let whole = [Status(200), Body(TEN), Without("content-range")];
    check(vec![
        cut(
            "the first bytes",
            &["Range: bytes=0-1"],
            &[
                Status(206),
                Body("01"),
                Field("content-range", "bytes 0-1/10"),
                Field("content-length", "2"),
                Field("etag", "\"a\""),
                Field("content-type", "text/plain"),
            ],
        ),
        cut(
            "bytes in the middle",
            &["Range: bytes=4-6"],
            &[Status(206), Body("456"), Field("content-range", "bytes 4-6/10")],
        ),
        cut("one byte", &["Range: bytes=5-5"], &[Status(206), Body("5")]),
        cut(
            "the last bytes",
            &["Range: bytes=-3"],
            &[Status(206), Body("789"), Field("content-range", "bytes 7-9/10")],
        ),
        cut(
            "from a place on",
            &["Range: bytes=8-"],
            &[Status(206), Body("89"), Field("content-range", "bytes 8-9/10")],
        ),
        cut(
            "beyond the end",
            &["Range: bytes=8-99"],
            &[Status(206), Body("89"), Field("content-range", "bytes 8-9/10")],
        ),
        cut(
            "more last bytes than there are",
            &["Range: bytes=-99"],
            &[Status(206), Body(TEN), Field("content-range", "bytes 0-9/10")],
        ),
        cut("in another case", &["Range: BYTES=0-1"], &[Status(206), Body("01")]),
        cut(
            "nothing that is there",
            &["Range: bytes=10-"],
            &[Status(416), Field("content-range", "bytes */10")],
        ),
        cut("no last bytes", &["Range: bytes=-0"], &[Status(416)]),
        cut(
            "one that is there of two",
            &["Range: bytes=0-1,50-60"],
            &[Status(206), Body("01"), Field("content-range", "bytes 0-1/10")],
        ),
        cut("two that touch are one", &["Range: bytes=0-1,2-3"], &[Status(206), Body("0123")]),
        cut("two that overlap are one", &["Range: bytes=0-4,2-6"], &[Status(206), Body("0123456")]),
        cut("two parts", &["Range: bytes=0-1,8-9"], &[Status(206), Without("content-range")]),
        cut("another unit", &["Range: lines=0-1"], &whole),
        cut("the wrong way round", &["Range: bytes=4-2"], &whole),
        cut("no numbers", &["Range: bytes=a-b"], &whole),
        cut("no sign", &["Range: bytes 0-1"], &whole),
        cut("nothing", &["Range: bytes="], &whole),
        cut("two lines", &["Range: bytes=0-1", "Range: bytes=2-3"], &whole),
        cut("If-Range with the tag", &["Range: bytes=0-1", "If-Range: \"a\""], &[Status(206), Body("01")]),
        cut("If-Range with another tag", &["Range: bytes=0-1", "If-Range: \"b\""], &whole),
        cut("If-Range with the tag, weak", &["Range: bytes=0-1", "If-Range: W/\"a\""], &whole),
        cut(
            "If-Range with the date",
            &["Range: bytes=0-1", "If-Range: {-864000}"],
            &[Status(206), Body("01")],
        ),
        cut("If-Range with another date", &["Range: bytes=0-1", "If-Range: {-864001}"], &whole),
        cut("If-Range with a later date", &["Range: bytes=0-1", "If-Range: {-100}"], &whole),
        cut("If-Range without a Range", &["If-Range: \"a\""], &whole),
        cut("If-None-Match comes first", &["Range: bytes=0-1", "If-None-Match: \"a\""], &[Status(304)]),
        cut(
            "If-None-Match that does not hold",
            &["Range: bytes=0-1", "If-None-Match: \"b\""],
            &[Status(206), Body("01")],
        ),
    ])
    .await;
}

fn part(range: &str) -> [String; 3] {
    [FRESH.to_owned(), TAG.to_owned(), format!("Content-Range: bytes {range}/10")]
}

/// A row whose origin answers with parts of ten bytes in turn.
fn of_parts(claim: &str, ranges: &[(usize, usize)]) -> Row {
    ranges.iter().fold(row("RFC 9111 §3.3, §3.4", claim), |row, (first, last)| {
        let lines = part(&format!("{first}-{last}"));
        row.says(206, &lines.each_ref().map(String::as_str), &TEN[*first..=*last])
    })
}

#[tokio::test]
async fn parts_are_stored_and_put_together() {
    use Expect::{Asked, Body, Field, Forwarded, Reused, Saw, Status};
    check(vec![
        of_parts("a part answers for itself", &[(2, 4)])
            .get(&["Range: bytes=2-4"], &[Forwarded, Status(206), Body("234"), Saw("range", "bytes=2-4")])
            .get(
                &["Range: bytes=2-4"],
                &[Reused, Status(206), Body("234"), Field("content-range", "bytes 2-4/10")],
            ),
        of_parts("and for what lies within it", &[(2, 6)]).get(&["Range: bytes=2-6"], &[]).get(
            &["Range: bytes=3-4"],
            &[Reused, Status(206), Body("34"), Field("content-range", "bytes 3-4/10")],
        ),
        of_parts("last bytes are found by their place", &[(7, 9)])
            .get(&["Range: bytes=-3"], &[Forwarded, Saw("range", "bytes=-3")])
            .get(&["Range: bytes=7-9"], &[Reused, Body("789")])
            .get(&["Range: bytes=-2"], &[Reused, Body("89")]),
        of_parts("a part does not answer for the rest", &[(2, 4), (6, 7)])
            .get(&["Range: bytes=2-4"], &[])
            .get(&["Range: bytes=6-7"], &[Forwarded, Body("67")]),
        of_parts("two parts that touch are one", &[(2, 4), (5, 7)])
            .get(&["Range: bytes=2-4"], &[])
            .get(&["Range: bytes=5-7"], &[Forwarded])
            .get(&["Range: bytes=3-6"], &[Reused, Body("3456")]),
        of_parts("parts that make the whole are the whole", &[(0, 4), (5, 9)])
            .get(&["Range: bytes=0-4"], &[])
            .get(&["Range: bytes=5-9"], &[Forwarded])
            .get(&[], &[Reused, Status(200), Body(TEN), Expect::Without("content-range")]),
        of_parts("a 206 of everything is the whole", &[(0, 9)])
            .get(&["Range: bytes=0-9"], &[Forwarded, Status(206)])
            .get(&[], &[Reused, Status(200), Body(TEN)]),
        of_parts("the rest is asked for where the whole is wanted", &[(0, 4), (5, 9)])
            .get(&["Range: bytes=0-4"], &[])
            .get(&[], &[Status(200), Body(TEN), Saw("range", "bytes=5-9"), Saw("if-range", "\"a\"")])
            .get(&[], &[Reused, Body(TEN), Asked(2)]),
        of_parts("an origin that has something else by then sends it whole", &[(0, 4)])
            .says(200, &[FRESH, "ETag: \"b\""], "abcdefghij")
            .get(&["Range: bytes=0-4"], &[])
            .get(&[], &[Status(200), Body("abcdefghij")])
            .get(&[], &[Reused, Body("abcdefghij")]),
        of_parts("a part alone is not the whole", &[(0, 4)])
            .says(200, &[FRESH, TAG], TEN)
            .get(&["Range: bytes=0-4"], &[])
            .get(&[], &[Expect::Told("fwd=partial"), Status(200), Body(TEN)]),
        row("RFC 9111 §3.4", "parts of different states are not put together")
            .says(206, &[FRESH, TAG, "Content-Range: bytes 0-4/10"], "01234")
            .says(206, &[FRESH, "ETag: \"b\"", "Content-Range: bytes 5-9/10"], "fghij")
            .says(200, &[FRESH, "ETag: \"b\""], "abcdefghij")
            .get(&["Range: bytes=0-4"], &[])
            .get(&["Range: bytes=5-9"], &[Body("fghij")])
            .get(&[], &[Body("abcdefghij")]),
        row("RFC 9111 §3.4", "parts with a weak tag are not put together")
            .says(206, &[FRESH, "ETag: W/\"a\"", "Content-Range: bytes 0-4/10"], "01234")
            .says(206, &[FRESH, "ETag: W/\"a\"", "Content-Range: bytes 5-9/10"], "56789")
            .says(200, &[FRESH, "ETag: W/\"a\""], TEN)
            .get(&["Range: bytes=0-4"], &[])
            .get(&["Range: bytes=5-9"], &[Forwarded])
            .get(&[], &[Forwarded, Body(TEN), Asked(3)]),
    ])
    .await;
}

#[tokio::test]
async fn parts_that_say_too_little_are_not_stored() {
    use Expect::{Body, Forwarded, Saw, Status};
    let mut rows: Vec<Row> = [
        ("no Content-Range", "X-None: 1"),
        ("a Content-Range of another unit", "Content-Range: lines 0-1/10"),
        ("a Content-Range without a place", "Content-Range: bytes */10"),
        ("a Content-Range the wrong way round", "Content-Range: bytes 4-2/10"),
        ("a Content-Range beyond the end", "Content-Range: bytes 9-10/10"),
        ("a Content-Range without numbers", "Content-Range: bytes a-b/10"),
        ("a Content-Range that leaves the length open", "Content-Range: bytes 0-1/*"),
        ("several parts", "Content-Type: multipart/byteranges; boundary=x"),
    ]
    .into_iter()
    .map(|(claim, line)| {
        row("RFC 9110 §14.4", claim)
            .says(206, &[FRESH, TAG, line], "01")
            .get(&["Range: bytes=0-1"], &[Forwarded, Status(206)])
            .get(&["Range: bytes=0-1"], &[Forwarded])
    })
    .collect();
    rows.extend([
        row("RFC 9111 §3.4", "a part without a validator")
            .says(206, &[FRESH, "Content-Range: bytes 0-1/10"], "01")
            .get(&["Range: bytes=0-1"], &[Forwarded, Status(206)])
            .get(&["Range: bytes=0-1"], &[Forwarded]),
        row("RFC 9110 §14.2", "an origin that answers a Range with the whole")
            .says(200, &[FRESH, TAG], TEN)
            .get(&["Range: bytes=0-1"], &[Forwarded, Saw("range", "bytes=0-1"), Status(200), Body(TEN)])
            .get(&[], &[Expect::Reused, Body(TEN)])
            .get(&["Range: bytes=0-1"], &[Expect::Reused, Status(206), Body("01")]),
        row("RFC 9110 §15.5.17", "a 416 of the origin's is not stored")
            .says(416, &[FRESH, "Content-Range: bytes */10"], "")
            .says(200, &[FRESH], TEN)
            .get(&["Range: bytes=20-"], &[Forwarded, Status(416)])
            .get(&[], &[Forwarded, Status(200)]),
        row("RFC 9111 §3", "an error that a Range may have brought about is not stored")
            .says(400, &[FRESH], "")
            .says(200, &[FRESH], TEN)
            .get(&["Range: bytes=zz"], &[Forwarded, Status(400)])
            .get(&[], &[Forwarded, Status(200)]),
        row("RFC 9111 §4.2", "a stale part is not reused")
            .says(206, &[FRESH, TAG, "Content-Range: bytes 0-1/10", "Age: 7200"], "01")
            .says(206, &[FRESH, TAG, "Content-Range: bytes 0-1/10"], "01")
            .get(&["Range: bytes=0-1"], &[])
            .get(&["Range: bytes=0-1"], &[Forwarded])
            .get(&["Range: bytes=0-1"], &[Expect::Reused]),
        row("RFC 9111 §3.1", "a 206 of what must not be stored")
            .says(206, &["Cache-Control: no-store", TAG, "Content-Range: bytes 0-1/10"], "01")
            .get(&["Range: bytes=0-1"], &[])
            .get(&["Range: bytes=0-1"], &[Forwarded]),
    ]);
    check(rows).await;
}
