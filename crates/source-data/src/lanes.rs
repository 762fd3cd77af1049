//! Where a statement runs: on the thread that serves, or on a reader thread. A server's statements run in the server.
//!
//! A look-up by key takes a few microseconds, less than handing it to another thread would; a long statement on a
//! thread that serves would hold up every other request there. No plan can tell the two apart for certain, since it
//! does not know the rows. So each statement begins on the serving thread with a short allowance. One that is
//! stopped by it is run again on a reader thread, and so is its shape for a while: a second, and longer each time that
//! it is stopped again. It may have been the thread that was kept waiting and not the statement that was long.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_coherence::Snapshot;
use kasoku_database::{Commit, Database, DatabaseError, ReadTransaction, Rows, Statement, WriteTransaction};
use kasoku_sql_plan::Value;
use kasoku_units::Clock;
use parking_lot::RwLock;

/// What a statement may take on a thread that serves.
const ALLOWANCE: Duration = Duration::from_millis(2);
/// Shapes that are remembered as long; beyond them, an unknown one counts as long without a trial.
const LONG_MAX: usize = 4_096;
/// For how long a shape is remembered as long, at first and at the most.
const REMEMBERED: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(64)];

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
    long: RwLock<HashMap<Arc<str>, Long>>,
}

/// A shape that was stopped by its allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Long {
    remembered: Duration,
    until: Instant,
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
        // Boxed, so that short reads do not carry the room for it.
        Box::pin(self.engine.database.read(&statement, planned.params.clone(), deadline, read)).await
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
        Box::pin(self.engine.database.read_many(deadline, read)).await
    }

    /// Runs one statement that is a part of something long, and never on a thread that serves.
    pub(crate) async fn read_apart<T: Send + 'static>(
        &self,
        statement: &Statement,
        params: Vec<Value>,
        deadline: Option<Instant>,
        read: impl FnOnce(&mut Rows<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.engine.database.read(statement, params, deadline, read).await.map(|(read, _)| read)
    }

    /// Runs several such statements that see the database at one moment.
    pub(crate) async fn read_many_apart<T: Send + 'static>(
        &self,
        deadline: Option<Instant>,
        read: impl FnOnce(&mut ReadTransaction<'_>) -> Result<T, DatabaseError> + Send + 'static,
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

    fn is_short(&self, shape: &Arc<str>) -> bool {
        if !self.engine.database.reads_in_place() {
            return false;
        }
        let long = self.long.read();
        // The texts of statements are long, and to hash one is not for nothing.
        if long.is_empty() {
            return true;
        }
        match long.get(shape) {
            Some(known) => known.until <= self.engine.clock.now(),
            None => long.len() < LONG_MAX,
        }
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
            let now = self.engine.clock.now();
            let mut long = self.long.write();
            if long.len() >= LONG_MAX {
                long.retain(|_, known| now < known.until);
            }
            let again = Long::after(long.get(shape), now);
            long.insert(Arc::clone(shape), again);
        }
        outlasted
    }

    fn allowance(&self, deadline: Option<Instant>) -> Instant {
        let allowed = self.engine.clock.now() + ALLOWANCE;
        deadline.map_or(allowed, |deadline| deadline.min(allowed))
    }
}

impl Long {
    /// What is remembered of a shape that was stopped now, and may have been stopped before.
    fn after(before: Option<&Self>, now: Instant) -> Self {
        let [first, most] = REMEMBERED;
        let lately = before.filter(|before| now < before.until + before.remembered);
        let remembered = lately.map_or(first, |before| (before.remembered * 2).min(most));
        Self { remembered, until: now + remembered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_remembered_for_longer_each_time_unless_it_was_well_for_as_long() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut known = Long::after(None, at(0));
        assert_eq!(known, Long { remembered: Duration::from_secs(1), until: at(1) });
        for (stopped_s, until_s) in
            [(1, 3), (3, 7), (14, 15), (15, 17), (17, 21), (21, 29), (29, 45), (45, 77)]
        {
            known = Long::after(Some(&known), at(stopped_s));
            assert_eq!(known.until, at(until_s), "stopped at {stopped_s}");
        }
        known = Long::after(Some(&known), at(77));
        known = Long::after(Some(&known), known.until);
        assert_eq!(known.remembered, REMEMBERED[1]);
    }
}
