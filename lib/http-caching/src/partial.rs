//! Parts of one representation (RFC 9111 §3.3, §3.4; RFC 9110 §15.3.7.3): put together as they come, served as far
//! as they go, and asked for where they are missing.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::range::{ContentRange, Span};
use crate::validation::StrongValidator;

/// Pieces that are kept of one representation.
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
    /// There would be more than [`PIECES_MAX`] pieces.
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
        let mut parts = Self::new(complete, validator);
        parts.place(first, body);
        Ok(parts)
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

    /// Adds what a later response brought.
    pub fn merge(&mut self, other: Self) -> Inserted {
        if other.validator != self.validator || other.complete != self.complete {
            return Inserted::OtherState;
        }
        let mut merged = self.clone();
        for piece in other.pieces {
            merged.place(piece.first, piece.bytes);
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
        let mut added = Self::new(self.complete, self.validator.clone());
        added.place(first, bytes);
        self.merge(added)
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

    /// Puts bytes, which lie within the representation, where there are none.
    fn place(&mut self, first: u64, bytes: Bytes) {
        let Some(more) = (bytes.len() as u64).checked_sub(1) else { return };
        for gap in self.missing(Span { first, last: first + more }) {
            let bytes = bytes.slice((gap.first - first) as usize..=(gap.last - first) as usize);
            let place = self.pieces.partition_point(|piece| piece.first < gap.first);
            self.pieces.insert(place, Piece { first: gap.first, bytes });
        }
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
