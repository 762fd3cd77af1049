//! Byte ranges (RFC 9110 §14): which bytes a `Range` field asks for.
//!
//! A request for ranges costs a caller a few bytes and could cost the server many times the file. Ranges that
//! touch are therefore merged, so that no byte is sent twice, and a field with too many of them is ignored.

/// Ranges in one field; with more, the field is ignored, as RFC 9110 §14.2 allows for many small ranges.
const RANGES_MAX: usize = 16;

/// What a `Range` field comes to, for a file of a certain length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The field does not count: it is malformed, of another unit, or too much; the whole is sent.
    Whole,
    /// These parts, none of which touch, in the order in which they were asked for.
    Parts(Vec<Span>),
    /// None of the ranges exists (RFC 9110 §15.5.17).
    Unsatisfiable,
}

/// Bytes `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Span {
    pub(crate) fn length(self) -> u64 {
        self.last - self.first + 1
    }

    fn touches(self, other: Self) -> bool {
        self.first <= other.last.saturating_add(1) && other.first <= self.last.saturating_add(1)
    }
}

/// One range as it was written.
enum Spec {
    From(u64),
    Between(u64, u64),
    Last(u64),
}

/// Reads a `Range` field.
pub(crate) fn select(field: &str, length: u64) -> Selection {
    let Some(specs) = parse(field) else { return Selection::Whole };
    if specs.len() > RANGES_MAX {
        return Selection::Whole;
    }
    // A suffix of an empty file is satisfiable (RFC 9110 §14.1.2), yet no `Content-Range` could tell of it.
    if length == 0 && specs.iter().any(|spec| matches!(spec, Spec::Last(1..))) {
        return Selection::Whole;
    }
    let mut parts: Vec<Span> = Vec::with_capacity(specs.len());
    for span in specs.iter().filter_map(|spec| spec.within(length)) {
        merge(&mut parts, span);
    }
    if parts.is_empty() { Selection::Unsatisfiable } else { Selection::Parts(parts) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(field: &str, length: u64, expected: &[(u64, u64)]) {
        let parts = expected.iter().map(|&(first, last)| Span { first, last }).collect();
        assert_eq!(select(field, length), Selection::Parts(parts), "{field:?} of {length}");
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
        assert!(matches!(select(&field(16), 1_000), Selection::Parts(parts) if parts.len() == 16));
        assert_eq!(select(&field(17), 1_000), Selection::Whole);
        assert_eq!(select(&format!("bytes={}", "0-,".repeat(1_300)), 1_000), Selection::Whole);
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
            assert_eq!(select(field, length), Selection::Unsatisfiable, "{field:?} of {length}");
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
            assert_eq!(select(field, 1_000), Selection::Whole, "{field:?}");
        }
        assert_eq!(select("bytes=-5", 0), Selection::Whole, "a suffix of nothing is nothing");
    }

    proptest! {
        #[test]
        fn parts_lie_in_the_file_never_touch_and_cover_exactly_what_was_asked(
            specs in prop::collection::vec((0_u64..60, 0_u64..60), 1..16), length in 1_u64..50,
        ) {
            let ranges: Vec<_> =
                specs.iter().map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))).collect();
            let asked = |byte: u64| specs.iter().any(|(a, b)| (*a.min(b)..=*a.max(b)).contains(&byte));
            let parts = match select(&format!("bytes={}", ranges.join(",")), length) {
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
            select(&field, length);
            select(&format!("bytes={field}"), length);
        }
    }
}
