//! Loads: rows that come one by one, as many as there are, and go into statements of several.
//!
//! What a row may be is what it may be in the body of an insert. A load answers with numbers, so its statements return
//! no rows, and may have as many of them as have the same columns.

use kasoku_problem::{Kind, Problem};
use serde_json::Value as Json;

use super::text::{OnConflict, push_places};
use super::{Missing, Resolution};
use crate::Value;
use crate::cursor::{decode, encode};
use crate::grammar::Parameters;
use crate::plan::{Statement, TablePlanner};
use crate::schema::Unique;
use crate::sql::SqlText;

/// The parameters of one statement, at the most; both databases have a limit a little above.
const PARAMETERS_MAX: usize = 32_000;

/// How rows are loaded.
pub struct Load {
    only: Option<Vec<usize>>,
    missing: Missing,
    on_conflict: OnConflict,
}

/// A row to be loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadRow {
    /// Places of the columns that it gives, in the order of the table.
    places: Vec<usize>,
    values: Vec<Value>,
}

impl TablePlanner {
    /// Begins a load by `POST path?query`, with what becomes of rows that are there already.
    pub fn load(
        &self,
        query: Option<&str>,
        resolution: Option<Resolution>,
        missing: Missing,
    ) -> Result<Load, Problem> {
        let accepted = if resolution.is_some() { Parameters::LOAD_OVER } else { Parameters::LOAD };
        if self.rule.is_some() {
            let detail = "rows of this route belong to callers, and files are not let into it";
            return Err(Problem::new(Kind::Forbidden).detail(detail));
        }
        let asked = self.read(self.page, accepted, query)?;
        let target = || match &asked.on_conflict {
            None => Ok(Unique::whole(&self.key)),
            Some(places) => self.unique_columns(places),
        };
        let on_conflict = match resolution {
            None => OnConflict::Fail,
            Some(Resolution::Merge) => OnConflict::Set { target: target()?, all: false },
            Some(Resolution::Ignore) => OnConflict::Ignore { target: target()? },
        };
        Ok(Load { only: asked.columns, missing, on_conflict })
    }

    /// Reads a row; `at` is its number, for problems.
    pub fn load_row(&self, load: &Load, at: usize, row: &Json) -> Result<LoadRow, Problem> {
        let (places, values) = self.row_of_load(at, row, load.only.as_deref(), load.missing)?;
        Ok(LoadRow { places, values })
    }

    /// How many rows like this one a statement may have, out of as many as are wanted.
    pub fn load_rows_most(&self, row: &LoadRow, wanted: usize) -> usize {
        // Without a column there is no list of values to be longer than one.
        PARAMETERS_MAX.checked_div(row.places.len()).map_or(1, |most| most.clamp(1, wanted.max(1)))
    }

    /// Plans the statement that writes these rows, all of which give the same columns.
    pub fn load_statement(&self, load: &Load, rows: &[&LoadRow]) -> Statement {
        let places = rows.first().map_or(&[][..], |row| &row.places[..]);
        let mut shape = vec![b'l'];
        shape.extend_from_slice(&(rows.len() as u32).to_le_bytes());
        load.on_conflict.shape(&mut shape);
        push_places(places, &mut shape);
        let written = self.writers.get_or_make(&shape, || {
            let mut sql = SqlText::new(self.dialect, "insert into ");
            self.write_insert(places, &mut sql);
            for _ in 1..rows.len() {
                sql.push(", (");
                for place in 0..places.len() {
                    sql.push(if place > 0 { ", " } else { "" });
                    sql.param();
                }
                sql.push(")");
            }
            load.on_conflict.write(self, places, None, &mut sql);
            sql.finish(&self.table, "load")
        });
        let params = rows.iter().flat_map(|row| row.values.iter().cloned()).collect();
        Statement::new(&written, params)
    }
}

impl LoadRow {
    /// Whether it gives the same columns.
    pub fn is_like(&self, other: &Self) -> bool {
        self.places == other.places
    }

    /// Adds it to bytes, without loss.
    pub fn write(&self, out: &mut Vec<u8>) {
        push_places(&self.places, out);
        for value in &self.values {
            encode(value, out);
        }
    }

    /// Reads what [`write`](Self::write) has written.
    pub fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut number = || {
            let (number, rest) = bytes.split_first_chunk()?;
            bytes = rest;
            Some(usize::from(u16::from_le_bytes(*number)))
        };
        let count = number()?;
        let places = (0..count).map(|_| number()).collect::<Option<_>>()?;
        let values = (0..count).map(|_| decode(&mut bytes)).collect::<Option<_>>()?;
        bytes.is_empty().then_some(Self { places, values })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_filter("equal to itself", |number| !number.is_nan()).prop_map(Value::Real),
            ".*".prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Blob),
        ]
    }

    proptest! {
        #[test]
        fn a_row_that_is_put_aside_loses_nothing(values in proptest::collection::vec(value(), 0..5)) {
            let row = LoadRow { places: (0..values.len()).map(|place| place * 3).collect(), values };
            let mut bytes = Vec::new();
            row.write(&mut bytes);
            prop_assert_eq!(LoadRow::read(&bytes), Some(row));
        }

        #[test]
        fn no_bytes_are_too_strange_to_refuse(bytes: Vec<u8>) {
            let _ = LoadRow::read(&bytes);
        }
    }
}
