//! Connections, statements, transactions and change feeds; the only user of SQL drivers.
//!
//! Reads run at once on many connections, short ones on the thread that asks; writes go through one thread that
//! commits them in groups and syncs before it answers. What a commit changed is told to a listener, with old and new
//! values, before anyone learns that it succeeded. This crate must not know HTTP, routes, caches or configuration,
//! and no type of the driver leaves it.

mod bulk;
mod changes;
mod commit;
mod copy;
mod database;
mod error;
mod inspect;
pub mod json;
mod long;
mod migrate;
mod needs;
mod postgres;
mod queue;
mod replica_facts;
mod rows;
mod settings;
mod span;
mod sqlite;
mod statement;
mod tell;
mod transaction;
mod value;
mod watched;
mod watching;

#[cfg(test)]
mod tests;

pub use bulk::Bulk;
pub use changes::{
    BYTES_REPORTED_MAX, CommitListener, DataChange, ROWS_REPORTED_MAX, RowChange, WatchedTable,
};
pub use commit::Commit;
pub use copy::{Leaning, SchemaCopy};
pub use database::Database;
pub use error::{ConstraintKind, DatabaseError};
pub use inspect::{
    Effort, Inspector, PlanFacts, PlanStep, Reads, ResultColumn, StepAccess, TableRead, describe_file,
    describe_migrations,
};
pub use long::{LongSettings, LongShapes};
pub use migrate::{Migration, MigrationError};
pub use needs::{Newness, ReadNeeds};
pub use postgres::native::Native;
pub use postgres::{PostgresSettings, ReplicaChoice};
pub use replica_facts::ReplicaFacts;
pub use rows::{Row, Rows};
pub use settings::Settings;
pub use statement::Statement;
pub use transaction::{ReadTransaction, WriteTransaction};
pub use value::ValueRef;
pub use watched::{WatchMode, Watched};
pub use watching::{Watchable, watch_install, watch_remove, watch_status};
