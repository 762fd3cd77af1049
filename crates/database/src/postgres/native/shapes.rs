//! Points and shapes of the plane, and documents prepared for text search.

use std::io::Write as _;

use tokio_postgres::types::Type;

use super::bytes::{Bytes, Malformed};
use super::number::unsigned;

/// A shape, by its type.
pub(super) fn shape(kind: &Type, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut bytes = Bytes(bytes);
    match *kind {
        Type::POINT => point(&mut bytes, out)?,
        Type::BOX => points(&mut bytes, 2, *b"  ", out)?,
        Type::LSEG => points(&mut bytes, 2, *b"[]", out)?,
        Type::PATH => {
            let marks = if bytes.u8()? == 0 { *b"[]" } else { *b"()" };
            let count = bytes.u32()?;
            points(&mut bytes, count, marks, out)?;
        }
        Type::POLYGON => {
            let count = bytes.u32()?;
            points(&mut bytes, count, *b"()", out)?;
        }
        Type::LINE => {
            out.push(b'{');
            for place in 0..3 {
                out.extend_from_slice(if place > 0 { b"," } else { b"" });
                number(&mut bytes, out)?;
            }
            out.push(b'}');
        }
        Type::CIRCLE => {
            out.push(b'<');
            point(&mut bytes, out)?;
            out.push(b',');
            number(&mut bytes, out)?;
            out.push(b'>');
        }
        _ => return Err(Malformed),
    }
    bytes.end()
}

/// A `tsvector`: words in quotes, each with the places where it stands and how much they weigh: `'cat':3B 'fat':2`.
pub(super) fn search_document(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    const WEIGHTS: [&[u8]; 4] = [b"", b"C", b"B", b"A"];
    let mut bytes = Bytes(bytes);
    let count = bytes.u32()?;
    for word in 0..count {
        if word > 0 {
            out.push(b' ');
        }
        let length = bytes.0.iter().position(|byte| *byte == 0).ok_or(Malformed)?;
        let text = std::str::from_utf8(bytes.take(length)?).map_err(|_| Malformed)?;
        let _end = bytes.u8()?;
        out.push(b'\'');
        for byte in text.bytes() {
            if matches!(byte, b'\'' | b'\\') {
                out.push(byte);
            }
            out.push(byte);
        }
        out.push(b'\'');
        for place in 0..bytes.u16()? {
            out.push(if place > 0 { b',' } else { b':' });
            let at = bytes.u16()?;
            unsigned((at & 0x3fff).into(), out);
            out.extend_from_slice(WEIGHTS[usize::from(at >> 14)]);
        }
    }
    bytes.end()
}

/// Points with commas between, and a mark around them; a blank is none.
fn points(bytes: &mut Bytes<'_>, count: u32, marks: [u8; 2], out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.extend(Some(marks[0]).filter(|mark| *mark != b' '));
    for place in 0..count {
        if place > 0 {
            out.push(b',');
        }
        point(bytes, out)?;
    }
    out.extend(Some(marks[1]).filter(|mark| *mark != b' '));
    Ok(())
}

fn point(bytes: &mut Bytes<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.push(b'(');
    number(bytes, out)?;
    out.push(b',');
    number(bytes, out)?;
    out.push(b')');
    Ok(())
}

/// As the server writes it: the fewest digits that read back, with an exponent from 10¹⁵ on and below 10⁻⁴.
fn number(bytes: &mut Bytes<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let number = f64::from_bits(bytes.u64()?);
    if !number.is_finite() {
        let word: &[u8] = if number.is_nan() {
            b"NaN"
        } else if number > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        };
        out.extend_from_slice(word);
        return Ok(());
    }
    let size = number.abs();
    let written = if size != 0.0 && !(1e-4..1e15).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        write!(out, "{digits}e{sign}{exponent:0>2}")
    } else {
        write!(out, "{number}")
    };
    written.map_err(|_| Malformed)
}
