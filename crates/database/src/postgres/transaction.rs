//! A transaction on a connection of its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kasoku_observe::{Observation, Observer};
use kasoku_sql_plan::Value;

use super::connect::{Answer, Failed};
use super::error::Meaning;
use super::held::Held;
use super::sent::Sent;
use crate::error::DatabaseError;
use crate::rows::Rows;
use crate::statement::Statement;

/// A transaction, as its statements see it.
pub(crate) struct Transaction<'c> {
    held: &'c Held,
    observer: &'c dyn Observer,
    until: Instant,
    /// What begins it, until that was sent: before the first statement, which does not wait for the answer.
    opening: Cell<Option<&'static str>>,
    /// Says that nobody waits any more.
    abandoned: Option<&'c AtomicBool>,
    met_others: Cell<bool>,
}

/// Statements that are on their way together.
const TOGETHER: usize = 128;

/// How often a running statement is asked whether anybody still waits for it.
const ASKED_EVERY: Duration = Duration::from_millis(50);

impl<'c> Transaction<'c> {
    /// Of a job that goes on whether or not anybody waits for it.
    pub(crate) fn new(held: &'c Held, observer: &'c dyn Observer, until: Instant) -> Self {
        let (opening, met_others) = (Cell::new(None), Cell::new(false));
        Self { held, observer, until, opening, abandoned: None, met_others }
    }

    /// Which this statement begins.
    pub(crate) fn begun_by(self, sql: &'static str) -> Self {
        self.opening.set(Some(sql));
        self
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

    /// Runs statements in their order, the next before the answers of those ahead have come.
    pub(crate) fn query_all<E: From<DatabaseError>>(
        &mut self,
        statements: &[(Statement, &[Value])],
        mut f: impl FnMut(usize, &mut Rows<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut place = 0;
        for together in statements.chunks(TOGETHER) {
            let started = Instant::now();
            let answers = self.run_all(together)?;
            // What each of them took cannot be told apart.
            let took = started.elapsed() / u32::try_from(together.len()).expect("so many are few");
            for ((statement, _), answer) in together.iter().zip(answers) {
                let mut rows = Rows::postgres(answer.rows);
                let result = f(place, &mut rows);
                let observation = Observation::Statement {
                    name: statement.name(),
                    sql: statement.sql(),
                    took,
                    rows: rows.seen(),
                };
                self.observer.observe(&observation);
                result?;
                place += 1;
            }
        }
        Ok(())
    }

    pub(crate) fn begin_part(&mut self) -> Result<(), DatabaseError> {
        if let Some(sql) = self.opening.take() {
            self.held.run(sql)?;
        }
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
        self.wait(async {
            let opened = self.open().await;
            let answer = self.held.session.run(statement, params).await;
            opened.answer().await?;
            answer
        })
    }

    fn run_all(&self, statements: &[(Statement, &[Value])]) -> Result<Vec<Answer>, DatabaseError> {
        self.wait(async {
            let opened = self.open().await;
            let session = &self.held.session;
            // Each shape once: those that are sent together would not know of each other.
            for (statement, _) in statements {
                session.prepare(statement).await?;
            }
            let mut sent = Vec::with_capacity(statements.len());
            for (statement, params) in statements {
                sent.push(Sent::new(session.run(statement, params)).await);
            }
            opened.answer().await?;
            let mut answers = Vec::with_capacity(sent.len());
            for sent in sent {
                answers.push(sent.answer().await?);
            }
            Ok(answers)
        })
    }

    /// Sends what begins the transaction, if that was not sent yet.
    async fn open(&self) -> Sent<impl Future<Output = Result<(), Failed>>> {
        let opening = self.opening.take();
        let client = self.held.session.client();
        Sent::new(async move {
            match opening {
                Some(sql) => client.batch_execute(sql).await.map_err(|error| Failed::of(&error)),
                None => Ok(()),
            }
        })
        .await
    }

    /// Waits for work of the connection, as long as there is time and somebody who wants it.
    fn wait<T>(&self, work: impl Future<Output = Result<T, Failed>>) -> Result<T, DatabaseError> {
        let failed = match self.held.wait(self.while_wanted_only(work)) {
            Ok(value) => return Ok(value),
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

    async fn while_wanted_only<T>(&self, work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
        let mut ask = tokio::time::interval(ASKED_EVERY);
        tokio::pin!(work);
        // What the server does after that is not known, so nothing more is asked on this connection.
        let ended = |error| Err(Failed { error, meaning: Meaning::Lost });
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
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
        self.observer.observe(&Observation::Statement {
            name: statement.name(),
            sql: statement.sql(),
            took,
            rows,
        });
    }
}
