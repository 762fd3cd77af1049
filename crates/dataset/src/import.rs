//! The import: a file of rows becomes a new database, all of it or nothing.
//!
//! The file is read twice. The first time finds out types, keys and indexes; the second time, a thread of its own
//! reads and converts while this one stores. The database grows under another name and gets its own when it is
//! complete and on the disk.

use std::path::Path;
use std::time::Duration;

use kasoku_units::{Clock as _, SystemClock};

use crate::error::DatasetError;
use crate::input::Input;
use crate::load;
use crate::partial::Partial;
use crate::progress::{Progress, Stage, Ticker};
use crate::schema_text::{create_indexes, create_table};
use crate::shape::TableShape;
use crate::store::Store;
use crate::survey::{self, Survey};

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The tables.
    pub tables: Vec<TableShape>,
    /// What was passed over, made good or decided, for the person who gave the file.
    pub remarks: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// The rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().filter_map(|table| table.rows).sum()
    }
}

/// Imports a file into a new database. Whatever ends it early, nothing is left under the database's name.
pub fn import(
    input: &Input,
    database: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, DatasetError> {
    let began = SystemClock.now();
    let partial = Partial::beside(database)?;
    let mut ticker = Ticker::new(progress);
    let Survey { tables, remarks } = survey::survey(input, &mut ticker)?;
    let store = Store::create(partial.path())?;
    for table in &tables {
        store.run(&create_table(table))?;
    }
    load::load(input, &tables, &store, &mut ticker)?;
    index(&tables, &store, &mut ticker)?;
    store.close();
    partial.complete()?;
    Ok(Report { tables, remarks, took: SystemClock.now() - began })
}

/// Finds out what an import would make of a file, without storing anything.
pub fn infer(input: &Input, progress: &mut dyn FnMut(Progress)) -> Result<Survey, DatasetError> {
    survey::survey(input, &mut Ticker::new(progress))
}

/// Indexes are built when all rows are there, which is much faster than keeping them up to date.
fn index(tables: &[TableShape], store: &Store, ticker: &mut Ticker<'_>) -> Result<(), DatasetError> {
    let indexes: Vec<String> = tables.iter().flat_map(create_indexes).collect();
    ticker.begin(Stage::Indexing, indexes.len() as u64);
    for sql in indexes {
        store.run(&sql)?;
        ticker.step();
    }
    store.analyze()
}
