//! Parts of one representation (RFC 9111 §3.3, §3.4; RFC 9110 §15.3.7.3): put together as they come, served as far
//! as they go, and asked for where they are missing.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::range::{ContentRange, Span};
use crate::validation::StrongValidator;

/// Pieces that are kept of one representation. With more, those between which there is no gap are copied together.
pub const PIECES_MAX: usize = 1_024;

/// What is known of one state of a representation: some of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    complete: u64,
    validator: StrongValidator,
    /// In order, none of which overlap, none of which are empty.
    pieces: Vec<Piece>,
}

/// What became of bytes that were to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// They are held now, together with what there was.
    Merged,
    /// They are of another state (RFC 9111 §3.4: "combined if they all share the same strong validator").
    OtherState,
    /// They do not lie within the representation.
    OutOfBounds,
    /// There would be more than [`PIECES_MAX`] pieces with gaps between them.
    TooManyPieces,
}

/// Why a response cannot be kept as a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unkeepable {
    /// It is neither a 206 nor a 200.
    #[error("only 200 and 206 have parts of a representation")]
    Status,
    /// It has no valid `Content-Range`, or is made of several parts.
    #[error("the response has no valid Content-Range")]
    ContentRange,
    /// Its `Content-Range` leaves open how long the whole is, or a 200 does not tell its length.
    #[error("the length of the whole is not known")]
    Length,
    /// Nothing would tell whether another part fits (RFC 9111 §3.4).
    #[error("the response has no strong validator")]
    Validator,
    /// It has more bytes than its `Content-Range` says.
    #[error("the content is longer than its range")]
    TooLong,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    first: u64,
    bytes: Bytes,
}

impl Parts {
    /// Of a representation that has `complete` bytes, none yet.
    pub fn new(complete: u64, validator: StrongValidator) -> Self {
        Self { complete, validator, pieces: Vec::new() }
    }

    /// What a response brings, which may have been cut off: a 206 with one range, or a 200 (RFC 9111 §3.3).
    pub fn of_response(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Result<Self, Unkeepable> {
        let (first, room, complete) = match status {
            StatusCode::PARTIAL_CONTENT => match ContentRange::of(headers) {
                Some(ContentRange::Part { span, complete: Some(complete) }) => {
                    (span.first, span.length(), complete)
                }
                Some(ContentRange::Part { complete: None, .. }) => return Err(Unkeepable::Length),
                _ => return Err(Unkeepable::ContentRange),
            },
            StatusCode::OK => {
                let complete = content_length(headers).ok_or(Unkeepable::Length)?;
                (0, complete, complete)
            }
            _ => return Err(Unkeepable::Status),
        };
        let validator = StrongValidator::of(headers).ok_or(Unkeepable::Validator)?;
        if body.len() as u64 > room {
            return Err(Unkeepable::TooLong);
        }
        Ok(Self::of_piece(complete, validator, Piece { first, bytes: body }))
    }

    /// How many bytes the whole has.
    pub fn complete_length(&self) -> u64 {
        self.complete
    }

    /// What names the state that these are parts of.
    pub fn validator(&self) -> &StrongValidator {
        &self.validator
    }

    /// How many bytes are held.
    pub fn bytes_held(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.bytes.len() as u64).sum()
    }

    /// What is held, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.pieces.iter().map(|piece| &piece.bytes)
    }

    /// What it keeps on the heap: the bytes, with what it takes to keep each piece, and the validator.
    pub fn heap_bytes(&self) -> u64 {
        /// An allocator's rounding, and what a `Bytes` allocates beside its bytes once it is shared.
        fn block(bytes: usize) -> usize {
            bytes.next_multiple_of(16) + 32
        }
        let pieces: usize = self.pieces.iter().map(|piece| block(piece.bytes.len())).sum();
        (self.pieces.capacity() * size_of::<Piece>() + pieces + block(self.validator.field().len())) as u64
    }

    /// Adds what a later response brought.
    pub fn merge(&mut self, other: Self) -> Inserted {
        if other.validator != self.validator || other.complete != self.complete {
            return Inserted::OtherState;
        }
        let mut merged = self.clone();
        for piece in other.pieces {
            merged.place(&piece);
        }
        if merged.pieces.len() > PIECES_MAX {
            merged.join();
        }
        if merged.pieces.len() > PIECES_MAX {
            return Inserted::TooManyPieces;
        }
        *self = merged;
        Inserted::Merged
    }

    /// Adds bytes of the same state, the first of which stands at `first`. Bytes that are held already stay.
    pub fn insert(&mut self, validator: &StrongValidator, first: u64, bytes: Bytes) -> Inserted {
        if *validator != self.validator {
            return Inserted::OtherState;
        }
        if first.checked_add(bytes.len() as u64).is_none_or(|end| end > self.complete) {
            return Inserted::OutOfBounds;
        }
        self.merge(Self::of_piece(self.complete, self.validator.clone(), Piece { first, bytes }))
    }

    /// Whether all bytes are held.
    pub fn is_complete(&self) -> bool {
        self.bytes_held() == self.complete
    }

    /// Whether all bytes of a span are held.
    pub fn covers(&self, span: Span) -> bool {
        span.last < self.complete && self.missing(span).is_empty()
    }

    /// What of a span is not held, in order.
    pub fn missing(&self, span: Span) -> Vec<Span> {
        let mut missing = Vec::new();
        let mut next = span.first;
        for piece in &self.pieces {
            if piece.first > span.last || next > span.last {
                break;
            }
            if piece.end() <= next {
                continue;
            }
            if piece.first > next {
                missing.push(Span { first: next, last: piece.first - 1 });
            }
            next = piece.end();
        }
        if next <= span.last {
            missing.push(Span { first: next, last: span.last });
        }
        missing
    }

    /// The bytes of a span, in pieces; `None` unless it is covered.
    pub fn slice(&self, span: Span) -> Option<Vec<Bytes>> {
        if !self.covers(span) {
            return None;
        }
        let within = self.pieces.iter().filter(|piece| piece.first <= span.last && piece.end() > span.first);
        let cut = |piece: &Piece| {
            let from = span.first.saturating_sub(piece.first) as usize;
            let to = (span.last + 1).min(piece.end()) - piece.first;
            piece.bytes.slice(from..to as usize)
        };
        Some(within.map(cut).collect())
    }

    /// All bytes, in pieces; `None` unless they are complete.
    pub fn whole(&self) -> Option<Vec<Bytes>> {
        self.is_complete().then(|| self.pieces.iter().map(|piece| piece.bytes.clone()).collect())
    }

    /// The request fields that ask for what is missing of a span, or for the whole if there is another state by now
    /// (RFC 9110 §13.1.5). It is asked for as one range, so that the answer is one part. `None`: nothing is missing.
    pub fn completing(&self, span: Span) -> Option<HeaderMap> {
        let missing = self.missing(Span { last: span.last.min(self.complete.checked_sub(1)?), ..span });
        let (first, last) = (missing.first()?.first, missing.last()?.last);
        let mut fields = HeaderMap::new();
        let range = HeaderValue::try_from(format!("bytes={first}-{last}"));
        fields.insert(RANGE, range.expect("digits and signs are visible ASCII"));
        fields.insert(IF_RANGE, self.validator.field().clone());
        Some(fields)
    }

    /// Makes stored fields those of an answer with this span, or with the whole: `Content-Range`, `Content-Length`
    /// and the status (RFC 9110 §15.3.7.3).
    pub fn describe(&self, span: Option<Span>, headers: &mut HeaderMap) -> StatusCode {
        let length = span.map_or(self.complete, Span::length);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        match span {
            None => {
                headers.remove(CONTENT_RANGE);
                StatusCode::OK
            }
            Some(span) => {
                let range = ContentRange::Part { span, complete: Some(self.complete) };
                headers.insert(CONTENT_RANGE, range.field());
                StatusCode::PARTIAL_CONTENT
            }
        }
    }

    fn of_piece(complete: u64, validator: StrongValidator, piece: Piece) -> Self {
        let pieces = if piece.bytes.is_empty() { Vec::new() } else { vec![piece] };
        Self { complete, validator, pieces }
    }

    /// Puts what of a piece is not held where it belongs. A part of it is copied, for it would keep all of it.
    fn place(&mut self, piece: &Piece) {
        for gap in self.missing(Span { first: piece.first, last: piece.end() - 1 }) {
            let (from, to) = (gap.first - piece.first, gap.last - piece.first);
            let is_all = gap.length() == piece.bytes.len() as u64;
            let part = &piece.bytes[from as usize..=to as usize];
            let bytes = if is_all { piece.bytes.clone() } else { Bytes::copy_from_slice(part) };
            let place = self.pieces.partition_point(|held| held.first < gap.first);
            self.pieces.insert(place, Piece { first: gap.first, bytes });
        }
    }

    /// Makes one piece of those between which there is no gap.
    fn join(&mut self) {
        let runs = self.pieces.chunk_by(|one, next| one.end() == next.first);
        let join = |run: &[Piece]| match run {
            [piece] => piece.clone(),
            run => {
                let bytes: Vec<&[u8]> = run.iter().map(|piece| &*piece.bytes).collect();
                Piece { first: run[0].first, bytes: bytes.concat().into() }
            }
        };
        self.pieces = runs.map(join).collect();
    }
}

impl Piece {
    /// The first position behind it.
    fn end(&self) -> u64 {
        self.first + self.bytes.len() as u64
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &[u8] = b"0123456789";

    fn tag(text: &'static str) -> StrongValidator {
        StrongValidator::Tag(HeaderValue::from_static(text))
    }

    fn span(first: u64, last: u64) -> Span {
        Span { first, last }
    }

    fn digits(span: Span) -> Bytes {
        Bytes::from_static(&WHOLE[span.first as usize..=span.last as usize])
    }

    fn holding(spans: &[(u64, u64)]) -> Parts {
        let mut parts = Parts::new(10, tag("\"a\""));
        for (first, last) in spans {
            let inserted = parts.insert(&tag("\"a\""), *first, digits(span(*first, *last)));
            assert_eq!(inserted, Inserted::Merged);
        }
        parts
    }

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn rfc_9111_section_3_3_a_response_is_kept_if_its_place_and_its_state_are_known() {
        const TAG: (&str, &str) = ("etag", "\"a\"");
        type Fields = &'static [(&'static str, &'static str)];
        let check = |status: u16,
                     fields: Fields,
                     body: &'static str,
                     expected: Result<&[Span], Unkeepable>| {
            let status = StatusCode::from_u16(status).unwrap();
            let parts = Parts::of_response(status, &headers(fields), Bytes::from_static(body.as_bytes()));
            match (&parts, expected) {
                (Ok(parts), Ok(missing)) => assert_eq!(parts.missing(span(0, 9)), missing, "{fields:?}"),
                (parts, expected) => assert_eq!(parts.as_ref().err(), expected.err().as_ref(), "{fields:?}"),
            }
        };
        check(206, &[TAG, ("content-range", "bytes 2-5/10")], "2345", Ok(&[span(0, 1), span(6, 9)]));
        check(206, &[TAG, ("content-range", "bytes 2-5/10")], "23", Ok(&[span(0, 1), span(4, 9)]));
        check(206, &[TAG, ("content-range", "bytes 2-5/10")], "", Ok(&[span(0, 9)]));
        check(206, &[TAG, ("content-range", "bytes 2-5/10")], "23456", Err(Unkeepable::TooLong));
        check(206, &[TAG, ("content-range", "bytes 2-5/*")], "2345", Err(Unkeepable::Length));
        check(206, &[TAG, ("content-range", "bytes */10")], "", Err(Unkeepable::ContentRange));
        check(206, &[TAG, ("content-range", "bytes 5-2/10")], "", Err(Unkeepable::ContentRange));
        check(
            206,
            &[TAG, ("content-type", "multipart/byteranges; boundary=x")],
            "",
            Err(Unkeepable::ContentRange),
        );
        check(206, &[("content-range", "bytes 2-5/10")], "2345", Err(Unkeepable::Validator));
        check(
            206,
            &[("etag", "W/\"a\""), ("content-range", "bytes 2-5/10")],
            "2345",
            Err(Unkeepable::Validator),
        );
        // A 200 that was cut off.
        check(200, &[TAG, ("content-length", "10")], "0123", Ok(&[span(4, 9)]));
        check(200, &[TAG, ("content-length", "10")], "0123456789", Ok(&[]));
        check(200, &[TAG], "0123", Err(Unkeepable::Length));
        check(200, &[TAG, ("content-length", "3")], "0123", Err(Unkeepable::TooLong));
        check(416, &[TAG, ("content-range", "bytes */10")], "", Err(Unkeepable::Status));
    }

    #[test]
    fn rfc_9111_section_3_4_parts_are_combined_only_with_the_same_strong_validator() {
        let mut parts = holding(&[(0, 1)]);
        assert_eq!(parts.insert(&tag("\"b\""), 2, Bytes::from_static(b"23")), Inserted::OtherState);
        assert_eq!(parts.merge(Parts::new(10, tag("\"b\""))), Inserted::OtherState);
        assert_eq!(parts.merge(Parts::new(11, tag("\"a\""))), Inserted::OtherState);
        assert_eq!(parts.insert(&tag("\"a\""), 8, Bytes::from_static(b"89A")), Inserted::OutOfBounds);
        assert_eq!(parts.insert(&tag("\"a\""), u64::MAX, Bytes::from_static(b"8")), Inserted::OutOfBounds);
        assert_eq!(parts, holding(&[(0, 1)]), "nothing of that was kept");
        assert_eq!(parts.merge(holding(&[(4, 9)])), Inserted::Merged);
        assert_eq!(parts.missing(span(0, 9)), [span(2, 3)]);
        assert!(!parts.is_complete());
        assert_eq!(parts.merge(holding(&[(1, 5)])), Inserted::Merged);
        assert!(parts.is_complete());
        assert_eq!(parts.bytes_held(), 10);
        assert_eq!(parts.whole().unwrap().concat(), WHOLE);
    }

    #[test]
    fn only_what_is_held_is_sent() {
        let parts = holding(&[(2, 3), (4, 5), (8, 8)]);
        assert_eq!(parts.slice(span(2, 5)).unwrap().concat(), b"2345");
        assert_eq!(parts.slice(span(3, 4)).unwrap().concat(), b"34");
        for (first, last) in [(1, 2), (5, 6), (2, 8), (9, 9), (8, 10), (10, 10)] {
            assert_eq!(parts.slice(span(first, last)), None, "{first}-{last}");
        }
        assert_eq!(parts.whole(), None);
    }

    #[test]
    fn what_is_missing_is_asked_for_as_one_range_of_the_same_state() {
        let parts = holding(&[(0, 1), (4, 5), (9, 9)]);
        let check = |first, last, expected: Option<&'static str>| {
            let fields = expected.map(|range| headers(&[("range", range), ("if-range", "\"a\"")]));
            assert_eq!(parts.completing(span(first, last)), fields, "{first}-{last}");
        };
        check(0, 9, Some("bytes=2-8"));
        check(0, 3, Some("bytes=2-3"));
        check(3, 7, Some("bytes=3-7"));
        check(5, 99, Some("bytes=6-8"));
        check(4, 5, None);
        check(9, 9, None);
        assert_eq!(Parts::new(0, tag("\"a\"")).completing(span(0, 0)), None);
    }

    #[test]
    fn rfc_9110_section_15_3_7_3_fields_tell_what_is_sent() {
        let parts = holding(&[(0, 9)]);
        let mut fields = headers(&[("content-range", "bytes 0-1/10"), ("content-length", "2"), ("x", "1")]);
        assert_eq!(parts.describe(None, &mut fields), StatusCode::OK);
        assert_eq!(fields, headers(&[("content-length", "10"), ("x", "1")]));
        assert_eq!(parts.describe(Some(span(3, 4)), &mut fields), StatusCode::PARTIAL_CONTENT);
        let expected = headers(&[("content-range", "bytes 3-4/10"), ("content-length", "2"), ("x", "1")]);
        assert_eq!(fields, expected);
    }

    #[test]
    fn an_empty_representation_is_complete() {
        let parts = Parts::new(0, tag("\"a\""));
        assert!(parts.is_complete());
        assert_eq!(parts.whole(), Some(Vec::new()));
        assert!(!parts.covers(span(0, 0)));
    }

    #[test]
    fn there_is_a_limit_to_pieces_with_gaps_and_none_to_filling_the_gaps() {
        let count = PIECES_MAX as u64;
        let mut parts = Parts::new(2 * count, tag("\"a\""));
        let byte = Bytes::from_static(b".");
        for n in 0..count {
            assert_eq!(parts.insert(&tag("\"a\""), n * 2, byte.clone()), Inserted::Merged);
        }
        let mut wider = parts.clone();
        wider.complete = 4 * count;
        assert_eq!(wider.insert(&tag("\"a\""), 3 * count, byte.clone()), Inserted::TooManyPieces);
        assert_eq!(wider.bytes_held(), count, "nothing of that was kept");
        for n in 0..count {
            assert_eq!(parts.insert(&tag("\"a\""), n * 2 + 1, byte.clone()), Inserted::Merged);
            assert!(parts.pieces.len() <= PIECES_MAX);
        }
        assert_eq!(parts.whole().unwrap().concat(), vec![b'.'; 2 * PIECES_MAX]);
    }

    proptest! {
        #[test]
        fn parts_hold_exactly_what_was_added(
            added in prop::collection::vec((0_u64..10, 0_u64..10), 0..8), asked in (0_u64..10, 0_u64..10),
        ) {
            let ordered = |(a, b): (u64, u64)| (a.min(b), a.max(b));
            let added: Vec<_> = added.into_iter().map(ordered).collect();
            let parts = holding(&added);
            let held = |byte: u64| added.iter().any(|(first, last)| (*first..=*last).contains(&byte));
            prop_assert_eq!(parts.bytes_held(), (0..10).filter(|byte| held(*byte)).count() as u64);
            let (first, last) = ordered(asked);
            let missing = parts.missing(span(first, last));
            for byte in first..=last {
                let is_missing = missing.iter().any(|gap| (gap.first..=gap.last).contains(&byte));
                prop_assert_eq!(is_missing, !held(byte));
            }
            prop_assert!(missing.windows(2).all(|gaps| gaps[0].last + 1 < gaps[1].first));
            prop_assert!(missing.iter().all(|gap| first <= gap.first && gap.last <= last));
            let sent = parts.slice(span(first, last)).map(|pieces| pieces.concat());
            let expected = missing.is_empty().then(|| digits(span(first, last)).to_vec());
            prop_assert_eq!(sent, expected);
        }
    }
}
