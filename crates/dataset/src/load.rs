//! The second reading of a file: converts its rows to the types of the survey and stores them.

use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use kasoku_sql_plan::Value;

use crate::bytes::Meter;
use crate::cell::{Cell, value_of};
use crate::error::DatasetError;
use crate::input::Input;
use crate::progress::{Stage, Ticker};
use crate::rows::{self, Row};
use crate::shape::{KeyShape, TableShape};
use crate::store::Store;

/// Rows that go from thread to thread together, and the bytes of text that end a batch early.
const BATCH_ROWS: usize = 1_024;
const BATCH_BYTES: usize = 1 << 20;

/// Batches that may wait to be stored.
const BATCHES_WAITING: usize = 4;

/// Rows of one table.
struct Batch {
    table: usize,
    rows: Vec<Vec<Value>>,
    /// Bytes of the file that were read by then.
    file_bytes: u64,
}

/// Reads and stores all rows.
pub(crate) fn load(
    input: &Input,
    tables: &[TableShape],
    store: &Store,
    ticker: &mut Ticker<'_>,
) -> Result<(), DatasetError> {
    ticker.begin(Stage::Storing, input.bytes);
    let (sender, receiver) = sync_channel(BATCHES_WAITING);
    thread::scope(|scope| {
        let reader = scope.spawn(move || convert(input, tables, &sender));
        let mut incoming = Incoming { receiver, batch: None, ticker };
        let stored = tables.iter().enumerate().try_for_each(|(place, table)| {
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            let rows = std::iter::from_fn(|| incoming.next_of(place));
            store.insert(&table.name, &columns, rows).map(|_| ())
        });
        // Without a receiver, the reader stops at its next batch.
        drop(incoming);
        let converted = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        stored.and(converted)
    })?;
    ticker.end();
    Ok(())
}

/// The rows as they come in.
struct Incoming<'a, 't> {
    receiver: Receiver<Batch>,
    batch: Option<(usize, std::vec::IntoIter<Vec<Value>>, u64)>,
    ticker: &'a mut Ticker<'t>,
}

impl Incoming<'_, '_> {
    /// The next row, if it belongs to this table.
    fn next_of(&mut self, wanted: usize) -> Option<Vec<Value>> {
        loop {
            if let Some((table, rows, file_bytes)) = &mut self.batch {
                if *table != wanted {
                    return None;
                }
                if let Some(row) = rows.next() {
                    self.ticker.row(*file_bytes);
                    return Some(row);
                }
            }
            let Batch { table, rows, file_bytes } = self.receiver.recv().ok()?;
            self.batch = Some((table, rows.into_iter(), file_bytes));
        }
    }
}

/// Reads the file and sends its rows, as the survey said they would be.
fn convert(input: &Input, tables: &[TableShape], sender: &SyncSender<Batch>) -> Result<(), DatasetError> {
    let meter = Rc::new(Meter::default());
    let changed = || DatasetError::Changed { path: input.path.clone() };
    let mut counts = vec![0; tables.len()];
    let mut batch = Batch { table: 0, rows: Vec::new(), file_bytes: 0 };
    let mut batch_bytes = 0;
    rows::read(input, &meter, &mut |row: &Row<'_>| {
        let table = tables.get(row.table).ok_or_else(changed)?;
        counts[row.table] += 1;
        let values = values(table, counts[row.table], row.cells).ok_or_else(changed)?;
        if row.table != batch.table || batch.rows.len() >= BATCH_ROWS || batch_bytes > BATCH_BYTES {
            batch.file_bytes = meter.file_bytes();
            let next = Batch { table: row.table, rows: Vec::with_capacity(BATCH_ROWS), file_bytes: 0 };
            let full = std::mem::replace(&mut batch, next);
            batch_bytes = 0;
            // Whoever stores has stopped and says why; what is returned here is not shown.
            sender.send(full).map_err(|_| changed())?;
        }
        batch_bytes += values.iter().map(text_bytes).sum::<usize>();
        batch.rows.push(values);
        Ok(())
    })?;
    batch.file_bytes = input.bytes;
    sender.send(batch).map_err(|_| changed())?;
    let complete = tables.iter().zip(&counts).all(|(table, count)| table.rows == Some(*count));
    if complete { Ok(()) } else { Err(changed()) }
}

/// The values of a row; `None` if it is not as it was at the first reading.
fn values(table: &TableShape, number: u64, cells: &[Cell<'_>]) -> Option<Vec<Value>> {
    let mut values = Vec::with_capacity(table.columns.len());
    if table.key == KeyShape::Added {
        values.push(Value::Integer(i64::try_from(number).ok()?));
    }
    if values.len() + cells.len() > table.columns.len() {
        return None;
    }
    for cell in cells {
        let column = &table.columns[values.len()];
        let value = value_of(cell, column.kind)?;
        if value == Value::Null && !column.nullable {
            return None;
        }
        values.push(value);
    }
    while let Some(column) = table.columns.get(values.len()) {
        if !column.nullable {
            return None;
        }
        values.push(Value::Null);
    }
    Some(values)
}

fn text_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        _ => 0,
    }
}
