//! The feed: what others have changed in a file, looked for again and again.
//!
//! A look costs a microsecond while nobody writes. If somebody has, the rows behind the last one that was read tell what,
//! in the order of the commits, for one writes at a time. What they cannot tell is told as a change of everything: that
//! the table of changes was full or emptied, that a trigger is gone, that the file is another one, that nobody looked
//! for a long time.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kasoku_sql_plan::Value;
use parking_lot::Mutex;

use super::Watch;
use super::install::{AFTER, WHOLE, installed, is_whole};
use crate::changes::{DataChange, RowChange, WatchedTable};
use crate::error::DatabaseError;
use crate::queue::{Queue, Taken};
use crate::sqlite::connection::{Access, Connection, Place};
use crate::tell::Teller;
use crate::value::ValueRef;
use crate::watched::Watched;

/// Changes that one look brings at the most; beyond them anything may have changed.
const CHANGES_MOST: i64 = 10_000;

/// How long changes are kept for those who have not looked.
const KEPT: Duration = Duration::from_mins(1);

/// Rows that were read and are taken away before that.
const READ_MOST: i64 = 20_000;

/// Who has not looked for this long may have missed some.
const SILENT_MOST: Duration = Duration::from_secs(30);

/// Takes rows away that everybody has read, up to this one.
pub(crate) type LetGo = Box<dyn Fn(i64) + Send>;

/// The thread that looks.
pub(crate) struct Feed {
    queue: Arc<Queue<()>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread looks with.
struct Looker {
    place: Place,
    access: Access,
    watch: Arc<Watch>,
    teller: Arc<Teller>,
    /// There is one where this process may write.
    let_go: Option<LetGo>,
    read: Option<Read>,
}

/// Where the feed has arrived on one connection.
struct Read {
    connection: Connection,
    file: Option<(u64, u64)>,
    version: i64,
    schema: i64,
    epoch: String,
    /// What is written down, and whether the triggers that do are as they should be.
    known: Vec<Watched>,
    whole: bool,
    seq: i64,
    looked: Instant,
    /// What had been read when rows were last let go, and when that was.
    old: (i64, Instant),
}

impl Feed {
    /// Starts the thread.
    pub(crate) fn start(
        place: &Place,
        access: Access,
        (watch, teller): (&Arc<Watch>, &Arc<Teller>),
        poll: Duration,
        let_go: Option<LetGo>,
    ) -> Result<Self, DatabaseError> {
        let (watch, teller) = (Arc::clone(watch), Arc::clone(teller));
        let mut looker = Looker { place: place.clone(), access, watch, teller, let_go, read: None };
        let queue = Arc::new(Queue::new(1));
        let ended = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("kasoku-feed".into())
            .spawn(move || {
                while ended.take(1, Some(poll), &mut Vec::new()) != Taken::Closed {
                    looker.look();
                }
            })
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

impl Looker {
    fn look(&mut self) {
        let asked = Instant::now();
        match self.try_look(asked) {
            Ok(()) => self.watch.lease.renew(asked),
            Err(error) => {
                // Whatever is read of it next, what came in between may be lost.
                self.read = None;
                self.teller.failed("feed", &error);
            }
        }
    }

    fn try_look(&mut self, asked: Instant) -> Result<(), DatabaseError> {
        let file = identity(&self.place);
        if self.read.as_ref().is_some_and(|read| read.file != file) {
            // Everybody's connections are to what is no file any more.
            self.place.outdate();
            self.read = None;
        }
        let Some(read) = &mut self.read else {
            self.read = Some(Read::begin(&self.place, self.access, (file, asked))?);
            self.teller.tell(&[DataChange::Everything]);
            return Ok(());
        };
        let silent = asked.duration_since(read.looked) > SILENT_MOST;
        read.looked = asked;
        if silent || read.connection.integer(VERSION)? != read.version {
            let changes = read.changes(&self.watch.tables(), silent)?;
            if !changes.is_empty() {
                self.teller.tell(&changes);
            }
        }
        let (old, when) = read.old;
        let due = asked.duration_since(when) >= KEPT || read.seq - old > READ_MOST;
        if let Some(let_go) = self.let_go.as_ref().filter(|_| due && read.seq > old) {
            let_go(old);
            read.old = (read.seq, asked);
        }
        Ok(())
    }
}

const VERSION: &str = "PRAGMA data_version";
const LAST: &str = "SELECT coalesce(max(seq), 0) FROM main._kasoku_change";
const UPTO: &str = "SELECT upto FROM main._kasoku_feed";

impl Read {
    fn begin(
        place: &Place,
        access: Access,
        (file, asked): (Option<(u64, u64)>, Instant),
    ) -> Result<Self, DatabaseError> {
        let connection = Connection::open(place, access)?;
        let mut read = Self {
            connection,
            file,
            version: 0,
            schema: 0,
            epoch: String::new(),
            known: Vec::new(),
            whole: false,
            seq: 0,
            looked: asked,
            old: (0, asked),
        };
        // What is told first is that everything may have changed, whatever this finds.
        read.changes(&[], true)?;
        read.old.0 = read.seq;
        Ok(read)
    }

    /// What has been written down since the last look, all of it as it was at one moment.
    fn changes(&mut self, tables: &[WatchedTable], silent: bool) -> Result<Vec<DataChange>, DatabaseError> {
        self.connection.run("BEGIN -- kasoku")?;
        let result = self.changes_within(tables, silent);
        let ended = self.connection.run("ROLLBACK -- kasoku");
        let changes = result?;
        ended?;
        Ok(changes)
    }

    fn changes_within(
        &mut self,
        tables: &[WatchedTable],
        silent: bool,
    ) -> Result<Vec<DataChange>, DatabaseError> {
        // The view of the file begins here; its version is then that of the view.
        let schema = self.connection.integer("PRAGMA schema_version")?;
        let version = self.connection.integer(VERSION)?;
        let was_whole = self.whole;
        if schema != self.schema || !was_whole {
            self.known = installed(&self.connection)?;
            self.whole = true;
            for watched in &self.known {
                self.whole &= is_whole(&self.connection, watched)?;
            }
            self.whole &=
                tables.iter().all(|table| self.known.iter().any(|known| known.table == table.table));
        }
        let (last, upto) = (self.connection.integer(LAST)?, self.connection.integer(UPTO)?);
        let epoch = self.epoch()?;
        let (before, known_epoch) = (self.seq, std::mem::replace(&mut self.epoch, epoch));
        (self.schema, self.version, self.seq) = (schema, version, last);
        let broken = !self.whole || !was_whole;
        let lost = last < before || last >= upto || last - before > CHANGES_MOST || known_epoch != self.epoch;
        if silent || broken || lost {
            return Ok(vec![DataChange::Everything]);
        }
        self.rows(before, tables)
    }

    fn epoch(&self) -> Result<String, DatabaseError> {
        let sql = "SELECT epoch FROM main._kasoku_feed";
        let read = || self.connection.raw().prepare_cached(sql)?.query_row([], |row| row.get(0));
        read().map_err(|error| self.connection.failed(error))
    }

    fn rows(&self, behind: i64, tables: &[WatchedTable]) -> Result<Vec<DataChange>, DatabaseError> {
        let read = || -> rusqlite::Result<Vec<DataChange>> {
            let sql = "SELECT * FROM main._kasoku_change WHERE seq > ?1 ORDER BY seq";
            let mut statement = self.connection.raw().prepare_cached(sql)?;
            let mut rows = statement.query([behind])?;
            let mut changes = Vec::new();
            while let Some(row) = rows.next()? {
                let (relation, side): (String, i64) = (row.get(1)?, row.get(2)?);
                changes.push(self.change(&relation, side, row, tables)?);
            }
            Ok(changes)
        };
        read().map_err(|error| self.connection.failed(error))
    }

    /// A row of the table of changes. What cannot be read in full stands for the whole table.
    fn change(
        &self,
        relation: &str,
        side: i64,
        row: &rusqlite::Row<'_>,
        tables: &[WatchedTable],
    ) -> rusqlite::Result<DataChange> {
        let whole = || Ok(DataChange::Table(relation.into()));
        let table = tables.iter().find(|table| table.table == relation);
        let known = self.known.iter().find(|known| known.table == relation);
        let (Some(table), Some(known)) = (table, known) else { return whole() };
        if side == WHOLE {
            return whole();
        }
        let mut values: Vec<Value> = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let Some(place) = known.columns.iter().position(|name| name == column) else { return whole() };
            values.push(ValueRef::from_raw(row.get_ref(3 + place)?).to_value());
        }
        let values = Some(values.into_boxed_slice());
        let (old, new) = if side == AFTER { (None, values) } else { (values, None) };
        Ok(DataChange::Row(RowChange { table: relation.into(), old, new }))
    }
}

/// Which file lies at the path.
fn identity(place: &Place) -> Option<(u64, u64)> {
    let found = std::fs::metadata(&place.path).ok()?;
    Some((found.dev(), found.ino()))
}
