//! The first reading of a file: counts everything that types, keys and indexes follow from.

use std::rc::Rc;

use kasoku_sql_plan::ColumnKind;

use crate::bytes::Meter;
use crate::choose::{self, Candidate};
use crate::error::DatasetError;
use crate::facts::{Facts, Origin};
use crate::input::Input;
use crate::names::{Names, clean};
use crate::progress::{Stage, Ticker};
use crate::rows::{self, Row, TableLayout};
use crate::shape::{ColumnShape, KeyShape, TableShape};

/// Columns of a table whose values are remembered to prove that all differ.
const WATCHED_MAX: usize = 4;

/// What a file holds and how it will be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The tables, in the order in which the file begins them.
    pub tables: Vec<TableShape>,
    /// What was passed over, made good or decided, for the person who gave the file.
    pub remarks: Vec<String>,
}

/// Reads a file from beginning to end and decides about its tables.
pub(crate) fn survey(input: &Input, ticker: &mut Ticker<'_>) -> Result<Survey, DatasetError> {
    let meter = Rc::new(Meter::default());
    ticker.begin(Stage::Reading, input.bytes);
    let mut tables: Vec<Vec<Facts>> = Vec::new();
    let layout = rows::read(input, &meter, &mut |row: &Row<'_>| {
        if tables.len() <= row.table {
            tables.resize_with(row.table + 1, Vec::new);
        }
        add(&mut tables[row.table], row);
        ticker.row(meter.file_bytes());
        Ok(())
    })?;
    if layout.tables.is_empty() {
        return Err(DatasetError::NoTable {
            path: input.path.clone(),
            what: "there are no rows in it; expected a header line, an array of objects, or an object with such arrays"
                .into(),
        });
    }
    tables.resize_with(layout.tables.len(), Vec::new);
    let mut remarks = layout.remarks;
    let origin = rows::origin(input.format);
    let mut names = Names::default();
    let single = layout.tables.len() == 1;
    let tables = layout.tables.iter().zip(tables).map(|(layout, facts)| {
        let written = if single { None } else { layout.written.clone() };
        let name = names.table(&written.unwrap_or_else(|| input.stem()));
        table(name, layout, facts, origin, &mut remarks)
    });
    let tables = tables.collect();
    Ok(Survey { tables, remarks })
}

fn add(facts: &mut Vec<Facts>, row: &Row<'_>) {
    for name in &row.columns[facts.len()..] {
        let watched = facts.iter().filter(|facts| facts.is_watched()).count();
        // A column that the first row does not have is missing there, and no key.
        let may_be_key = watched < WATCHED_MAX && choose::key_rank(name, facts.len()).is_some();
        facts.push(Facts::new(may_be_key));
    }
    for (facts, cell) in facts.iter_mut().zip(row.cells) {
        facts.add(cell, row.line);
    }
}

fn table(
    name: String,
    layout: &TableLayout,
    mut facts: Vec<Facts>,
    origin: Origin,
    remarks: &mut Vec<String>,
) -> TableShape {
    facts.resize_with(layout.columns.len(), || Facts::new(false));
    let mut names = Names::default();
    let mut columns: Vec<ColumnShape> = Vec::with_capacity(facts.len() + 1);
    for ((written, facts), place) in layout.columns.iter().zip(&facts).zip(1..) {
        columns.push(column(names.column(written, place), written, facts, origin, layout.rows));
    }
    let candidates: Vec<Candidate<'_>> = columns
        .iter()
        .zip(&facts)
        .map(|(column, facts)| Candidate {
            column,
            unique: layout.rows > 0 && facts.unique(),
            shortest: facts.shortest(),
            longest: facts.longest(),
        })
        .collect();
    let key = choose::key(&candidates);
    let mut indexes = choose::indexes(&candidates, key, layout.rows);
    for (column, facts) in columns.iter().zip(&facts) {
        if facts.missing() > 0 && column.kind != ColumnKind::Text {
            remarks.push(format!(
                "{name}.{}: {} words such as NA, or blanks, among its values are NULL",
                column.name,
                facts.missing()
            ));
        }
    }
    let key = if let Some(place) = key {
        KeyShape::Columns(vec![place])
    } else {
        let free = ["id", "row", "row_id"].into_iter().find(|name| names.is_free(name));
        columns.insert(0, added_key(names.unused(free.unwrap_or("row_number"))));
        for index in &mut indexes {
            index.column += 1;
        }
        KeyShape::Added
    };
    TableShape { name, view: false, rows: Some(layout.rows), columns, key, indexes }
}

fn column(name: String, written: &str, facts: &Facts, origin: Origin, rows: u64) -> ColumnShape {
    let kind = facts.kind(origin);
    ColumnShape {
        written: (clean(written).as_ref() != Some(&name) || name != written).then(|| written.to_owned()),
        name,
        kind,
        nullable: rows == 0 || facts.nulls(kind, rows) > 0,
        distinct: Some(facts.distinct()),
        dates: facts.dates(),
        example: facts.example().map(str::to_owned),
        why: why(facts, kind, rows),
    }
}

/// Says why a column is not what it may look like.
fn why(facts: &Facts, kind: ColumnKind, rows: u64) -> Option<String> {
    if facts.nulls(kind, rows) == rows {
        return Some("no row has a value".into());
    }
    if facts.too_wide() && kind == ColumnKind::Text {
        return Some("kept as text: some of its numbers have more digits than a number can hold".into());
    }
    match (kind, facts.spoiled_by()) {
        (ColumnKind::Text, Some((line, text))) => Some(format!("kept as text: line {line} has {text:?}")),
        (ColumnKind::Any, Some((line, text))) => Some(format!("numbers and texts: line {line} has {text:?}")),
        _ => None,
    }
}

fn added_key(name: String) -> ColumnShape {
    ColumnShape {
        name,
        written: None,
        kind: ColumnKind::Integer,
        nullable: false,
        distinct: None,
        dates: None,
        example: Some("1".into()),
        why: Some("added: the row's place in the file".into()),
    }
}
