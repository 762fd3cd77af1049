//! Asking SQLite itself: what it holds, what a statement reads, how it would run it, what it returns.
//!
//! Nothing here runs a statement. All answers come from compiling it.

mod columns;
pub(super) mod describe;
mod partial;
pub(super) mod plan;
mod reads;
mod references;
mod volatile;

use std::path::Path;
use std::sync::Arc;

use kasoku_sql_plan::Schema;
use parking_lot::Mutex;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::error::DatabaseError;
use crate::inspect::{PlanFacts, Reads, ResultColumn};
use crate::migrate::Migration;
use crate::settings::Settings;
use crate::sqlite::connection::{Access, Connection, Place};
use crate::sqlite::migrate;

/// Answers questions about a database and about statements on it.
pub(crate) struct Inspector {
    connection: Connection,
    noted: Arc<Mutex<Vec<Noted>>>,
}

/// Something that SQLite asked leave for while it compiled a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Noted {
    Read { table: String, column: String },
    Write { table: String },
    Function { name: String },
    Other,
}

impl Inspector {
    /// Of a file, which is not touched.
    pub(crate) fn of_file(path: &Path) -> Result<Self, DatabaseError> {
        Self::over(path, Access::ReadOnly)
    }

    /// Of an empty database with these files applied.
    pub(crate) fn of_migrations(files: &[Migration]) -> Result<Self, DatabaseError> {
        let mut inspector = Self::over(Path::new(":memory:"), Access::Scratch)?;
        migrate::apply(inspector.connection.raw_mut(), files)?;
        inspector.take_notes()?;
        Ok(inspector)
    }

    /// The tables and views; without SQLite's own, Kasoku's own, virtual tables and what belongs to them.
    pub(crate) fn schema(&self) -> Result<Schema, DatabaseError> {
        describe::schema(self.connection.raw()).map_err(|error| self.connection.failed(error))
    }

    /// How a statement would be run.
    pub(crate) fn explain(&self, sql: &str) -> Result<PlanFacts, DatabaseError> {
        plan::explain(self.connection.raw(), sql).map_err(|error| self.connection.failed(error))
    }

    /// What a statement reads, writes and calls, through views and triggers.
    pub(crate) fn reads(&self, sql: &str) -> Result<Reads, DatabaseError> {
        self.noted.lock().clear();
        let prepared = self.connection.raw().prepare(sql).map_err(|error| self.connection.failed(error))?;
        drop(prepared);
        let noted = std::mem::take(&mut *self.noted.lock());
        reads::summarise(self.connection.raw(), sql, &noted).map_err(|error| self.connection.failed(error))
    }

    /// The columns of a statement's result.
    pub(crate) fn columns(&self, sql: &str) -> Result<Vec<ResultColumn>, DatabaseError> {
        columns::columns(self.connection.raw(), sql).map_err(|error| self.connection.failed(error))
    }

    /// The names of a statement's parameters by place, with their prefix (`:slug`); `None` for a plain `?`.
    pub(crate) fn parameters(&self, sql: &str) -> Result<Vec<Option<String>>, DatabaseError> {
        let prepared = self.connection.raw().prepare(sql).map_err(|error| self.connection.failed(error))?;
        let names = (1..=prepared.parameter_count()).map(|place| prepared.parameter_name(place));
        Ok(names.map(|name| name.map(str::to_owned)).collect())
    }

    /// Whether a statement only reads.
    pub(crate) fn reads_only(&self, sql: &str) -> Result<bool, DatabaseError> {
        let prepared = self.connection.raw().prepare(sql).map_err(|error| self.connection.failed(error))?;
        Ok(prepared.readonly())
    }

    fn over(path: &Path, access: Access) -> Result<Self, DatabaseError> {
        let settings = Settings::default();
        let place = Place {
            path: path.to_owned(),
            page_cache_bytes: settings.page_cache_bytes,
            mapped_bytes: 0,
            durable: false,
            files: std::sync::Arc::default(),
        };
        let connection = Connection::open(&place, access)?;
        let mut inspector = Self { connection, noted: Arc::default() };
        if access == Access::ReadOnly {
            inspector.take_notes()?;
        }
        Ok(inspector)
    }

    fn take_notes(&mut self) -> Result<(), DatabaseError> {
        let noted = Arc::clone(&self.noted);
        self.connection.raw_mut().authorizer(Some(move |context: AuthContext<'_>| {
            let mut noted = noted.lock();
            // Far more than any statement needs; the list is emptied before each that is asked about.
            if noted.len() < 10_000 {
                noted.push(note(&context.action));
            }
            Authorization::Allow
        }))?;
        Ok(())
    }
}

/// A name as an identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn note(action: &AuthAction<'_>) -> Noted {
    match *action {
        AuthAction::Read { table_name, column_name } => {
            Noted::Read { table: table_name.to_owned(), column: column_name.to_owned() }
        }
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => Noted::Write { table: table_name.to_owned() },
        AuthAction::Function { function_name } => {
            Noted::Function { name: function_name.to_ascii_lowercase() }
        }
        _ => Noted::Other,
    }
}
