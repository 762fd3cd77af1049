//! Which rows of a list a page has, where the request says so by number.

use kasoku_problem::Problem;

use super::TablePlanner;
use crate::fault::invalid;
use crate::grammar::{self, Asked};

/// Rows by their places in a list, from 0; the last one belongs to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRange {
    /// The first.
    pub first: u32,
    /// The last, if the list is not wanted to its end.
    pub last: Option<u32>,
}

impl TablePlanner {
    /// Makes of a range what `limit` and `offset` say, and holds what is asked for together.
    pub(super) fn settle_page(&self, asked: &mut Asked, range: Option<RowRange>) -> Result<(), Problem> {
        if asked.cursor.is_some() && asked.offset.is_some_and(|offset| offset > 0) {
            return Err(invalid("offset", "a `cursor` says where the page begins, and so does `offset`"));
        }
        let Some(RowRange { first, last }) = range else { return Ok(()) };
        if asked.cursor.is_some() || asked.limit.is_some() || asked.offset.is_some() {
            let detail = "the query string says which page is wanted, and so does `Range`";
            return Err(invalid("Range", detail));
        }
        if first > self.page.offset_most {
            let detail = grammar::not_by_offset(self.page, &first.to_string());
            return Err(invalid("Range", detail).member("most", self.page.offset_most));
        }
        asked.offset = Some(first);
        // A range may be answered in part, and says so (RFC 9110 §14.2).
        asked.limit = last.map(|last| last.saturating_sub(first).saturating_add(1).min(self.page.most));
        Ok(())
    }
}
