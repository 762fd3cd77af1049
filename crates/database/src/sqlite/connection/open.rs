//! How connections are opened: flags and pragmas, in the order that matters.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use crate::error::DatabaseError;

/// The write-ahead log is cut back to this size when it starts anew.
const LOG_BYTES_KEPT: u64 = 64 << 20;

/// A statement waits this long for another process's lock.
const WAIT: Duration = Duration::from_secs(5);

/// A statement on a serving thread waits this long: the thread has other requests.
const WAIT_HERE: Duration = Duration::from_millis(250);

/// Where the file is, and what all connections to it share.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The file.
    pub(crate) path: PathBuf,
    /// Page cache of each connection.
    pub(crate) page_cache_bytes: u64,
    /// How much of the file is mapped into memory.
    pub(crate) mapped_bytes: u64,
    /// Whether what is committed must survive a loss of power. Only a private database need not.
    pub(crate) durable: bool,
    /// How often another file was found at the path.
    pub(crate) files: Arc<AtomicU64>,
}

impl Place {
    /// Another file lies there now: connections that are open have to be opened anew.
    pub(crate) fn outdate(&self) {
        self.files.fetch_add(1, Ordering::AcqRel);
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The writer, and whoever copies the log into the file.
    Write,
    /// A reader with a thread of its own.
    Read,
    /// A reader that borrows the threads that serve.
    ReadHere,
    /// A reader of a file that must not be touched.
    ReadOnly,
    /// A database in memory that nobody shares.
    Scratch,
}

pub(super) fn open(place: &Place, access: Access) -> Result<rusqlite::Connection, DatabaseError> {
    let raw = match access {
        Access::ReadOnly => open_untouched(&place.path)?,
        Access::Scratch => rusqlite::Connection::open_in_memory()?,
        _ => rusqlite::Connection::open_with_flags(
            &place.path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?,
    };
    // The first pragma that touches the file may meet another process's lock, so waiting comes before all others.
    raw.busy_timeout(if access == Access::ReadHere { WAIT_HERE } else { WAIT })?;
    // The plan that was proved before deployment is the plan that runs: bound values do not change it, and a
    // statement is not compiled again for each new value.
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A misspelt "column" is an error and not a text.
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    let cache_kib = place.page_cache_bytes / 1_024;
    let mapped = place.mapped_bytes;
    raw.execute_batch(&format!(
        "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{cache_kib}; \
         PRAGMA mmap_size = {mapped};"
    ))?;
    match access {
        Access::Write => prepare_writer(&raw, place)?,
        Access::Scratch => raw.execute_batch("PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;")?,
        Access::Read | Access::ReadHere | Access::ReadOnly => raw.execute_batch("PRAGMA query_only = ON;")?,
    }
    Ok(raw)
}

fn prepare_writer(raw: &rusqlite::Connection, place: &Place) -> Result<(), DatabaseError> {
    let mode: String = raw.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let why = format!("`{}` is on a file system without shared memory (WAL)", place.path.display());
        return Err(DatabaseError::Io(why.into()));
    }
    let synchronous = if place.durable { "FULL" } else { "OFF" };
    raw.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; \
         PRAGMA journal_size_limit = {LOG_BYTES_KEPT}; PRAGMA wal_autocheckpoint = 0;"
    ))?;
    Ok(())
}

/// Opens a file without changing it or its folder.
fn open_untouched(path: &Path) -> Result<rusqlite::Connection, DatabaseError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let raw = rusqlite::Connection::open_with_flags(path, flags)?;
    let Err(error) = raw.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) else {
        return Ok(raw);
    };
    // A file in WAL mode needs its shared memory beside it even to be read. Where the folder forbids that and no
    // log is left, nobody writes, and the file can be read as it lies.
    let log = PathBuf::from(format!("{}-wal", path.display()));
    if log.exists() {
        return Err(error.into());
    }
    let text = path.to_str().ok_or_else(|| DatabaseError::Io("the path is not UTF-8".into()))?;
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let uri = format!("file:{escaped}?immutable=1");
    let raw = rusqlite::Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?;
    raw.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(raw)
}
