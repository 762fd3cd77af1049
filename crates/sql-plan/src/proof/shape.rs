//! A shape: one statement that a route can produce, the request that does, and what the request needs of a plan.

use std::sync::Arc;

use super::facts::IndexColumn;
use crate::keyset::Term;
use crate::rules::CountRule;

/// A statement that a route can produce.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// A request that leads to it, with `…` for values.
    pub request: String,
    /// What the statement is for.
    pub purpose: Purpose,
    /// Its text.
    pub sql: Arc<str>,
    /// What it needs of the tables that it reads, as far as its text is understood.
    pub access: Vec<Access>,
    /// What the statement calls its tables. Those of embeds stand as in `access`.
    pub aliases: Vec<(String, String)>,
}

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A page of a list.
    Page,
    /// A row by its key.
    Row,
    /// A total.
    Count(CountRule),
    /// A change of the rows that filters leave.
    Change,
    /// The rows that are embedded in others.
    Embed,
    /// The rows that refer to a row which is deleted.
    Reference,
    /// A declared query; `walks` where it takes the first rows of one table, whatever they are.
    Query {
        /// Whether it ends in a limit and leaves no row out.
        walks: bool,
    },
}

/// What a statement asks of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The table.
    pub table: String,
    /// Columns that must have a value.
    pub equal: Vec<String>,
    /// Whether one of those may have several.
    pub listed: bool,
    /// A column whose values are bounded.
    pub range: Option<String>,
    /// The order of the rows; empty if none is asked for.
    pub order: Vec<IndexColumn>,
    /// Whether the rows lie behind another one in that order.
    pub after: bool,
    /// Whether the caller chose where NULLs of a later column stand.
    pub nulls_chosen: bool,
    /// A column that is NULL in all rows.
    pub null: Option<String>,
}

impl Access {
    /// The columns of the order that differ between rows.
    pub(super) fn open_order(&self) -> impl Iterator<Item = &IndexColumn> {
        self.order.iter().filter(|term| !term.name.as_ref().is_some_and(|name| self.equal.contains(name)))
    }

    /// All columns that rows are found by.
    pub(super) fn filters(&self) -> impl Iterator<Item = &String> {
        self.equal.iter().chain(&self.range)
    }
}

/// The terms of a sort as columns of an index; the hidden row identity is no column.
pub(super) fn order_of(terms: &[Term], name: impl Fn(usize) -> String) -> Vec<IndexColumn> {
    let column = |term: &Term| IndexColumn {
        name: term.column().map(&name),
        descending: term.descending,
        nulls_first: term.nulls_first,
    };
    terms.iter().map(column).collect()
}
