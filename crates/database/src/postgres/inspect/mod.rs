//! Asking PostgreSQL itself: what it holds, what a statement reads, how it would run it, what it returns.
//!
//! Every question is asked in a transaction that is rolled back. What a statement reads is what the server writes down
//! about a view that is made of it.

mod columns;
mod describe;
mod kind;
mod plan;
mod probe;
mod reads;
mod volatile;

use std::sync::Arc;

use kasoku_sql_plan::{Schema, named};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::background::Background;
use super::connect::{Connector, Failed};
use super::held::Held;
use super::migrate;
use super::settings::PostgresSettings;
use crate::error::DatabaseError;
use crate::inspect::{PlanFacts, Reads, ResultColumn};
use crate::migrate::Migration;

/// How long the server may keep a rehearsal waiting for others.
const LOCK_PATIENCE: &str = "2s";

/// Answers questions about a database and about statements on it.
pub(crate) struct Inspector {
    held: Held,
    place: Place,
    /// Drives the connection of one that is asked without an engine. Closed after the connection.
    _background: Option<Background>,
}

/// Where questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In what there is.
    Real,
    /// In a schema that is gone with the transaction that made it.
    Scratch,
}

impl Inspector {
    /// Of what there is.
    pub(crate) fn of_server(settings: &PostgresSettings) -> Result<Self, DatabaseError> {
        let connector = Connector::new(&Arc::new(settings.clone()))?;
        let background = Background::start()?;
        let held = Held::open_elsewhere(background.handle(), &connector)?;
        Ok(Self { held, place: Place::Real, _background: Some(background) })
    }

    /// Of what there is, over a connection of an engine.
    pub(super) fn over(held: Held) -> Self {
        Self { held, place: Place::Real, _background: None }
    }

    /// Of what there will be once these files are applied.
    pub(crate) fn of_server_with_migrations(
        settings: &PostgresSettings,
        files: &[Migration],
    ) -> Result<Self, DatabaseError> {
        let inspector = Self::of_server(settings)?;
        if migrate::are_applied(&inspector.held, files)? {
            return Ok(inspector);
        }
        inspector.run("begin isolation level read committed, read write")?;
        // Named by the connection, so that rehearsals do not meet. What the files take for granted, such as the types
        // of an extension, is found where it was before.
        let named = "select format('kasoku_rehearsal_%s', pg_backend_pid()), current_setting('search_path')";
        let (name, path): (String, String) = match inspector.query(named, &[])?.as_slice() {
            [row, ..] => (row.get(0), row.get(1)),
            [] => return Err(DatabaseError::Io("the server does not say where it looks for names".into())),
        };
        let path = format!("set local search_path = {name}, {path}");
        inspector
            .run(&format!("create schema {name}; set local lock_timeout = '{LOCK_PATIENCE}'; {path}"))?;
        migrate::rehearse(&inspector.held, files)?;
        // A file may have set another path, as dumps do.
        inspector.run(&path)?;
        Ok(Self { place: Place::Scratch, ..inspector })
    }

    pub(crate) fn schema(&self) -> Result<Schema, DatabaseError> {
        self.undone(|| describe::schema(self))
    }

    pub(crate) fn explain(&self, sql: &str) -> Result<PlanFacts, DatabaseError> {
        self.undone(|| plan::explain(self, sql))
    }

    pub(crate) fn plan_lines(&self, sql: &str) -> Result<Vec<String>, DatabaseError> {
        self.undone(|| plan::lines(self, sql))
    }

    pub(crate) fn reads(&self, sql: &str) -> Result<Reads, DatabaseError> {
        self.undone(|| reads::reads(self, sql))
    }

    pub(crate) fn columns(&self, sql: &str) -> Result<Vec<ResultColumn>, DatabaseError> {
        self.undone(|| columns::columns(self, sql))
    }

    pub(crate) fn parameters(&self, sql: &str) -> Result<Vec<Option<String>>, DatabaseError> {
        let numbered = named::numbered(sql, |_| true);
        let count = self.undone(|| Ok(self.prepare(sql)?.params().len()))?;
        let name = |place| numbered.names.get(place).map(|name: &&str| format!(":{name}"));
        Ok((0..count).map(name).collect())
    }

    pub(crate) fn reads_only(&self, sql: &str) -> Result<bool, DatabaseError> {
        self.undone(|| reads::reads_only(self, sql))
    }

    /// Prepares a statement, with numbers for its named parameters.
    fn prepare(&self, sql: &str) -> Result<tokio_postgres::Statement, DatabaseError> {
        let numbered = named::numbered(sql, |_| true);
        let prepared = self.held.wait(self.held.session.client().prepare(&numbered.text));
        prepared.map_err(|error| match self.held.failed(Failed::of(&error)) {
            DatabaseError::Sql { code, message, offset } => {
                // The server counts characters.
                let byte =
                    |at| numbered.text.char_indices().nth(at).map_or(numbered.text.len(), |(at, _)| at);
                DatabaseError::Sql { code, message, offset: offset.map(|at| numbered.origin(byte(at))) }
            }
            other => other,
        })
    }

    fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DatabaseError> {
        let rows = self.held.wait(self.held.session.client().query(sql, params));
        rows.map_err(|error| self.held.failed(Failed::of(&error)))
    }

    fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        self.held.run(sql)
    }

    /// Does something whose effects on the database are undone.
    fn undone<T>(&self, f: impl FnOnce() -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        let [begin, end] = match self.place {
            Place::Real => ["begin isolation level repeatable read, read write", "rollback"],
            Place::Scratch => {
                ["savepoint kasoku_question", "rollback to kasoku_question; release kasoku_question"]
            }
        };
        self.run(begin)?;
        let result = f();
        if !self.held.is_lost() {
            self.run(end)?;
        }
        result
    }
}
