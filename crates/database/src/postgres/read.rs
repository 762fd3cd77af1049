//! Reads: on the shared lane, unless their shape is known to take long.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use kasoku_coherence::Snapshot;
use kasoku_observe::Observation;
use kasoku_sql_plan::Value;
use tokio::time::timeout_at;

use super::Postgres;
use super::connect::Answer;
use super::held::Held;
use super::replicas::Replicas;
use super::transaction::Transaction;
use crate::error::DatabaseError;
use crate::needs::ReadNeeds;
use crate::rows::Rows;
use crate::span::until;
use crate::statement::Statement;
use crate::transaction::ReadTransaction;

impl Postgres {
    /// Reads with one statement.
    pub(crate) async fn read<T, E>(
        &self,
        statement: &Statement,
        params: Vec<Value>,
        needs: ReadNeeds,
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E> + Clone + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        if self.long.has(statement.sql(), Instant::now) {
            return self.read_alone(statement, params, needs, f).await;
        }
        let until = until(needs.deadline, self.settings.statement_timeout)?;
        // Noted before the server is asked, so that it never shows more than what is read.
        let snapshot = self.teller.sequence.snapshot();
        if let Some(replicas) = &self.replicas
            && let Some(ask) = replicas.ask(&needs, snapshot)
        {
            let fetched = timeout_at(until.into(), replicas.fetch(statement, &params, &ask)).await;
            if let Ok(Some(answer)) = fetched {
                return Ok((lend(answer, f)?, snapshot));
            }
        }
        let answer = self.fetch(statement, &params, until).await?;
        Ok((lend(answer, f)?, snapshot))
    }

    /// Reads with several statements that see the database at one moment.
    pub(crate) async fn read_many<T, E>(
        &self,
        needs: ReadNeeds,
        f: impl FnOnce(&mut ReadTransaction<'_>) -> Result<T, E> + Clone + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let until = until(needs.deadline, self.settings.statement_timeout)?;
        let teller = Arc::clone(&self.teller);
        let job = move |held: &Held, abandoned: &AtomicBool| {
            let transaction = Transaction::new(held, teller.observer.as_ref(), until)
                .begun_by("begin isolation level repeatable read, read only")
                .while_wanted(abandoned);
            let result = f(&mut ReadTransaction::postgres(transaction));
            // Nothing was written, so that an error here loses nothing: nobody waits for the answer.
            held.send("rollback");
            result
        };
        self.run_alone(&needs, until, job).await
    }

    /// Reads with one statement, on the calling thread.
    pub(crate) fn read_here<T, E: From<DatabaseError>>(
        &self,
        statement: &Statement,
        params: &[Value],
        deadline: Option<Instant>,
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<(T, Snapshot), E> {
        let until = until(deadline, self.settings.statement_timeout)?;
        let snapshot = self.teller.sequence.snapshot();
        let answer = self.with_own(|held| {
            let run = async { timeout_at(until.into(), held.session.run(statement, params)).await };
            match held.wait(run) {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(failed)) => Err(failed.error),
                Err(_) => Err(DatabaseError::Deadline),
            }
        })?;
        Ok((lend(answer, f)?, snapshot))
    }

    async fn fetch(
        &self,
        statement: &Statement,
        params: &[Value],
        until: Instant,
    ) -> Result<Answer, DatabaseError> {
        let lent = self.shared.session(until).await?;
        let started = Instant::now();
        let fetched = timeout_at(until.into(), lent.session.run(statement, params)).await;
        let took = started.elapsed();
        if took > self.long.after() {
            self.long.add(&statement.shared_sql(), Instant::now());
        }
        let rows = match &fetched {
            Ok(Ok(answer)) => answer.rows.count(),
            _ => 0,
        };
        self.teller.observer.observe(&Observation::Statement {
            name: statement.name(),
            sql: statement.sql(),
            took,
            rows,
        });
        match fetched {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failed)) => Err(failed.error),
            Err(_) => Err(DatabaseError::Deadline),
        }
    }

    /// Reads on a connection of its own, which can be told to stop.
    async fn read_alone<T, E>(
        &self,
        statement: &Statement,
        params: Vec<Value>,
        needs: ReadNeeds,
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E> + Clone + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let until = until(needs.deadline, self.settings.statement_timeout)?;
        let (teller, statement) = (Arc::clone(&self.teller), statement.clone());
        let job = move |held: &Held, abandoned: &AtomicBool| {
            let mut transaction =
                Transaction::new(held, teller.observer.as_ref(), until).while_wanted(abandoned);
            transaction.query(&statement, &params, f)
        };
        self.run_alone(&needs, until, job).await
    }

    /// Does something on a connection of its own, to a replica that is fit for it or to the database itself.
    async fn run_alone<T, E>(
        &self,
        needs: &ReadNeeds,
        until: Instant,
        job: impl FnOnce(&Held, &AtomicBool) -> Result<T, E> + Clone + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        if let Some(replicas) = &self.replicas
            && let snapshot = self.teller.sequence.snapshot()
            && let Some(ask) = replicas.ask(needs, snapshot)
            && let Some(read) = Replicas::run_alone(replicas, &ask, until, job.clone()).await
        {
            return Ok((read, snapshot));
        }
        let teller = Arc::clone(&self.teller);
        let job = move |held: &Held, abandoned: &AtomicBool| {
            let snapshot = teller.sequence.snapshot();
            Ok((job(held, abandoned)?, snapshot))
        };
        self.exclusive.run(until, job).await
    }
}

fn lend<T, E: From<DatabaseError>>(
    answer: Answer,
    f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
) -> Result<T, E> {
    f(&mut Rows::postgres(answer.rows))
}
