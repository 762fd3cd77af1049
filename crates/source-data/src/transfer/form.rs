//! Rows as lines of a file.

use http::header::{ACCEPT, HeaderMap, HeaderValue};
use kasoku_database::json;
use kasoku_problem::Problem;
use kasoku_sql_plan::{CursorKey, ListPlan};

use super::TransferFormat;
use super::part::Part;
use crate::media::csv;

/// What rows call the cursor of what comes behind them.
pub(super) const CURSOR: &str = "cursor";

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) format: TransferFormat,
    /// Whether each row carries the cursor of what comes behind it.
    pub(super) cursors: bool,
    /// Whether the names come first.
    pub(super) header: bool,
}

impl Form {
    /// As the caller asks for it.
    pub(super) fn of(format: TransferFormat, headers: &HeaderMap, cursors: bool) -> Self {
        Self { format, cursors, header: !without_header(headers) }
    }

    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match (self.format, self.header) {
            // RFC 4180 §3 has both parameters.
            (TransferFormat::Csv, true) => "text/csv; charset=utf-8; header=present",
            (TransferFormat::Csv, false) => "text/csv; charset=utf-8; header=absent",
            (TransferFormat::Ndjson, _) => "application/x-ndjson",
        })
    }

    /// The lines of a part; before those of the first one the names, where they belong.
    pub(super) fn lines(
        self,
        part: &Part,
        plan: &ListPlan,
        cursors: &CursorKey,
        is_first: bool,
    ) -> Result<Vec<u8>, Problem> {
        let mut out = Vec::with_capacity(part.bytes() + part.rows() * 4 + 64);
        if is_first && self.header && self.format == TransferFormat::Csv {
            let cursor = self.cursors.then_some(CURSOR.as_bytes());
            if part.rows() > 0 {
                csv::line(&mut out, csv::names_in(part.row(0)).chain(cursor));
            } else {
                csv::line(&mut out, csv::names_of(&plan.columns).chain(cursor));
            }
        }
        for row in 0..part.rows() {
            let cursor = if self.cursors { Some(part.cursor(row, plan, cursors)?) } else { None };
            let (text, cursor) = (part.row(row), cursor.as_deref());
            match self.format {
                TransferFormat::Csv => {
                    csv::line(&mut out, csv::values_in(text).chain(cursor.map(str::as_bytes)));
                }
                TransferFormat::Ndjson => object(&mut out, text, cursor),
            }
        }
        Ok(out)
    }
}

/// A row on a line, with the cursor as its last member.
fn object(out: &mut Vec<u8>, row: &[u8], cursor: Option<&str>) {
    match (cursor, row.strip_suffix(b"}")) {
        (Some(cursor), Some(open)) => {
            out.extend_from_slice(open);
            out.extend_from_slice(if open.len() > 1 { b"," } else { b"" });
            json::text(out, CURSOR);
            out.push(b':');
            json::text(out, cursor);
            out.push(b'}');
        }
        _ => out.extend_from_slice(row),
    }
    out.push(b'\n');
}

/// Whether the caller wants lines without names before them (RFC 4180 §3).
fn without_header(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split([',', ';'])).any(|part| {
        let named = part.trim().split_once('=');
        named.is_some_and(|(name, value)| {
            name.trim_end().eq_ignore_ascii_case("header")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("absent")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_can_do_without_the_names() {
        let check = |accept: &str, header: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(Form::of(TransferFormat::Csv, &headers, false).header, header, "{accept}");
        };
        check("*/*", true);
        check("text/csv", true);
        check("text/csv; header=present", true);
        check("text/csv; header=absent", false);
        check("text/csv;charset=utf-8;Header=\"absent\", */*", false);
    }

    #[test]
    fn the_cursor_is_the_last_member_of_its_row() {
        let check = |row: &str, cursor: Option<&str>, expected: &str| {
            let mut out = Vec::new();
            object(&mut out, row.as_bytes(), cursor);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{row}");
        };
        check(r#"{"a":1}"#, None, "{\"a\":1}\n");
        check(r#"{"a":1}"#, Some("v1.x"), "{\"a\":1,\"cursor\":\"v1.x\"}\n");
        check("{}", Some("v1.x"), "{\"cursor\":\"v1.x\"}\n");
    }
}
