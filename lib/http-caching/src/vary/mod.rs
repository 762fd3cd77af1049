//! `Vary` (RFC 9110 §12.5.5, RFC 9111 §4.1): by which fields of a request an answer was chosen, and when two
//! requests agree in them.
//!
//! Requests agree if their *selecting bytes* are equal. The bytes are made from what the fields mean and not from
//! how they are written, as far as the meaning of a field is known; a field that is not known is taken as it is.

mod normal;

use http::HeaderMap;
use http::header::{HeaderName, VARY};

/// Names in the `Vary` fields of one answer; with more, hardly two requests would agree.
pub const NAMES_MAX: usize = 16;

/// What the choice of an answer depended on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Varying {
    /// Nothing but the method and the target.
    Nothing,
    /// These fields of the request, sorted and without repetition.
    By(Vec<HeaderName>),
    /// More than a request tells: `*`, or something that cannot be the name of a field. The answer fits no other
    /// request (RFC 9111 §4.1).
    Everything,
    /// More than [`NAMES_MAX`] fields.
    TooMany,
}

impl Varying {
    /// Reads the `Vary` fields of an answer.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut names: Vec<HeaderName> = Vec::new();
        let mut too_many = false;
        for line in headers.get_all(VARY) {
            for member in line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                if member.is_empty() {
                    continue;
                }
                let name = HeaderName::from_bytes(member).ok().filter(|name| *name != "*");
                let Some(name) = name else { return Self::Everything };
                let Err(place) = names.binary_search_by(|known| known.as_str().cmp(name.as_str())) else {
                    continue;
                };
                if names.len() == NAMES_MAX {
                    too_many = true;
                } else {
                    names.insert(place, name);
                }
            }
        }
        match names {
            _ if too_many => Self::TooMany,
            names if names.is_empty() => Self::Nothing,
            names => Self::By(names),
        }
    }
}

/// What a request says in these fields, for comparison and for keys: two requests agree in them (RFC 9111 §4.1) if
/// the bytes are equal, which are never equal for two that do not. Every part is preceded by its length; a field
/// that is absent differs from one that is empty.
pub fn selecting(names: &[HeaderName], request: &HeaderMap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64 * names.len());
    for name in names {
        push(&mut bytes, name.as_str().as_bytes());
        match normal::value(name, request) {
            None => bytes.push(0),
            Some(value) => {
                bytes.push(1);
                push(&mut bytes, &value);
            }
        }
    }
    bytes
}

fn push(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

#[cfg(test)]
mod tests;
