//! Takes objects and arrays apart into cells, and collects the keys of a table.

use std::borrow::Cow;

use serde::de::Deserializer as _;
use serde_json::value::RawValue;

use crate::cell::Cell;
use crate::rows::{COLUMNS_MAX, Row, TableLayout, Visit};

use super::ReadError;
use super::fields::{Columns, Elements, Fields, Place, cell_of};
use super::scan::ScanError;

/// The rows of a table on their way.
#[derive(Debug)]
pub(super) struct Rows {
    table: usize,
    written: Option<String>,
    columns: Columns,
    count: u64,
    form: RowForm,
}

/// What the elements of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowForm {
    /// Objects.
    Object,
    /// Objects under keys.
    Keyed,
    /// GeoJSON features (RFC 7946 §3.2).
    Feature,
    /// Arrays.
    Array,
    /// Texts, numbers or truth values.
    Scalar,
}
impl RowForm {
    /// Tells the form of a table's rows from the first of them.
    pub(super) fn of(first: &str) -> Self {
        match first.as_bytes().first() {
            Some(b'{') => {
                let is_feature = serde_json::from_str::<FeatureParts<'_>>(first)
                    .is_ok_and(|parts| parts.kind == "Feature" && parts.properties.get().starts_with('{'));
                if is_feature { Self::Feature } else { Self::Object }
            }
            Some(b'[') => Self::Array,
            _ => Self::Scalar,
        }
    }
}

#[derive(serde::Deserialize)]
struct FeatureParts<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    properties: &'a RawValue,
}

impl Rows {
    pub(super) fn new(table: usize, written: Option<String>, form: RowForm) -> Self {
        let mut columns = Columns::default();
        if form == RowForm::Keyed {
            // Not in `places`, so that an object's own `key` gets a column of its own.
            columns.names.push("key".to_owned());
        }
        Self { table, written, columns, count: 0, form }
    }

    /// Takes a row apart and hands it on.
    pub(super) fn visit(
        &mut self,
        key: Option<&str>,
        text: &[u8],
        line: u64,
        visit: &mut Visit<'_>,
    ) -> Result<(), ReadError> {
        let at_line = |what: String| ReadError::Scan(ScanError::Syntax { line, what });
        let text = std::str::from_utf8(text).map_err(|_| at_line("this row is not UTF-8".into()))?;
        let mut cells = vec![Cell::Null; self.columns.names.len()];
        if let Some(key) = key {
            cells[0] = Cell::Text(key.into());
        }
        self.columns.next = usize::from(self.form == RowForm::Keyed);
        self.cells(text, &mut cells).map_err(|error| at_line(described(&error, self.form)))?;
        if self.columns.names.len() > COLUMNS_MAX {
            let what = format!("the rows up to here have more than {COLUMNS_MAX} different keys");
            return Err(at_line(what));
        }
        self.count += 1;
        let row = Row { table: self.table, line, columns: &self.columns.names, cells: &cells };
        visit(&row).map_err(ReadError::Other)
    }

    pub(super) fn into_layout(self) -> TableLayout {
        TableLayout { written: self.written, columns: self.columns.names, rows: self.count }
    }

    fn cells<'a>(&mut self, text: &'a str, cells: &mut Vec<Cell<'a>>) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let columns = &mut self.columns;
        match self.form {
            RowForm::Object | RowForm::Keyed => {
                deserializer.deserialize_map(Fields { columns, cells, place: Place::Row })?;
            }
            RowForm::Feature => {
                deserializer.deserialize_map(Fields { columns, cells, place: Place::Feature })?;
            }
            RowForm::Array => deserializer.deserialize_seq(Elements { columns, cells })?,
            RowForm::Scalar => {
                let value: &RawValue = serde::Deserialize::deserialize(&mut deserializer)?;
                let place = columns.place("value");
                columns.put(place, cell_of(value)?, cells);
            }
        }
        deserializer.end()
    }
}
fn described(error: &serde_json::Error, form: RowForm) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if !error.is_data() {
        return format!("this row is not well-formed: {text} at its character {}", error.column());
    }
    let expected = match form {
        RowForm::Object | RowForm::Keyed | RowForm::Feature => "an object, as the rows before it",
        RowForm::Array => "an array, as the rows before it",
        RowForm::Scalar => "a value",
    };
    format!("this row is not {expected}: {text}")
}
