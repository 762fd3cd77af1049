//! A transaction on a connection of its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kasoku_observe::{Observation, Observer};
use kasoku_sql_plan::Value;

use super::connect::{Answer, Failed};
use super::error::Meaning;
use super::held::Held;
use crate::error::DatabaseError;
use crate::rows::Rows;
use crate::statement::Statement;

/// A transaction, as its statements see it.
pub(crate) struct Transaction<'c> {
    held: &'c Held,
    observer: &'c dyn Observer,
    until: Instant,
    /// Says that nobody waits any more.
    abandoned: Option<&'c AtomicBool>,
    met_others: Cell<bool>,
}

/// How often a running statement is asked whether anybody still waits for it.
const ASKED_EVERY: Duration = Duration::from_millis(50);

impl<'c> Transaction<'c> {
    /// Of a job that goes on whether or not anybody waits for it.
    pub(crate) fn new(held: &'c Held, observer: &'c dyn Observer, until: Instant) -> Self {
        Self { held, observer, until, abandoned: None, met_others: Cell::new(false) }
    }

    /// Whose statements end when nobody waits for them.
    pub(crate) fn while_wanted(self, abandoned: &'c AtomicBool) -> Self {
        Self { abandoned: Some(abandoned), ..self }
    }

    /// Whether a statement failed because others were in its way.
    pub(crate) fn met_others(&self) -> bool {
        self.met_others.get()
    }

    pub(crate) fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, DatabaseError> {
        let started = Instant::now();
        let answer = self.run(statement, params);
        let changed = answer.as_ref().map_or(0, |answer| answer.changed);
        self.observe(statement, started, changed);
        Ok(answer?.changed)
    }

    pub(crate) fn query<T, E: From<DatabaseError>>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let started = Instant::now();
        let answer = match self.run(statement, params) {
            Ok(answer) => answer,
            Err(error) => {
                self.observe(statement, started, 0);
                return Err(error.into());
            }
        };
        let mut rows = Rows::postgres(answer.rows);
        let result = f(&mut rows);
        self.observe(statement, started, rows.seen());
        result
    }

    pub(crate) fn begin_part(&mut self) -> Result<(), DatabaseError> {
        self.held.run("savepoint kasoku_part")
    }

    pub(crate) fn end_part(&mut self, keep: bool) -> Result<(), DatabaseError> {
        self.held.run(if keep {
            "release kasoku_part"
        } else {
            "rollback to kasoku_part; release kasoku_part"
        })
    }

    fn run(&self, statement: &Statement, params: &[Value]) -> Result<Answer, DatabaseError> {
        let failed = match self.held.wait(self.run_while_wanted(statement, params)) {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        if matches!(failed.error, DatabaseError::Deadline | DatabaseError::Interrupted) {
            self.held.cancel();
        }
        if failed.meaning == Meaning::Conflict {
            self.met_others.set(true);
        }
        Err(self.held.failed(failed))
    }

    async fn run_while_wanted(&self, statement: &Statement, params: &[Value]) -> Result<Answer, Failed> {
        let running = self.held.session.run(statement, params);
        let mut ask = tokio::time::interval(ASKED_EVERY);
        tokio::pin!(running);
        // What the server does after that is not known, so nothing more is asked on this connection.
        let ended = |error| Err(Failed { error, meaning: Meaning::Lost });
        loop {
            tokio::select! {
                biased;
                answer = &mut running => return answer,
                _ = ask.tick() => {
                    if self.until <= Instant::now() {
                        return ended(DatabaseError::Deadline);
                    }
                    if self.abandoned.is_some_and(|abandoned| abandoned.load(Ordering::Acquire)) {
                        return ended(DatabaseError::Interrupted);
                    }
                }
            }
        }
    }

    fn observe(&self, statement: &Statement, started: Instant, rows: u64) {
        let took = started.elapsed();
        self.observer.observe(&Observation::Statement { name: statement.name(), took, rows });
    }
}
