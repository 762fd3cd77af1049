//! Errors that a request may have brought about by something that is not in its key.
//!
//! One caller could otherwise make the answer to everybody an error, by a request that only the origin finds wrong:
//! too large a field, a control byte, another method in a field. Such answers are passed on and not stored.

use http::header::{
    CONTENT_LENGTH, EXPECT, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderName, StatusCode};

use super::{Received, is_query};

/// A header section up to this size is ordinary. Servers refuse from 4 to 16 KiB on.
const SECTION_BYTES_MAX: usize = 4096;

/// Fields that some frameworks read in place of the request's own method or target.
const OVERRIDES: [&str; 6] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-original-uri",
];

/// Conditions; what an origin makes of one that is malformed, only the origin knows.
const CONDITIONS: [HeaderName; 4] = [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];

/// What may have brought an error about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provocation {
    /// The status speaks of this one request or connection.
    Status,
    /// `Range` or `If-Range`.
    Range,
    /// A condition of the caller's own.
    Condition,
    /// `Expect`.
    Expect,
    /// `Upgrade`.
    Upgrade,
    /// Content in a request whose method has none.
    Body,
    /// A field that replaces the method or the target.
    Override,
    /// A large header section.
    Size,
    /// Bytes that are neither visible ASCII nor space nor tab.
    Bytes,
}

impl Provocation {
    /// Where it is said.
    pub fn clause(self) -> &'static str {
        match self {
            Self::Status => "RFC 6585 §3 to §6, RFC 9110 §15.5",
            Self::Range | Self::Condition | Self::Expect | Self::Upgrade | Self::Body => "RFC 9111 §2, §7.1",
            Self::Override | Self::Size | Self::Bytes => "RFC 9111 §7.1",
        }
    }

    /// A sentence for people.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Status => "The status speaks of this one request or connection.",
            Self::Range => "The error may be due to the request's range.",
            Self::Condition => "The error may be due to the request's condition.",
            Self::Expect => "The error may be due to the request's Expect.",
            Self::Upgrade => "The error may be due to the request's Upgrade.",
            Self::Body => "The error may be due to the request's content.",
            Self::Override => "The error may be due to a field that replaces the method or the target.",
            Self::Size => "The error may be due to the size of the request's fields.",
            Self::Bytes => "The error may be due to unusual bytes in the request's fields.",
        }
    }
}

/// What may have brought this error about; `None` if the request is an ordinary one.
pub fn provoked(received: &Received<'_>) -> Option<Provocation> {
    let request = received.request;
    let any = |names: &[HeaderName]| names.iter().any(|name| request.contains_key(name));
    let empty = request.get(CONTENT_LENGTH).is_none_or(|length| length.as_bytes() == b"0");
    let has_body = !empty || request.contains_key(TRANSFER_ENCODING);
    let size = || request.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
    let ordinary = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    match () {
        () if speaks_of_one_request(received.status) => Some(Provocation::Status),
        () if any(&[RANGE, IF_RANGE]) => Some(Provocation::Range),
        () if any(&CONDITIONS) => Some(Provocation::Condition),
        () if any(&[EXPECT]) => Some(Provocation::Expect),
        () if any(&[UPGRADE]) => Some(Provocation::Upgrade),
        () if has_body && !is_query(received.method) => Some(Provocation::Body),
        () if OVERRIDES.iter().any(|name| request.contains_key(*name)) => Some(Provocation::Override),
        () if size() > SECTION_BYTES_MAX => Some(Provocation::Size),
        () if !request.values().all(|value| value.as_bytes().iter().all(ordinary)) => {
            Some(Provocation::Bytes)
        }
        () => None,
    }
}

/// Statuses that are about what is in no key: the caller's proxy, pace, connection, content and fields. RFC 6585
/// forbids to store 428, 429, 431 and 511.
fn speaks_of_one_request(status: StatusCode) -> bool {
    matches!(status.as_u16(), 407 | 408 | 412 | 413 | 416 | 417 | 421 | 425 | 426 | 428 | 429 | 431 | 511)
}
