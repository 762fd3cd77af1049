//! A walk over a whole list, from its first row or a cursor to its last, in parts of any size.
//!
//! What is read at a time is a page like any other: the same texts, the same cursors. So a walk can be gone on with from
//! any row, also by somebody else and much later.

use kasoku_problem::{Kind, Problem};

use super::{ListPlan, TablePlanner, condition};
use crate::cursor::{CursorKey, Direction};
use crate::grammar::{Asked, Parameters};
use crate::rules::PageRules;

/// A walk over a list, and where it has come to.
#[derive(Debug)]
pub struct Walk {
    asked: Asked,
    rows_most: Option<u32>,
}

impl TablePlanner {
    /// Begins a walk over what `GET path?query` lists for the planner's caller, whoever's planner goes on with it. Its `limit` is how many rows the walk has in all.
    pub fn walk(&self, query: Option<&str>) -> Result<Walk, Problem> {
        let page = PageRules { most: u32::MAX, ..self.page };
        let mut asked = self.read(page, Parameters::LIST, query)?;
        condition::settle(&mut asked.nodes);
        asked.nodes.splice(0..0, self.rule_nodes());
        self.settle_page(&mut asked, None)?;
        let rows_most = asked.limit.take();
        Ok(Walk { asked, rows_most })
    }

    /// Plans the next rows of a walk.
    pub fn next_rows(&self, walk: &mut Walk, rows: u32, cursors: &CursorKey) -> Result<ListPlan, Problem> {
        walk.asked.limit = Some(rows);
        let plan = self.plan_list(&walk.asked, None, cursors)?;
        match plan.direction() {
            Direction::Forward => Ok(plan),
            Direction::Back => Err(Problem::new(Kind::CursorInvalid)
                .detail("the cursor leads back, and a whole list is read from its beginning to its end")
                .member("parameter", "cursor")),
        }
    }
}

impl Walk {
    /// Rows that it has in all at the most, if it was said.
    pub fn rows_most(&self) -> Option<u32> {
        self.rows_most
    }

    /// Goes on from a cursor.
    pub fn go_on(&mut self, cursor: String) {
        self.asked.cursor = Some(cursor);
        self.asked.offset = None;
    }
}
