//! Reads: on the thread that asks, or on threads of their own.

pub(crate) mod here;
mod kept;
pub(crate) mod threads;

use std::time::{Duration, Instant};

use kasoku_observe::Observer;
use kasoku_sql_plan::Value;

use crate::error::DatabaseError;
use crate::sqlite::connection::{Connection, Rows};
use crate::statement::Statement;

/// Several statements that see the database at one moment.
pub struct ReadTransaction<'c> {
    connection: &'c Connection,
    observer: &'c dyn Observer,
}

impl ReadTransaction<'_> {
    /// Runs a statement and lends its rows to `f`.
    pub fn query<T, E: From<DatabaseError>>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        Ok(self.connection.query(self.observer, statement, params, f)?.value)
    }
}

/// Runs `f` between the begin and the end of a transaction; the end comes also when `f` panics. Where a transaction is
/// open already, `f` runs in that one.
pub(crate) fn within<T, E: From<DatabaseError>>(
    connection: &Connection,
    observer: &dyn Observer,
    f: impl FnOnce(&mut ReadTransaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    struct End<'c>(&'c Connection);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.stop().never();
            if !self.0.raw().is_autocommit() {
                // Nothing was written, so there is nothing that an error here could lose; it is remembered as
                // the connection's worst and the connection is replaced if need be.
                let _remembered = self.0.run("ROLLBACK -- kasoku");
            }
        }
    }
    if !connection.raw().is_autocommit() {
        return f(&mut ReadTransaction { connection, observer });
    }
    connection.run("BEGIN -- kasoku")?;
    let _end = End(connection);
    f(&mut ReadTransaction { connection, observer })
}

/// When a read begins, and when it must stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) now: Instant,
    pub(crate) until: Instant,
}

impl Span {
    /// From now to the earlier of the deadline and the longest that a statement may take.
    pub(crate) fn from_now(deadline: Option<Instant>, timeout: Duration) -> Result<Self, DatabaseError> {
        let now = Instant::now();
        match deadline {
            Some(deadline) if deadline <= now => Err(DatabaseError::Deadline),
            Some(deadline) => Ok(Self { now, until: deadline.min(now + timeout) }),
            None => Ok(Self { now, until: now + timeout }),
        }
    }
}

/// The earlier of the deadline and the longest that a statement may take.
pub(crate) fn until(deadline: Option<Instant>, timeout: Duration) -> Result<Instant, DatabaseError> {
    Span::from_now(deadline, timeout).map(|span| span.until)
}
