//! The database as the rest of the product sees it, whichever engine is behind it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Floors, Lease, Sequence, Snapshot};
use kasoku_observe::Observer;
use kasoku_sql_plan::{Dialect, Value};

use crate::bulk::Bulk;
use crate::changes::{CommitListener, WatchedTable};
use crate::commit::{Commit, Isolation};
use crate::error::DatabaseError;
use crate::inspect::Inspector;
use crate::long::LongShapes;
use crate::migrate::Migration;
use crate::needs::ReadNeeds;
use crate::postgres::{Postgres, PostgresSettings};
use crate::replica_facts::ReplicaFacts;
use crate::rows::Rows;
use crate::settings::Settings;
use crate::sqlite::Sqlite;
use crate::statement::Statement;
use crate::transaction::{ReadTransaction, WriteTransaction};

/// An open database. Dropping it finishes what waits and closes it.
pub struct Database(Engine);

enum Engine {
    Sqlite(Box<Sqlite>),
    Postgres(Box<Postgres>),
}

impl Database {
    /// Opens a file and brings its schema up to date; blocks while it does.
    pub fn open(
        settings: &Settings,
        migrations: &[Migration],
        sequence: Arc<Sequence>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, DatabaseError> {
        let sqlite = Sqlite::open(settings, migrations, sequence, observer)?;
        Ok(Self(Engine::Sqlite(Box::new(sqlite))))
    }

    /// Connects to a server and brings the schema up to date; blocks while it does.
    pub fn connect(
        settings: &PostgresSettings,
        migrations: &[Migration],
        sequence: Arc<Sequence>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, DatabaseError> {
        let postgres = Postgres::connect(settings, migrations, sequence, observer)?;
        Ok(Self(Engine::Postgres(Box::new(postgres))))
    }

    /// How SQL is written for it.
    pub fn dialect(&self) -> &'static Dialect {
        match &self.0 {
            Engine::Sqlite(_) => Dialect::SQLITE,
            Engine::Postgres(_) => Dialect::POSTGRES,
        }
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Engine::Sqlite(sqlite) => Some(sqlite.path()),
            Engine::Postgres(_) => None,
        }
    }

    /// Where it is, for people: the file's name, or the server and the database's name. No user, no password.
    pub fn place(&self) -> String {
        match &self.0 {
            Engine::Sqlite(sqlite) => {
                sqlite.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
            Engine::Postgres(postgres) => postgres.place(),
        }
    }

    /// Whether writes are refused.
    pub fn is_read_only(&self) -> bool {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.is_read_only(),
            Engine::Postgres(postgres) => postgres.is_read_only(),
        }
    }

    /// Which shapes took long lately. Whoever [reads in place](Self::reads_in_place) asks it, and tells it; a server's
    /// statements are looked after here.
    pub fn long_shapes(&self) -> &LongShapes {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.long_shapes(),
            Engine::Postgres(postgres) => postgres.long_shapes(),
        }
    }

    /// Whether [`read_here`](Self::read_here) is the fastest way for short statements.
    pub fn reads_in_place(&self) -> bool {
        matches!(self.0, Engine::Sqlite(_))
    }

    /// Reads on the calling thread, which it blocks. Where the database is
    /// [in this process](Self::reads_in_place), that is right for statements that are known to be short, because a
    /// hop to another thread costs more than they do.
    pub fn read_here<T, E: From<DatabaseError>>(
        &self,
        statement: &Statement,
        params: &[Value],
        deadline: Option<Instant>,
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<(T, Snapshot), E> {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.read_here(statement, params, deadline, f),
            Engine::Postgres(postgres) => postgres.read_here(statement, params, deadline, f),
        }
    }

    /// Reads several statements on the calling thread, which it blocks; all see the database at one moment. Only for
    /// databases [in this process](Self::reads_in_place); others refuse.
    pub fn read_many_here<T, E: From<DatabaseError>>(
        &self,
        deadline: Option<Instant>,
        f: impl FnOnce(&mut ReadTransaction<'_>) -> Result<T, E>,
    ) -> Result<(T, Snapshot), E> {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.read_many_here(deadline, f),
            Engine::Postgres(_) => Err(DatabaseError::Refused("a server is not read in place".into()).into()),
        }
    }

    /// Reads without blocking the calling thread. Dropping the future stops the statement, where it has a
    /// connection of its own. Where a copy of the database may be read and that fails, `f` is run on the database.
    pub async fn read<T, E>(
        &self,
        statement: &Statement,
        params: Vec<Value>,
        needs: impl Into<ReadNeeds>,
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E> + Clone + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.read(statement, params, needs.into().deadline, f).await,
            Engine::Postgres(postgres) => postgres.read(statement, params, needs.into(), f).await,
        }
    }

    /// Reads several statements without blocking the calling thread; all see the database at one moment.
    pub async fn read_many<T, E>(
        &self,
        needs: impl Into<ReadNeeds>,
        f: impl FnOnce(&mut ReadTransaction<'_>) -> Result<T, E> + Clone + Send + 'static,
    ) -> Result<(T, Snapshot), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.read_many(needs.into().deadline, f).await,
            Engine::Postgres(postgres) => postgres.read_many(needs.into(), f).await,
        }
    }

    /// Writes, and waits until it is durable and its listener knows. An error undoes what the job did.
    ///
    /// The job may share its commit with others. It is begun unless its deadline passes first, whether or not
    /// anybody still waits; and it is run again, on a fresh transaction, if others spoil the first.
    pub async fn write<T, E>(
        &self,
        deadline: Option<Instant>,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Commit), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.write(deadline, job).await.map(Commit::of),
            Engine::Postgres(postgres) => postgres.write(deadline, Isolation::Statements, job).await,
        }
    }

    /// As [`Self::write`], for a job that decides by what it reads: nothing that it read has changed when it is
    /// committed. If something did, it is run again.
    pub async fn write_isolated<T, E>(
        &self,
        deadline: Option<Instant>,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Commit), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &self.0 {
            // There is one writer, so nothing changes in between.
            Engine::Sqlite(sqlite) => sqlite.write(deadline, job).await.map(Commit::of),
            Engine::Postgres(postgres) => postgres.write(deadline, Isolation::Job, job).await,
        }
    }

    /// As [`Self::write`], for a job of many statements that may take until the deadline; where there is one writer, others
    /// wait meanwhile. What `decides` by what it reads is isolated.
    pub async fn write_long<T, E>(
        &self,
        decides: bool,
        deadline: Instant,
        job: impl FnMut(&mut WriteTransaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Commit), E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.write_long(deadline, job).await.map(Commit::of),
            Engine::Postgres(postgres) => postgres.write_until(deadline, Isolation::of(decides), job).await,
        }
    }

    /// Replaces the tables whose changes are reported. Their rows are reported from the next commit on.
    pub async fn watch(&self, tables: Vec<WatchedTable>) -> Result<(), DatabaseError> {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.watch(tables).await,
            Engine::Postgres(postgres) => postgres.watch(&tables),
        }
    }

    /// How long an answer from this database may be reused although others may have changed what it depends on;
    /// `None` if that does not depend on a feed.
    pub fn lease(&self) -> Option<Arc<Lease>> {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.lease(),
            Engine::Postgres(postgres) => postgres.lease(),
        }
    }

    /// How far copies of it must have come to be read from; to be told what changes touch. `None` if there are none.
    pub fn floors(&self) -> Option<Arc<Floors>> {
        match &self.0 {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => postgres.floors(),
        }
    }

    /// How the copies of it are that may be read from, and how many reads none was fit for; `None` if there are none.
    pub fn replicas(&self) -> Option<(Vec<ReplicaFacts>, u64)> {
        match &self.0 {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => postgres.replicas(),
        }
    }

    /// Replaces whoever is told of commits.
    pub fn listen(&self, listener: Arc<dyn CommitListener>) {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.listen(listener),
            Engine::Postgres(postgres) => postgres.listen(listener),
        }
    }

    /// Loads much at once on the calling thread, which it blocks.
    pub fn bulk<T, E: From<DatabaseError>>(
        &self,
        f: impl FnOnce(&mut Bulk<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.bulk(f),
            Engine::Postgres(postgres) => postgres.bulk(f),
        }
    }

    /// Answers questions about this database, on a connection of its own.
    pub fn inspector(&self) -> Result<Inspector, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.inspector().map(Inspector::sqlite),
            Engine::Postgres(postgres) => postgres.inspector().map(Inspector::postgres),
        }
    }

    /// Finishes what waits, refuses what comes, and closes. Blocks meanwhile.
    pub fn close(&self) {
        match &self.0 {
            Engine::Sqlite(sqlite) => sqlite.close(),
            Engine::Postgres(postgres) => postgres.close(),
        }
    }
}
