//! Quotes around what was just written, and escapes in it where it has something to escape.
//!
//! Hardly any such text does, so it is written in its place first and looked at afterwards.

use super::bytes::Malformed;
use crate::json;

/// Writes a text as a JSON string.
pub(super) fn json(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    out.push(b'"');
    let begun = out.len();
    write(out)?;
    if json::needs_escape(&out[begun..]) {
        let text = out.split_off(begun);
        out.pop();
        json::text(out, std::str::from_utf8(&text).map_err(|_| Malformed)?);
    } else {
        out.push(b'"');
    }
    Ok(())
}

/// Where a text stands that is quoted as the server quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// `{1,"a b"}`.
    Array,
    /// `(1,"a b")`.
    Composite,
    /// `["a b",c)`.
    Range,
}

/// Writes a text as a part of another.
pub(super) fn part(
    out: &mut Vec<u8>,
    within: Within,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let begun = out.len();
    write(out)?;
    if !needs_quotes(&out[begun..], within) {
        return Ok(());
    }
    let text = out.split_off(begun);
    out.push(b'"');
    for byte in text {
        match (byte, within) {
            (b'"' | b'\\', Within::Array) => out.extend_from_slice(&[b'\\', byte]),
            (b'"' | b'\\', Within::Composite | Within::Range) => out.extend_from_slice(&[byte, byte]),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    Ok(())
}

fn needs_quotes(text: &[u8], within: Within) -> bool {
    let signs: &[u8] = match within {
        Within::Array => b"{}",
        Within::Composite => b"()",
        Within::Range => b"()[]",
    };
    text.is_empty()
        || (within == Within::Array && text.eq_ignore_ascii_case(b"null"))
        || text.iter().any(|byte| {
            matches!(byte, b'"' | b'\\' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
                || signs.contains(byte)
        })
}
