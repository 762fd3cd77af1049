//! Reads: on the thread that asks, or on threads of their own.

pub(crate) mod here;
mod kept;
pub(crate) mod threads;

use kasoku_observe::Observer;
use kasoku_sql_plan::Value;

use crate::error::DatabaseError;
use crate::rows::Rows;
use crate::sqlite::connection::Connection;
use crate::statement::Statement;
use crate::transaction::ReadTransaction;

/// Several statements that see the database at one moment.
pub(crate) struct Transaction<'c> {
    connection: &'c Connection,
    observer: &'c dyn Observer,
}

impl Transaction<'_> {
    /// Runs a statement and lends its rows to `f`.
    pub(crate) fn query<T, E: From<DatabaseError>>(
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
        return f(&mut ReadTransaction::sqlite(Transaction { connection, observer }));
    }
    connection.run("BEGIN -- kasoku")?;
    let _end = End(connection);
    f(&mut ReadTransaction::sqlite(Transaction { connection, observer }))
}
