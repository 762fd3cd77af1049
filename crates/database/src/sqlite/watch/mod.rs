//! Learning of what other programs write into a file.
//!
//! Where the triggers of [`install`] lie in the file, what others change is read from what they wrote down, soon after
//! each commit; what this process writes is taken away again within its own transaction, since it is told already.
//! Where they do not, the writer looks now and then whether anybody has written, and then anything may have changed.

mod feed;
mod install;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::Lease;
use parking_lot::RwLock;

pub(crate) use feed::{Feed, LetGo};

use crate::changes::WatchedTable;
use crate::error::DatabaseError;
use crate::settings::Settings;
use crate::sqlite::connection::{Access, Connection, Place};
use crate::watched::{WatchMode, Watched};

/// What is watched, as the feed and the writer share it.
pub(crate) struct Watch {
    mode: WatchMode,
    lease: Arc<Lease>,
    /// The tables whose changes are of interest; `None` where nothing is installed.
    tables: RwLock<Option<Arc<[WatchedTable]>>>,
}

impl Watch {
    pub(crate) fn new(settings: &Settings) -> Self {
        let lease = Arc::new(Lease::new(settings.bound, Instant::now()));
        Self { mode: settings.watch, lease, tables: RwLock::new(None) }
    }

    /// Looks for the triggers, or makes what they share. Whether they are there.
    pub(crate) fn begin(&self, connection: &Connection, may_write: bool) -> Result<bool, DatabaseError> {
        if self.mode == WatchMode::Off {
            return Ok(false);
        }
        if self.mode == WatchMode::Install && may_write {
            install::install_base(connection)?;
        }
        let there = install::is_installed(connection)?;
        if there {
            *self.tables.write() = Some(Arc::new([]));
        }
        Ok(there)
    }

    /// Whether the triggers are used.
    pub(crate) fn is_on(&self) -> bool {
        self.tables.read().is_some()
    }

    /// How long what depends on others' changes may be reused; `None` if they are not told in detail.
    pub(crate) fn lease(&self) -> Option<Arc<Lease>> {
        self.is_on().then(|| Arc::clone(&self.lease))
    }

    /// Replaces the tables that are watched; on a connection that may write, installs what is missing.
    pub(crate) fn watch(
        &self,
        connection: Option<&Connection>,
        tables: &[WatchedTable],
    ) -> Result<(), DatabaseError> {
        if !self.is_on() {
            return Ok(());
        }
        if let Some(connection) = connection.filter(|_| self.mode == WatchMode::Install) {
            install::install(connection, tables)?;
        }
        *self.tables.write() = Some(tables.into());
        Ok(())
    }

    /// The last row of the table of changes, before a transaction of this process writes others. `None` if there is no
    /// such table.
    pub(crate) fn mark(&self, connection: &Connection) -> Option<i64> {
        if !self.is_on() {
            return None;
        }
        // Somebody may have taken it away; what the feed says of that is that anything may have changed.
        connection.integer("SELECT coalesce(max(seq), 0) FROM main._kasoku_change").ok()
    }

    /// Takes away what this transaction has written down: it is told already.
    pub(crate) fn forget_since(connection: &Connection, mark: i64) -> Result<(), DatabaseError> {
        let forget = || {
            let sql = "DELETE FROM main._kasoku_change WHERE seq > ?1";
            connection.raw().prepare_cached(sql)?.execute([mark])
        };
        forget().map(drop).map_err(|error| connection.failed(error))
    }

    /// Takes away what everybody has read, but for the last of it, and moves the limit.
    pub(crate) fn let_go_before(connection: &Connection, seq: i64) -> Result<(), DatabaseError> {
        let rows = install::ROWS_MAX;
        let sql = format!(
            "DELETE FROM main._kasoku_change WHERE seq < {seq};
             UPDATE main._kasoku_feed SET upto = (SELECT coalesce(max(seq), 0) FROM main._kasoku_change) + {rows};"
        );
        connection.raw().execute_batch(&sql).map_err(|error| connection.failed(error))
    }

    fn tables(&self) -> Arc<[WatchedTable]> {
        self.tables.read().clone().unwrap_or_default()
    }
}

/// Installs the triggers of these tables, and says which were not as they should be. Blocks meanwhile.
pub(crate) fn watch_install(path: &Path, tables: &[WatchedTable]) -> Result<Vec<String>, DatabaseError> {
    install::install(&open(path)?, tables)
}

/// Takes away all that [`watch_install`] has made. Blocks meanwhile.
pub(crate) fn watch_remove(path: &Path) -> Result<(), DatabaseError> {
    install::remove(&open(path)?)
}

/// The tables whose changes are written down as they should be; `None` if nothing is installed. Blocks meanwhile.
pub(crate) fn watch_status(path: &Path) -> Result<Option<Vec<Watched>>, DatabaseError> {
    let connection = open(path)?;
    if !install::is_installed(&connection)? {
        return Ok(None);
    }
    let mut whole = Vec::new();
    for watched in install::installed(&connection)? {
        if install::is_whole(&connection, &watched)? {
            whole.push(watched);
        }
    }
    Ok(Some(whole))
}

fn open(path: &Path) -> Result<Connection, DatabaseError> {
    let place = Place {
        path: path.to_owned(),
        page_cache_bytes: 1 << 20,
        mapped_bytes: 0,
        durable: true,
        files: Arc::default(),
    };
    Connection::open(&place, Access::Write)
}
