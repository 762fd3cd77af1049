//! The triggers by which changes of others are noticed: put in place, taken away and looked at, in either engine.

use std::path::Path;

use crate::changes::WatchedTable;
use crate::error::DatabaseError;
use crate::postgres::{self, PostgresSettings};
use crate::sqlite;
use crate::watched::Watched;

/// A database that others can change.
#[derive(Debug, Clone, Copy)]
pub enum Watchable<'s> {
    /// A file.
    File(&'s Path),
    /// A server.
    Server(&'s PostgresSettings),
}

impl<'s> From<&'s PostgresSettings> for Watchable<'s> {
    fn from(settings: &'s PostgresSettings) -> Self {
        Self::Server(settings)
    }
}

/// Installs the triggers of these tables, and says which were not as they should be. Blocks meanwhile.
pub fn watch_install<'s>(
    place: impl Into<Watchable<'s>>,
    tables: &[WatchedTable],
) -> Result<Vec<String>, DatabaseError> {
    match place.into() {
        Watchable::File(path) => sqlite::watch::watch_install(path, tables),
        Watchable::Server(settings) => postgres::watch_install(settings, tables),
    }
}

/// Takes away all that [`watch_install`] has made. Blocks meanwhile.
pub fn watch_remove<'s>(place: impl Into<Watchable<'s>>) -> Result<(), DatabaseError> {
    match place.into() {
        Watchable::File(path) => sqlite::watch::watch_remove(path),
        Watchable::Server(settings) => postgres::watch_remove(settings),
    }
}

/// The tables whose changes are written down; `None` if nothing is installed. Blocks meanwhile.
pub fn watch_status<'s>(place: impl Into<Watchable<'s>>) -> Result<Option<Vec<Watched>>, DatabaseError> {
    match place.into() {
        Watchable::File(path) => sqlite::watch::watch_status(path),
        Watchable::Server(settings) => postgres::watch_status(settings),
    }
}
