//! The engine on PostgreSQL: shared connections for short reads, exclusive ones for everything else.

mod background;
mod backoff;
pub(crate) mod bulk;
mod connect;
pub(crate) mod copy;
mod error;
mod exclusive;
mod held;
pub(crate) mod inspect;
mod migrate;
pub(crate) mod native;
mod param;
mod read;
mod replicas;
pub(crate) mod rows;
mod sent;
mod settings;
mod shared;
mod tls;
mod transaction;
mod watch;
mod write;

use std::sync::Arc;

use kasoku_coherence::{Floors, Lease, Sequence};
use kasoku_observe::Observer;
use parking_lot::Mutex;

pub use settings::{PostgresSettings, ReplicaChoice};
pub(crate) use transaction::Transaction;
pub(crate) use watch::{watch_install, watch_remove, watch_status};

use crate::bulk::Bulk;
use crate::changes::{CommitListener, WatchedTable};
use crate::error::DatabaseError;
use crate::long::LongShapes;
use crate::migrate::Migration;
use crate::replica_facts::ReplicaFacts;
use crate::tell::Teller;
use background::Background;
use bulk::Load;
use connect::{Connector, Purpose};
use exclusive::Exclusive;
use held::Held;
use inspect::Inspector;
use replicas::Replicas;
use shared::Shared;
use watch::Watch;

/// A server that is connected to.
pub(crate) struct Postgres {
    settings: Arc<PostgresSettings>,
    connector: Connector,
    teller: Arc<Teller>,
    background: Background,
    shared: Shared,
    exclusive: Exclusive,
    long: LongShapes,
    watch: Arc<Watch>,
    /// There is one if there are replicas.
    floors: Option<Arc<Floors>>,
    replicas: Option<Arc<Replicas>>,
    /// For what is asked rarely, and from threads that may be blocked.
    own: Mutex<Option<Held>>,
}

impl Postgres {
    /// Connects, and brings the schema up to date. Blocks while it does.
    pub(crate) fn connect(
        settings: &PostgresSettings,
        migrations: &[Migration],
        sequence: Arc<Sequence>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, DatabaseError> {
        let settings = Arc::new(settings.clone());
        let connector = Connector::new(&settings)?;
        let teller = Arc::new(Teller::new(sequence, observer));
        let background = Background::start()?;
        if !migrations.is_empty() && !settings.read_only {
            // A file may leave settings behind, so its connection is not used for anything else.
            migrate::apply(&Held::open_elsewhere(background.handle(), &connector)?, migrations)?;
        }
        let own = Held::open_elsewhere(background.handle(), &connector)?;
        let watch = Arc::new(Watch::new(&settings));
        let floors = (!settings.replicas.is_empty()).then(Arc::<Floors>::default);
        watch.start(&own, &background, &connector, (&settings, &teller, floors.as_ref()))?;
        let replicas = match &floors {
            Some(floors) => {
                Replicas::start(&background, &connector, &settings, &teller, (floors, watch.lease()))?
            }
            None => None,
        };
        let shared = Shared::start(&background, &connector, &settings, &teller);
        let exclusive = Exclusive::start(&connector, &settings, &teller, Purpose::Write)?;
        let (long, own) = (LongShapes::new(settings.long), Mutex::new(Some(own)));
        Ok(Self {
            settings,
            connector,
            teller,
            background,
            shared,
            exclusive,
            long,
            watch,
            floors,
            replicas,
            own,
        })
    }

    pub(crate) fn place(&self) -> String {
        self.settings.place()
    }

    pub(crate) fn long_shapes(&self) -> &LongShapes {
        &self.long
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.settings.read_only
    }

    pub(crate) fn listen(&self, listener: Arc<dyn CommitListener>) {
        self.teller.listen(listener);
    }

    /// Loads much at once on the calling thread.
    pub(crate) fn bulk<T, E: From<DatabaseError>>(
        &self,
        f: impl FnOnce(&mut Bulk<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.settings.read_only {
            return Err(DatabaseError::ReadOnly.into());
        }
        let held = Held::open_elsewhere(self.background.handle(), &self.connector)?;
        let done = f(&mut Bulk::postgres(Load::new(&held)));
        // Nobody is told of what was loaded, so everything that is read from now on has to show it.
        self.settle_floors(&held)?;
        done
    }

    /// How replicas are, where there are any, and how many reads none was fit for.
    pub(crate) fn replicas(&self) -> Option<(Vec<ReplicaFacts>, u64)> {
        self.replicas.as_ref().map(|replicas| (replicas.facts(), replicas.passed_over()))
    }

    /// How far replicas must have come; `None` if there are none.
    pub(crate) fn floors(&self) -> Option<Arc<Floors>> {
        self.floors.clone()
    }

    /// Replaces the tables whose changes are reported. Blocks meanwhile.
    pub(crate) fn watch(&self, tables: &[WatchedTable]) -> Result<(), DatabaseError> {
        self.with_own(|held| self.watch.watch(held, tables))
    }

    /// How long what others may change is reused without being asked about; `None` if they are not noticed.
    pub(crate) fn lease(&self) -> Option<Arc<Lease>> {
        self.watch.lease()
    }

    pub(crate) fn inspector(&self) -> Result<Inspector, DatabaseError> {
        Ok(Inspector::over(Held::open_elsewhere(self.background.handle(), &self.connector)?))
    }

    pub(crate) fn close(&self) {
        self.exclusive.close();
        if let Some(replicas) = &self.replicas {
            replicas.close();
        }
        *self.own.lock() = None;
        self.background.close();
    }

    fn settle_floors(&self, held: &Held) -> Result<(), DatabaseError> {
        match &self.replicas {
            Some(replicas) => replicas.settle(held),
            None => Ok(()),
        }
    }

    /// Lends the engine's own connection, opened anew if it has ended.
    fn with_own<T>(&self, f: impl FnOnce(&Held) -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        let mut own = self.own.lock();
        if own.as_ref().is_none_or(Held::is_lost) {
            *own = Some(Held::open_elsewhere(self.background.handle(), &self.connector)?);
        }
        f(own.as_ref().expect("it was opened above"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
