//! Numbers: shortest floats, and decimals exactly as they are.

use super::bytes::{Bytes, Malformed};
use super::quote;
use crate::json::{self, ExactNumbers};

/// A float of 4 or 8 bytes; the server's words for what JSON has no number for.
pub(super) fn float_json(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    if is_finite(bytes)? {
        return float_text(bytes, out);
    }
    out.push(b'"');
    float_text(bytes, out)?;
    out.push(b'"');
    Ok(())
}

/// The shortest form that reads back as the same float.
pub(super) fn float_text(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut buffer = zmij::Buffer::new();
    let (text, number) = if bytes.len() == 4 {
        let number = f32::from_bits(Bytes(bytes).only_u32()?);
        (buffer.format(number), f64::from(number))
    } else {
        let number = f64::from_bits(Bytes(bytes).only_u64()?);
        (buffer.format(number), number)
    };
    out.extend_from_slice(if number.is_finite() {
        text.as_bytes()
    } else if number.is_nan() {
        b"NaN"
    } else if number > 0.0 {
        b"Infinity"
    } else {
        b"-Infinity"
    });
    Ok(())
}

fn is_finite(bytes: &[u8]) -> Result<bool, Malformed> {
    Ok(match bytes.len() {
        4 => f32::from_bits(Bytes(bytes).only_u32()?).is_finite(),
        _ => f64::from_bits(Bytes(bytes).only_u64()?).is_finite(),
    })
}

pub(super) fn numeric_json(bytes: &[u8], out: &mut Vec<u8>, numbers: ExactNumbers) -> Result<(), Malformed> {
    let is_number = matches!(Numeric::read(bytes)?.sign, Sign::Plus | Sign::Minus);
    if is_number && numbers == ExactNumbers::AsNumbers {
        return numeric_text(bytes, out);
    }
    quote::json(out, |out| numeric_text(bytes, out))
}

/// All digits that it has, with the zeros at its end: `1.50` is not `1.5` to whoever wrote it.
pub(super) fn numeric_text(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let numeric = Numeric::read(bytes)?;
    match numeric.sign {
        Sign::Plus => {}
        Sign::Minus => out.push(b'-'),
        Sign::Word(word) => {
            out.extend_from_slice(word.as_bytes());
            return Ok(());
        }
    }
    if numeric.weight < 0 {
        out.push(b'0');
    } else {
        json::integer(out, numeric.group(0).into());
        for place in 1..=i32::from(numeric.weight) {
            out.extend_from_slice(&digits(numeric.group(place)));
        }
    }
    if numeric.scale > 0 {
        out.push(b'.');
        let end = out.len() + usize::from(numeric.scale);
        let mut group = 1;
        while out.len() < end {
            out.extend_from_slice(&digits(numeric.fraction(group)));
            group += 1;
        }
        out.truncate(end);
    }
    Ok(())
}

/// A decimal: groups of four digits, the first of which counts `10000 ^ weight`.
struct Numeric<'a> {
    groups: Bytes<'a>,
    weight: i16,
    sign: Sign,
    /// Digits behind the point.
    scale: u16,
}

enum Sign {
    Plus,
    Minus,
    Word(&'static str),
}

impl<'a> Numeric<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut bytes = Bytes(bytes);
        let count = bytes.u16()?;
        let weight = bytes.i16()?;
        let sign = match bytes.u16()? {
            0x0000 => Sign::Plus,
            0x4000 => Sign::Minus,
            0xc000 => Sign::Word("NaN"),
            0xd000 => Sign::Word("Infinity"),
            0xf000 => Sign::Word("-Infinity"),
            _ => return Err(Malformed),
        };
        let scale = bytes.u16()?;
        let groups = Bytes(bytes.take(usize::from(count) * 2)?);
        bytes.end()?;
        Ok(Self { groups, weight, sign, scale })
    }

    /// The group at a place, counted from the first; groups that are not written are zero.
    fn group(&self, place: i32) -> u16 {
        let at = usize::try_from(place).ok().map(|place| place * 2);
        let bytes = at.and_then(|at| self.groups.0.get(at..at + 2));
        bytes.map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]) % 10_000)
    }

    /// The group at a place behind the point, counted from 1.
    fn fraction(&self, place: i32) -> u16 {
        self.group(i32::from(self.weight) + place)
    }
}

fn digits(group: u16) -> [u8; 4] {
    let digit = |by: u16| b'0' + (group / by % 10) as u8;
    [digit(1_000), digit(100), digit(10), digit(1)]
}

pub(super) fn hexadecimal(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

pub(super) fn unsigned(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A place in the log: two halves in hexadecimal.
pub(super) fn log_place(place: u64, out: &mut Vec<u8>) {
    use std::io::Write as _;
    write!(out, "{:X}/{:X}", place >> 32, place & 0xffff_ffff).expect("a Vec takes all bytes");
}
