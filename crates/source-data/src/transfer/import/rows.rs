//! Records as rows: what each says, held against the table before anything is written.

use std::sync::Arc;

use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{Load, LoadRow};
use serde_json::{Map, Value as Json};

use super::ImportFormat;
use super::split::Record;
use crate::body::{beginning, json, lines};
use crate::table::Table;

/// Reads the records of one import.
pub(super) struct RowReader {
    table: Arc<Table>,
    load: Arc<Load>,
    format: ImportFormat,
    /// The names of the first line.
    names: Option<Vec<String>>,
    /// Rows so far.
    rows: u64,
}

/// A row that was read, or what is wrong with it, and where it was.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    /// From 0.
    pub(super) row: u64,
    /// From 1.
    pub(super) line: u64,
    pub(super) what: T,
}

impl RowReader {
    pub(super) fn new(table: &Arc<Table>, load: &Arc<Load>, format: ImportFormat) -> Self {
        Self { table: Arc::clone(table), load: Arc::clone(load), format, names: None, rows: 0 }
    }

    /// Ends the reading. A file of lines has names at the least.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        match (self.format, &self.names) {
            (ImportFormat::Csv, None) => Err(Problem::new(Kind::InvalidBody)
                .detail("line 1: the first line must name the columns")
                .member("line", 1)),
            _ => Ok(()),
        }
    }

    /// Reads a record; `None` for one that is no row.
    ///
    /// # Errors
    /// Nothing behind it can be read either.
    pub(super) fn read(
        &mut self,
        record: &Record,
    ) -> Result<Option<Numbered<Result<LoadRow, Problem>>>, Problem> {
        let read = match self.format {
            ImportFormat::Csv if self.names.is_none() => {
                self.names = Some(names(record)?);
                return Ok(None);
            }
            ImportFormat::Ndjson if record.bytes.trim_ascii().is_empty() => return Ok(None),
            ImportFormat::Csv => self.of_line(record),
            ImportFormat::Ndjson | ImportFormat::Json => json::parse(&record.bytes),
        };
        let row = self.rows;
        self.rows += 1;
        let what = read.and_then(|json| self.table.planner.load_row(&self.load, row as usize, &json));
        Ok(Some(Numbered { row, line: record.line, what }))
    }

    fn of_line(&self, record: &Record) -> Result<Json, Problem> {
        let names = self.names.as_deref().unwrap_or_default();
        let fields = lines::record(text(record)?, record.line as usize)?;
        if fields.len() != names.len() {
            let detail = format!("there are {} fields, and {} names", fields.len(), names.len());
            return Err(Problem::new(Kind::InvalidBody).detail(detail));
        }
        let members = names.iter().zip(fields).map(|(name, field)| {
            let is_null = field.is_null();
            let value = || self.table.planner.json_of_text(name, &field.text);
            (name.clone(), if is_null { Json::Null } else { value() })
        });
        Ok(Json::Object(members.collect::<Map<_, _>>()))
    }
}

/// The names of the first line.
fn names(record: &Record) -> Result<Vec<String>, Problem> {
    let text = text(record)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let names: Vec<String> = lines::record(text, 1)?.into_iter().map(|field| field.text).collect();
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    match twice {
        None => Ok(names),
        Some((_, name)) => {
            let detail = format!("line 1: the name `{}` occurs twice", beginning(name));
            Err(Problem::new(Kind::InvalidBody).detail(detail).member("line", 1))
        }
    }
}

fn text(record: &Record) -> Result<&str, Problem> {
    std::str::from_utf8(&record.bytes)
        .map_err(|_| Problem::new(Kind::InvalidBody).detail("the line is not UTF-8"))
}
