//! Large loads: filling a new database and importing rows, in few large transactions.
//!
//! The calling thread works on the writer's connection while the writer waits. Nothing is less durable than a
//! usual write: a transaction of many thousand rows pays for its sync anyway.

use kasoku_sql_plan::Value;
use rusqlite::fallible_iterator::FallibleIterator as _;

use crate::error::DatabaseError;
use crate::sqlite::connection::Connection;
use crate::sqlite::inspect::quoted;
use crate::sqlite::upkeep;
use crate::value::bound;

/// Rows of one transaction.
const ROWS_TOGETHER: u64 = 20_000;

/// The writer's connection, for a load.
pub(crate) struct Load<'c> {
    pub(crate) connection: &'c Connection,
}

impl Load<'_> {
    /// Runs SQL that may change the schema, in one transaction.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.together(|raw| raw.execute_batch(sql))
    }

    /// Runs statements that insert the rows numbered `:first` to `:last`, so many in one transaction, until there are
    /// `rows`. Statements without these parameters would run once a transaction.
    pub(crate) fn fill(
        &mut self,
        sql: &str,
        rows: u64,
        together: u64,
        mut progress: impl FnMut(u64),
    ) -> Result<(), DatabaseError> {
        let mut done = 0;
        while done < rows {
            let (first, last) = (done + 1, (done + together).min(rows));
            self.together(|raw| {
                let mut batch = rusqlite::Batch::new(raw, sql);
                while let Some(mut statement) = batch.next()? {
                    for (name, number) in [(":first", first), (":last", last)] {
                        if let Some(place) = statement.parameter_index(name)? {
                            statement.raw_bind_parameter(place, number as i64)?;
                        }
                    }
                    let mut rows = statement.raw_query();
                    while rows.next()?.is_some() {}
                }
                Ok(())
            })?;
            done = last;
            progress(done);
        }
        Ok(())
    }

    /// Inserts rows, each with a value per column, and says how many there were. An error of the iterator ends the
    /// load; transactions that were complete by then stay.
    pub(crate) fn insert_rows<E: From<DatabaseError>>(
        &mut self,
        table: &str,
        columns: &[impl AsRef<str>],
        rows: impl IntoIterator<Item = Result<Vec<Value>, E>>,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, E> {
        let names: Vec<String> = columns.iter().map(|name| quoted(name.as_ref())).collect();
        let places = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO main.{} ({}) VALUES ({places})", quoted(table), names.join(", "));
        let mut rows = rows.into_iter().peekable();
        let mut done = 0;
        while rows.peek().is_some() {
            let mut stopped = None;
            let part = self.together(|raw| {
                let mut statement = raw.prepare_cached(&sql)?;
                let mut part = 0;
                for row in rows.by_ref().take(ROWS_TOGETHER as usize) {
                    let row = match row {
                        Ok(row) => row,
                        Err(error) => {
                            stopped = Some(error);
                            break;
                        }
                    };
                    if row.len() != names.len() {
                        return Err(rusqlite::Error::InvalidParameterCount(row.len(), names.len()));
                    }
                    for (place, value) in row.iter().enumerate() {
                        statement.raw_bind_parameter(place + 1, bound(value))?;
                    }
                    statement.raw_execute()?;
                    part += 1;
                }
                Ok(part)
            })?;
            done += part;
            progress(done);
            if let Some(error) = stopped {
                return Err(error);
            }
        }
        Ok(done)
    }

    /// Lets SQLite gather statistics about what was loaded.
    pub(crate) fn analyze(&mut self) -> Result<(), DatabaseError> {
        upkeep::optimize_all(self.connection)
    }

    fn together<T>(
        &self,
        f: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.connection.run("BEGIN IMMEDIATE -- kasoku")?;
        let result = f(self.connection.raw()).map_err(|error| self.connection.failed(error));
        let result = result.and_then(|value| self.connection.run("COMMIT -- kasoku").map(|()| value));
        if result.is_err() && !self.connection.raw().is_autocommit() {
            self.connection.run("ROLLBACK -- kasoku")?;
        }
        upkeep::checkpoint(self.connection)?;
        result
    }
}
