//! Rows as lines of text (RFC 4180).
//!
//! NULL is an empty field, and an empty text is two quotes, so that the two can be told apart. A field is quoted where
//! it has a comma, a quote or an end of line in it (§2.6), and where it is `NULL`. What is an object or array in JSON is
//! that JSON here.

use kasoku_sql_plan::OutputColumn;

use super::scan;

/// The names, and a line for each row.
pub(super) fn of_rows<'a>(rows: impl Iterator<Item = &'a [u8]>, columns: &[OutputColumn]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    let mut rows = rows.peekable();
    match rows.peek() {
        // What the rows are made of may be more than columns.
        Some(row) => line(&mut out, names_in(row)),
        None => line(&mut out, names_of(columns)),
    }
    for row in rows {
        line(&mut out, values_in(row));
    }
    out
}

/// The names that columns are shown under, as JSON.
pub(crate) fn names_of(columns: &[OutputColumn]) -> impl Iterator<Item = &[u8]> {
    columns.iter().map(|column| column.json_key.trim_end_matches(':').as_bytes())
}

/// The names in a row, as JSON.
pub(crate) fn names_in(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    scan::members(row).map(|(name, _)| name)
}

/// The values in a row, as JSON.
pub(crate) fn values_in(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    scan::members(row).map(|(_, value)| value)
}

/// Writes a line of values that are JSON.
pub(crate) fn line<'a>(out: &mut Vec<u8>, values: impl Iterator<Item = &'a [u8]>) {
    for (place, value) in values.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match value {
            b"null" => {}
            [b'"', ..] => match serde_json::from_slice::<String>(value) {
                Ok(text) => field(out, text.as_bytes()),
                Err(_) => field(out, value),
            },
            other => field(out, other),
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn field(out: &mut Vec<u8>, text: &[u8]) {
    // Bare, it would be read back as NULL.
    let is_plain = !matches!(text, b"" | b"NULL")
        && !text.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n'));
    if is_plain {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
