//! Writes: each job in a transaction of its own, told to the listener before it is visible.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Floors, Landmark, Mark};
use kasoku_observe::Observation;

use tokio_postgres::SimpleQueryMessage;

use super::Postgres;
use super::connect::Failed;
use super::error::Meaning;
use super::held::Held;
use super::transaction::Transaction;
use super::watch::Watch;
use crate::commit::{Commit, Isolation};
use crate::error::DatabaseError;
use crate::span::until;
use crate::tell::Teller;
use crate::transaction::WriteTransaction;

/// Commits, and asks for a place in the log behind that.
const COMMIT: &str = "commit; select pg_current_wal_insert_lsn() - '0/0'::pg_lsn, \
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)";

/// How often a job is run again because others were in its way.
const ATTEMPTS_MOST: u32 = 32;

/// How an attempt ended.
enum Attempt<T, E> {
    Done(Result<(T, Commit), E>),
    /// Others were in the way, and nothing of it was kept.
    Again(E),
}

impl Postgres {
    /// Runs a job in a transaction and waits until it is durable.
    pub(crate) async fn write<T, E>(
        &self,
        deadline: Option<Instant>,
        isolation: Isolation,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Commit), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let until = until(deadline, self.settings.statement_timeout)?;
        self.write_until(until, isolation, job).await
    }

    /// As [`Self::write`], for a job that may take so long.
    pub(crate) async fn write_until<T, E>(
        &self,
        until: Instant,
        isolation: Isolation,
        mut job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Commit), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        if self.settings.read_only {
            return Err(DatabaseError::ReadOnly.into());
        }
        let (teller, watch) = (Arc::clone(&self.teller), Arc::clone(&self.watch));
        let floors = self.floors.clone();
        let work = move |held: &Held, _: &std::sync::atomic::AtomicBool| {
            let writer = Writer { held, teller: &teller, watch: &watch, floors: floors.as_deref(), until };
            for _ in 1..ATTEMPTS_MOST {
                match writer.attempt(isolation, &mut job) {
                    Attempt::Done(outcome) => return outcome,
                    Attempt::Again(error) if until <= Instant::now() => return Err(error),
                    Attempt::Again(_) => {}
                }
            }
            match writer.attempt(isolation, &mut job) {
                Attempt::Done(outcome) => outcome,
                Attempt::Again(error) => Err(error),
            }
        };
        self.exclusive.run(until, work).await
    }
}

struct Writer<'w> {
    held: &'w Held,
    teller: &'w Teller,
    watch: &'w Watch,
    floors: Option<&'w Floors>,
    until: Instant,
}

impl Writer<'_> {
    fn attempt<T, E: From<DatabaseError>>(
        &self,
        isolation: Isolation,
        job: &mut impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E>,
    ) -> Attempt<T, E> {
        let begin = match isolation {
            Isolation::Statements => "begin isolation level read committed, read write",
            Isolation::Job => "begin isolation level repeatable read, read write",
        };
        let observer = self.teller.observer.as_ref();
        let transaction = Transaction::new(self.held, observer, self.until).begun_by(begin);
        let mut transaction = WriteTransaction::postgres(transaction);
        let ran = catch_unwind(AssertUnwindSafe(|| job(&mut transaction)));
        let met_others = transaction.met_others();
        let value = match ran {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                self.roll_back();
                return if met_others { Attempt::Again(error) } else { Attempt::Done(Err(error)) };
            }
            Err(panic) => {
                self.roll_back();
                let said = crate::error::panic_text(panic.as_ref());
                return Attempt::Done(Err(DatabaseError::Panicked(said.into()).into()));
            }
        };
        match self.commit() {
            Ok(commit) => Attempt::Done(Ok((value, commit))),
            Err(failed) if failed.meaning == Meaning::Conflict => Attempt::Again(failed.error.into()),
            Err(failed) => Attempt::Done(Err(failed.error.into())),
        }
    }

    /// Tells what is about to be committed, and commits it.
    fn commit(&self) -> Result<Commit, Failed> {
        let (changes, transaction) = match self.watch.of_this_transaction(self.held) {
            Ok(changes) => changes,
            Err(failed) => {
                self.roll_back();
                return Err(failed);
            }
        };
        // Published when it is dropped: behind the COMMIT, before the job is answered.
        let announced = self.teller.announce(&changes);
        let began = Instant::now();
        let committed = self.held.wait(self.held.session.client().simple_query(COMMIT));
        let said = committed.map_err(|error| {
            let failed = Failed::of(&error);
            if failed.meaning == Meaning::Lost {
                // It may have been committed or not; what was told of it costs a needless read at most. If it is
                // committed after all, the feed tells of it as of another's.
                self.held.give_up();
                self.watch.disown(transaction);
                if let Some(floors) = self.floors {
                    floors.lose(announced.position());
                }
                self.teller.failed("commit", &failed.error);
            }
            failed
        })?;
        self.held.note_commit();
        let observation = Observation::Committed { writes: 1, took: began.elapsed() };
        self.teller.observer.observe(&observation);
        let mark = said.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let timeline = u32::from_str_radix(row.get(1)?, 16).ok()?;
                Some(Mark { timeline, log: row.get(0)?.parse().ok()? })
            }
            _ => None,
        });
        if let Some(floors) = self.floors {
            match mark {
                Some(mark) => floors.note(announced.position(), mark),
                None => floors.lose(announced.position()),
            }
        }
        let landmark = transaction.zip(mark).map(|(transaction, mark)| Landmark { transaction, mark });
        Ok(Commit { position: announced.position(), landmark })
    }

    fn roll_back(&self) {
        // Where the connection is lost the server has rolled back by itself; `run` notes that it is lost.
        let _ended = self.held.run("rollback");
    }
}
