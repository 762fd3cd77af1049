//! Writes: rows of a body, a key or filters in; statements out.
//!
//! Each row is a statement of its own, and rows with the same columns share its text: rows come back in the order of the
//! body, and what fails can be named. All statements of a plan belong in one transaction.

mod each;
pub(crate) mod load;
mod returned;
mod rows;
mod text;

use std::sync::Arc;

use kasoku_problem::{Kind, Problem};
use serde_json::Value as Json;

use crate::Value;
use crate::columns::OutputColumn;
use crate::fault::{invalid, unprocessable};
use crate::grammar::filter::Node;
use crate::grammar::{Asked, Parameters};
use crate::plan::{Nest, Statement, TablePlanner, condition, shown};
use crate::rules::PageRules;
use crate::schema::Unique;
use crate::sql::SqlText;
use rows::Row;
use text::{Change, OnConflict, push_places};

/// How to carry out a write.
#[derive(Debug, Clone)]
pub struct WritePlan {
    /// To be run in this order, in one transaction.
    pub statements: Vec<WriteStatement>,
    /// The columns to show of each returned row, whose values come first.
    pub columns: Arc<[OutputColumn]>,
    /// Places of the key's values in a returned row; some are behind the shown ones.
    pub key: Vec<usize>,
    /// What is embedded in the rows, which then have further values behind those of `columns`.
    pub nest: Option<Nest>,
    /// Rows of all embeds together, at the most.
    pub embed_rows_most: u64,
    /// If the statements touch more rows together, the transaction must be rolled back.
    pub rows_most: u64,
    /// Whether each statement must touch its row, or the transaction must be rolled back.
    pub each_touches: bool,
    /// Whether each statement must write its row, or it was another caller's that it met, and the transaction must be
    /// rolled back.
    pub each_writes: bool,
    /// Place in a returned row of a number that is 1 where the row is as the route's rule wants it, and where it is not,
    /// the transaction must be rolled back.
    pub within_rule: Option<usize>,
}

/// One statement of a write; it returns the rows that it touched.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteStatement {
    /// The statement.
    pub statement: Statement,
    /// The row of the body that it writes, counted from 0.
    pub row: usize,
}

/// Which rows a write is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The row with this key, as the path gives it.
    Key(&'a str),
    /// The rows that the query string's filters leave; there must be a filter.
    Filters,
}

/// What a row of several has in a column that `columns` names and the row does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// NULL, as all rows are to have the same columns.
    Null,
    /// The column's default.
    Default,
}

/// What becomes of a row that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// `merge-duplicates`: the columns that are given are set.
    Merge,
    /// `ignore-duplicates`: it stays as it is and is not returned.
    Ignore,
}

impl TablePlanner {
    /// Plans `POST path`: one row, or an array of rows.
    pub fn insert(&self, query: Option<&str>, body: &Json, missing: Missing) -> Result<WritePlan, Problem> {
        let asked = self.read(self.page, Parameters::INSERT, query)?;
        let rows = self.rows_of_body(body, asked.columns.as_deref(), missing)?;
        self.plan_rows(&asked, rows, &OnConflict::Fail)
    }

    /// Plans `POST path` with a resolution: rows are the same if the key is, or the unique columns that
    /// `on_conflict` names.
    pub fn upsert(
        &self,
        query: Option<&str>,
        body: &Json,
        resolution: Resolution,
        missing: Missing,
    ) -> Result<WritePlan, Problem> {
        let asked = self.read(self.page, Parameters::UPSERT, query)?;
        let rows = self.rows_of_body(body, asked.columns.as_deref(), missing)?;
        let target = match &asked.on_conflict {
            None => Unique::whole(&self.key),
            Some(places) => self.unique_columns(places)?,
        };
        let on_conflict = match resolution {
            Resolution::Merge => OnConflict::Set { target, all: false },
            Resolution::Ignore => OnConflict::Ignore { target },
        };
        self.plan_rows(&asked, rows, &on_conflict)
    }

    /// Plans `PUT path/{key}`: afterwards the row is what the body says, and columns that it leaves out have their
    /// defaults.
    pub fn put(&self, key: &str, query: Option<&str>, body: &Json) -> Result<WritePlan, Problem> {
        let asked = self.read(self.page, Parameters::PUT, query)?;
        let key = self.key_values(key).map_err(|_| {
            Problem::new(Kind::InvalidParameter).detail("the path ends in no value of the key's columns")
        })?;
        let row = self.row_with_key(body, &key)?;
        let on_conflict = OnConflict::Set { target: Unique::whole(&self.key), all: true };
        self.plan_rows(&asked, vec![row], &on_conflict)
    }

    /// Plans `PATCH`: sets the columns that the body gives.
    pub fn update(
        &self,
        target: Target<'_>,
        query: Option<&str>,
        body: &Json,
        max_affected: Option<u64>,
    ) -> Result<WritePlan, Problem> {
        let (asked, key) = self.target(target, query)?;
        let patch = self.patch_of_body(body, asked.columns.as_deref())?;
        if patch.is_empty() {
            return Err(unprocessable(0, None, "the body sets no column"));
        }
        let set: Vec<usize> = patch.iter().map(|(place, _)| *place).collect();
        let values = patch.into_iter().map(|(_, value)| value).collect();
        self.plan_change(&asked, key, Change::Set(&set), values, max_affected)
    }

    /// Plans `DELETE`. Where rows are only hidden, `now` is what the column that hides them is set to.
    pub fn delete(
        &self,
        target: Target<'_>,
        query: Option<&str>,
        max_affected: Option<u64>,
        now: Value,
    ) -> Result<WritePlan, Problem> {
        let (asked, key) = self.target(target, query)?;
        match self.soft_delete {
            Some(place) => self.plan_change(&asked, key, Change::Hide(place), vec![now], max_affected),
            None => self.plan_change(&asked, key, Change::Delete, Vec::new(), max_affected),
        }
    }

    /// What a change is about: its parameters, and the key if it has one.
    fn target(
        &self,
        target: Target<'_>,
        query: Option<&str>,
    ) -> Result<(Asked, Option<Vec<Value>>), Problem> {
        match target {
            Target::Key(key) => {
                let asked = self.read(self.page, Parameters::PUT, query)?;
                Ok((asked, Some(self.key_values(key)?)))
            }
            Target::Filters => {
                let page = PageRules { most: self.writes.rows_most, ..self.page };
                let mut asked = self.read(page, Parameters::CHANGE, query)?;
                if asked.nodes.is_empty() {
                    let detail = "without a filter, every row would be changed; name at least one";
                    let allowed: Vec<&str> = self.columns.filterable_names().collect();
                    return Err(Problem::new(Kind::InvalidParameter)
                        .detail(detail)
                        .member("allowed", allowed));
                }
                if asked.limit.is_some() && asked.order.is_none() {
                    let detail = "some of several rows are only sure with an `order`";
                    return Err(invalid("limit", detail).code("PGRST109"));
                }
                condition::settle(&mut asked.nodes);
                Ok((asked, None))
            }
        }
    }

    fn plan_rows(
        &self,
        asked: &Asked,
        rows: Vec<Row>,
        on_conflict: &OnConflict,
    ) -> Result<WritePlan, Problem> {
        let (returned, rule) = (self.returned(asked)?, self.rule_nodes());
        let ruled = self.qualified.as_ref().map(|columns| (&rule[..], columns));
        let statements = rows.into_iter().enumerate().map(|(row, (places, values))| {
            let mut shape = vec![b'i'];
            on_conflict.shape(&mut shape);
            push_places(&places, &mut shape);
            returned.shape(&mut shape);
            let written = self.writers.get_or_make(&shape, || {
                let mut sql = SqlText::new(self.dialect, "insert into ");
                self.write_insert(&places, &mut sql);
                on_conflict.write(self, &places, ruled, &mut sql);
                self.write_returning(&returned, &rule, &mut sql);
                sql.finish(&self.table, on_conflict.what())
            });
            let mut values = values;
            if on_conflict.sets() {
                condition::bind(&rule, self.dialect, &mut values);
            }
            shown::bind(&returned.shown, self.dialect, &mut values);
            condition::bind(&rule, self.dialect, &mut values);
            WriteStatement { statement: Statement::new(&written, values), row }
        });
        let statements: Vec<_> = statements.collect();
        let rows_most = statements.len() as u64;
        let columns = self.outputs_of_selection(asked.selection.as_ref());
        Ok(WritePlan {
            statements,
            columns,
            within_rule: self.rule.as_ref().map(|_| returned.shown.len()),
            key: returned.key,
            nest: returned.nest,
            embed_rows_most: self.embed_rows_most().into(),
            rows_most,
            each_touches: false,
            each_writes: self.rule.is_some() && on_conflict.sets(),
        })
    }

    /// Plans one statement that changes the rows of a target; `values` are those of the change.
    fn plan_change(
        &self,
        asked: &Asked,
        key: Option<Vec<Value>>,
        change: Change<'_>,
        mut values: Vec<Value>,
        max_affected: Option<u64>,
    ) -> Result<WritePlan, Problem> {
        let (returned, rule) = (self.returned(asked)?, self.rule_nodes());
        let nodes = [&rule[..], &asked.nodes].concat();
        // Rows that go are no rows afterwards.
        let stays: &[Node] = if matches!(change, Change::Set(_)) { &rule } else { &[] };
        let sorting = match asked.limit {
            Some(_) => Some(self.sorting(asked.order.as_deref())?),
            None => None,
        };
        let mut shape = change.shape();
        returned.shape(&mut shape);
        shape.push(u8::from(key.is_some()));
        condition::shape(&nodes, &mut shape);
        shape.extend(sorting.iter().flat_map(|sorting| &sorting.encoded));
        let written = self.writers.get_or_make(&shape, || {
            let mut sql = SqlText::new(
                self.dialect,
                if matches!(change, Change::Delete) { "delete from " } else { "update " },
            );
            sql.push(&self.quoted);
            self.write_set(change.columns(), &mut sql);
            if let Some(sorting) = &sorting {
                self.write_first_of(&nodes, &sorting.forward, &mut sql);
            } else {
                self.write_existing(&mut sql);
                if key.is_some() {
                    self.write_key(&mut sql);
                }
                condition::write(&nodes, &self.columns, &mut sql);
            }
            self.write_returning(&returned, stays, &mut sql);
            sql.finish(&self.table, change.what())
        });
        let by_key = key.is_some();
        values.extend(key.into_iter().flatten());
        condition::bind(&nodes, self.dialect, &mut values);
        values.extend(asked.limit.map(|limit| Value::Integer(limit.into())));
        shown::bind(&returned.shown, self.dialect, &mut values);
        condition::bind(stays, self.dialect, &mut values);
        let most = u64::from(self.writes.rows_most);
        Ok(WritePlan {
            statements: vec![WriteStatement { statement: Statement::new(&written, values), row: 0 }],
            columns: self.outputs_of_selection(asked.selection.as_ref()),
            within_rule: (!stays.is_empty()).then_some(returned.shown.len()),
            key: returned.key,
            nest: returned.nest,
            embed_rows_most: self.embed_rows_most().into(),
            rows_most: if by_key { 1 } else { max_affected.map_or(most, |asked| asked.min(most)) },
            each_touches: false,
            each_writes: false,
        })
    }
}
