//! Byte ranges (RFC 9110 §14): which bytes a `Range` field asks for, and which ones a `Content-Range` field tells of.
//!
//! A request for ranges costs a caller a few bytes and could cost the server many times the file. Ranges that
//! touch are therefore merged, so that no byte is sent twice, and a field with too many of them is ignored.

use http::header::{CONTENT_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};

/// Ranges in one field; with more, the field is ignored, as RFC 9110 §14.2 allows for many small ranges.
const RANGES_MAX: usize = 16;

/// What a `Range` field comes to, for a representation of a certain length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The field does not count: it is malformed, of another unit, or too much; the whole is sent.
    Whole,
    /// These parts, none of which touch, in the order in which they were asked for.
    Parts(Vec<Span>),
    /// None of the ranges exists (RFC 9110 §15.5.17).
    Unsatisfiable,
}

/// Bytes `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins, counted from 0.
    pub first: u64,
    /// Where it ends; never before `first`.
    pub last: u64,
}

/// What a `Content-Range` field tells (RFC 9110 §14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentRange {
    /// The content is this part of a representation, whose length may be unknown.
    Part {
        /// The bytes that were sent.
        span: Span,
        /// How many the whole has; `None` for `*`.
        complete: Option<u64>,
    },
    /// None of the ranges exists in a representation of this length: `*/len`, with status 416.
    Unsatisfied {
        /// How many bytes the whole has.
        complete: u64,
    },
}

impl Selection {
    /// Reads the `Range` field of a request for a representation of this length. Whether the method gives it a
    /// meaning (RFC 9110 §14.2: only `GET`) and what `If-Range` says are the caller's to know. More than one
    /// line is no valid field, and does not count.
    pub fn of(headers: &HeaderMap, length: u64) -> Self {
        let mut lines = headers.get_all(RANGE).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return Self::Whole };
        line.to_str().map_or(Self::Whole, |field| Self::of_field(field, length))
    }

    /// Reads a `Range` field.
    pub fn of_field(field: &str, length: u64) -> Self {
        let Some(specs) = parse(field) else { return Self::Whole };
        if specs.len() > RANGES_MAX {
            return Self::Whole;
        }
        // A suffix of nothing is satisfiable (RFC 9110 §14.1.2), yet no `Content-Range` could tell of it.
        if length == 0 && specs.iter().any(|spec| matches!(spec, Spec::Last(1..))) {
            return Self::Whole;
        }
        let mut parts: Vec<Span> = Vec::with_capacity(specs.len());
        for span in specs.iter().filter_map(|spec| spec.within(length)) {
            merge(&mut parts, span);
        }
        if parts.is_empty() { Self::Unsatisfiable } else { Self::Parts(parts) }
    }
}

impl Span {
    /// The whole of a representation; `None` of an empty one.
    pub fn whole(length: u64) -> Option<Self> {
        length.checked_sub(1).map(|last| Self { first: 0, last })
    }

    /// How many bytes it has.
    pub fn length(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    /// Whether they overlap, or nothing lies between them.
    pub(crate) fn touches(self, other: Self) -> bool {
        self.first <= other.last.saturating_add(1) && other.first <= self.last.saturating_add(1)
    }
}

impl ContentRange {
    /// Reads the `Content-Range` field of an answer. `None` if there is none, or it is no range in bytes, or it is
    /// invalid, in which case nothing may be made of the content (RFC 9110 §14.4).
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(CONTENT_RANGE).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        Self::of_field(line.to_str().ok()?)
    }

    /// Reads a `Content-Range` field.
    pub fn of_field(field: &str) -> Option<Self> {
        let (unit, field) = field.trim_matches([' ', '\t']).split_once(' ')?;
        let (range, complete) = field.trim_start_matches(' ').split_once('/')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        if range == "*" {
            return exact(complete).map(|complete| Self::Unsatisfied { complete });
        }
        let (first, last) = range.split_once('-')?;
        let (first, last) = (exact(first)?, exact(last)?);
        let complete = match complete {
            "*" => None,
            complete => Some(exact(complete)?),
        };
        let possible = first <= last && complete.is_none_or(|complete| last < complete);
        possible.then_some(Self::Part { span: Span { first, last }, complete })
    }

    /// The field that tells this.
    pub fn field(self) -> HeaderValue {
        let text = match self {
            Self::Part { span: Span { first, last }, complete: Some(complete) } => {
                format!("bytes {first}-{last}/{complete}")
            }
            Self::Part { span: Span { first, last }, complete: None } => format!("bytes {first}-{last}/*"),
            Self::Unsatisfied { complete } => format!("bytes */{complete}"),
        };
        HeaderValue::try_from(text).expect("digits and signs are visible ASCII")
    }
}

/// One range as it was written.
enum Spec {
    From(u64),
    Between(u64, u64),
    Last(u64),
}

/// Adds a span where the first that it touches stands (RFC 9110 §15.3.7.2 on the order of parts).
fn merge(parts: &mut Vec<Span>, mut span: Span) {
    let mut place = None;
    let mut at = 0;
    while at < parts.len() {
        if parts[at].touches(span) {
            let other = parts.remove(at);
            span = Span { first: span.first.min(other.first), last: span.last.max(other.last) };
            place = Some(place.map_or(at, |before: usize| before.min(at)));
            // The span has grown, and may touch parts that it did not touch before.
            at = 0;
        } else {
            at += 1;
        }
    }
    parts.insert(place.unwrap_or(parts.len()), span);
}

impl Spec {
    fn within(&self, length: u64) -> Option<Span> {
        let end = length.checked_sub(1)?;
        match *self {
            Self::From(first) => (first <= end).then_some(Span { first, last: end }),
            Self::Between(first, last) => (first <= end).then_some(Span { first, last: last.min(end) }),
            Self::Last(0) => None,
            Self::Last(count) => Some(Span { first: length.saturating_sub(count), last: end }),
        }
    }
}

/// The ranges of a field; `None` if it is not `bytes=` with at least one valid range.
fn parse(field: &str) -> Option<Vec<Spec>> {
    let (unit, set) = field.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut specs = Vec::new();
    // RFC 9110 §5.6.1.2: empty elements of a list are passed over.
    for element in set.split(',').map(|element| element.trim_matches([' ', '\t'])).filter(|e| !e.is_empty()) {
        specs.push(spec(element)?);
        if specs.len() > RANGES_MAX {
            return Some(specs);
        }
    }
    (!specs.is_empty()).then_some(specs)
}

fn spec(element: &str) -> Option<Spec> {
    match element.split_once('-')? {
        ("", count) => Some(Spec::Last(position(count)?)),
        (first, "") => Some(Spec::From(position(first)?)),
        (first, last) => {
            let (first, last) = (position(first)?, position(last)?);
            (first <= last).then_some(Spec::Between(first, last))
        }
    }
}

/// Digits, however many: a position beyond 2⁶⁴ is beyond the end of any file.
fn position(digits: &str) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Digits that name a number which can be counted to: what was sent cannot lie beyond 2⁶⁴.
fn exact(digits: &str) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(field: &str, length: u64, expected: &[(u64, u64)]) {
        let parts = expected.iter().map(|&(first, last)| Span { first, last }).collect();
        assert_eq!(Selection::of_field(field, length), Selection::Parts(parts), "{field:?} of {length}");
    }

    #[test]
    fn satisfiable_ranges_become_parts() {
        check("bytes=0-0", 1_000, &[(0, 0)]);
        check("bytes=0-499", 1_000, &[(0, 499)]);
        check("bytes=500-999", 1_000, &[(500, 999)]);
        check("bytes=500-", 1_000, &[(500, 999)]);
        check("bytes=0-", 1_000, &[(0, 999)]);
        check("bytes=999-", 1_000, &[(999, 999)]);
        check("bytes=999-999", 1_000, &[(999, 999)]);
        check("bytes=-1", 1_000, &[(999, 999)]);
        check("bytes=-500", 1_000, &[(500, 999)]);
        check("bytes=-1000", 1_000, &[(0, 999)]);
        check("bytes=-1001", 1_000, &[(0, 999)]);
        check("bytes=0-1000", 1_000, &[(0, 999)]);
        check("bytes=0-99999999999999999999999999", 1_000, &[(0, 999)]);
        check("bytes=-99999999999999999999999999", 1_000, &[(0, 999)]);
        check("BYTES=1-2", 1_000, &[(1, 2)]);
        check("bytes=1-2 , 5-6", 1_000, &[(1, 2), (5, 6)]);
        check("bytes=,,1-2,\t,5-6,", 1_000, &[(1, 2), (5, 6)]);
        check("bytes=5-6,1-2", 1_000, &[(5, 6), (1, 2)]);
        check("bytes=0-0,-1", 1_000, &[(0, 0), (999, 999)]);
        check("bytes=2000-,0-0", 1_000, &[(0, 0)]);
        check("bytes=0-0", 1, &[(0, 0)]);
        check("bytes=007-010", 1_000, &[(7, 10)]);
        check("bytes=18446744073709551614-", u64::MAX, &[(u64::MAX - 1, u64::MAX - 1)]);
    }

    #[test]
    fn ranges_that_touch_are_merged_where_the_first_stood() {
        check("bytes=0-99,100-199", 1_000, &[(0, 199)]);
        check("bytes=0-99,101-199", 1_000, &[(0, 99), (101, 199)]);
        check("bytes=0-,0-,0-,0-,0-", 1_000, &[(0, 999)]);
        check("bytes=5-9,0-6", 1_000, &[(0, 9)]);
        check("bytes=0-1,8-9,3-4,1-8", 1_000, &[(0, 9)]);
        check("bytes=20-29,0-1,8-9,2-7", 1_000, &[(20, 29), (0, 9)]);
        check("bytes=0-9,20-29,-990", 1_000, &[(0, 999)]);
        check("bytes=0-0,1-1,2-2,3-3", 1_000, &[(0, 3)]);
    }

    #[test]
    fn sixteen_ranges_are_served_and_seventeen_are_ignored() {
        let field = |count: u64| {
            let ranges: Vec<_> = (0..count).map(|n| format!("{}-{}", n * 10, n * 10)).collect();
            format!("bytes={}", ranges.join(","))
        };
        assert!(
            matches!(Selection::of_field(&field(16), 1_000), Selection::Parts(parts) if parts.len() == 16)
        );
        assert_eq!(Selection::of_field(&field(17), 1_000), Selection::Whole);
        assert_eq!(Selection::of_field(&format!("bytes={}", "0-,".repeat(1_300)), 1_000), Selection::Whole);
    }

    #[test]
    fn ranges_beyond_the_end_cannot_be_satisfied() {
        for (field, length) in [
            ("bytes=1000-", 1_000),
            ("bytes=1000-1001", 1_000),
            ("bytes=99999999999999999999999999-", 1_000),
            ("bytes=-0", 1_000),
            ("bytes=-0,1000-", 1_000),
            ("bytes=0-", 0),
            ("bytes=0-0", 0),
            ("bytes=-0", 0),
        ] {
            assert_eq!(Selection::of_field(field, length), Selection::Unsatisfiable, "{field:?} of {length}");
        }
    }

    #[test]
    fn what_is_not_a_range_in_bytes_is_ignored() {
        for field in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes= ",
            "=0-1",
            "items=0-1",
            "bytes 0-1",
            "bytes:0-1",
            "bytes=-",
            "bytes=--1",
            "bytes=1",
            "bytes=a-b",
            "bytes=0-b",
            "bytes=5-3",
            "bytes=0-1,5-3",
            "bytes=0-1,x",
            "bytes=0x1-2",
            "bytes=+0-1",
            "bytes=0-+1",
            "bytes=1 - 2",
            "bytes=1-2-3",
            "bytes=1.5-2",
            "bytes=0-1;2-3",
            "bytes=٠-١",
            "bytes=0-1\u{0}",
            "bytess=0-1",
            " bytes=0-1",
        ] {
            assert_eq!(Selection::of_field(field, 1_000), Selection::Whole, "{field:?}");
        }
        assert_eq!(Selection::of_field("bytes=-5", 0), Selection::Whole, "a suffix of nothing is nothing");
    }

    #[test]
    fn a_range_on_two_lines_is_ignored() {
        let mut headers = HeaderMap::new();
        assert_eq!(Selection::of(&headers, 10), Selection::Whole);
        headers.append(RANGE, HeaderValue::from_static("bytes=0-1"));
        assert_eq!(Selection::of(&headers, 10), Selection::Parts(vec![Span { first: 0, last: 1 }]));
        headers.append(RANGE, HeaderValue::from_static("bytes=4-5"));
        assert_eq!(Selection::of(&headers, 10), Selection::Whole);
    }

    #[test]
    fn content_range_follows_rfc_9110_section_14_4() {
        let part = |first, last, complete| Some(ContentRange::Part { span: Span { first, last }, complete });
        for (field, expected) in [
            ("bytes 0-0/1", part(0, 0, Some(1))),
            ("bytes 42-1233/1234", part(42, 1_233, Some(1_234))),
            ("bytes 42-1233/*", part(42, 1_233, None)),
            ("Bytes 0-9/10", part(0, 9, Some(10))),
            ("bytes  0-9/10", part(0, 9, Some(10))),
            ("bytes */1234", Some(ContentRange::Unsatisfied { complete: 1_234 })),
            ("bytes */0", Some(ContentRange::Unsatisfied { complete: 0 })),
            ("bytes */*", None),
            // A last position below the first, or a length that is not above the last, is invalid.
            ("bytes 9-0/10", None),
            ("bytes 0-10/10", None),
            ("bytes 0-9/0", None),
            ("bytes 0-18446744073709551616/*", None),
            ("items 0-9/10", None),
            ("bytes=0-9/10", None),
            ("bytes 0-9", None),
            ("bytes 0-/10", None),
            ("bytes -9/10", None),
            ("bytes 0-9/", None),
            ("bytes 0-9/1x", None),
            ("bytes 0-9/10, bytes 0-9/10", None),
            ("bytes +0-9/10", None),
            ("bytes", None),
            ("", None),
        ] {
            assert_eq!(ContentRange::of_field(field), expected, "{field:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_lie_in_the_file_never_touch_and_cover_exactly_what_was_asked(
            specs in prop::collection::vec((0_u64..60, 0_u64..60), 1..16), length in 1_u64..50,
        ) {
            let ranges: Vec<_> =
                specs.iter().map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))).collect();
            let asked = |byte: u64| specs.iter().any(|(a, b)| (*a.min(b)..=*a.max(b)).contains(&byte));
            let parts = match Selection::of_field(&format!("bytes={}", ranges.join(",")), length) {
                Selection::Parts(parts) => parts,
                Selection::Unsatisfiable => Vec::new(),
                Selection::Whole => panic!("a valid field"),
            };
            for byte in 0..length {
                let sent = parts.iter().filter(|part| (part.first..=part.last).contains(&byte)).count();
                prop_assert_eq!(sent, usize::from(asked(byte)), "byte {} of {:?}", byte, parts);
            }
            prop_assert!(parts.iter().all(|part| part.last < length));
            for (at, part) in parts.iter().enumerate() {
                prop_assert!(parts[at + 1..].iter().all(|other| !part.touches(*other)), "{:?}", parts);
            }
        }

        #[test]
        fn no_field_makes_it_panic(field in ".{0,60}", length in any::<u64>()) {
            Selection::of_field(&field, length);
            Selection::of_field(&format!("bytes={field}"), length);
            ContentRange::of_field(&field);
            ContentRange::of_field(&format!("bytes {field}"));
        }

        #[test]
        fn a_content_range_is_read_as_it_was_written(
            first in 0..u64::MAX / 4, more in 0..u64::MAX / 4, after in prop::option::of(1..u64::MAX / 4),
        ) {
            let last = first + more;
            let complete = after.map(|after| last + after);
            for told in [
                ContentRange::Part { span: Span { first, last }, complete },
                ContentRange::Unsatisfied { complete: first },
            ] {
                prop_assert_eq!(ContentRange::of_field(told.field().to_str().unwrap()), Some(told));
            }
        }
    }
}
