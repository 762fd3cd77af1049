//! Transactions, as jobs and readers see them.

use kasoku_sql_plan::Value;

use crate::error::DatabaseError;
use crate::postgres;
use crate::rows::Rows;
use crate::sqlite;
use crate::statement::Statement;

/// Several statements that see the database at one moment.
pub struct ReadTransaction<'c>(Reading<'c>);

enum Reading<'c> {
    Sqlite(sqlite::read::Transaction<'c>),
    Postgres(postgres::Transaction<'c>),
}

/// The transaction of one write job.
pub struct WriteTransaction<'c>(Writing<'c>);

enum Writing<'c> {
    Sqlite(sqlite::write::Transaction<'c>),
    Postgres(postgres::Transaction<'c>),
}

/// Where a part of a job began.
enum Part {
    Sqlite(sqlite::write::Part),
    Postgres,
}

impl<'c> ReadTransaction<'c> {
    pub(crate) fn sqlite(transaction: sqlite::read::Transaction<'c>) -> Self {
        Self(Reading::Sqlite(transaction))
    }

    pub(crate) fn postgres(transaction: postgres::Transaction<'c>) -> Self {
        Self(Reading::Postgres(transaction))
    }

    /// Runs a statement and lends its rows to `f`.
    pub fn query<T, E: From<DatabaseError>>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &mut self.0 {
            Reading::Sqlite(transaction) => transaction.query(statement, params, f),
            Reading::Postgres(transaction) => transaction.query(statement, params, f),
        }
    }
}

impl<'c> WriteTransaction<'c> {
    pub(crate) fn sqlite(transaction: sqlite::write::Transaction<'c>) -> Self {
        Self(Writing::Sqlite(transaction))
    }

    pub(crate) fn postgres(transaction: postgres::Transaction<'c>) -> Self {
        Self(Writing::Postgres(transaction))
    }

    /// Whether a statement failed because others were in its way.
    pub(crate) fn met_others(&self) -> bool {
        match &self.0 {
            Writing::Sqlite(_) => false,
            Writing::Postgres(transaction) => transaction.met_others(),
        }
    }

    /// Runs a statement to its end and says how many rows it changed, triggers and cascades apart.
    pub fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, DatabaseError> {
        match &mut self.0 {
            Writing::Sqlite(transaction) => transaction.execute(statement, params),
            Writing::Postgres(transaction) => transaction.execute(statement, params),
        }
    }

    /// Runs a statement and lends its rows (those of a `RETURNING`, say) to `f`. A write is complete before its
    /// first row is seen.
    pub fn query<T, E: From<DatabaseError>>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &mut self.0 {
            Writing::Sqlite(transaction) => transaction.query(statement, params, f),
            Writing::Postgres(transaction) => transaction.query(statement, params, f),
        }
    }

    /// Runs statements in their order, and lends the rows of each to `f`, with its place. A server is sent many of them
    /// before it has answered the first, so that those behind one that fails, or that `f` refuses, may have run as well:
    /// the job, or its part, is to be undone then.
    pub fn query_all<E: From<DatabaseError>>(
        &mut self,
        statements: &[(Statement, &[Value])],
        mut f: impl FnMut(usize, &mut Rows<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &mut self.0 {
            Writing::Sqlite(transaction) => {
                let mut all = statements.iter().enumerate();
                all.try_for_each(|(place, (statement, params))| {
                    transaction.query(statement, params, |rows| f(place, rows))
                })
            }
            Writing::Postgres(transaction) => transaction.query_all(statements, f),
        }
    }

    /// Runs a part of the job in a savepoint of its own: an error undoes the part and not the job.
    pub fn attempt<T, E: From<DatabaseError>>(
        &mut self,
        f: impl FnOnce(&mut WriteTransaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let part = match &mut self.0 {
            Writing::Sqlite(transaction) => Part::Sqlite(transaction.begin_part()?),
            Writing::Postgres(transaction) => {
                transaction.begin_part()?;
                Part::Postgres
            }
        };
        let result = f(self);
        let keep = result.is_ok();
        match (&mut self.0, part) {
            (Writing::Sqlite(transaction), Part::Sqlite(part)) => transaction.end_part(part, keep)?,
            (Writing::Postgres(transaction), _) => transaction.end_part(keep)?,
            (Writing::Sqlite(_), Part::Postgres) => {}
        }
        result
    }
}
