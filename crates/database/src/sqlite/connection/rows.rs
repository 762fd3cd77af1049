//! A running statement, stepped row by row.

use super::Connection;
use crate::error::DatabaseError;

/// A running statement.
pub(crate) struct Running<'c> {
    connection: &'c Connection,
    raw: rusqlite::Rows<'c>,
    seen: u64,
}

impl<'c> Running<'c> {
    pub(super) fn new(connection: &'c Connection, raw: rusqlite::Rows<'c>) -> Self {
        Self { connection, raw, seen: 0 }
    }

    /// Steps to the next row.
    pub(crate) fn next(&mut self) -> Result<Option<&rusqlite::Row<'_>>, DatabaseError> {
        match self.raw.next() {
            Ok(Some(raw)) => {
                self.seen += 1;
                Ok(Some(raw))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(self.connection.failed(error)),
        }
    }

    /// How many columns each row has.
    pub(crate) fn width(&self) -> usize {
        self.raw.as_ref().map_or(0, rusqlite::Statement::column_count)
    }

    /// How many rows were stepped to.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }
}
