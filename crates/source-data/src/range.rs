//! Rows by their places: the fields `Range` and `Range-Unit` that ask for them, and `Content-Range` that names them.
//!
//! The forms are PostgREST's: `Range: 0-24`, whose unit is rows, answered with `Content-Range: 0-24/*`, or with a
//! number of rows instead of the star.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kasoku_pipeline::Response;
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{RowRange, Total};

/// What `Range` counts in.
pub(crate) const RANGE_UNIT: HeaderName = HeaderName::from_static("range-unit");

/// How many rows the list has in all pages together; `>` and `~` before a number say that it is not exact.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("total-count");

/// The rows that a request asks for. A range of another unit, or one that cannot be read, is as if it were not there
/// (RFC 9110 §14.2).
pub(crate) fn asked(headers: &HeaderMap) -> Result<Option<RowRange>, Problem> {
    let is_rows = |unit: &HeaderValue| unit.as_bytes().eq_ignore_ascii_case(b"items");
    let text = headers.get(header::RANGE).and_then(|field| field.to_str().ok());
    let Some(text) = text.filter(|_| headers.get(RANGE_UNIT).is_none_or(is_rows)) else {
        return Ok(None);
    };
    let text = text.strip_prefix("items=").unwrap_or(text).trim();
    let Some((first, last)) = text.split_once('-') else { return Ok(None) };
    let Some(first) = number(first) else { return Ok(None) };
    // A range without a last row goes to the end.
    let goes_on = last.is_empty();
    let last = number(last);
    if last.is_none() && !goes_on {
        return Ok(None);
    }
    if last.is_some_and(|last| last < first) {
        let problem = Problem::new(Kind::RangeNotSatisfiable);
        return Err(problem.detail("the range ends before it begins").member("parameter", "Range"));
    }
    Ok(Some(RowRange { first, last }))
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Beyond all numbers there are no rows.
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

/// The rows of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    /// How many rows of the list come before them, if that is known.
    pub(crate) from: Option<u32>,
    pub(crate) rows: usize,
    /// Whether the list goes on behind them.
    pub(crate) has_more: bool,
    /// How many rows the list has, if they were counted.
    pub(crate) total: Option<Total>,
    /// Whether the caller said that a rough number will do.
    pub(crate) roughly: bool,
    /// Whether the rows were asked for by `Range`.
    pub(crate) by_range: bool,
}

impl Shown {
    /// Says in the answer which rows these are; `Total-Count` as well where they were counted.
    ///
    /// # Errors
    /// The list is known to end before them.
    pub(crate) fn describe(self, response: &mut Response) -> Result<(), Problem> {
        let total = self.known();
        if let (Some(from), Some(Total::Exact(rows))) = (self.from, self.total)
            && u64::from(from) > rows
        {
            let range = HeaderValue::try_from(format!("*/{rows}")).expect("digits and signs");
            return Err(Problem::new(Kind::RangeNotSatisfiable)
                .detail(format!("the list has {rows} rows, so it has none behind {from}"))
                .header(header::CONTENT_RANGE, range));
        }
        let total_text = total.clone().unwrap_or_else(|| "*".to_owned());
        let range = match self.from {
            Some(from) if self.rows > 0 => {
                Some(format!("{from}-{}/{total_text}", u64::from(from) + self.rows as u64 - 1))
            }
            Some(_) => Some(format!("*/{total_text}")),
            // Where a cursor begins is not counted, so there is only a total to say.
            None => total.map(|total| format!("*/{total}")),
        };
        let count = self.total.and_then(|total| match total {
            Total::Exact(rows) => Some(rows.to_string()),
            Total::AtLeast(rows) => Some(format!(">{rows}")),
            Total::Estimated(rows) => Some(format!("~{rows}")),
            Total::Unknown => None,
        });
        for (name, value) in [(TOTAL_COUNT, count), (header::CONTENT_RANGE, range)] {
            if let Some(value) = value {
                response.headers.insert(name, HeaderValue::try_from(value).expect("digits and signs"));
            }
        }
        if self.by_range && (self.from != Some(0) || self.has_more) {
            response.status = StatusCode::PARTIAL_CONTENT;
        }
        Ok(())
    }

    /// The number behind the slash. One that is too small is no count, unless a rough one was asked for.
    fn known(self) -> Option<String> {
        match self.total? {
            Total::Exact(rows) => Some(rows.to_string()),
            Total::Estimated(rows) => Some(rows.max(self.seen()).to_string()),
            Total::AtLeast(rows) => self.roughly.then(|| rows.max(self.seen()).to_string()),
            Total::Unknown => None,
        }
    }

    /// How many rows the list has for certain, as far as the page shows.
    fn seen(self) -> u64 {
        u64::from(self.from.unwrap_or(0)) + self.rows as u64 + u64::from(self.has_more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_rows_are_read_and_others_passed_over() {
        let check = |unit: Option<&str>, range: &str, expected: Result<Option<(u32, Option<u32>)>, Kind>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().unwrap());
            if let Some(unit) = unit {
                headers.insert(RANGE_UNIT, unit.parse().unwrap());
            }
            let read = asked(&headers).map(|range| range.map(|range| (range.first, range.last)));
            assert_eq!(read.map_err(|problem| problem.kind()), expected, "{unit:?} {range}");
        };
        check(Some("items"), "0-24", Ok(Some((0, Some(24)))));
        check(None, "10-", Ok(Some((10, None))));
        check(None, "items=5-5", Ok(Some((5, Some(5)))));
        check(None, "99999999999-", Ok(Some((u32::MAX, None))));
        check(Some("bytes"), "0-24", Ok(None));
        check(None, "bytes=0-24", Ok(None));
        check(None, "-5", Ok(None));
        check(None, "0-1,3-4", Ok(None));
        check(None, "x", Ok(None));
        check(None, "24-0", Err(Kind::RangeNotSatisfiable));
    }

    #[test]
    fn the_answer_names_its_rows() {
        let page =
            Shown { from: Some(0), rows: 25, has_more: true, total: None, roughly: false, by_range: false };
        let check = |shown: Shown, range: &str, total: &str, status: u16| {
            let mut response = Response::new(StatusCode::OK, kasoku_pipeline::Body::Empty);
            let described = shown.describe(&mut response);
            let status_now = described.map_or_else(|problem| problem.kind().status(), |()| response.status);
            let field = |name: &HeaderName| {
                response.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
            };
            let told = (field(&header::CONTENT_RANGE), field(&TOTAL_COUNT), status_now.as_u16());
            assert_eq!(told, (range.into(), total.into(), status), "{shown:?}");
        };
        let counted = |total| Shown { total: Some(total), ..page };
        check(page, "0-24/*", "", 200);
        check(Shown { from: Some(50), ..page }, "50-74/*", "", 200);
        check(Shown { rows: 0, has_more: false, ..page }, "*/*", "", 200);
        check(Shown { from: None, ..page }, "", "", 200);
        check(counted(Total::Exact(99)), "0-24/99", "99", 200);
        check(counted(Total::Estimated(99)), "0-24/99", "~99", 200);
        check(counted(Total::AtLeast(99)), "0-24/*", ">99", 200);
        check(Shown { roughly: true, ..counted(Total::AtLeast(99)) }, "0-24/99", ">99", 200);
        check(counted(Total::Estimated(3)), "0-24/26", "~3", 200);
        check(counted(Total::Unknown), "0-24/*", "", 200);
        check(Shown { from: None, ..counted(Total::Exact(99)) }, "*/99", "99", 200);
        check(Shown { by_range: true, ..page }, "0-24/*", "", 206);
        check(Shown { by_range: true, has_more: false, ..page }, "0-24/*", "", 200);
        check(Shown { by_range: true, has_more: false, from: Some(3), ..page }, "3-27/*", "", 206);
        let beyond = Shown { from: Some(100), rows: 0, has_more: false, ..counted(Total::Exact(99)) };
        check(beyond, "", "", 416);
        check(Shown { from: Some(99), ..beyond }, "*/99", "99", 200);
    }
}
