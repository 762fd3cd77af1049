//! One connection: how it is opened, and how a statement runs on it.

mod functions;
mod guard;
mod open;
mod rows;
mod stop;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use kasoku_observe::{Observation, Observer};
use kasoku_sql_plan::Value;

use guard::Guard;
pub(crate) use open::{Access, Place};
pub(crate) use rows::Running;
pub(crate) use stop::Stop;

use crate::error::{DatabaseError, Severity};
use crate::rows::Rows;
use crate::statement::Statement;
use crate::value::bound;

/// Prepared statements that a connection keeps.
const STATEMENTS_KEPT: usize = 256;

/// A connection with its stop watch. It belongs to one thread at a time.
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    stop: Arc<Stop>,
    guard: Guard,
    worst: Cell<Severity>,
    files: Arc<AtomicU64>,
    /// Which of them this one has open.
    file: u64,
}

/// What a statement did.
pub(crate) struct Ran<T> {
    /// What its reader made of the rows.
    pub(crate) value: T,
    /// Rows that it changed itself, triggers and cascades apart.
    pub(crate) changed: u64,
}

impl Connection {
    /// Opens a connection.
    pub(crate) fn open(place: &Place, access: Access) -> Result<Self, DatabaseError> {
        let files = Arc::clone(&place.files);
        let file = files.load(Ordering::Acquire);
        let mut raw = open::open(place, access)?;
        functions::install(&raw)?;
        let stop = Arc::new(Stop::new());
        let asked = Arc::clone(&stop);
        raw.progress_handler(stop::STEPS_BETWEEN, Some(move || asked.asked()))?;
        raw.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        let guard = Guard::default();
        guard.install(&mut raw)?;
        Ok(Self { raw, stop, guard, worst: Cell::new(Severity::Harmless), files, file })
    }

    /// Whether another file lies at its path by now.
    pub(crate) fn is_outdated(&self) -> bool {
        self.files.load(Ordering::Acquire) != self.file
    }

    /// The driver's connection, for what is not a declared statement.
    pub(crate) fn raw(&self) -> &rusqlite::Connection {
        &self.raw
    }

    /// As [`Connection::raw`], for hooks.
    pub(crate) fn raw_mut(&mut self) -> &mut rusqlite::Connection {
        &mut self.raw
    }

    /// When its statements must stop.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// The worst error since the last call.
    pub(crate) fn take_worst(&self) -> Severity {
        self.worst.replace(Severity::Harmless)
    }

    /// Translates an error, remembers how bad it is, and tells a deadline from other interruptions.
    pub(crate) fn failed(&self, error: rusqlite::Error) -> DatabaseError {
        let error = match DatabaseError::from(error) {
            DatabaseError::Interrupted if self.stop.passed() => DatabaseError::Deadline,
            other => other,
        };
        self.worst.set(self.worst.get().max(error.severity()));
        error
    }

    /// Runs a statement of the engine itself, without parameters; it is kept prepared. Where a declared statement
    /// must not say the same, its text is marked by a comment, so that it is not found prepared under this one.
    pub(crate) fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        let run = || -> rusqlite::Result<()> {
            let mut statement = self.raw.prepare_cached(sql)?;
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            Ok(())
        };
        run().map_err(|error| self.failed(error))
    }

    /// Reads one integer with a statement of the engine itself; it is kept prepared.
    pub(crate) fn integer(&self, sql: &str) -> Result<i64, DatabaseError> {
        let read = || self.raw.prepare_cached(sql)?.query_row([], |row| row.get(0));
        read().map_err(|error| self.failed(error))
    }

    /// Runs a declared statement and lends its rows to `f`.
    pub(crate) fn query<T, E: From<DatabaseError>>(
        &self,
        observer: &dyn Observer,
        statement: &Statement,
        params: &[Value],
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<Ran<T>, E> {
        let started = Instant::now();
        let result = self.guard.on(|| self.query_guarded(statement, params, f));
        let rows = result.as_ref().map_or(0, |(_, rows)| *rows);
        observer.observe(&Observation::Statement {
            name: statement.name(),
            sql: statement.sql(),
            took: started.elapsed(),
            rows,
        });
        Ok(result?.0)
    }

    fn query_guarded<T, E: From<DatabaseError>>(
        &self,
        statement: &Statement,
        params: &[Value],
        f: impl FnOnce(&mut Rows<'_>) -> Result<T, E>,
    ) -> Result<(Ran<T>, u64), E> {
        let mut prepared = self.raw.prepare_cached(statement.sql()).map_err(|error| self.failed(error))?;
        let expected = prepared.parameter_count();
        if expected != params.len() {
            let wrong = rusqlite::Error::InvalidParameterCount(params.len(), expected);
            return Err(self.failed(wrong).into());
        }
        for (place, value) in params.iter().enumerate() {
            prepared.raw_bind_parameter(place + 1, bound(value)).map_err(|error| self.failed(error))?;
        }
        let reads_only = prepared.readonly();
        let mut rows = Rows::sqlite(Running::new(self, prepared.raw_query()));
        let value = f(&mut rows)?;
        let seen = rows.seen();
        drop(rows);
        let changed = if reads_only { 0 } else { self.raw.changes() };
        Ok((Ran { value, changed }, if reads_only { seen } else { changed }))
    }
}
