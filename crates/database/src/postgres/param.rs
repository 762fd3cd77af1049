//! Values on their way to the server.
//!
//! They are sent as text, which the server reads by the type that the statement gives them, as it reads what people
//! write. Bytes alone go as they are.

use std::error::Error;
use std::io::Write as _;

use bytes::{BufMut as _, BytesMut};
use kasoku_sql_plan::Value;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// A value, bound.
#[derive(Debug)]
pub(super) struct Param<'v>(pub(super) &'v Value);

impl ToSql for Param<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Integer(number) => write!(out.writer(), "{number}")?,
            // The shortest form that reads back; whole numbers without a fraction, so that integers take them too.
            Value::Real(number) => write!(out.writer(), "{number}")?,
            Value::Text(text) => out.put_slice(text.as_bytes()),
            Value::Blob(bytes) => out.put_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self.0 {
            Value::Blob(_) => Format::Binary,
            _ => Format::Text,
        }
    }

    to_sql_checked!();
}
