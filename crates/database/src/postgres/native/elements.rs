//! Types with parts: arrays, ranges and composite types.

use tokio_postgres::types::{Field, Type};

use super::bytes::{Bytes, Malformed};
use super::form::{Clock, write_json, write_text};
use super::quote::{self, Within};
use crate::json::{self, ExactNumbers};

/// The server allows no more.
const DIMENSIONS_MAX: usize = 6;

/// The head of an array: how many elements each dimension has, and where it begins to count.
struct Array<'a> {
    dimensions: usize,
    lengths: [usize; DIMENSIONS_MAX],
    first: [i32; DIMENSIONS_MAX],
    elements: Bytes<'a>,
}

impl<'a> Array<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut bytes = Bytes(bytes);
        let dimensions = usize::try_from(bytes.i32()?).map_err(|_| Malformed)?;
        let (_has_null, _element) = (bytes.i32()?, bytes.u32()?);
        let (mut lengths, mut first) = ([0; DIMENSIONS_MAX], [0; DIMENSIONS_MAX]);
        if dimensions > DIMENSIONS_MAX {
            return Err(Malformed);
        }
        for place in 0..dimensions {
            lengths[place] = usize::try_from(bytes.i32()?).map_err(|_| Malformed)?;
            first[place] = bytes.i32()?;
        }
        Ok(Self { dimensions, lengths, first, elements: bytes })
    }

    /// Writes the elements in their nested lists.
    fn write(
        &mut self,
        marks: [u8; 2],
        out: &mut Vec<u8>,
        element: &impl Fn(Option<&[u8]>, &mut Vec<u8>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if self.dimensions == 0 {
            out.extend_from_slice(&marks);
        } else {
            self.write_from(0, marks, out, element)?;
        }
        self.elements.end()
    }

    fn write_from(
        &mut self,
        dimension: usize,
        marks: [u8; 2],
        out: &mut Vec<u8>,
        element: &impl Fn(Option<&[u8]>, &mut Vec<u8>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        out.push(marks[0]);
        for place in 0..self.lengths[dimension] {
            if place > 0 {
                out.push(b',');
            }
            if dimension + 1 < self.dimensions {
                self.write_from(dimension + 1, marks, out, element)?;
            } else {
                element(self.elements.value()?, out)?;
            }
        }
        out.push(marks[1]);
        Ok(())
    }
}

pub(super) fn array_json(
    kind: &Type,
    bytes: &[u8],
    out: &mut Vec<u8>,
    numbers: ExactNumbers,
) -> Result<(), Malformed> {
    Array::read(bytes)?.write(*b"[]", out, &|element, out| json_or_null(kind, element, out, numbers))
}

pub(super) fn array_text(kind: &Type, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut array = Array::read(bytes)?;
    let counted = array.first[..array.dimensions].iter().zip(&array.lengths);
    if counted.clone().any(|(first, _)| *first != 1) {
        for (first, length) in counted {
            let last = i64::from(*first) + *length as i64 - 1;
            out.push(b'[');
            json::integer(out, (*first).into());
            out.push(b':');
            json::integer(out, last);
            out.push(b']');
        }
        out.push(b'=');
    }
    array.write(*b"{}", out, &|element, out| match element {
        None => {
            out.extend_from_slice(b"NULL");
            Ok(())
        }
        Some(bytes) => quote::part(out, Within::Array, |out| write_text(kind, bytes, Clock::Text, out)),
    })
}

pub(super) fn composite_json(
    fields: &[Field],
    bytes: &[u8],
    out: &mut Vec<u8>,
    numbers: ExactNumbers,
) -> Result<(), Malformed> {
    out.push(b'{');
    each_field(fields, bytes, |place, field, value| {
        if place > 0 {
            out.push(b',');
        }
        json::text(out, field.name());
        out.push(b':');
        json_or_null(field.type_(), value, out, numbers)
    })?;
    out.push(b'}');
    Ok(())
}

pub(super) fn composite_text(fields: &[Field], bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.push(b'(');
    each_field(fields, bytes, |place, field, value| {
        if place > 0 {
            out.push(b',');
        }
        let Some(value) = value else { return Ok(()) };
        quote::part(out, Within::Composite, |out| write_text(field.type_(), value, Clock::Text, out))
    })?;
    out.push(b')');
    Ok(())
}

fn each_field(
    fields: &[Field],
    bytes: &[u8],
    mut each: impl FnMut(usize, &Field, Option<&[u8]>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut bytes = Bytes(bytes);
    if usize::try_from(bytes.i32()?).ok() != Some(fields.len()) {
        return Err(Malformed);
    }
    for (place, field) in fields.iter().enumerate() {
        let _kind = bytes.u32()?;
        each(place, field, bytes.value()?)?;
    }
    bytes.end()
}

fn json_or_null(
    kind: &Type,
    value: Option<&[u8]>,
    out: &mut Vec<u8>,
    numbers: ExactNumbers,
) -> Result<(), Malformed> {
    let Some(bytes) = value else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    write_json(kind, bytes, out, numbers)
}

pub(super) fn range_text(kind: &Type, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    const EMPTY: u8 = 0x01;
    const LOWER_INCLUDED: u8 = 0x02;
    const UPPER_INCLUDED: u8 = 0x04;
    const LOWER_INFINITE: u8 = 0x08;
    const UPPER_INFINITE: u8 = 0x10;
    let mut bytes = Bytes(bytes);
    let flags = bytes.u8()?;
    let has = |flag: u8| flags & flag != 0;
    if has(EMPTY) {
        out.extend_from_slice(b"empty");
        return bytes.end();
    }
    let mut bound = |infinite: u8, out: &mut Vec<u8>| {
        if has(infinite) {
            return Ok(());
        }
        let value = bytes.value()?.ok_or(Malformed)?;
        quote::part(out, Within::Range, |out| write_text(kind, value, Clock::Text, out))
    };
    out.push(if has(LOWER_INCLUDED) { b'[' } else { b'(' });
    bound(LOWER_INFINITE, out)?;
    out.push(b',');
    bound(UPPER_INFINITE, out)?;
    out.push(if has(UPPER_INCLUDED) { b']' } else { b')' });
    bytes.end()
}

pub(super) fn multirange_text(kind: &Type, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut bytes = Bytes(bytes);
    let count = bytes.u32()?;
    out.push(b'{');
    for place in 0..count {
        if place > 0 {
            out.push(b',');
        }
        range_text(kind, bytes.value()?.ok_or(Malformed)?, out)?;
    }
    out.push(b'}');
    bytes.end()
}
