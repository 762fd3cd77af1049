//! An empty copy of a schema, on which statements are planned and indexes tried, whatever the engine.

use std::path::Path;

use kasoku_sql_plan::Dialect;
use kasoku_sql_plan::proof::{Index, Planned, Reference};

use crate::error::DatabaseError;
use crate::migrate::Migration;
use crate::postgres::PostgresSettings;
use crate::{postgres, sqlite};

/// An empty copy of a schema. It has no rows and no statistics, so that plans depend on the schema alone, and it ends
/// with this value. The database that it is a copy of is not changed.
pub struct SchemaCopy(Engine);

enum Engine {
    Sqlite(Box<sqlite::copy::Copy>),
    Postgres(Box<postgres::copy::Copy>),
}

/// What a database would do if rows and statistics told it so. Without them, one that plans by costs finds most plans
/// alike, and takes any; so whoever asks names the one that suits the statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaning<'a> {
    /// Sorting what an index finds may be better than reading in order.
    pub sorts: bool,
    /// Indexes that it does not take.
    pub without: &'a [String],
}

impl SchemaCopy {
    /// What these files make, on SQLite.
    pub fn of_migrations(files: &[Migration]) -> Result<Self, DatabaseError> {
        sqlite::copy::Copy::of_migrations(files).map(|copy| Self(Engine::Sqlite(Box::new(copy))))
    }

    /// What a SQLite file holds; the file is not touched.
    pub fn of_file(path: &Path) -> Result<Self, DatabaseError> {
        sqlite::copy::Copy::of_file(path).map(|copy| Self(Engine::Sqlite(Box::new(copy))))
    }

    /// What these files make, or without files what the database holds, on a PostgreSQL server. The copy is a schema of
    /// its own, in a transaction that is never committed.
    pub fn of_server(settings: &PostgresSettings, files: &[Migration]) -> Result<Self, DatabaseError> {
        postgres::copy::Copy::of_server(settings, files).map(|copy| Self(Engine::Postgres(Box::new(copy))))
    }

    /// The SQL that it understands.
    pub fn dialect(&self) -> &'static Dialect {
        match &self.0 {
            Engine::Sqlite(_) => Dialect::SQLITE,
            Engine::Postgres(_) => Dialect::POSTGRES,
        }
    }

    /// How a statement would be run, sorting nothing if that can be.
    pub fn plan(&self, sql: &str) -> Result<Planned, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(copy) => copy.plan(sql),
            Engine::Postgres(copy) => copy.plan(sql, &Leaning::default()),
        }
    }

    /// How it would be run by a database that leans another way; `None` where there is no other.
    pub fn plan_leaning(&self, sql: &str, leaning: &Leaning<'_>) -> Result<Option<Planned>, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(copy) => copy.plan(sql, leaning).map(Some),
        }
    }

    /// Its indexes, those of keys and constraints too.
    pub fn indexes(&self) -> &[Index] {
        match &self.0 {
            Engine::Sqlite(copy) => copy.indexes(),
            Engine::Postgres(copy) => copy.indexes(),
        }
    }

    /// Its references from table to table.
    pub fn references(&self) -> Result<Vec<Reference>, DatabaseError> {
        match &self.0 {
            Engine::Sqlite(copy) => copy.references(),
            Engine::Postgres(copy) => copy.references(),
        }
    }

    /// Makes or drops an index.
    pub fn change(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match &mut self.0 {
            Engine::Sqlite(copy) => copy.change(sql),
            Engine::Postgres(copy) => copy.change(sql),
        }
    }
}
