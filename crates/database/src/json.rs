//! Writes JSON straight from column values, without a tree in between.
//!
//! Building text in one pass is about twice as fast as going through a value tree, and it allocates only when
//! the buffer grows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kasoku_sql_plan::ColumnKind;
use serde::de::IgnoredAny;

use crate::value::ValueRef;

/// How numbers are written that a double cannot hold exactly: whole ones of more than 53 bits, and decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ExactNumbers {
    /// As numbers, with all their digits. JSON sets them no limit (RFC 8259 §6); readers in JavaScript round them.
    #[default]
    AsNumbers,
    /// As strings. What is a string then depends on the value alone for whole numbers, and on the type for decimals.
    AsStrings,
}

/// Writes a value of a column.
pub fn value(out: &mut Vec<u8>, kind: ColumnKind, value: ValueRef<'_>, numbers: ExactNumbers) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Integer(number @ (0 | 1)) if kind == ColumnKind::Boolean => {
            out.extend_from_slice(if number == 1 { b"true" } else { b"false" });
        }
        ValueRef::Integer(number) => exact_integer(out, number, numbers),
        ValueRef::Real(number) => real(out, number),
        // A document is shown as itself; what is none, in a column that does not check, as a string.
        ValueRef::Text(text)
            if kind == ColumnKind::Json && serde_json::from_str::<IgnoredAny>(text).is_ok() =>
        {
            document(out, text);
        }
        ValueRef::Text(string) => text(out, string),
        ValueRef::Blob(bytes) => blob(out, bytes),
        ValueRef::Boolean(is) => out.extend_from_slice(if is { b"true" } else { b"false" }),
        ValueRef::Json(text) => document(out, text),
        ValueRef::Native(native) => native.write_json(out, numbers),
    }
}

/// Writes a string with the escapes of RFC 8259 §7.
pub fn text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if needs_escape(bytes) {
        out.reserve(bytes.len() + 2);
        out.push(b'"');
        escaped(out, bytes);
        out.push(b'"');
    } else {
        plain(out, bytes);
    }
}

/// Writes a string in which nothing is escaped.
pub(crate) fn plain(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    out.extend_from_slice(bytes);
    out.push(b'"');
}

/// Whether something in a text is escaped.
pub(crate) fn needs_escape(bytes: &[u8]) -> bool {
    any(bytes, has_escape, |byte| ESCAPES[usize::from(byte)] != 0)
}

/// Whether these bytes are ASCII, and nothing in them is escaped.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let is_other = |byte: u8| !byte.is_ascii() || ESCAPES[usize::from(byte)] != 0;
    !any(bytes, |word| has_escape(word) || !word.to_ne_bytes().is_ascii(), is_other)
}

/// Whether some byte is of a kind. Few are of those that are asked for here, and eight bytes are looked at sooner at
/// once than one by one; the last eight may overlap with those before.
fn any(bytes: &[u8], in_word: impl Fn(u64) -> bool, is: impl Fn(u8) -> bool) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().any(|byte| is(*byte));
    };
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().chain([last]).any(|word| in_word(u64::from_le_bytes(*word)))
}

/// Whether one of eight bytes is escaped: a control character, a quote or a backslash.
fn has_escape(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    // The high bit of a byte that was zero. Of bytes above such a one it may be set wrongly, which does not change
    // whether any is set.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(0x20 * ONES) & !word;
    let quote = zero(word ^ (u64::from(b'"') * ONES));
    let backslash = zero(word ^ (u64::from(b'\\') * ONES));
    (control | quote | backslash) & HIGH != 0
}

fn escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut plain_from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[usize::from(*byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[plain_from..at]);
        plain_from = at + 1;
        if escape == b'u' {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(&bytes[plain_from..]);
}

/// Writes a whole number.
pub fn integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a whole number that may be more than a double holds.
pub fn exact_integer(out: &mut Vec<u8>, number: i64, numbers: ExactNumbers) {
    const EXACT_MAX: u64 = (1 << 53) - 1;
    if numbers == ExactNumbers::AsStrings && number.unsigned_abs() > EXACT_MAX {
        out.push(b'"');
        integer(out, number);
        out.push(b'"');
    } else {
        integer(out, number);
    }
}

/// Writes a document that is JSON already, on one line: between its tokens a line's end means no more than a space,
/// and within a string there is none.
pub fn document(out: &mut Vec<u8>, text: &str) {
    let begun = out.len();
    out.extend_from_slice(text.trim_ascii().as_bytes());
    for byte in &mut out[begun..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

/// Writes a double in its shortest form that reads back; `null` for what JSON has no number for.
pub fn real(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    let mut buffer = zmij::Buffer::new();
    out.extend_from_slice(buffer.format_finite(number).as_bytes());
}

/// Writes bytes as a base64 string (RFC 4648 §4).
pub fn blob(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    base64(out, bytes);
    out.push(b'"');
}

/// Writes bytes in base64, without quotes.
pub(crate) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let begun = out.len();
    out.resize(begun + bytes.len().div_ceil(3) * 4, 0);
    STANDARD.encode_slice(bytes, &mut out[begun..]).expect("there is room for all of it");
}

/// For each byte: 0 to copy it, `u` to write it as `\u00XX`, else the letter behind the backslash.
static ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = b'u';
        control += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_look_as_json_writes_them() {
        assert_eq!(written(|out| text(out, "a\"b\\c\n\u{1}\u{7f}é陶")), "\"a\\\"b\\\\c\\n\\u0001\u{7f}é陶\"");
        assert_eq!(written(|out| integer(out, i64::MIN)), "-9223372036854775808");
        assert_eq!(written(|out| real(out, f64::NAN)), "null");
        assert_eq!(written(|out| blob(out, b"\x00\xff")), "\"AP8=\"");
    }

    #[test]
    fn values_show_their_column_s_kind_and_what_doubles_cannot_hold_as_it_is_asked() {
        use ExactNumbers::{AsNumbers, AsStrings};
        let cases = [
            (ColumnKind::Boolean, ValueRef::Integer(1), AsNumbers, "true"),
            (ColumnKind::Boolean, ValueRef::Integer(2), AsNumbers, "2"),
            (ColumnKind::Boolean, ValueRef::Boolean(false), AsNumbers, "false"),
            (ColumnKind::Integer, ValueRef::Integer((1 << 53) + 1), AsNumbers, "9007199254740993"),
            (ColumnKind::Integer, ValueRef::Integer((1 << 53) + 1), AsStrings, "\"9007199254740993\""),
            (ColumnKind::Integer, ValueRef::Integer(-(1 << 53)), AsStrings, "\"-9007199254740992\""),
            (ColumnKind::Integer, ValueRef::Integer((1 << 53) - 1), AsStrings, "9007199254740991"),
            (ColumnKind::Integer, ValueRef::Integer(i64::MIN), AsStrings, "\"-9223372036854775808\""),
            (ColumnKind::Json, ValueRef::Text(" {\"a\":\n1}\r\n"), AsNumbers, "{\"a\": 1}"),
            (ColumnKind::Json, ValueRef::Text("{"), AsNumbers, "\"{\""),
            (ColumnKind::Any, ValueRef::Json("[1,\n2]"), AsNumbers, "[1, 2]"),
            (ColumnKind::Text, ValueRef::Null, AsStrings, "null"),
        ];
        for (kind, shown, numbers, expected) in cases {
            assert_eq!(written(|out| value(out, kind, shown, numbers)), expected, "{shown:?}");
        }
        for length in 0..20 {
            let bytes = vec![0xa5; length];
            let expected = format!("\"{}\"", STANDARD.encode(&bytes));
            assert_eq!(written(|out| blob(out, &bytes)), expected);
        }
    }

    #[test]
    fn eight_bytes_have_an_escape_if_one_of_them_has() {
        for place in 0..8 {
            for byte in 0..=255 {
                for others in [b' ', b'~', 0x80, 0xff] {
                    let mut word = [others; 8];
                    word[place] = byte;
                    let expected = ESCAPES[usize::from(byte)] != 0;
                    assert_eq!(has_escape(u64::from_le_bytes(word)), expected, "{word:?}");
                }
            }
        }
    }

    #[test]
    fn text_of_any_length_is_plain_unless_one_byte_of_it_is_not() {
        for length in 0..30 {
            let text = vec![b'a'; length];
            assert!(is_plain(&text) && !needs_escape(&text), "{length}");
            for place in 0..length {
                for (byte, escaped, plain) in [
                    (b'"', true, false),
                    (b'\\', true, false),
                    (0x1f, true, false),
                    (0x80, false, false),
                    (0x7f, false, true),
                ] {
                    let mut text = text.clone();
                    text[place] = byte;
                    assert_eq!((needs_escape(&text), is_plain(&text)), (escaped, plain), "{text:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn another_reader_reads_back_what_was_written(string in ".*", number: f64, whole: i64) {
            let read: serde_json::Value = serde_json::from_str(&written(|out| text(out, &string))).unwrap();
            prop_assert_eq!(read.as_str(), Some(string.as_str()));
            if number.is_finite() {
                let read: f64 = written(|out| real(out, number)).parse().unwrap();
                prop_assert_eq!(read.to_bits(), number.to_bits());
            }
            let read: serde_json::Value = serde_json::from_str(&written(|out| integer(out, whole))).unwrap();
            prop_assert_eq!(read.as_i64(), Some(whole));
        }
    }
}
