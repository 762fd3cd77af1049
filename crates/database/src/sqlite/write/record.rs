//! The record of what the current group of writes has changed so far.
//!
//! Triggers that live on the writer's connection only (TEMP) call a function of ours with the old and new values.
//! Unlike SQLite's update hook they see REPLACE, cascades, tables without a rowid and deletes of everything; and a
//! savepoint that is rolled back takes its part of the record with it.

use std::sync::Arc;

use kasoku_sql_plan::Value;
use parking_lot::Mutex;
use rusqlite::functions::{Context, FunctionFlags};

use crate::changes::{BYTES_REPORTED_MAX, DataChange, ROWS_REPORTED_MAX, RowChange};
use crate::error::DatabaseError;
use crate::sqlite::connection::Connection;
use crate::value::ValueRef;

/// The SQL name of the function that the triggers call.
pub(super) const FUNCTION: &str = "_kasoku_changed";

/// What the triggers say happened, as the function's second argument.
pub(super) const INSERTED: i64 = 0;
pub(super) const UPDATED: i64 = 1;
pub(super) const DELETED: i64 = 2;

/// The record of the current group.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Record>>);

/// A place in the record to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize);

#[derive(Default)]
struct Record {
    tables: Vec<Watched>,
    changes: Vec<(usize, DataChange)>,
}

struct Watched {
    name: Arc<str>,
    width: usize,
    rows: usize,
    bytes: usize,
    whole: bool,
}

impl Recorder {
    /// Registers the function on a connection.
    pub(super) fn install(&self, connection: &Connection) -> Result<(), DatabaseError> {
        let record = Arc::clone(&self.0);
        connection
            .raw()
            .create_scalar_function(FUNCTION, -1, FunctionFlags::SQLITE_UTF8, move |context| {
                record.lock().add(context);
                Ok(0_i64)
            })
            .map_err(|error| connection.failed(error))
    }

    /// Begins a record of these tables, each with how many of its columns are watched.
    pub(super) fn watch(&self, tables: impl Iterator<Item = (Arc<str>, usize)>) {
        let tables =
            tables.map(|(name, width)| Watched { name, width, rows: 0, bytes: 0, whole: false }).collect();
        *self.0.lock() = Record { tables, changes: Vec::new() };
    }

    /// Where the record stands.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.0.lock().changes.len())
    }

    /// Forgets what was recorded since.
    pub(super) fn forget_since(&self, mark: Mark) {
        let mut record = self.0.lock();
        while record.changes.len() > mark.0 {
            record.forget_last();
        }
    }

    /// Hands the record over and begins anew.
    pub(super) fn take(&self) -> Vec<DataChange> {
        let mut record = self.0.lock();
        let changes = std::mem::take(&mut record.changes);
        let kept = changes
            .into_iter()
            .filter(|(table, change)| !matches!(change, DataChange::Row(_)) || !record.tables[*table].whole)
            .map(|(_, change)| change)
            .collect();
        for table in &mut record.tables {
            (table.rows, table.bytes, table.whole) = (0, 0, false);
        }
        kept
    }
}

impl Record {
    fn add(&mut self, context: &Context<'_>) {
        let argument = |place| ValueRef::from_raw(context.get_raw(place));
        let (Some(place), Some(what)) = (argument(0).as_integer(), argument(1).as_integer()) else {
            return;
        };
        let Some(table) = self.tables.get_mut(place as usize) else { return };
        if table.whole {
            return;
        }
        let values = |from: usize| -> Box<[Value]> {
            (from..from + table.width).map(|place| argument(place).to_value()).collect()
        };
        let (old, new) = match what {
            INSERTED => (None, Some(values(2))),
            DELETED => (Some(values(2)), None),
            _ => (Some(values(2)), Some(values(2 + table.width))),
        };
        let change = RowChange { table: Arc::clone(&table.name), old, new };
        table.rows += 1;
        table.bytes += weight(&change);
        let change = if table.rows > ROWS_REPORTED_MAX || table.bytes > BYTES_REPORTED_MAX {
            table.whole = true;
            DataChange::Table(change.table)
        } else {
            DataChange::Row(change)
        };
        self.changes.push((place as usize, change));
    }

    fn forget_last(&mut self) {
        let Some((table, change)) = self.changes.pop() else { return };
        let table = &mut self.tables[table];
        match change {
            DataChange::Row(row) => {
                table.rows -= 1;
                table.bytes -= weight(&row);
            }
            // The change that was too much was counted but not kept, so the counts stay a little too high until the
            // group ends: the table may be reported as a whole a little early.
            _ => table.whole = false,
        }
    }
}

fn weight(change: &RowChange) -> usize {
    let values = change.old.iter().chain(&change.new).flat_map(|row| row.iter());
    values
        .map(|value| {
            size_of::<Value>()
                + match value {
                    Value::Text(text) => text.len(),
                    Value::Blob(bytes) => bytes.len(),
                    _ => 0,
                }
        })
        .sum()
}
