//! Asking the database itself: what it holds, what a statement reads, how it would run it, what it returns.
//!
//! Nothing here runs a statement of an app. All answers come from preparing it.

mod columns;
mod plan;
mod reads;

use std::path::Path;

use kasoku_sql_plan::{Dialect, Schema};

pub use columns::ResultColumn;
pub use plan::{Effort, PlanFacts, PlanStep, StepAccess};
pub(crate) use reads::add;
pub use reads::{Reads, TableRead};

use crate::error::DatabaseError;
use crate::migrate::Migration;
use crate::postgres::{self, PostgresSettings};
use crate::sqlite;

/// Answers questions about a database and about statements on it. It blocks the thread that asks.
pub struct Inspector(Engine);

enum Engine {
    Sqlite(Box<sqlite::inspect::Inspector>),
    Postgres(Box<postgres::inspect::Inspector>),
}

/// What a file holds; the file is not touched.
pub fn describe_file(path: &Path) -> Result<Schema, DatabaseError> {
    Inspector::of_file(path)?.schema()
}

/// What an SQLite database will hold once these files are applied.
pub fn describe_migrations(files: &[Migration]) -> Result<Schema, DatabaseError> {
    Inspector::of_migrations(files)?.schema()
}

impl Inspector {
    /// Of a file, which is not touched.
    pub fn of_file(path: &Path) -> Result<Self, DatabaseError> {
        sqlite::inspect::Inspector::of_file(path).map(Self::sqlite)
    }

    /// Of an empty SQLite database with these files applied.
    pub fn of_migrations(files: &[Migration]) -> Result<Self, DatabaseError> {
        sqlite::inspect::Inspector::of_migrations(files).map(Self::sqlite)
    }

    /// Of what a server's database holds, in the current schema of the user who asks. Nothing is changed.
    pub fn of_server(settings: &PostgresSettings) -> Result<Self, DatabaseError> {
        postgres::inspect::Inspector::of_server(settings).map(Self::postgres)
    }

    /// Of what a server's database holds once these files are applied.
    ///
    /// If all of them are applied already, that is what it holds. Otherwise they are run in a schema of their own, in a
    /// transaction that is rolled back when this is dropped; a file that names another schema does there what it says,
    /// until then.
    pub fn of_server_with_migrations(
        settings: &PostgresSettings,
        files: &[Migration],
    ) -> Result<Self, DatabaseError> {
        postgres::inspect::Inspector::of_server_with_migrations(settings, files).map(Self::postgres)
    }

    pub(crate) fn sqlite(inspector: sqlite::inspect::Inspector) -> Self {
        Self(Engine::Sqlite(Box::new(inspector)))
    }

    pub(crate) fn postgres(inspector: postgres::inspect::Inspector) -> Self {
        Self(Engine::Postgres(Box::new(inspector)))
    }

    /// How SQL is written for it.
    pub fn dialect(&self) -> &'static Dialect {
        match &self.0 {
            Engine::Sqlite(_) => Dialect::SQLITE,
            Engine::Postgres(_) => Dialect::POSTGRES,
        }
    }

    /// The tables and views; without the database's own, Kasoku's own, and those whose rows lie elsewhere (virtual and
    /// foreign tables, what belongs to extensions).
    pub fn schema(&self) -> Result<Schema, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(inspector) => inspector.schema(),
            Engine::Postgres(inspector) => inspector.schema(),
        }
    }

    /// How a statement would be run, whatever the values of its parameters.
    pub fn explain(&self, sql: &str) -> Result<PlanFacts, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(inspector) => inspector.explain(sql),
            Engine::Postgres(inspector) => inspector.explain(sql),
        }
    }

    /// How the database itself would run a statement now, with its rows and statistics, in its own words.
    pub fn plan_lines(&self, sql: &str) -> Result<Vec<String>, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(inspector) => Ok(inspector.explain(sql)?.lines),
            Engine::Postgres(inspector) => inspector.plan_lines(sql),
        }
    }

    /// What a statement reads, writes and calls, through views and, on SQLite, triggers.
    pub fn reads(&self, sql: &str) -> Result<Reads, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(inspector) => inspector.reads(sql),
            Engine::Postgres(inspector) => inspector.reads(sql),
        }
    }

    /// The columns of a statement's result.
    pub fn columns(&self, sql: &str) -> Result<Vec<ResultColumn>, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(inspector) => inspector.columns(sql),
            Engine::Postgres(inspector) => inspector.columns(sql),
        }
    }

    /// The names of a statement's parameters by place, with their prefix (`:slug`); `None` for one without a name.
    pub fn parameters(&self, sql: &str) -> Result<Vec<Option<String>>, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(inspector) => inspector.parameters(sql),
            Engine::Postgres(inspector) => inspector.parameters(sql),
        }
    }

    /// Whether a statement only reads: it changes nothing and locks no row.
    pub fn reads_only(&self, sql: &str) -> Result<bool, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(inspector) => inspector.reads_only(sql),
            Engine::Postgres(inspector) => inspector.reads_only(sql),
        }
    }
}
