//! URL grammar to plan, plan to SQL text and tags; keyset cursors.
//!
//! Pure rules: no connection, no clock, no I/O. SQL text is a function of a request's *shape* only; every value
//! from a request is bound, and every identifier comes from the [`Schema`]. This crate must not know HTTP's
//! transport, the cache, or any driver.

mod check;
mod columns;
mod convert;
mod cursor;
mod dialect;
mod fault;
mod grammar;
mod keyset;
pub mod limits;
mod plan;
mod query;
pub mod rules;
pub mod schema;
mod spelling;
mod sql;
mod tags;
pub mod value;
mod write;

pub use check::{RuleFault, RuleFaults, check};
pub use convert::value_of_text;
pub use cursor::CursorKey;
pub use dialect::Dialect;
pub use grammar::RESERVED_PARAMETERS;
pub use grammar::order::{SortFault, parse_sort};
pub use plan::{CountPlan, ListPlan, OnePlan, OutputColumn, Page, Statement, TablePlanner, Total};
pub use query::{Narrow, QueryFault, QueryPlan, QueryPlanner, ReadQuery, read_query};
pub use rules::{
    CountRule, Counts, OrderTerm, PageRules, QueryParam, QueryRules, Sort, TableRules, WriteRules,
};
pub use schema::{Column, ColumnKind, Schema, Table};
pub use spelling::nearest;
pub use tags::{TagRules, table_tag};
pub use value::Value;
pub use write::{Resolution, Target, WritePlan, WriteStatement};
