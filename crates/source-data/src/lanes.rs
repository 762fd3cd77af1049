//! Where a statement runs: on the thread that serves, or on a reader thread.
//!
//! A look-up by key takes a few microseconds, less than handing it to another thread would; a long statement on a
//! thread that serves would hold up every other request there. No plan can tell the two apart for certain, since it
//! does not know the rows. So each statement begins on the serving thread with a short allowance. One that is
//! stopped by it is run again on a reader thread, and so is its shape from then on.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_coherence::Snapshot;
use kasoku_database::{Database, DatabaseError, ReadTransaction, Rows, Statement};
use kasoku_units::Clock;
use parking_lot::RwLock;

/// What a statement may take on a thread that serves.
const ALLOWANCE: Duration = Duration::from_millis(2);
/// Shapes that are remembered as long; beyond them, an unknown one counts as long without a trial.
const LONG_MAX: usize = 4_096;

/// What answers are read from: a database, and what time it is.
#[derive(Clone)]
pub struct Engine {
    /// The database.
    pub database: Arc<Database>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// An engine, and which statements are long.
pub(crate) struct Lanes {
    engine: Engine,
    long: RwLock<HashSet<Arc<str>>>,
}

/// A statement as the planner gives it.
pub(crate) type Planned = kasoku_sql_plan::Statement;

impl Lanes {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, long: RwLock::default() }
    }

    /// Tells the time.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.engine.clock
    }

    /// The database itself, for writes.
    pub(crate) fn database(&self) -> &Arc<Database> {
        &self.engine.database
    }

    /// Runs one statement.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        planned: &Planned,
        deadline: Option<Instant>,
        read: impl Fn(&mut Rows<'_>) -> Result<T, DatabaseError> + Send + Sync + Clone + 'static,
    ) -> Result<(T, Snapshot), DatabaseError> {
        let statement = Statement::new(Arc::clone(&planned.name), Arc::clone(&planned.sql));
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
        self.engine.database.read(&statement, planned.params.clone(), deadline, read).await
    }

    /// Runs several statements that see the database at one moment; `shape` stands for them all.
    pub(crate) async fn read_many<T: Send + 'static>(
        &self,
        shape: &Arc<str>,
        deadline: Option<Instant>,
        read: impl Fn(&mut ReadTransaction<'_>) -> Result<T, DatabaseError> + Send + Sync + Clone + 'static,
    ) -> Result<(T, Snapshot), DatabaseError> {
        if self.is_short(shape) {
            let tried = self.engine.database.read_many_here(Some(self.allowance(deadline)), &read);
            if !self.outlasted(shape, &tried, deadline) {
                return tried;
            }
        }
        self.engine.database.read_many(deadline, read).await
    }

    fn is_short(&self, shape: &Arc<str>) -> bool {
        let long = self.long.read();
        long.len() < LONG_MAX && !long.contains(shape)
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
            self.long.write().insert(Arc::clone(shape));
        }
        outlasted
    }

    fn allowance(&self, deadline: Option<Instant>) -> Instant {
        let allowed = self.engine.clock.now() + ALLOWANCE;
        deadline.map_or(allowed, |deadline| deadline.min(allowed))
    }
}
