//! Learning of changes: one's own before they are visible, others' soon after.
//!
//! Where the triggers of [`install`] are in place, both are read from what they wrote down. Where they are not, the
//! server's own counters tell which tables a transaction of this process has touched, and others are not noticed.

mod feed;
mod install;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Floors, Lease, Seen};
use kasoku_sql_plan::ColumnKind;
use parking_lot::{Mutex, RwLock};
use tokio_postgres::types::Type;

use super::background::Background;
use super::connect::{Connector, Failed};
use super::held::Held;
use super::settings::PostgresSettings;
use crate::changes::{DataChange, WatchedTable};
use crate::error::DatabaseError;
use crate::tell::Teller;
use crate::watched::{WatchMode, Watched};
use feed::Feed;
use install::{install, installed, remove};
use told::{Table, Told};

/// Tables that the running transaction has changed, whether by its own statements, by cascades or by triggers.
const TOUCHED: &str = "select relname::text from pg_stat_xact_user_tables \
                       where n_tup_ins + n_tup_upd + n_tup_del > 0";

/// What the running transaction has written down.
const TOLD: &str = "select relation, before::text, after::text, whole, xid::text from _kasoku_change \
                    where xid = pg_current_xact_id_if_assigned()";

/// Learns of changes.
pub(crate) struct Watch {
    mode: WatchMode,
    lease: Arc<Lease>,
    /// The tables that are watched; `None` where nothing is installed.
    tables: RwLock<Option<Arc<[Table]>>>,
    /// Transactions of this process whose changes are known already.
    own: Mutex<BTreeSet<u64>>,
}

impl Watch {
    pub(crate) fn new(settings: &PostgresSettings) -> Self {
        Self {
            mode: settings.watch,
            lease: Arc::new(Lease::new(settings.bound, Instant::now())),
            tables: RwLock::new(None),
            own: Mutex::default(),
        }
    }

    /// Looks for the triggers, or installs them, and begins to ask for others' changes.
    pub(crate) fn start(
        self: &Arc<Self>,
        held: &Held,
        background: &Background,
        connector: &Connector,
        (settings, teller, floors): (&Arc<PostgresSettings>, &Arc<Teller>, Option<&Arc<Floors>>),
    ) -> Result<(), DatabaseError> {
        if self.mode == WatchMode::Install && !settings.read_only {
            install(held, &[])?;
        }
        if self.mode == WatchMode::Off || installed(held)?.is_none() {
            return Ok(());
        }
        *self.tables.write() = Some(Arc::new([]));
        let feed = Feed {
            connector: connector.clone(),
            settings: Arc::clone(settings),
            teller: Arc::clone(teller),
            watch: Arc::clone(self),
            floors: floors.cloned(),
        };
        background.spawn(feed.run());
        Ok(())
    }

    /// How long what depends on others' changes may be reused; `None` if they are not learnt at all.
    pub(crate) fn lease(&self) -> Option<Arc<Lease>> {
        self.tables.read().as_ref().map(|_| Arc::clone(&self.lease))
    }

    /// Replaces the tables that are watched.
    pub(crate) fn watch(&self, held: &Held, tables: &[WatchedTable]) -> Result<(), DatabaseError> {
        if self.tables.read().is_none() {
            return Ok(());
        }
        if self.mode == WatchMode::Install {
            install(held, tables)?;
        }
        let tables = tables.iter().map(|table| kinds(held, table)).collect::<Result<Arc<[Table]>, _>>()?;
        *self.tables.write() = Some(tables);
        Ok(())
    }

    /// What the running transaction is about to make visible.
    /// The transaction is named where others can be told of it.
    pub(crate) fn of_this_transaction(&self, held: &Held) -> Result<(Vec<DataChange>, Option<u64>), Failed> {
        let Some(tables) = self.tables.read().clone() else {
            let rows = held.query(TOUCHED)?;
            let touched = rows.iter().map(|row| DataChange::Table(row.get::<_, &str>(0).into()));
            return Ok((touched.collect(), None));
        };
        let rows = held.query(TOLD)?;
        let mut changes = Vec::new();
        for row in &rows {
            let told =
                Told { relation: row.get(0), before: row.get(1), after: row.get(2), whole: row.get(3) };
            told::read(&told, &tables, &mut changes);
        }
        let transaction = rows.first().and_then(|row| row.get::<_, &str>(4).parse().ok());
        self.own.lock().extend(transaction);
        Ok((changes, transaction))
    }

    /// Nobody knows whether this transaction was committed: if it was, the feed is to tell of it.
    pub(crate) fn disown(&self, transaction: Option<u64>) {
        if let Some(transaction) = transaction {
            self.own.lock().remove(&transaction);
        }
    }

    fn tables(&self) -> Arc<[Table]> {
        self.tables.read().clone().unwrap_or_default()
    }

    fn is_own(&self, xid: u64) -> bool {
        self.own.lock().contains(&xid)
    }

    /// Forgets transactions of this process that a snapshot shows as over: the feed has passed them.
    fn let_go_of_own(&self, snapshot: &str) {
        let oldest = snapshot.split(':').next().and_then(|xmin| xmin.parse::<u64>().ok()).unwrap_or(0);
        let mut own = self.own.lock();
        *own = own.split_off(&oldest);
    }

    /// A question that was asked at this time was answered in full.
    fn heard(&self, asked: Instant, seen: &str) {
        if let Some(seen) = Seen::parse(seen) {
            self.lease.note(seen);
        }
        self.lease.renew(asked);
    }
}

/// Installs the triggers of these tables, and says which were not as they should be. Blocks meanwhile.
pub(crate) fn watch_install(
    settings: &PostgresSettings,
    tables: &[WatchedTable],
) -> Result<Vec<String>, DatabaseError> {
    apart(settings, |held| install(held, tables))
}

/// Takes away all that [`watch_install`] has made. Blocks meanwhile.
pub(crate) fn watch_remove(settings: &PostgresSettings) -> Result<(), DatabaseError> {
    apart(settings, remove)
}

/// The tables whose changes are written down; `None` if nothing is installed. Blocks meanwhile.
pub(crate) fn watch_status(settings: &PostgresSettings) -> Result<Option<Vec<Watched>>, DatabaseError> {
    apart(settings, installed)
}

/// Does something on a connection of its own.
fn apart<T>(
    settings: &PostgresSettings,
    f: impl FnOnce(&Held) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    let settings = Arc::new(settings.clone());
    let connector = Connector::new(&settings)?;
    let background = Background::start()?;
    let done = Held::open_elsewhere(background.handle(), &connector).and_then(|held| f(&held));
    background.close();
    done
}

/// How the values of the watched columns are read.
fn kinds(held: &Held, table: &WatchedTable) -> Result<Table, DatabaseError> {
    let sql = format!("select * from {} where false", kasoku_sql_plan::named::quoted(&table.table));
    let prepared =
        held.wait(held.session.client().prepare(&sql)).map_err(|error| held.failed(Failed::of(&error)))?;
    let kind = |name: &String| {
        let column = prepared.columns().iter().find(|column| column.name() == name);
        let kind = match column.map(|column| column.type_().clone()) {
            Some(Type::BOOL) => ColumnKind::Boolean,
            Some(Type::INT2 | Type::INT4 | Type::INT8 | Type::OID) => ColumnKind::Integer,
            Some(Type::FLOAT4 | Type::FLOAT8) => ColumnKind::Real,
            Some(Type::BYTEA) => ColumnKind::Blob,
            _ => ColumnKind::Text,
        };
        (name.clone(), kind)
    };
    Ok(Table { name: table.table.as_str().into(), columns: table.columns.iter().map(kind).collect() })
}
