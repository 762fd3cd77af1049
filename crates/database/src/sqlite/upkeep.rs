//! Upkeep: copying the write-ahead log into the file, and refreshing statistics.
//!
//! A thread with a connection of its own copies while the writer goes on. Only what is left of a log that has grown
//! too long is copied by the writer itself, between two groups, because only then can the log start anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::wal::CheckpointMode;

use crate::changes::DataChange;
use crate::error::DatabaseError;
use crate::queue::{Queue, Taken};
use crate::sqlite::connection::{Access, Connection, Place};
use crate::sqlite::read::here::Here;
use crate::sqlite::write::LOOK_EVERY;
use crate::tell::Teller;

/// Pages in the log from which on they are copied.
pub(crate) const LOG_PAGES_SOME: u64 = 1_000;

/// Pages in the log from which on the writer itself copies the rest: 32 MiB of usual pages.
pub(crate) const LOG_PAGES_MOST: u64 = 8_000;

/// Looks in a row without a write after which the log is copied however short it is.
const LOOKS_IDLE: u32 = 8;

/// The thread that copies the log.
pub(crate) struct Upkeep {
    queue: Arc<Queue<()>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Upkeep {
    /// Starts the thread.
    pub(crate) fn start(
        place: &Place,
        log_pages: Arc<AtomicU64>,
        teller: Arc<Teller>,
        here: Arc<Here>,
    ) -> Result<Self, DatabaseError> {
        let connection = Connection::open(place, Access::Write)?;
        let queue = Arc::new(Queue::new(1));
        let ended = Arc::clone(&queue);
        let again = place.clone();
        let thread = std::thread::Builder::new()
            .name("kasoku-upkeep".into())
            .spawn(move || work(connection, &again, &ended, (&log_pages, &teller, &here)))
            .map_err(|error| DatabaseError::Io(error.to_string().into()))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Ends the thread.
    pub(crate) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // It has nothing left to tell.
            let _ended = thread.join();
        }
    }
}

/// The thread that looks for other processes' writes where this process does not write itself.
pub(crate) struct Lookout {
    queue: Arc<Queue<()>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Lookout {
    /// Starts the thread.
    pub(crate) fn start(place: &Place, teller: Arc<Teller>) -> Result<Self, DatabaseError> {
        let connection = Connection::open(place, Access::ReadOnly)?;
        let queue = Arc::new(Queue::new(1));
        let ended = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("kasoku-lookout".into())
            .spawn(move || look_out(&connection, &ended, &teller))
            .map_err(|error| DatabaseError::Io(error.to_string().into()))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Ends the thread.
    pub(crate) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // It has nothing left to tell.
            let _ended = thread.join();
        }
    }
}

fn look_out(connection: &Connection, ended: &Queue<()>, teller: &Teller) {
    let mut known = connection.integer("PRAGMA data_version").ok();
    while ended.take(1, Some(LOOK_EVERY), &mut Vec::new()) != Taken::Closed {
        match connection.integer("PRAGMA data_version") {
            Ok(version) if known == Some(version) => {}
            Ok(version) => {
                known = Some(version);
                teller.tell(&[DataChange::Everything]);
            }
            Err(error) => teller.failed("look for changes", &error),
        }
    }
}

fn work(
    mut connection: Connection,
    place: &Place,
    ended: &Queue<()>,
    (log_pages, teller, here): (&AtomicU64, &Teller, &Here),
) {
    let mut nothing = Vec::new();
    let (mut seen, mut copied, mut idle) = (0, 0, 0);
    while ended.take(1, Some(LOOK_EVERY), &mut nothing) != Taken::Closed {
        // What is not used between two looks is not kept, so that the log can be copied and start anew.
        here.let_go();
        if connection.is_outdated() {
            match Connection::open(place, Access::Write) {
                Ok(opened) => connection = opened,
                Err(error) => {
                    teller.failed("open", &error);
                    continue;
                }
            }
        }
        let pages = log_pages.load(Ordering::Relaxed);
        idle = if pages == seen { idle + 1 } else { 0 };
        seen = pages;
        // A log that started anew is shorter than what was copied of the one before.
        copied = if pages < copied { 0 } else { copied };
        if pages - copied > LOG_PAGES_SOME || (idle >= LOOKS_IDLE && pages > copied) {
            match checkpoint(&connection) {
                Ok(()) => copied = pages,
                Err(error) => teller.failed("checkpoint", &error),
            }
        }
    }
}

/// Copies as much of the log as can be copied without waiting for anybody.
pub(crate) fn checkpoint(connection: &Connection) -> Result<(), DatabaseError> {
    run(connection, CheckpointMode::PASSIVE)
}

/// Copies all of the log and empties it. Only the writer may: to others it looks like a foreign write.
pub(crate) fn truncate_log(connection: &Connection) -> Result<(), DatabaseError> {
    run(connection, CheckpointMode::TRUNCATE)
}

/// Lets SQLite refresh the statistics that its planner has missed, within bounds.
pub(crate) fn optimize(connection: &Connection) -> Result<(), DatabaseError> {
    let run = || connection.raw().execute_batch("PRAGMA analysis_limit = 1000; PRAGMA optimize;");
    run().map_err(|error| connection.failed(error))
}

/// As [`optimize`], for every table: 0x10000 looks at those too that this connection has not read.
pub(crate) fn optimize_all(connection: &Connection) -> Result<(), DatabaseError> {
    let run = || connection.raw().execute_batch("PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002;");
    run().map_err(|error| connection.failed(error))
}

fn run(connection: &Connection, mode: CheckpointMode) -> Result<(), DatabaseError> {
    let done = connection.raw().wal_checkpoint_v2(Some(rusqlite::MAIN_DB), mode);
    match done.map_err(|error| connection.failed(error)) {
        // Somebody else copies it, or a reader holds on to it. Nothing is lost: the next one goes on.
        Ok(_) | Err(DatabaseError::Busy) => Ok(()),
        Err(error) => Err(error),
    }
}
