//! URL grammar to plan, plan to SQL text and tags; keyset cursors.
//!
//! Pure rules: no connection, no clock, no I/O. SQL text is a function of a request's *shape* only; every value
//! from a request is bound, and every identifier comes from the [`Schema`]. This crate must not know HTTP's
//! transport, the cache, or any driver.
//!
//! What callers of a `table` route can rely on:
//!
//! - The grammar is PostgREST's for `select`, filters and `order`, with `fields` as another word for `select` and
//!   plain `?column=value` where a route declares it. On such a column, a value that begins with an operator and a
//!   point is read as that: `category=eq.in.case` asks for "in.case". A column named like a
//!   [reserved parameter](RESERVED_PARAMETERS) is filtered inside `and=(…)`.
//! - NULL sorts as the smallest value, first upwards and last downwards, because that is the order of SQLite's
//!   indexes; PostgreSQL's is the reverse. `nullsfirst` and `nullslast` are heeded on every declared sort.
//! - `like` minds case, `ilike` folds ASCII case only. `*` and `%` stand for any run, `_` for one character.
//! - A column without a declared type takes filter values that look like numbers as numbers.
//! - A test of a document's value is false for values of other types, and NULL where nothing is. Behind `->` a value
//!   is read as JSON, and as a text where it is none; behind `->>` it is a text.
//! - `match` reads what both databases read alike of regular expressions.
//! - Pages follow cursors; offsets work as far as a route allows them. What a list is sorted by stands readable in its cursors, and so
//!   must be shown by the route.
//! - Writes set the columns that the route shows, except computed ones and the one that hides deleted rows.

mod branch;
mod check;
mod columns;
mod convert;
mod cursor;
mod dialect;
mod fault;
mod forms;
mod grammar;
mod keyset;
pub mod limits;
pub mod named;
mod plan;
pub mod proof;
mod query;
mod relation;
mod row_rule;
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
pub use plan::{
    CountPlan, EmbedPlan, ListPlan, Member, Nest, OnePlan, OutputColumn, Page, RowRange, Statement,
    SumOfNone, TablePlanner, Total, UnfitKey, Walk,
};
pub use query::{Narrow, QueryFault, QueryPlan, QueryPlanner, ReadQuery, read_query};
pub use relation::{Relation, RelationFault, Through};
pub use row_rule::breaks_row_rule;
pub use rules::{
    AggregateRules, CountRule, Counts, EmbedRules, OrderTerm, PageRules, QueryParam, QueryRules, Sort,
    TableRules, WriteRules,
};
pub use schema::{Column, ColumnKind, ForeignKey, Schema, Table, Unique};
pub use spelling::nearest;
pub use tags::{TagRules, purge_tag, table_tag};
pub use value::Value;
pub use write::load::{Load, LoadRow};
pub use write::{Missing, Resolution, Target, WritePlan, WriteStatement};
