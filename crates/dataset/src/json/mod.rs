//! Rows of JSON: arrays of objects wherever they stand in a document, and objects one after another.
//!
//! - `[{…}, {…}]` is a table; its columns are all keys that any of its objects has.
//! - `{"data": [{…}], "users": [{…}]}` is one table for each array of objects, also some objects further down.
//! - `{"a": {…}, "b": {…}}`, where the objects resemble each other, is a table with a column `key`.
//! - `[[…], […]]` is a table with the columns `column_1`, `column_2`, …; `["a", "b"]` one with the column `value`.
//! - `{…}` after `{…}` is a table, with line breaks between them or without.
//! - GeoJSON features become rows of their properties, with their geometry as a column.

mod document;
mod fields;
mod row;
mod scan;

use std::rc::Rc;

use crate::bytes::{self, Meter};
use crate::error::DatasetError;
use crate::input::Input;
use crate::rows::{Layout, Visit};

use document::Document;
use scan::{ScanError, Scanner};

/// Reads all rows of all tables.
pub(crate) fn read(input: &Input, meter: &Rc<Meter>, visit: &mut Visit<'_>) -> Result<Layout, DatasetError> {
    let shape = document::shape(input, || scanner(input, &Rc::new(Meter::default())))?;
    let mut document = Document::new(scanner(input, meter)?, visit);
    document.read(shape).map_err(|error| error.in_file(input))?;
    Ok(document.into_layout())
}

fn scanner(input: &Input, meter: &Rc<Meter>) -> Result<Scanner, DatasetError> {
    Ok(Scanner::new(bytes::open(input, meter)?, meter))
}

/// Why a document could not be read.
#[derive(Debug)]
enum ReadError {
    Scan(ScanError),
    /// From whoever takes the rows.
    Other(DatasetError),
}

impl ReadError {
    fn in_file(self, input: &Input) -> DatasetError {
        let path = input.path.clone();
        match self {
            Self::Other(error) => error,
            Self::Scan(ScanError::Io(source)) => DatasetError::File { path, source },
            Self::Scan(ScanError::Syntax { line, what }) => DatasetError::Row { path, line, what },
        }
    }
}

impl From<ScanError> for ReadError {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}
