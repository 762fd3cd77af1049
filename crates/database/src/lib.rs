//! Connections, statements, transactions and change feeds; the only user of SQL drivers.
//!
//! Reads run at once on many connections, short ones on the thread that asks; writes go through one thread that
//! commits them in groups and syncs before it answers. What a commit changed is told to a listener, with old and new
//! values, before anyone learns that it succeeded. This crate must not know HTTP, routes, caches or configuration,
//! and no type of the driver leaves it.

mod changes;
mod database;
mod error;
mod migrate;
mod queue;
mod settings;
mod sqlite;
mod statement;
mod tell;
mod value;

#[cfg(test)]
mod tests;

pub use changes::{
    BYTES_REPORTED_MAX, CommitListener, DataChange, ROWS_REPORTED_MAX, RowChange, WatchedTable,
};
pub use database::Database;
pub use error::{ConstraintKind, DatabaseError};
pub use migrate::{Migration, MigrationError};
pub use settings::Settings;
pub use sqlite::bulk::Bulk;
pub use sqlite::connection::{Row, Rows};
pub use sqlite::inspect::{
    Effort, Inspector, PlanFacts, PlanStep, Reads, ResultColumn, StepAccess, TableRead, describe_file,
    describe_migrations,
};
pub use sqlite::read::ReadTransaction;
pub use sqlite::write::WriteTransaction;
pub use statement::Statement;
pub use value::ValueRef;
