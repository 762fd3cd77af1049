//! `multipart/byteranges` (RFC 9110 §14.6): the body of an answer with several parts, as pieces.
//!
//! The text between the parts is made here; the bytes of the parts are named, not read, so that they may come from
//! memory or from a disk.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use http::HeaderValue;

use crate::range::{ContentRange, Span};

/// What comes next in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes, such as the head of a part.
    Text(Bytes),
    /// These bytes of the representation.
    Slice(Span),
}

/// A body with several parts of one representation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteRanges {
    /// The `Content-Type` of the answer; that of the representation stands in the parts. There must not be a
    /// `Content-Range` beside it (RFC 9110 §15.3.7.2).
    pub content_type: HeaderValue,
    /// The body, in order.
    pub pieces: Vec<Piece>,
}

impl Piece {
    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Slice(span) => span.length(),
        }
    }
}

impl ByteRanges {
    /// The body that has these parts of a representation with `complete` bytes and this media type.
    pub fn new(parts: &[Span], complete: u64, media_type: Option<&HeaderValue>) -> Self {
        Self::bounded_by(&boundary(), parts, complete, media_type)
    }

    /// How many bytes the body has.
    pub fn length(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }

    fn bounded_by(boundary: &str, parts: &[Span], complete: u64, media_type: Option<&HeaderValue>) -> Self {
        let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
        for (place, span) in parts.iter().enumerate() {
            let mut head = Vec::with_capacity(160);
            head.extend_from_slice(if place == 0 { b"" } else { b"\r\n" });
            head.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            if let Some(media_type) = media_type {
                head.extend_from_slice(b"Content-Type: ");
                head.extend_from_slice(media_type.as_bytes());
                head.extend_from_slice(b"\r\n");
            }
            let range = ContentRange::Part { span: *span, complete: Some(complete) }.field();
            head.extend_from_slice(b"Content-Range: ");
            head.extend_from_slice(range.as_bytes());
            head.extend_from_slice(b"\r\n\r\n");
            pieces.push(Piece::Text(head.into()));
            pieces.push(Piece::Slice(*span));
        }
        pieces.push(Piece::Text(format!("\r\n--{boundary}--\r\n").into()));
        let content_type = HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"))
            .expect("hexadecimal digits are visible ASCII");
        Self { content_type, pieces }
    }
}

/// Hard to guess, so that a representation cannot contain it on purpose.
fn boundary() -> String {
    // Each state is seeded at random, and the number behind it is the one thing that is hashed.
    format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_tells_its_type_and_its_place() {
        let parts = [Span { first: 0, last: 1 }, Span { first: 4, last: 9 }];
        let media_type = HeaderValue::from_static("text/plain");
        let body = ByteRanges::bounded_by("0a", &parts, 10, Some(&media_type));
        assert_eq!(body.content_type, "multipart/byteranges; boundary=0a");
        let text = |text: &'static str| Piece::Text(Bytes::from_static(text.as_bytes()));
        assert_eq!(
            body.pieces,
            [
                text("--0a\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n"),
                Piece::Slice(parts[0]),
                text("\r\n--0a\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-9/10\r\n\r\n"),
                Piece::Slice(parts[1]),
                text("\r\n--0a--\r\n"),
            ]
        );
        assert_eq!(body.length(), 63 + 2 + 65 + 6 + 10);
    }

    #[test]
    fn a_representation_without_a_type_has_none_in_its_parts() {
        let body = ByteRanges::bounded_by("0a", &[Span { first: 3, last: 3 }], 10, None);
        let head = Piece::Text(Bytes::from_static(b"--0a\r\nContent-Range: bytes 3-3/10\r\n\r\n"));
        assert_eq!(body.pieces[0], head);
    }

    #[test]
    fn two_bodies_have_boundaries_of_their_own() {
        let body = || ByteRanges::new(&[Span { first: 0, last: 0 }], 1, None).content_type;
        assert_ne!(body(), body());
    }
}
