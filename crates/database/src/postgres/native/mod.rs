//! Values in the server's binary form, written as JSON or as text without a copy in between.
//!
//! The JSON is what the server's own `to_json` gives, with two exceptions: bytes are in base64, as they are on the
//! other engine, and instants are in UTC, because the binary form has no other zone. The text is what the server writes
//! and reads with its default settings, so that it can be bound again.
//!
//! Types that are missing here have a text form that depends on more than the value (`money`, `regclass`) or belong to
//! an extension: [`is_understood`] says so, and a statement casts them to text.

mod bytes;
mod elements;
mod form;
mod network;
mod number;
mod quote;
mod shapes;
mod time;

use std::error::Error;

use kasoku_sql_plan::Value;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Kind, Type};

use crate::json::{self, ExactNumbers};
use crate::value::ValueRef;
use form::{Clock, Form, document, write_json, write_text};

/// A value and its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Native<'a> {
    kind: &'a Type,
    bytes: &'a [u8],
}

/// The value of a column of a row.
///
/// # Panics
///
/// If there is no such column.
pub(crate) fn column(row: &Row, place: usize) -> ValueRef<'_> {
    let kind = row.columns()[place].type_();
    let Raw(bytes) = row.try_get(place).expect("bytes are taken as they are");
    ValueRef::of_server(kind, bytes)
}

/// A value as it came.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(bytes)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Whether the binary form of a type is read here.
pub(crate) fn is_understood(kind: &Type) -> bool {
    match kind.kind() {
        Kind::Enum(_) => true,
        // Their arrays alone have another sign between elements.
        Kind::Array(inner) if *inner == Type::BOX => false,
        Kind::Array(inner) | Kind::Range(inner) | Kind::Multirange(inner) | Kind::Domain(inner) => {
            is_understood(inner)
        }
        Kind::Composite(fields) => fields.iter().all(|field| is_understood(field.type_())),
        _ => Form::of(kind).is_some(),
    }
}

impl<'a> ValueRef<'a> {
    /// A value of a row.
    pub(crate) fn of_server(kind: &'a Type, bytes: Option<&'a [u8]>) -> Self {
        let Some(bytes) = bytes else { return Self::Null };
        Self::plain(kind, bytes).unwrap_or(Self::Native(Native { kind, bytes }))
    }

    /// The value in a form that both engines have, if there is one.
    fn plain(kind: &Type, bytes: &'a [u8]) -> Option<Self> {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        Some(match *kind {
            Type::INT8 => Self::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
            Type::INT4 => Self::Integer(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            Type::INT2 => Self::Integer(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Self::Text(text(bytes)?)
            }
            Type::BOOL => Self::Boolean(*bytes.first()? != 0),
            Type::FLOAT8 => {
                let number = f64::from_be_bytes(bytes.try_into().ok()?);
                // JSON has no number for the others.
                number.is_finite().then_some(Self::Real(number))?
            }
            Type::JSON => Self::Json(text(bytes)?),
            Type::JSONB => Self::Json(text(document(bytes).ok()?)?),
            Type::BYTEA => Self::Blob(bytes),
            _ => match kind.kind() {
                Kind::Enum(_) => Self::Text(text(bytes)?),
                Kind::Domain(inner) => Self::plain(inner, bytes)?,
                Kind::Simple if Form::of(kind) == Some(Form::Text) => Self::Text(text(bytes)?),
                _ => return None,
            },
        })
    }
}

impl Native<'_> {
    /// Writes it as JSON. What cannot be read is shown as its bytes are.
    pub(crate) fn write_json(self, out: &mut Vec<u8>, numbers: ExactNumbers) {
        let begun = out.len();
        if write_json(self.kind, self.bytes, out, numbers).is_err() {
            out.truncate(begun);
            json::blob(out, self.bytes);
        }
    }

    /// Writes it as the text that the server reads back. What cannot be read is written as its bytes are, in base64.
    pub(crate) fn write_text(self, out: &mut Vec<u8>) {
        let begun = out.len();
        if write_text(self.kind, self.bytes, Clock::Text, out).is_err() {
            out.truncate(begun);
            json::base64(out, self.bytes);
        }
    }

    /// The text that the server reads back. What cannot be read is its bytes in base64.
    pub fn to_text(self) -> String {
        let mut text = Vec::with_capacity(32);
        self.write_text(&mut text);
        String::from_utf8(text).expect("texts are checked to be UTF-8, and the rest is ASCII")
    }

    /// A copy that may be kept, and bound again.
    pub(crate) fn to_value(self) -> Value {
        match *self.kind {
            // As precise as the server's own number: a double holds every smaller one.
            Type::FLOAT4 => match self.bytes.try_into() {
                Ok(bytes) => Value::Real(f32::from_be_bytes(bytes).into()),
                Err(_) => Value::Text(self.to_text()),
            },
            Type::FLOAT8 => match self.bytes.try_into() {
                Ok(bytes) => Value::Real(f64::from_be_bytes(bytes)),
                Err(_) => Value::Text(self.to_text()),
            },
            _ => Value::Text(self.to_text()),
        }
    }
}
