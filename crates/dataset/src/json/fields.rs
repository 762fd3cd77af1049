//! Puts the members of objects and the elements of arrays into the cells of a row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::cell::Cell;

/// The keys of a table, numbered in the order in which they are first seen.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    places: HashMap<String, usize>,
    /// Where the next key probably is: objects of a table mostly have the same keys in the same order.
    pub(super) next: usize,
}

impl Columns {
    /// The place of a key, new or known.
    pub(super) fn place(&mut self, key: &str) -> usize {
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

    pub(super) fn put<'a>(&mut self, place: usize, cell: Cell<'a>, cells: &mut Vec<Cell<'a>>) {
        if cells.len() <= place {
            cells.resize(place + 1, Cell::Null);
        }
        cells[place] = cell;
        self.next = place + 1;
    }
}

/// Where the members of an object belong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Each is a column.
    Row,
    /// Each is a column, but the properties are columns of their own.
    Feature,
    /// Each is a column, beside those of the feature itself.
    Properties,
}

/// Puts the members of an object into cells.
pub(super) struct Fields<'r, 'a> {
    pub(super) columns: &'r mut Columns,
    pub(super) cells: &'r mut Vec<Cell<'a>>,
    pub(super) place: Place,
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
pub(super) struct Elements<'r, 'a> {
    pub(super) columns: &'r mut Columns,
    pub(super) cells: &'r mut Vec<Cell<'a>>,
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

/// A value, as much as JSON says about it.
pub(super) fn cell_of(value: &RawValue) -> serde_json::Result<Cell<'_>> {
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
