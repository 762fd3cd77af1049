//! The writer's thread: it takes what waits, commits it in groups, and tells the listener.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::Job;
use super::job::WriteJob;
use super::record::Recorder;
use super::watch;
use crate::changes::{DataChange, WatchedTable};
use crate::error::DatabaseError;
use crate::queue::{Queue, Taken};
use crate::sqlite::connection::{Access, Connection, Place};
use crate::sqlite::upkeep;
use crate::sqlite::watch::Watch;
use crate::tell::Teller;

/// How often an idle writer looks for writes of other processes: the bound on how late they are noticed.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often SQLite may refresh its statistics.
const OPTIMIZE_EVERY: Duration = Duration::from_hours(1);

/// What the writer's thread works with.
pub(crate) struct Writer {
    pub(super) place: Place,
    pub(super) connection: Option<Connection>,
    pub(super) recorder: Recorder,
    pub(super) teller: Arc<Teller>,
    pub(super) statement_timeout: Duration,
    pub(super) group_most: usize,
    pub(super) log_pages: Arc<AtomicU64>,
    pub(super) watched: Vec<WatchedTable>,
    pub(super) others: Arc<Watch>,
    pub(super) file_version: Option<i64>,
    pub(super) copy_log_at: u64,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn work(mut self, queue: &Queue<Job>) {
        let mut taken: Vec<Job> = Vec::with_capacity(self.group_most);
        let mut looked = Instant::now();
        let mut optimized = Instant::now();
        loop {
            match queue.take(self.group_most, Some(LOOK_EVERY), &mut taken) {
                Taken::Closed => break,
                Taken::Idle => {}
                Taken::Some => self.run_all(&mut taken),
            }
            if looked.elapsed() >= LOOK_EVERY {
                looked = Instant::now();
                self.look();
            }
            if optimized.elapsed() >= OPTIMIZE_EVERY {
                optimized = Instant::now();
                self.report("optimize", upkeep::optimize);
            }
            self.shorten_log();
        }
        self.report("close", upkeep::truncate_log);
    }

    /// The connection; opened anew if the last one was given up.
    pub(super) fn connection(&mut self) -> Result<&Connection, DatabaseError> {
        if self.connection.as_ref().is_some_and(Connection::is_outdated) {
            self.connection = None;
        }
        if self.connection.is_none() {
            let connection = self.open()?;
            self.connection = Some(connection);
            self.teller.tell(&[DataChange::Everything]);
        }
        Ok(self.connection.as_ref().expect("it was opened above"))
    }

    /// Opens a connection with everything that makes it the writer's.
    pub(super) fn open(&mut self) -> Result<Connection, DatabaseError> {
        let mut connection = Connection::open(&self.place, Access::Write)?;
        self.recorder.install(&connection)?;
        watch::install(&connection, &self.recorder, &self.watched)?;
        let pages = Arc::clone(&self.log_pages);
        connection.raw_mut().wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count: i32| {
            pages.store(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        self.file_version = Some(connection.integer("PRAGMA data_version")?);
        Ok(connection)
    }

    /// Closes a connection that cannot be trusted.
    pub(super) fn close_connection(&mut self) {
        self.connection = None;
    }

    /// Replaces what is watched.
    pub(super) fn watch(&mut self, tables: Vec<WatchedTable>) -> Result<(), DatabaseError> {
        let recorder = self.recorder.clone();
        watch::install(self.connection()?, &recorder, &tables)?;
        self.others.watch(self.connection.as_ref(), &tables)?;
        self.watched = tables;
        Ok(())
    }

    /// Lends the connection without its triggers, and takes it back. Whatever happened to the data meanwhile is
    /// reported as a change of everything.
    pub(super) fn lend(
        &mut self,
        out: &mpsc::SyncSender<Result<Connection, DatabaseError>>,
        back: &mpsc::Receiver<Connection>,
    ) {
        let recorder = self.recorder.clone();
        let unwatched = self.connection().and_then(|connection| watch::install(connection, &recorder, &[]));
        let mark = self.connection.as_ref().and_then(|connection| self.others.mark(connection));
        let ready = unwatched.and_then(|()| self.connection.take().ok_or(DatabaseError::Closed));
        if out.send(ready).is_ok() {
            // Nothing comes back when the borrower panicked; the next who needs a connection opens one.
            self.connection = back.recv().ok();
        }
        if let Some(connection) = &self.connection {
            if let Some(Err(error)) = mark.map(|mark| Watch::forget_since(connection, mark)) {
                // What is left there is told by the feed, which is needless and does no harm.
                self.teller.failed("feed", &error);
            }
            if watch::install(connection, &self.recorder, &self.watched).is_err() {
                self.connection = None;
            }
        }
        self.teller.tell(&[DataChange::Everything]);
    }

    /// Notices what other processes wrote. A connection's own writes do not count.
    pub(super) fn notice_others(&mut self) {
        if self.others.is_on() {
            // The feed does, and knows more.
            return;
        }
        let Some(connection) = &self.connection else { return };
        let Ok(version) = connection.integer("PRAGMA data_version") else { return };
        if self.file_version.replace(version).is_some_and(|known| known != version) {
            self.teller.tell(&[DataChange::Everything]);
        }
    }

    /// Copies what is left of a log that has grown too long, so that the next write starts it anew. A reader that
    /// holds on to it prevents that; then the log is copied in steps, and not after each group.
    fn shorten_log(&mut self) {
        let pages = self.log_pages.load(Ordering::Relaxed);
        if pages < upkeep::LOG_PAGES_MOST {
            self.copy_log_at = upkeep::LOG_PAGES_MOST;
        } else if pages >= self.copy_log_at {
            self.report("checkpoint", upkeep::checkpoint);
            self.copy_log_at = pages + upkeep::LOG_PAGES_SOME;
        }
    }

    /// Takes away what everybody has read of what others have written down.
    pub(super) fn let_go_before(&mut self, seq: i64) {
        let done = self.connection().and_then(|connection| Watch::let_go_before(connection, seq));
        if let Err(error) = done {
            self.teller.failed("feed", &error);
        }
    }

    fn look(&mut self) {
        match self.connection() {
            Ok(_) => self.notice_others(),
            Err(error) => self.teller.failed("open", &error),
        }
    }

    fn run_all(&mut self, taken: &mut Vec<Job>) {
        let mut group: Vec<Box<dyn WriteJob>> = Vec::with_capacity(taken.len());
        for job in taken.drain(..) {
            match job {
                Job::Write(job) => group.push(job),
                Job::Alone(job) => {
                    if !group.is_empty() {
                        self.commit(std::mem::take(&mut group));
                    }
                    // It has its own way to answer; if it panics, whoever waits learns that it is gone.
                    if catch_unwind(AssertUnwindSafe(|| job(self))).is_err() {
                        self.close_connection();
                    }
                }
            }
        }
        if !group.is_empty() {
            self.commit(group);
        }
    }

    fn report(&self, what: &'static str, f: impl FnOnce(&Connection) -> Result<(), DatabaseError>) {
        let Some(connection) = &self.connection else { return };
        if let Err(error) = f(connection) {
            self.teller.failed(what, &error);
        }
    }
}
