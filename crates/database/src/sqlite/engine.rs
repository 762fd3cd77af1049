//! A database in a file: its readers, its writer, and what keeps it in order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use kasoku_coherence::{Lease, Position, Sequence, Snapshot};
use kasoku_observe::Observer;
use kasoku_sql_plan::Value;
use tempfile::TempDir;

use crate::bulk::Bulk;
use crate::changes::{CommitListener, WatchedTable};
use crate::error::DatabaseError;
use crate::long::LongShapes;
use crate::migrate::Migration;
use crate::rows::Rows;
use crate::settings::Settings;
use crate::span::{Span, until};
use crate::sqlite::beginnings::{begin_feed, here_most, prepare, private_folder};
use crate::sqlite::bulk::Load;
use crate::sqlite::connection::{Access, Connection, Place};
use crate::sqlite::inspect::Inspector;
use crate::sqlite::lock::WriteLock;
use crate::sqlite::read::here::Here;
use crate::sqlite::read::threads::Threads;
use crate::sqlite::read::within;
use crate::sqlite::upkeep::{Lookout, Upkeep};
use crate::sqlite::watch::{Feed, Watch};
use crate::sqlite::write::{Patience, WriteQueue};
use crate::statement::Statement;
use crate::tell::Teller;
use crate::transaction::{ReadTransaction, WriteTransaction};

/// An open file. Dropping it finishes what waits and closes it.
pub(crate) struct Sqlite {
    place: Place,
    statement_timeout: Duration,
    long: LongShapes,
    teller: Arc<Teller>,
    here: Arc<Here>,
    threads: Threads,
    writes: Writes,
    watch: Arc<Watch>,
    /// There is one where the triggers of others' changes are in place.
    feed: Option<Feed>,
    _lock: Option<WriteLock>,
    // After everything that has the file open.
    _private: Option<TempDir>,
}

enum Writes {
    Allowed {
        queue: WriteQueue,
        upkeep: Upkeep,
    },
    /// Somebody looks now and then whether others have written, unless the feed does.
    Refused {
        lookout: Option<Lookout>,
    },
}

impl Sqlite {
    /// Opens a database and brings its schema up to date; blocks while it does.
    pub(crate) fn open(
        settings: &Settings,
        migrations: &[Migration],
        sequence: Arc<Sequence>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, DatabaseError> {
        let private = match &settings.path {
            Some(_) => None,
            None => Some(private_folder()?),
        };
        let path = match (&settings.path, &private) {
            (Some(path), _) => path.clone(),
            (None, Some(folder)) => folder.path().join("private.db"),
            (None, None) => PathBuf::from(":memory:"),
        };
        let place = Place {
            path,
            page_cache_bytes: settings.page_cache_bytes,
            mapped_bytes: settings.mapped_bytes,
            durable: private.is_none(),
            files: Arc::default(),
        };
        let watch = Arc::new(Watch::new(settings));
        let teller = Arc::new(Teller::new(Arc::clone(&sequence), observer));
        let (access, here) = if settings.read_only {
            (Access::ReadOnly, Access::ReadOnly)
        } else {
            (Access::Read, Access::ReadHere)
        };
        let log_pages = Arc::new(AtomicU64::new(0));
        let own_log = (!settings.read_only).then(|| Arc::clone(&log_pages));
        let here = Arc::new(Here::new(place.clone(), here, here_most(), Arc::clone(&teller), own_log));
        let (writes, lock) = if settings.read_only {
            watch.begin(&Connection::open(&place, access)?, false)?;
            let lookout =
                if watch.is_on() { None } else { Some(Lookout::start(&place, Arc::clone(&teller))?) };
            (Writes::Refused { lookout }, None)
        } else {
            let lock = WriteLock::take(&place.path)?;
            prepare(&place, migrations)?;
            if private.is_none() {
                watch.begin(&Connection::open(&place, Access::Write)?, true)?;
            }
            let queue =
                WriteQueue::start(&place, settings, Arc::clone(&teller), Arc::clone(&log_pages), &watch)?;
            let upkeep = Upkeep::start(&place, log_pages, Arc::clone(&teller), Arc::clone(&here))?;
            (Writes::Allowed { queue, upkeep }, Some(lock))
        };
        let queue = if let Writes::Allowed { queue, .. } = &writes { Some(queue) } else { None };
        let feed = begin_feed(&place, access, (&watch, &teller), (settings.poll, queue))?;
        let limits = (settings.readers, settings.read_queue);
        Ok(Self {
            here,
            threads: Threads::start(&place, access, limits, sequence, &teller.observer)?,
            place,
            statement_timeout: settings.statement_timeout,
            long: LongShapes::new(settings.long),
            teller,
            writes,
            watch,
            feed,
            _lock: lock,
            _private: private,
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.place.path
    }

    /// Which shapes took long.
    pub(crate) fn long_shapes(&self) -> &LongShapes {
        &self.long
    }

    /// Whether writes are refused.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(self.writes, Writes::Refused { .. })
    }

    /// Reads on the calling thread: for statements that are known to be short, because a hop to another thread
    /// costs more than they do.
    pub(crate) fn read_here<T, E: From<DatabaseError>>(
        &self,
        statement: &Statement,
        params: &[Value],
        deadline: Option<Instant>,
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<(T, Snapshot), E> {
        let span = Span::from_now(deadline, self.statement_timeout)?;
        self.here.with(span, |connection| {
            Ok(connection.query(self.teller.observer.as_ref(), statement, params, f)?.value)
        })
    }

    /// Reads several statements on the calling thread; all see the database at one moment.
    pub(crate) fn read_many_here<T, E: From<DatabaseError>>(
        &self,
        deadline: Option<Instant>,
        f: impl FnOnce(&mut ReadTransaction<'_>) -> Result<T, E>,
    ) -> Result<(T, Snapshot), E> {
        let span = Span::from_now(deadline, self.statement_timeout)?;
        self.here.with(span, |connection| within(connection, self.teller.observer.as_ref(), f))
    }

    /// Reads on a reader thread: for statements that may take long. Dropping the future stops the statement.
    pub(crate) async fn read<T, E>(
        &self,
        statement: &Statement,
        params: Vec<Value>,
        deadline: Option<Instant>,
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let until = until(deadline, self.statement_timeout)?;
        let (statement, observer) = (statement.clone(), Arc::clone(&self.teller.observer));
        let read = move |connection: &Connection| {
            Ok(connection.query(observer.as_ref(), &statement, &params, f)?.value)
        };
        self.threads.run(until, read).await
    }

    /// Reads several statements on a reader thread; all see the database at one moment.
    pub(crate) async fn read_many<T, E>(
        &self,
        deadline: Option<Instant>,
        f: impl FnOnce(&mut ReadTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let until = until(deadline, self.statement_timeout)?;
        let observer = Arc::clone(&self.teller.observer);
        self.threads.run(until, move |connection| within(connection, observer.as_ref(), f)).await
    }

    /// Writes, and waits until it is durable and its listener knows. An error undoes what the job did.
    ///
    /// The job shares its commit with others. It is begun unless its deadline passes first, whether or not anybody
    /// still waits; and it is run again, on a fresh transaction, if another job of its group spoils the first.
    pub(crate) async fn write<T, E>(
        &self,
        deadline: Option<Instant>,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Position), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        self.write_queue()?.write(deadline, Patience::OfAStatement, job).await
    }

    /// As [`Self::write`], for a job that may take until its deadline.
    pub(crate) async fn write_long<T, E>(
        &self,
        deadline: Instant,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Position), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        self.write_queue()?.write(Some(deadline), Patience::UntilTheDeadline, job).await
    }

    /// Replaces the tables whose changes are reported. Their rows are reported from the next commit on.
    pub(crate) async fn watch(&self, tables: Vec<WatchedTable>) -> Result<(), DatabaseError> {
        match &self.writes {
            Writes::Allowed { queue, .. } => queue.watch(tables).await,
            Writes::Refused { .. } => self.watch.watch(None, &tables),
        }
    }

    /// How long what depends on others' changes may be reused; `None` if they are not told in detail.
    pub(crate) fn lease(&self) -> Option<Arc<Lease>> {
        self.watch.lease()
    }

    /// Replaces whoever is told of commits.
    pub(crate) fn listen(&self, listener: Arc<dyn CommitListener>) {
        self.teller.listen(listener);
    }

    /// Loads much at once on the calling thread, which it blocks; other writes wait meanwhile.
    pub(crate) fn bulk<T, E: From<DatabaseError>>(
        &self,
        f: impl FnOnce(&mut Bulk<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let queue = self.write_queue()?;
        // A view that nobody uses any more would keep the log of the load from being copied.
        self.here.let_go();
        queue.borrow(|connection| f(&mut Bulk::sqlite(Load { connection })))
    }

    /// Answers questions about this database, on a connection of its own.
    pub(crate) fn inspector(&self) -> Result<Inspector, DatabaseError> {
        Inspector::of_file(&self.place.path)
    }

    /// Finishes what waits, refuses what comes, copies the log into the file and closes it. Blocks meanwhile.
    pub(crate) fn close(&self) {
        if let Some(feed) = &self.feed {
            feed.close();
        }
        self.threads.close();
        self.here.close();
        match &self.writes {
            Writes::Allowed { queue, upkeep } => {
                upkeep.close();
                queue.close();
            }
            Writes::Refused { lookout: Some(lookout) } => lookout.close(),
            Writes::Refused { lookout: None } => {}
        }
    }

    fn write_queue(&self) -> Result<&WriteQueue, DatabaseError> {
        match &self.writes {
            Writes::Allowed { queue, .. } => Ok(queue),
            Writes::Refused { .. } => Err(DatabaseError::ReadOnly),
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}
