//! Takes objects and arrays apart into cells, and collects the keys of a table.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::cell::Cell;
use crate::rows::{COLUMNS_MAX, Row, TableLayout, Visit};

use super::ReadError;
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

/// The keys of a table, numbered in the order in which they are first seen.
#[derive(Debug, Default)]
struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
    /// Where the next key probably is: objects of a table mostly have the same keys in the same order.
    next: usize,
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

impl Columns {
    /// The place of a key, new or known.
    fn place(&mut self, key: &str) -> usize {
        if self.names.get(self.next).is_some_and(|name| name == key) {
            return self.next;
        }
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.names.len();
        self.names.push(key.to_owned());
        self.places.insert(key.to_owned(), place);
        place
    }

    fn put<'a>(&mut self, place: usize, cell: Cell<'a>, cells: &mut Vec<Cell<'a>>) {
        if cells.len() <= place {
            cells.resize(place + 1, Cell::Null);
        }
        cells[place] = cell;
        self.next = place + 1;
    }
}

/// Where the members of an object belong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Each is a column.
    Row,
    /// Each is a column, but the properties are columns of their own.
    Feature,
    /// Each is a column, beside those of the feature itself.
    Properties,
}

/// Puts the members of an object into cells.
struct Fields<'r, 'a> {
    columns: &'r mut Columns,
    cells: &'r mut Vec<Cell<'a>>,
    place: Place,
}

impl<'a> Visitor<'a> for Fields<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        let Self { columns, cells, place } = self;
        while let Some(member) = map.next_key_seed(Member { columns, place })? {
            match member {
                Some(Target::Column(at)) => {
                    let value: &'a RawValue = map.next_value()?;
                    columns.put(at, cell_of(value).map_err(serde::de::Error::custom)?, cells);
                }
                Some(Target::Properties) => {
                    map.next_value_seed(Fields { columns, cells, place: Place::Properties })?;
                }
                None => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for Fields<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// Where a member goes.
enum Target {
    Column(usize),
    Properties,
}

/// Finds out where a member goes from its key; `None` leaves it out.
struct Member<'r> {
    columns: &'r mut Columns,
    place: Place,
}

impl<'a> DeserializeSeed<'a> for Member<'_> {
    type Value = Option<Target>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Member<'_> {
    type Value = Option<Target>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        let place = match (self.place, key) {
            (Place::Feature, "type") => return Ok(None),
            (Place::Feature, "properties") => return Ok(Some(Target::Properties)),
            (Place::Properties, "id" | "geometry" | "bbox") => {
                self.columns.place(&format!("properties.{key}"))
            }
            _ => self.columns.place(key),
        };
        Ok(Some(Target::Column(place)))
    }
}

/// Puts the elements of an array into cells.
struct Elements<'r, 'a> {
    columns: &'r mut Columns,
    cells: &'r mut Vec<Cell<'a>>,
}

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut elements: S) -> Result<(), S::Error> {
        let mut at = 0;
        while let Some(value) = elements.next_element::<&'a RawValue>()? {
            if at == self.columns.names.len() {
                self.columns.place(&format!("column_{}", at + 1));
            }
            self.columns.put(at, cell_of(value).map_err(serde::de::Error::custom)?, self.cells);
            at += 1;
        }
        Ok(())
    }
}

fn cell_of(value: &RawValue) -> serde_json::Result<Cell<'_>> {
    let text = value.get();
    Ok(match text.as_bytes().first() {
        Some(b'"') if memchr::memchr(b'\\', text.as_bytes()).is_none() => {
            Cell::Text(Cow::Borrowed(&text[1..text.len() - 1]))
        }
        Some(b'"') => Cell::Text(Cow::Owned(serde_json::from_str(text)?)),
        Some(b't') => Cell::Boolean(true),
        Some(b'f') => Cell::Boolean(false),
        Some(b'{' | b'[') => Cell::Json(text),
        Some(b'n') | None => Cell::Null,
        Some(_) => Cell::Number(text),
    })
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
