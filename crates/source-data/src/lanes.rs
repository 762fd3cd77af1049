//! Where a statement runs: on the thread that serves, or on a reader thread. A server's statements run in the server.
//!
//! A look-up by key takes a few microseconds, less than handing it to another thread would; a long statement on a
//! thread that serves would hold up every other request there. No plan can tell the two apart for certain, since it
//! does not know the rows. So each statement begins on the serving thread with a short allowance. One that is
//! stopped by it is run again on a reader thread, and so is its shape for a while.

use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Snapshot, Tag};
use kasoku_database::{
    Commit, Database, DatabaseError, Newness, ReadNeeds, ReadTransaction, Rows, Statement, WriteTransaction,
};
use kasoku_pipeline::Request;
use kasoku_sql_plan::Value;
use kasoku_units::Clock;

/// What answers are read from: a database, and what time it is.
#[derive(Clone)]
pub struct Engine {
    /// The database.
    pub database: Arc<Database>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// An engine, and the ways to run statements on it.
pub(crate) struct Lanes {
    engine: Engine,
}

/// A statement as the planner gives it.
pub(crate) type Planned = kasoku_sql_plan::Statement;

impl Lanes {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Tells the time.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.engine.clock
    }

    /// What the read for a request needs whose answer depends on these tags.
    pub(crate) fn needs(&self, request: &Request, tags: impl FnOnce() -> Vec<Tag>) -> ReadNeeds {
        let newness = if self.engine.database.floors().is_some() {
            Newness::Shows { tags: tags(), landmark: request.owed }
        } else {
            Newness::Newest
        };
        ReadNeeds { deadline: request.deadline, newness }
    }

    /// Runs one statement.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        planned: &Planned,
        needs: impl Into<ReadNeeds>,
        read: impl Fn(&mut Rows<'_>) -> Result<T, DatabaseError> + Send + Sync + Clone + 'static,
    ) -> Result<(T, Snapshot), DatabaseError> {
        let (statement, needs) =
            (Statement::new(Arc::clone(&planned.name), Arc::clone(&planned.sql)), needs.into());
        let deadline = needs.deadline;
        if self.is_short(&planned.sql) {
            let tried = self.engine.database.read_here(
                &statement,
                &planned.params,
                Some(self.allowance(deadline)),
                &read,
            );
            if !self.outlasted(&planned.sql, &tried, deadline) {
                return tried;
            }
        }
        // Boxed, so that short reads do not carry the room for it.
        Box::pin(self.engine.database.read(&statement, planned.params.clone(), needs, read)).await
    }

    /// Runs several statements that see the database at one moment; `shape` stands for them all.
    pub(crate) async fn read_many<T: Send + 'static>(
        &self,
        shape: &Arc<str>,
        needs: impl Into<ReadNeeds>,
        read: impl Fn(&mut ReadTransaction<'_>) -> Result<T, DatabaseError> + Send + Sync + Clone + 'static,
    ) -> Result<(T, Snapshot), DatabaseError> {
        let needs = needs.into();
        let deadline = needs.deadline;
        if self.is_short(shape) {
            let tried = self.engine.database.read_many_here(Some(self.allowance(deadline)), &read);
            if !self.outlasted(shape, &tried, deadline) {
                return tried;
            }
        }
        Box::pin(self.engine.database.read_many(needs, read)).await
    }

    /// Runs one statement that is a part of something long, and never on a thread that serves.
    pub(crate) async fn read_apart<T: Send + 'static>(
        &self,
        statement: &Statement,
        params: Vec<Value>,
        deadline: Option<Instant>,
        read: impl FnOnce(&mut Rows<'_>) -> Result<T, DatabaseError> + Clone + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.engine.database.read(statement, params, deadline, read).await.map(|(read, _)| read)
    }

    /// Runs several such statements that see the database at one moment.
    pub(crate) async fn read_many_apart<T: Send + 'static>(
        &self,
        deadline: Option<Instant>,
        read: impl FnOnce(&mut ReadTransaction<'_>) -> Result<T, DatabaseError> + Clone + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.engine.database.read_many(deadline, read).await.map(|(read, _)| read)
    }

    /// Writes; what `decides` by what it reads is run again if that has changed when it is committed.
    pub(crate) async fn write<T: Send + 'static, E: From<DatabaseError> + Send + 'static>(
        &self,
        decides: bool,
        deadline: Option<Instant>,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Commit), E> {
        if decides {
            self.engine.database.write_isolated(deadline, job).await
        } else {
            self.engine.database.write(deadline, job).await
        }
    }

    /// Writes much in one transaction, which may take until the deadline.
    pub(crate) async fn write_long<T: Send + 'static, E: From<DatabaseError> + Send + 'static>(
        &self,
        decides: bool,
        deadline: Instant,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Commit), E> {
        self.engine.database.write_long(decides, deadline, job).await
    }

    /// The database.
    pub(crate) fn database(&self) -> &Database {
        &self.engine.database
    }

    fn is_short(&self, shape: &Arc<str>) -> bool {
        let database = &self.engine.database;
        database.reads_in_place() && !database.long_shapes().has(shape, || self.engine.clock.now())
    }

    /// Whether the allowance ended the trial, and not the request's own deadline. The shape is then known as long.
    fn outlasted<T>(
        &self,
        shape: &Arc<str>,
        tried: &Result<T, DatabaseError>,
        deadline: Option<Instant>,
    ) -> bool {
        let outlasted = matches!(tried, Err(DatabaseError::Deadline | DatabaseError::Interrupted))
            && deadline.is_none_or(|deadline| self.engine.clock.now() < deadline);
        if outlasted {
            self.engine.database.long_shapes().add(shape, self.engine.clock.now());
        }
        outlasted
    }

    fn allowance(&self, deadline: Option<Instant>) -> Instant {
        let allowed = self.engine.clock.now() + self.engine.database.long_shapes().after();
        deadline.map_or(allowed, |deadline| deadline.min(allowed))
    }
}
