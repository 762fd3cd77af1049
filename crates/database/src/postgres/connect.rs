//! One connection: how it is made, and how statements run on it.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use kasoku_sql_plan::Value;
use parking_lot::RwLock;
use tokio::time::timeout;
use tokio_postgres::{Client, Config};

use super::error::{Meaning, meaning, translate};
use super::param::Param;
use super::rows::Fetched;
use super::settings::PostgresSettings;
use super::tls::{self, Tls};
use crate::error::DatabaseError;
use crate::statement::Statement;

/// Prepared statements that a connection keeps; beyond them one is forgotten for each new one.
const STATEMENTS_KEPT: usize = 1_024;

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: Tls,
    settings: Arc<PostgresSettings>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reads only, whoever asks.
    Read,
    /// Anything that routes may do.
    Write,
    /// The schema, loads and the feed: no statement is too long.
    Own,
}

/// A connection, and what was prepared on it.
pub(crate) struct Session {
    client: Client,
    prepared: RwLock<HashMap<Arc<str>, tokio_postgres::Statement>>,
    pub(crate) opened: Instant,
}

/// What a statement gave.
pub(crate) struct Answer {
    pub(crate) rows: Fetched,
    /// Rows that it changed.
    pub(crate) changed: u64,
}

/// Why a statement gave nothing.
pub(crate) struct Failed {
    pub(crate) error: DatabaseError,
    pub(crate) meaning: Meaning,
}

impl Connector {
    pub(crate) fn new(settings: &Arc<PostgresSettings>) -> Result<Self, DatabaseError> {
        let (mut config, tls) = tls::read(&settings.url)?;
        config.connect_timeout(settings.connect_timeout);
        if config.get_application_name().is_none() {
            config.application_name("kasoku");
        }
        Ok(Self { config, tls, settings: Arc::clone(settings) })
    }

    /// Connects. The second part is the connection's own work, which must be driven for the first to answer; it ends
    /// with the connection.
    pub(crate) async fn open(
        &self,
        purpose: Purpose,
    ) -> Result<(Session, impl Future<Output = ()> + Send + use<>), DatabaseError> {
        let connected = timeout(self.settings.connect_timeout, self.config.connect(self.tls.clone())).await;
        let (client, connection) = connected
            .map_err(|_| DatabaseError::Io("the database server does not answer".into()))?
            .map_err(|error| translate(&error))?;
        let mut work = Box::pin(async move {
            // Whoever waits for an answer learns of the error there.
            let _told_elsewhere = connection.await;
        });
        let opening = self.opening(purpose);
        tokio::select! {
            biased;
            prepared = timeout(self.settings.connect_timeout, client.batch_execute(&opening)) => {
                prepared
                    .map_err(|_| DatabaseError::Io("the database server does not answer".into()))?
                    .map_err(|error| translate(&error))?;
            }
            () = &mut work => return Err(DatabaseError::Io("the connection ended at once".into())),
        }
        let session = Session { client, prepared: RwLock::default(), opened: Instant::now() };
        Ok((session, work))
    }

    /// How connections are kept secret.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// What makes a connection for writes as good as new: nothing that functions and triggers of one job left in its
    /// session is there for the next. Prepared statements are the engine's own, and stay.
    pub(crate) fn cleaning(&self) -> String {
        format!(
            "close all; set session authorization default; reset all; unlisten *; \
             select pg_advisory_unlock_all(); discard temp; discard sequences; {}",
            self.opening(Purpose::Write)
        )
    }

    /// What is told to the server first.
    fn opening(&self, purpose: Purpose) -> String {
        let limit = match purpose {
            Purpose::Own => 0,
            Purpose::Read | Purpose::Write => self.settings.statement_timeout.as_millis(),
        };
        let read_only = if purpose == Purpose::Read || self.settings.read_only { "on" } else { "off" };
        // Texts of dates, times and intervals do not depend on how the server is set up.
        format!(
            "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; \
             set client_min_messages = 'warning'; set standard_conforming_strings = on; \
             set statement_timeout = {limit}; set default_transaction_read_only = {read_only}"
        )
    }
}

impl Session {
    /// The driver's own client, for what is not a declared statement.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether it is known to have ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs a statement and fetches its rows, or those up to the most that its reader wants.
    pub(crate) async fn run(&self, statement: &Statement, params: &[Value]) -> Result<Answer, Failed> {
        let first = self.run_prepared(statement, params).await;
        match first {
            // A table was changed under it. Prepared anew, it sees the table as it is.
            Err(failed) if failed.meaning == Meaning::Outdated => {
                self.prepared.write().remove(statement.sql());
                self.run_prepared(statement, params).await
            }
            other => other,
        }
    }

    async fn run_prepared(&self, statement: &Statement, params: &[Value]) -> Result<Answer, Failed> {
        let prepared = self.prepare(statement).await?;
        let expected = prepared.params().len();
        if expected != params.len() {
            let message = format!("the statement has {expected} parameters, not {}", params.len());
            let error = DatabaseError::Sql { code: "08P01".into(), message: message.into(), offset: None };
            return Err(Failed { error, meaning: Meaning::Statement });
        }
        let rows = self
            .client
            .query_raw(&prepared, params.iter().map(Param))
            .await
            .map_err(|error| Failed::of(&error))?;
        let mut rows = pin!(rows);
        let (mut fetched, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await.map_err(|error| Failed::of(&error))? {
            if fetched.len() as u64 == statement.rows_most() {
                return Ok(Answer { rows: Fetched::new(fetched, prepared.columns().len()), changed: 0 });
            }
            if bytes >= statement.bytes_most() {
                let kept = Fetched::new(fetched, prepared.columns().len()).cut();
                return Ok(Answer { rows: kept, changed: 0 });
            }
            bytes += row.raw_size_bytes() as u64;
            fetched.push(row);
        }
        let changed = rows.rows_affected().unwrap_or(0);
        Ok(Answer { rows: Fetched::new(fetched, prepared.columns().len()), changed })
    }

    /// The statement as the server knows it.
    pub(crate) async fn prepare(&self, statement: &Statement) -> Result<tokio_postgres::Statement, Failed> {
        if let Some(known) = self.prepared.read().get(statement.sql()) {
            return Ok(known.clone());
        }
        let fresh = self.client.prepare(statement.sql()).await.map_err(|error| Failed::of(&error))?;
        let mut prepared = self.prepared.write();
        if prepared.len() >= STATEMENTS_KEPT {
            let victim = prepared.keys().next().cloned();
            victim.and_then(|victim| prepared.remove(&victim));
        }
        Ok(prepared.entry(statement.shared_sql()).or_insert(fresh).clone())
    }
}

impl Failed {
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        Self { meaning: meaning(error), error: translate(error) }
    }
}
