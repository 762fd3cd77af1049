//! `PATCH path` with an array: each row of the body carries its key and what to set in that row.

use std::collections::HashSet;

use kasoku_problem::{Kind, Problem};
use serde_json::Value as Json;

use super::text::Change;
use super::{WritePlan, WriteStatement};
use crate::Value;
use crate::fault::{invalid, unprocessable};
use crate::grammar::Parameters;
use crate::plan::TablePlanner;

impl TablePlanner {
    /// Whether a `PATCH` of the list may have an array.
    pub fn updates_each(&self) -> bool {
        self.writes.update_each
    }

    /// Plans `PATCH path` with an array of rows. Rows with the same columns share their text, and each must find the
    /// row that it names.
    pub fn update_each(&self, query: Option<&str>, body: &Json) -> Result<WritePlan, Problem> {
        if !self.writes.update_each {
            let detail = "this route changes no rows one by one; its `write` setting lacks update-each";
            return Err(Problem::new(Kind::Unprocessable).detail(detail));
        }
        let asked = self.read(self.page, Parameters::EACH, query)?;
        let rows = self.given_rows(body, asked.columns.as_deref())?;
        let mut seen = HashSet::with_capacity(rows.len());
        let mut statements = Vec::with_capacity(rows.len());
        let mut plan = None;
        for (row, members) in rows.into_iter().enumerate() {
            let (key, set) = self.key_and_changes(row, members)?;
            if !seen.insert(format!("{key:?}")) {
                let detail = format!("row {row}: an earlier row has the same key");
                return Err(unprocessable(row, None, detail));
            }
            let places: Vec<usize> = set.iter().map(|(place, _)| *place).collect();
            let values = set.into_iter().map(|(_, value)| value).collect();
            let one = self.plan_change(&asked, Some(key), Change::Set(&places), values, None)?;
            let statement = one.statements.first().map(|write| write.statement.clone());
            statements.extend(statement.map(|statement| WriteStatement { statement, row }));
            plan.get_or_insert(one);
        }
        let Some(plan) = plan else {
            return Err(invalid_body("the body has no row"));
        };
        let rows_most = statements.len() as u64;
        Ok(WritePlan { statements, rows_most, each_touches: true, ..plan })
    }

    /// Divides what a row gives into its key and what is to be set.
    #[expect(clippy::type_complexity, reason = "a key, and columns with their values")]
    fn key_and_changes(
        &self,
        row: usize,
        mut members: Vec<(usize, Value)>,
    ) -> Result<(Vec<Value>, Vec<(usize, Value)>), Problem> {
        let mut key = Vec::with_capacity(self.key.len());
        for place in &self.key {
            let Some(at) = members.iter().position(|(given, _)| given == place) else {
                let name = self.columns.field(*place).name();
                let detail = format!("row {row}: `{name}` is missing, which says which row is meant");
                return Err(unprocessable(row, Some(name), detail));
            };
            key.push(members.remove(at).1);
        }
        if members.is_empty() {
            return Err(unprocessable(row, None, format!("row {row} sets no column")));
        }
        Ok((key, members))
    }
}

fn invalid_body(detail: &str) -> Problem {
    invalid("body", detail)
}
