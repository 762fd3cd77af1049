//! Group commit: many jobs, one transaction, one sync.
//!
//! Each job runs in a savepoint, so that it fails alone. Nobody is answered before the commit has returned, and if
//! it does not return well, nobody is told of success.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::Position;
use kasoku_observe::Observation;

use super::job::{Patience, Ran, WriteJob};
use super::transaction::Transaction;
use super::writer::Writer;
use crate::error::{DatabaseError, Severity};
use crate::sqlite::connection::Connection;
use crate::sqlite::watch::Watch;
use crate::transaction::WriteTransaction;

/// How an attempt to commit a group ended.
enum Attempt {
    /// It is durable and visible.
    Committed(Position),
    /// One job's fault has undone it; the others deserve another attempt.
    Spoiled(DatabaseError),
    /// It failed for a reason that holds for every job.
    Failed(DatabaseError),
}

/// How a job left the group's transaction.
enum Left {
    Sound,
    Lost,
}

impl Writer {
    /// Commits these jobs together, or each by itself if one of them spoils the whole.
    pub(super) fn commit(&mut self, mut jobs: Vec<Box<dyn WriteJob>>) {
        match self.attempt(&mut jobs) {
            Attempt::Committed(position) => answer(jobs, &Ok(position)),
            Attempt::Failed(error) => answer(jobs, &Err(error)),
            Attempt::Spoiled(error) if jobs.len() == 1 => answer(jobs, &Err(error)),
            Attempt::Spoiled(_) => {
                for job in jobs {
                    let mut alone = vec![job];
                    let outcome = match self.attempt(&mut alone) {
                        Attempt::Committed(position) => Ok(position),
                        Attempt::Spoiled(error) | Attempt::Failed(error) => Err(error),
                    };
                    answer(alone, &outcome);
                }
            }
        }
    }

    fn attempt(&mut self, jobs: &mut [Box<dyn WriteJob>]) -> Attempt {
        let others = Arc::clone(&self.others);
        let connection = match self.connection() {
            Ok(connection) => connection,
            Err(error) => return Attempt::Failed(error),
        };
        connection.take_worst();
        if let Err(error) = connection.run("BEGIN IMMEDIATE -- kasoku") {
            let severity = connection.take_worst();
            return self.give_up(error, severity);
        }
        let mark = others.mark(connection);
        self.notice_others();
        for job in jobs.iter_mut() {
            if let Left::Lost = self.run_one(job.as_mut()) {
                let severity = self.connection.as_ref().map_or(Severity::Broken, Connection::take_worst);
                return self.lost(severity);
            }
        }
        let Some(connection) = &self.connection else { return Attempt::Failed(DatabaseError::Aborted) };
        if let Some(Err(error)) = mark.map(|mark| Watch::forget_since(connection, mark)) {
            return self.give_up(error, Severity::Broken);
        }
        let teller = Arc::clone(&self.teller);
        // Published when it is dropped: behind the COMMIT, before any job is answered.
        let announced = teller.announce(&self.recorder.take());
        let began = Instant::now();
        match connection.run("COMMIT -- kasoku") {
            Ok(()) => {
                let took = began.elapsed();
                self.teller.observer.observe(&Observation::Committed { writes: jobs.len(), took });
                Attempt::Committed(announced.position())
            }
            // A constraint that is checked at the end of the transaction: one of the jobs breaks it.
            Err(error @ DatabaseError::Constraint { .. }) => {
                let rolled_back = connection.run("ROLLBACK -- kasoku");
                match rolled_back {
                    Ok(()) => Attempt::Spoiled(error),
                    Err(_) => self.give_up(error, Severity::Broken),
                }
            }
            // After a failed sync the file system may have dropped what it could not write, and a second attempt
            // would seem to succeed. The connection and all it believes about the file is given up.
            Err(error) => self.give_up(error, Severity::Broken),
        }
    }

    /// Runs one job in a savepoint.
    fn run_one(&mut self, job: &mut dyn WriteJob) -> Left {
        let Some(connection) = &self.connection else { return Left::Lost };
        let timeout = match (job.patience(), job.deadline()) {
            (Patience::UntilTheDeadline, Some(deadline)) => {
                deadline.saturating_duration_since(Instant::now()).max(self.statement_timeout)
            }
            _ => self.statement_timeout,
        };
        let until = match crate::span::until(job.deadline(), timeout) {
            Ok(until) => until,
            Err(error) => {
                job.fail(error);
                return Left::Sound;
            }
        };
        if let Err(error) = connection.run("SAVEPOINT kasoku_job -- kasoku") {
            job.fail(error);
            return Left::Lost;
        }
        let mark = self.recorder.mark();
        let transaction =
            Transaction { connection, recorder: &self.recorder, observer: self.teller.observer.as_ref() };
        let mut transaction = WriteTransaction::sqlite(transaction);
        connection.stop().at(until);
        let ran = catch_unwind(AssertUnwindSafe(|| job.run(&mut transaction)));
        connection.stop().never();
        let ran = ran.unwrap_or_else(|panic| {
            job.fail(DatabaseError::Panicked(crate::error::panic_text(panic.as_ref()).into()));
            Ran::Undo
        });
        if connection.raw().is_autocommit() {
            return Left::Lost;
        }
        let ended = match ran {
            Ran::Keep => connection.run("RELEASE kasoku_job -- kasoku"),
            Ran::Undo => {
                self.recorder.forget_since(mark);
                connection
                    .run("ROLLBACK TO kasoku_job -- kasoku")
                    .and_then(|()| connection.run("RELEASE kasoku_job -- kasoku"))
            }
        };
        if ended.is_ok() { Left::Sound } else { Left::Lost }
    }

    /// The transaction is gone, or must go.
    fn lost(&mut self, severity: Severity) -> Attempt {
        self.recorder.take();
        if let Some(connection) = &self.connection
            && !connection.raw().is_autocommit()
            && connection.run("ROLLBACK -- kasoku").is_err()
        {
            return self.give_up(DatabaseError::Aborted, Severity::Broken);
        }
        match severity {
            Severity::Harmless => Attempt::Spoiled(DatabaseError::Aborted),
            Severity::Full => Attempt::Failed(DatabaseError::DiskFull),
            Severity::Broken => {
                self.give_up(DatabaseError::Io("reading or writing the file failed".into()), severity)
            }
        }
    }

    /// Fails the group, and closes the connection if it cannot be trusted; the next group opens another.
    fn give_up(&mut self, error: DatabaseError, severity: Severity) -> Attempt {
        self.teller.failed("commit", &error);
        self.recorder.take();
        if severity == Severity::Broken {
            self.close_connection();
        }
        Attempt::Failed(error)
    }
}

fn answer(jobs: Vec<Box<dyn WriteJob>>, outcome: &Result<Position, DatabaseError>) {
    for job in jobs {
        job.answer(outcome.clone());
    }
}
