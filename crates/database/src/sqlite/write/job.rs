//! A write job with its types erased, and its answer.

use std::time::Instant;

use kasoku_coherence::Position;
use tokio::sync::oneshot;

use crate::error::DatabaseError;
use crate::transaction::WriteTransaction;

/// Whether a job wants its changes kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It succeeded.
    Keep,
    /// It failed.
    Undo,
}

/// How long a job may take once it was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As long as one statement may, and no longer than its deadline.
    OfAStatement,
    /// Until its deadline.
    UntilTheDeadline,
}

/// A job that waits for the writer.
pub(crate) trait WriteJob: Send {
    /// When it must not be begun any more.
    fn deadline(&self) -> Option<Instant>;

    /// How long it may take once it was begun.
    fn patience(&self) -> Patience;

    /// Runs it. It is run again when its group's transaction was lost by another job's fault.
    fn run(&mut self, transaction: &mut WriteTransaction<'_>) -> Ran;

    /// Notes why it failed, in place of what `run` noted.
    fn fail(&mut self, error: DatabaseError);

    /// Answers whoever waits, if they still do.
    fn answer(self: Box<Self>, committed: Result<Position, DatabaseError>);
}

/// A job as it was asked for.
pub(crate) struct Typed<T, E, F> {
    pub(crate) deadline: Option<Instant>,
    pub(crate) patience: Patience,
    pub(crate) job: F,
    pub(crate) result: Option<Result<T, E>>,
    pub(crate) waiter: oneshot::Sender<Result<(T, Position), E>>,
}

impl<T, E, F> WriteJob for Typed<T, E, F>
where
    T: Send,
    E: From<DatabaseError> + Send,
    F: FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send,
{
    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn patience(&self) -> Patience {
        self.patience
    }

    fn run(&mut self, transaction: &mut WriteTransaction<'_>) -> Ran {
        let result = (self.job)(transaction);
        let ran = if result.is_ok() { Ran::Keep } else { Ran::Undo };
        self.result = Some(result);
        ran
    }

    fn fail(&mut self, error: DatabaseError) {
        self.result = Some(Err(error.into()));
    }

    fn answer(self: Box<Self>, committed: Result<Position, DatabaseError>) {
        let answer = match (self.result, committed) {
            (Some(Err(own)), _) => Err(own),
            (Some(Ok(value)), Ok(position)) => Ok((value, position)),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(_)) => Err(DatabaseError::Aborted.into()),
        };
        let _nobody_waits = self.waiter.send(answer);
    }
}
