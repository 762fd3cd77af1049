//! Each type's form, as JSON and as text.

use tokio_postgres::types::{Kind, Type};

use super::bytes::{Bytes, Malformed};
use super::{elements, network, number, quote, shapes, time};
use crate::json::{self, ExactNumbers};

/// How instants are written: as JSON has them, or as the server's text has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// `2020-01-02T03:04:05+00:00`.
    Json,
    /// `2020-01-02 03:04:05+00`.
    Text,
}

/// The types without parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Bool,
    Text,
    Letter,
    Json,
    Jsonb,
    Uuid,
    Date,
    Time,
    TimeWithZone,
    Timestamp,
    TimestampWithZone,
    Interval,
    Bytes,
    Network,
    Hardware,
    Bits,
    Unsigned4,
    Unsigned8,
    LogPlace,
    Shape,
    SearchDocument,
}

impl Form {
    pub(super) fn of(kind: &Type) -> Option<Self> {
        Some(match *kind {
            Type::INT2 => Self::Int2,
            Type::INT4 => Self::Int4,
            Type::INT8 => Self::Int8,
            Type::FLOAT4 => Self::Float4,
            Type::FLOAT8 => Self::Float8,
            Type::NUMERIC => Self::Numeric,
            Type::BOOL => Self::Bool,
            Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::UNKNOWN
            | Type::CSTRING
            | Type::REFCURSOR => Self::Text,
            Type::CHAR => Self::Letter,
            Type::JSON => Self::Json,
            Type::JSONB => Self::Jsonb,
            Type::UUID => Self::Uuid,
            Type::DATE => Self::Date,
            Type::TIME => Self::Time,
            Type::TIMETZ => Self::TimeWithZone,
            Type::TIMESTAMP => Self::Timestamp,
            Type::TIMESTAMPTZ => Self::TimestampWithZone,
            Type::INTERVAL => Self::Interval,
            Type::BYTEA => Self::Bytes,
            Type::INET | Type::CIDR => Self::Network,
            Type::MACADDR | Type::MACADDR8 => Self::Hardware,
            Type::BIT | Type::VARBIT => Self::Bits,
            Type::OID | Type::XID | Type::CID => Self::Unsigned4,
            Type::XID8 => Self::Unsigned8,
            Type::PG_LSN => Self::LogPlace,
            Type::POINT | Type::LSEG | Type::PATH | Type::BOX | Type::POLYGON | Type::LINE | Type::CIRCLE => {
                Self::Shape
            }
            Type::TS_VECTOR => Self::SearchDocument,
            // An extension's type has no number of its own. Its binary form is that of `text`.
            _ if *kind.kind() == Kind::Simple && kind.name() == "citext" => Self::Text,
            _ => return None,
        })
    }
}

pub(super) fn write_json(
    kind: &Type,
    bytes: &[u8],
    out: &mut Vec<u8>,
    numbers: ExactNumbers,
) -> Result<(), Malformed> {
    match kind.kind() {
        Kind::Enum(_) => json::text(out, text(bytes)?),
        Kind::Domain(inner) => write_json(inner, bytes, out, numbers)?,
        Kind::Array(inner) => elements::array_json(inner, bytes, out, numbers)?,
        Kind::Composite(fields) => elements::composite_json(fields, bytes, out, numbers)?,
        Kind::Range(_) | Kind::Multirange(_) => {
            quote::json(out, |out| write_text(kind, bytes, Clock::Text, out))?;
        }
        _ => match Form::of(kind).ok_or(Malformed)? {
            Form::Int2 | Form::Int4 => write_text(kind, bytes, Clock::Json, out)?,
            Form::Int8 => json::exact_integer(out, Bytes(bytes).only_i64()?, numbers),
            Form::Float4 | Form::Float8 => number::float_json(bytes, out)?,
            Form::Numeric => number::numeric_json(bytes, out, numbers)?,
            Form::Bool => {
                out.extend_from_slice(if Bytes(bytes).only_u8()? == 0 { b"false" } else { b"true" });
            }
            Form::Text => json::text(out, text(bytes)?),
            Form::Json => json::document(out, text(bytes)?),
            Form::Jsonb => json::document(out, text(document(bytes)?)?),
            Form::Bytes => json::blob(out, bytes),
            Form::Letter | Form::SearchDocument => {
                quote::json(out, |out| write_text(kind, bytes, Clock::Json, out))?;
            }
            // Nothing in these needs an escape.
            _ => {
                out.push(b'"');
                write_text(kind, bytes, Clock::Json, out)?;
                out.push(b'"');
            }
        },
    }
    Ok(())
}

pub(super) fn write_text(
    kind: &Type,
    bytes: &[u8],
    clock: Clock,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    match kind.kind() {
        Kind::Enum(_) => out.extend_from_slice(text(bytes)?.as_bytes()),
        Kind::Domain(inner) => write_text(inner, bytes, clock, out)?,
        Kind::Array(inner) => elements::array_text(inner, bytes, out)?,
        Kind::Composite(fields) => elements::composite_text(fields, bytes, out)?,
        Kind::Range(inner) => elements::range_text(inner, bytes, out)?,
        Kind::Multirange(inner) => elements::multirange_text(inner, bytes, out)?,
        _ => match Form::of(kind).ok_or(Malformed)? {
            Form::Int2 => json::integer(out, Bytes(bytes).only_i16()?.into()),
            Form::Int4 => json::integer(out, Bytes(bytes).only_i32()?.into()),
            Form::Int8 => json::integer(out, Bytes(bytes).only_i64()?),
            Form::Float4 | Form::Float8 => number::float_text(bytes, out)?,
            Form::Numeric => number::numeric_text(bytes, out)?,
            Form::Bool => out.push(if Bytes(bytes).only_u8()? == 0 { b'f' } else { b't' }),
            Form::Text | Form::Json => out.extend_from_slice(text(bytes)?.as_bytes()),
            Form::Jsonb => out.extend_from_slice(text(document(bytes)?)?.as_bytes()),
            Form::Letter => letter(Bytes(bytes).only_u8()?, out),
            Form::Uuid => network::uuid(bytes, out)?,
            Form::Date => time::date(bytes, out)?,
            Form::Time => time::time(bytes, out)?,
            Form::TimeWithZone => time::time_with_zone(bytes, out)?,
            Form::Timestamp => time::timestamp(bytes, clock, false, out)?,
            Form::TimestampWithZone => time::timestamp(bytes, clock, true, out)?,
            Form::Interval => time::interval(bytes, out)?,
            Form::Bytes => {
                out.extend_from_slice(b"\\x");
                for byte in bytes {
                    number::hexadecimal(*byte, out);
                }
            }
            Form::Network => network::address(bytes, *kind == Type::CIDR, out)?,
            Form::Hardware => network::hardware(bytes, out)?,
            Form::Bits => network::bits(bytes, out)?,
            Form::Unsigned4 => json::integer(out, Bytes(bytes).only_u32()?.into()),
            Form::Unsigned8 => number::unsigned(Bytes(bytes).only_u64()?, out),
            Form::LogPlace => number::log_place(Bytes(bytes).only_u64()?, out),
            Form::Shape => shapes::shape(kind, bytes, out)?,
            Form::SearchDocument => shapes::search_document(bytes, out)?,
        },
    }
    Ok(())
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// A `jsonb`: its text, behind the version of its form.
pub(super) fn document(bytes: &[u8]) -> Result<&[u8], Malformed> {
    match bytes.split_first() {
        Some((1, document)) => Ok(document),
        _ => Err(Malformed),
    }
}

/// A `"char"`: one byte, which is written in octal where it is not ASCII.
fn letter(byte: u8, out: &mut Vec<u8>) {
    match byte {
        0 => {}
        1..0x80 => out.push(byte),
        _ => out.extend_from_slice(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]),
    }
}
