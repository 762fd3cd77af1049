//! Rows as JSON, written as they are read.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use kasoku_database::json::ExactNumbers;
use kasoku_database::{DatabaseError, Row, Rows};
use kasoku_pipeline::{Body, Response};
use kasoku_sql_plan::OutputColumn;

use crate::media::Media;

/// Fields that most answers have in the end: a larger map is not made for them one by one.
const FIELDS: usize = 8;

/// An answer in this form.
pub(crate) fn answer(status: http::StatusCode, media: Media, text: Vec<u8>) -> Response {
    let mut response = Response::new(status, Body::Full(Bytes::from(text)));
    response.headers = HeaderMap::with_capacity(FIELDS);
    response.headers.insert(CONTENT_TYPE, media.content_type());
    response
}

/// Writes one row as an object. Columns behind those to show are passed over.
pub(crate) fn row(out: &mut Vec<u8>, columns: &[OutputColumn], row: Row<'_>) {
    out.push(b'{');
    for (place, column) in columns.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.json_key.as_bytes());
        row.write_json(place, column.kind, ExactNumbers::AsNumbers, out);
    }
    out.push(b'}');
}

/// Writes the first row, if there is one.
pub(crate) fn first(rows: &mut Rows<'_>, columns: &[OutputColumn]) -> Result<Option<Vec<u8>>, DatabaseError> {
    Ok(rows.next()?.map(|found| {
        let mut text = Vec::with_capacity(256);
        row(&mut text, columns, found);
        text
    }))
}

/// Writes all rows as an array, and says how many there were.
pub(crate) fn all(
    rows: &mut Rows<'_>,
    columns: &[OutputColumn],
    out: &mut Vec<u8>,
    most: u64,
) -> Result<Counted, DatabaseError> {
    out.push(b'[');
    let mut count = 0;
    while let Some(found) = rows.next()? {
        if count == most {
            return Ok(Counted::TooMany);
        }
        if count > 0 {
            out.push(b',');
        }
        row(out, columns, found);
        count += 1;
    }
    out.push(b']');
    Ok(Counted::All(count))
}

/// How many rows were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// All of them, so many.
    All(u64),
    /// There are more than may be.
    TooMany,
}
