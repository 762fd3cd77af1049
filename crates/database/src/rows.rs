//! Rows of a statement, lent one at a time, whichever engine they come from.

use kasoku_sql_plan::ColumnKind;
use rusqlite::types::ValueRef as RawRef;

use crate::error::DatabaseError;
use crate::json::{self, ExactNumbers};
use crate::postgres::native;
use crate::postgres::rows::Fetched;
use crate::sqlite::connection::Running;
use crate::value::ValueRef;

/// The rows of a statement. They are lent one at a time; what is to be kept must be copied.
pub struct Rows<'c>(From<'c>);

enum From<'c> {
    Sqlite(Running<'c>),
    Postgres(Fetched),
}

/// The current row.
#[derive(Clone, Copy)]
pub struct Row<'r>(Of<'r>);

#[derive(Clone, Copy)]
enum Of<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl<'c> Rows<'c> {
    pub(crate) fn sqlite(running: Running<'c>) -> Self {
        Self(From::Sqlite(running))
    }

    pub(crate) fn postgres(fetched: Fetched) -> Self {
        Self(From::Postgres(fetched))
    }

    /// Steps to the next row.
    #[expect(
        clippy::should_implement_trait,
        reason = "a row borrows from the rows, which an iterator cannot say"
    )]
    pub fn next(&mut self) -> Result<Option<Row<'_>>, DatabaseError> {
        Ok(match &mut self.0 {
            From::Sqlite(running) => running.next()?.map(|raw| Row(Of::Sqlite(raw))),
            From::Postgres(fetched) => fetched.next().map(|raw| Row(Of::Postgres(raw))),
        })
    }

    /// How many columns each row has.
    pub fn width(&self) -> usize {
        match &self.0 {
            From::Sqlite(running) => running.width(),
            From::Postgres(fetched) => fetched.width(),
        }
    }

    /// Whether the statement has more rows than can be stepped to, because their bytes were too many to be kept.
    pub fn is_cut(&self) -> bool {
        match &self.0 {
            From::Sqlite(_) => false,
            From::Postgres(fetched) => fetched.is_cut(),
        }
    }

    /// How many rows were stepped to.
    pub(crate) fn seen(&self) -> u64 {
        match &self.0 {
            From::Sqlite(running) => running.seen(),
            From::Postgres(fetched) => fetched.seen(),
        }
    }
}

impl<'r> Row<'r> {
    /// The value of a column, counted from 0.
    ///
    /// # Panics
    ///
    /// If the statement has no such column: its text and its reader do not belong together.
    pub fn get(&self, column: usize) -> ValueRef<'r> {
        match self.0 {
            Of::Sqlite(row) => ValueRef::from_raw(raw(row, column)),
            Of::Postgres(raw) => native::column(raw, column),
        }
    }

    /// Writes the value of a column as [`json::value`] does. Text in which there is nothing to escape and nothing
    /// beyond ASCII, as most is, is looked through once for both.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get) does.
    pub fn write_json(&self, column: usize, kind: ColumnKind, numbers: ExactNumbers, out: &mut Vec<u8>) {
        let Of::Sqlite(row) = self.0 else {
            return json::value(out, kind, self.get(column), numbers);
        };
        match raw(row, column) {
            RawRef::Text(bytes) if kind != ColumnKind::Json && json::is_plain(bytes) => {
                json::plain(out, bytes);
            }
            other => json::value(out, kind, ValueRef::from_raw(other), numbers),
        }
    }
}

fn raw<'r>(row: &'r rusqlite::Row<'r>, column: usize) -> RawRef<'r> {
    row.get_ref(column).expect("the reader knows the columns of its statement")
}
