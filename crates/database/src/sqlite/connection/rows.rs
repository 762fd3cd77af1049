//! Rows of a running statement, lent one at a time.

use super::Connection;
use crate::error::DatabaseError;
use crate::value::ValueRef;

/// The rows of a running statement. They exist one at a time; what is to be kept must be copied.
pub struct Rows<'c> {
    connection: &'c Connection,
    raw: rusqlite::Rows<'c>,
    seen: u64,
}

/// The current row.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    raw: &'r rusqlite::Row<'r>,
}

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection, raw: rusqlite::Rows<'c>) -> Self {
        Self { connection, raw, seen: 0 }
    }

    /// Steps to the next row.
    #[expect(
        clippy::should_implement_trait,
        reason = "a row borrows from the rows, which an iterator cannot say"
    )]
    pub fn next(&mut self) -> Result<Option<Row<'_>>, DatabaseError> {
        match self.raw.next() {
            Ok(Some(raw)) => {
                self.seen += 1;
                Ok(Some(Row { raw }))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(self.connection.failed(error)),
        }
    }

    /// How many columns each row has.
    pub fn width(&self) -> usize {
        self.raw.as_ref().map_or(0, rusqlite::Statement::column_count)
    }

    /// How many rows were stepped to.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }
}

impl<'r> Row<'r> {
    /// The value of a column, counted from 0.
    ///
    /// # Panics
    ///
    /// If the statement has no such column: its text and its reader do not belong together.
    pub fn get(&self, column: usize) -> ValueRef<'r> {
        let raw = self.raw.get_ref(column).expect("the reader knows the columns of its statement");
        ValueRef::from_raw(raw)
    }
}
