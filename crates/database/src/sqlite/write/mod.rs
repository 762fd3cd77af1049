//! Writes: one thread, a bounded queue, many jobs to a commit.

mod group;
mod job;
mod record;
mod transaction;
mod watch;
mod writer;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use kasoku_coherence::Position;
use parking_lot::Mutex;
use tokio::sync::oneshot;

pub(crate) use transaction::{Part, Transaction};
pub(crate) use writer::{LOOK_EVERY, Writer};

use crate::changes::WatchedTable;
use crate::error::DatabaseError;
use crate::queue::Queue;
use crate::settings::Settings;
use crate::sqlite::connection::{Connection, Place};
use crate::sqlite::upkeep;
use crate::sqlite::watch::{LetGo, Watch};
use crate::tell::Teller;
use crate::transaction::WriteTransaction;
pub(crate) use job::Patience;
use job::{Typed, WriteJob};

/// What waits for the writer.
pub(crate) enum Job {
    /// A write that shares its commit.
    Write(Box<dyn WriteJob>),
    /// Something that needs the connection for itself.
    Alone(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// The way to the writer's thread.
pub(crate) struct WriteQueue {
    queue: Arc<Queue<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl WriteQueue {
    /// Opens the writer's connection and starts its thread.
    pub(crate) fn start(
        place: &Place,
        settings: &Settings,
        teller: Arc<Teller>,
        log_pages: Arc<AtomicU64>,
        others: &Arc<Watch>,
    ) -> Result<Self, DatabaseError> {
        let mut writer = Writer {
            place: place.clone(),
            connection: None,
            recorder: record::Recorder::default(),
            teller,
            statement_timeout: settings.statement_timeout,
            group_most: settings.group_most.max(1),
            log_pages,
            watched: Vec::new(),
            others: Arc::clone(others),
            file_version: None,
            copy_log_at: upkeep::LOG_PAGES_MOST,
        };
        writer.connection = Some(writer.open()?);
        let queue = Arc::new(Queue::new(settings.write_queue));
        let work = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("kasoku-write".into())
            .spawn(move || writer.work(&work))
            .map_err(|error| DatabaseError::Io(error.to_string().into()))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Runs a job in a group and waits until it is durable.
    pub(crate) async fn write<T, E>(
        &self,
        deadline: Option<Instant>,
        patience: Patience,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Position), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (waiter, answer) = oneshot::channel();
        let typed = Typed { deadline, patience, job, result: None, waiter };
        self.queue.add(Job::Write(Box::new(typed)))?;
        answer.await.unwrap_or_else(|_| Err(DatabaseError::Closed.into()))
    }

    /// Replaces what is watched.
    pub(crate) async fn watch(&self, tables: Vec<WatchedTable>) -> Result<(), DatabaseError> {
        let (waiter, answer) = oneshot::channel();
        self.queue.add(Job::Alone(Box::new(move |writer| {
            let _nobody_waits = waiter.send(writer.watch(tables));
        })))?;
        answer.await.unwrap_or(Err(DatabaseError::Closed))
    }

    /// Has the writer take rows away that were read of what others have written down.
    pub(crate) fn letting_go(&self) -> LetGo {
        let queue = Arc::clone(&self.queue);
        Box::new(move |seq| {
            // If there is no room or no writer any more, there is nothing to be gained either.
            let _refused = queue.add(Job::Alone(Box::new(move |writer| writer.let_go_before(seq))));
        })
    }

    /// Lends the writer's connection to the calling thread, unwatched, while the writer waits.
    pub(crate) fn borrow<T, E: From<DatabaseError>>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let (out, lent) = mpsc::sync_channel(1);
        let (give_back, back) = mpsc::sync_channel(1);
        let (finish, finished) = mpsc::sync_channel::<()>(0);
        self.queue.add(Job::Alone(Box::new(move |writer| {
            writer.lend(&out, &back);
            drop(finish);
        })))?;
        let connection = lent.recv().unwrap_or(Err(DatabaseError::Closed))?;
        let result = f(&connection);
        // If the writer is gone, so is whoever could use the connection.
        let _writer_gone = give_back.send(connection);
        // Nothing is ever sent: the wait ends when the writer has told its listener.
        let _told = finished.recv();
        result
    }

    /// Finishes what waits and ends the thread.
    pub(crate) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // The thread catches what its jobs panic with; it has nothing left to tell.
            let _ended = thread.join();
        }
    }
}
