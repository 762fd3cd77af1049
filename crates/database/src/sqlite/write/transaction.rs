//! What a write job may do.

use kasoku_observe::Observer;
use kasoku_sql_plan::Value;

use super::record::Recorder;
use crate::error::DatabaseError;
use crate::sqlite::connection::{Connection, Rows};
use crate::statement::Statement;

/// The transaction of one write job. It is a savepoint inside the transaction of its group.
pub struct WriteTransaction<'c> {
    pub(super) connection: &'c Connection,
    pub(super) recorder: &'c Recorder,
    pub(super) observer: &'c dyn Observer,
}

impl WriteTransaction<'_> {
    /// Runs a statement to its end and says how many rows it changed, triggers and cascades apart.
    pub fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, DatabaseError> {
        let ran = self.connection.query(self.observer, statement, params, |rows| {
            while rows.next()?.is_some() {}
            Ok::<_, DatabaseError>(())
        })?;
        Ok(ran.changed)
    }

    /// Runs a statement and lends its rows (those of a `RETURNING`, say) to `f`. A write is complete before its
    /// first row is seen.
    pub fn query<T, E: From<DatabaseError>>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        Ok(self.connection.query(self.observer, statement, params, f)?.value)
    }

    /// Runs a part of the job in a savepoint of its own: an error undoes the part and not the job.
    pub fn attempt<T, E: From<DatabaseError>>(
        &mut self,
        f: impl FnOnce(&mut WriteTransaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mark = self.recorder.mark();
        self.connection.run("SAVEPOINT kasoku_part -- kasoku")?;
        let result = f(self);
        if self.connection.raw().is_autocommit() {
            return result.and(Err(DatabaseError::Aborted.into()));
        }
        if result.is_err() {
            self.connection.run("ROLLBACK TO kasoku_part -- kasoku")?;
            self.recorder.forget_since(mark);
        }
        self.connection.run("RELEASE kasoku_part -- kasoku")?;
        result
    }
}
