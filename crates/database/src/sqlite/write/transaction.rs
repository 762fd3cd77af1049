//! What a write job may do.

use kasoku_observe::Observer;
use kasoku_sql_plan::Value;

use super::record::{Mark, Recorder};
use crate::error::DatabaseError;
use crate::rows::Rows;
use crate::sqlite::connection::Connection;
use crate::statement::Statement;

/// The transaction of one write job. It is a savepoint inside the transaction of its group.
pub(crate) struct Transaction<'c> {
    pub(super) connection: &'c Connection,
    pub(super) recorder: &'c Recorder,
    pub(super) observer: &'c dyn Observer,
}

/// Where a part of a job began.
#[derive(Clone, Copy)]
pub(crate) struct Part(Mark);

impl Transaction<'_> {
    /// Runs a statement to its end and says how many rows it changed, triggers and cascades apart.
    pub(crate) fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, DatabaseError> {
        let ran = self.connection.query(self.observer, statement, params, |rows| {
            while rows.next()?.is_some() {}
            Ok::<_, DatabaseError>(())
        })?;
        Ok(ran.changed)
    }

    /// Runs a statement and lends its rows to `f`.
    pub(crate) fn query<T, E: From<DatabaseError>>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        Ok(self.connection.query(self.observer, statement, params, f)?.value)
    }

    /// Begins a part of the job that can be undone by itself.
    pub(crate) fn begin_part(&mut self) -> Result<Part, DatabaseError> {
        let mark = self.recorder.mark();
        self.connection.run("SAVEPOINT kasoku_part -- kasoku")?;
        Ok(Part(mark))
    }

    /// Ends the part that was begun last, and undoes it unless it is to be kept.
    pub(crate) fn end_part(&mut self, part: Part, keep: bool) -> Result<(), DatabaseError> {
        if self.connection.raw().is_autocommit() {
            return if keep { Err(DatabaseError::Aborted) } else { Ok(()) };
        }
        if !keep {
            self.connection.run("ROLLBACK TO kasoku_part -- kasoku")?;
            self.recorder.forget_since(part.0);
        }
        self.connection.run("RELEASE kasoku_part -- kasoku")
    }
}
