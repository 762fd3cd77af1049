//! Reads the rows of a file, whatever its format, from its beginning to its end.
//!
//! A file is read twice, once to find out its types and once to import it, so reading must give the same tables,
//! columns and rows each time: tables and columns are numbered in the order in which they are first seen.

use std::rc::Rc;

use crate::bytes::Meter;
use crate::cell::Cell;
use crate::delimited;
use crate::error::DatasetError;
use crate::facts::Origin;
use crate::input::{Format, Input};
use crate::json;

/// Columns of a table, at the most; SQLite has no room for more.
pub(crate) const COLUMNS_MAX: usize = 1_900;

/// Tables of a file, at the most.
pub(crate) const TABLES_MAX: usize = 64;

/// A row on its way.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// Which table it belongs to.
    pub(crate) table: usize,
    /// The line of the file where it begins.
    pub(crate) line: u64,
    /// What the file calls the table's columns, as far as they are known yet.
    pub(crate) columns: &'a [String],
    /// The values, in the order of `columns`; those at the end may be left out.
    pub(crate) cells: &'a [Cell<'a>],
}

/// What a file was found to consist of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The tables.
    pub(crate) tables: Vec<TableLayout>,
    /// What was passed over or made good, for the person who gave the file.
    pub(crate) remarks: Vec<String>,
}

/// A table of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableLayout {
    /// What the file calls it; `None` if it does not.
    pub(crate) written: Option<String>,
    /// What the file calls its columns.
    pub(crate) columns: Vec<String>,
    /// How many rows it has.
    pub(crate) rows: u64,
}

/// Takes rows; an error ends the reading.
pub(crate) type Visit<'a> = dyn FnMut(&Row<'_>) -> Result<(), DatasetError> + 'a;

/// Reads all rows of a file that is not a database.
pub(crate) fn read(input: &Input, meter: &Rc<Meter>, visit: &mut Visit<'_>) -> Result<Layout, DatasetError> {
    match input.format {
        Format::Delimited => delimited::read(input, None, meter, visit),
        Format::Tabbed => delimited::read(input, Some(b'\t'), meter, visit),
        Format::Json | Format::JsonLines => json::read(input, meter, visit),
        Format::Sqlite => Err(DatasetError::NoTable {
            path: input.path.clone(),
            what: "is a database, which is served as it is and not read row by row".into(),
        }),
    }
}

/// Whether a format tells types apart.
pub(crate) fn origin(format: Format) -> Origin {
    match format {
        Format::Delimited | Format::Tabbed => Origin::Untyped,
        Format::Json | Format::JsonLines | Format::Sqlite => Origin::Typed,
    }
}
