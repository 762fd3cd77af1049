//! Large loads: filling a new database and importing rows, in few large transactions.

use kasoku_sql_plan::Value;

use crate::error::DatabaseError;
use crate::postgres;
use crate::sqlite;

/// A connection of its own, for a load.
pub struct Bulk<'c>(Loading<'c>);

enum Loading<'c> {
    Sqlite(sqlite::bulk::Load<'c>),
    Postgres(postgres::bulk::Load<'c>),
}

impl<'c> Bulk<'c> {
    pub(crate) fn sqlite(load: sqlite::bulk::Load<'c>) -> Self {
        Self(Loading::Sqlite(load))
    }

    pub(crate) fn postgres(load: postgres::bulk::Load<'c>) -> Self {
        Self(Loading::Postgres(load))
    }

    #[cfg(test)]
    pub(crate) fn sqlite_connection(&self) -> Option<&sqlite::connection::Connection> {
        match &self.0 {
            Loading::Sqlite(load) => Some(load.connection),
            Loading::Postgres(_) => None,
        }
    }

    /// Runs SQL that may change the schema, in one transaction.
    pub fn run(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match &mut self.0 {
            Loading::Sqlite(load) => load.run(sql),
            Loading::Postgres(load) => load.run(sql),
        }
    }

    /// Waits until no other load says so of itself, on any node, and keeps others who ask waiting until this one ends.
    pub fn alone(&mut self) -> Result<(), DatabaseError> {
        match &mut self.0 {
            // It has the only writer.
            Loading::Sqlite(_) => Ok(()),
            Loading::Postgres(load) => load.alone(),
        }
    }

    /// Runs statements that insert the rows numbered `:first` to `:last`, so many in one transaction, until there are
    /// `rows`. Statements without these parameters would run once a transaction.
    pub fn fill(
        &mut self,
        sql: &str,
        rows: u64,
        together: u64,
        progress: impl FnMut(u64),
    ) -> Result<(), DatabaseError> {
        match &mut self.0 {
            Loading::Sqlite(load) => load.fill(sql, rows, together, progress),
            Loading::Postgres(load) => load.fill(sql, rows, together, progress),
        }
    }

    /// Inserts rows, each with a value per column, and says how many there were. An error of the iterator ends the
    /// load; transactions that were complete by then stay.
    pub fn insert_rows<E: From<DatabaseError>>(
        &mut self,
        table: &str,
        columns: &[impl AsRef<str>],
        rows: impl IntoIterator<Item = Result<Vec<Value>, E>>,
        progress: impl FnMut(u64),
    ) -> Result<u64, E> {
        match &mut self.0 {
            Loading::Sqlite(load) => load.insert_rows(table, columns, rows, progress),
            Loading::Postgres(load) => load.insert_rows(table, columns, rows, progress),
        }
    }

    /// Lets the database gather statistics about what was loaded.
    pub fn analyze(&mut self) -> Result<(), DatabaseError> {
        match &mut self.0 {
            Loading::Sqlite(load) => load.analyze(),
            Loading::Postgres(load) => load.analyze(),
        }
    }
}
