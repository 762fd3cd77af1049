//! URL grammar to plan, plan to SQL text and tags; keyset cursors.
//!
//! Pure rules: no connection, no clock, no I/O. SQL text is a function of a request's *shape* only; every value
//! from a request is bound, and every identifier comes from the [`Schema`]. This crate must not know HTTP's
//! transport, the cache, or any driver.

pub mod rules;
pub mod schema;
pub mod value;

pub use rules::{
    CountRule, Counts, OrderTerm, PageRules, QueryParam, QueryRules, Sort, TableRules, WriteRules,
};
pub use schema::{Column, ColumnKind, Schema, Table};
pub use value::Value;
