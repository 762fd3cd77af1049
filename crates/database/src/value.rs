//! Values on their way into a statement and out of a row.

use kasoku_sql_plan::Value;
use rusqlite::types::{ToSqlOutput, ValueRef as RawRef};

use crate::postgres::native::Native;

/// A value of a row, borrowed from the database's own memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes. Text that is not UTF-8 is given as bytes too, rather than changed.
    Blob(&'a [u8]),
    /// `true` or `false`, where the database tells them from numbers.
    Boolean(bool),
    /// A JSON document, where the database has checked that it is one.
    Json(&'a str),
    /// Anything else that a server sends: decimals, dates and times, identifiers, arrays, ranges, composite values.
    Native(Native<'a>),
}

impl ValueRef<'_> {
    /// A copy that may be kept.
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(number),
            Self::Real(number) => Value::Real(number),
            Self::Text(text) | Self::Json(text) => Value::Text(text.to_owned()),
            Self::Blob(bytes) => Value::Blob(bytes.to_owned()),
            Self::Boolean(is) => Value::Integer(is.into()),
            Self::Native(native) => native.to_value(),
        }
    }

    /// The integer, if it is one.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            Self::Boolean(is) => Some(is.into()),
            _ => None,
        }
    }

    /// Whether it is SQL NULL.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<'a> ValueRef<'a> {
    /// The text, if it is some.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Json(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn from_raw(raw: RawRef<'a>) -> Self {
        match raw {
            RawRef::Null => Self::Null,
            RawRef::Integer(number) => Self::Integer(number),
            RawRef::Real(number) => Self::Real(number),
            RawRef::Text(bytes) => std::str::from_utf8(bytes).map_or(Self::Blob(bytes), Self::Text),
            RawRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

/// Lends a value to the driver for binding.
pub(crate) fn bound(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => RawRef::Null,
        Value::Integer(number) => RawRef::Integer(*number),
        Value::Real(number) => RawRef::Real(*number),
        Value::Text(text) => RawRef::Text(text.as_bytes()),
        Value::Blob(bytes) => RawRef::Blob(bytes),
    })
}
