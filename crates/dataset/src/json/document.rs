//! Walks through a document and finds the tables in it.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use crate::error::DatasetError;
use crate::input::{Format, Input};
use crate::rows::{Layout, TABLES_MAX, Visit};

use super::ReadError;
use super::row::{RowForm, Rows};
use super::scan::{ScanError, Scanner};

/// How many objects deep arrays of rows are looked for.
const DEPTH_MAX: usize = 4;

/// Keys that say only that rows follow, so that a table is not called after them.
const EMPTY_WORDS: [&str; 9] =
    ["data", "items", "rows", "results", "result", "records", "features", "values", "response"];

/// How a document is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// An array of rows, or an object with such arrays somewhere in it.
    Document,
    /// Rows one after another.
    Lines,
    /// An object of rows by key.
    Keyed,
}

/// Tells how a document is built, from its first values. What is malformed is left for the reading to say.
pub(super) fn shape(
    input: &Input,
    open: impl Fn() -> Result<Scanner, DatasetError>,
) -> Result<Shape, DatasetError> {
    if input.format == Format::JsonLines || has_another(&mut open()?).unwrap_or(false) {
        return Ok(Shape::Lines);
    }
    Ok(if is_keyed(&mut open()?).unwrap_or(false) { Shape::Keyed } else { Shape::Document })
}

/// Whether a second value follows the first, which is an object.
fn has_another(scanner: &mut Scanner) -> Result<bool, ScanError> {
    if scanner.peek()? != Some(b'{') {
        return Ok(false);
    }
    scanner.value(&mut Vec::new())?;
    Ok(scanner.peek()?.is_some())
}

/// Whether the first two members of an object are objects with half of their keys in common.
fn is_keyed(scanner: &mut Scanner) -> Result<bool, ScanError> {
    let mut value = Vec::new();
    let mut keys_of_next = || {
        scanner.expect(b"{,")?;
        scanner.value(&mut value)?;
        scanner.expect(b":")?;
        scanner.value(&mut value)?;
        let members: Option<HashMap<String, &RawValue>> = serde_json::from_slice(&value).ok();
        Ok::<_, ScanError>(members.map(|members| members.into_keys().collect::<HashSet<_>>()))
    };
    let (Some(first), Some(second)) = (keys_of_next()?, keys_of_next()?) else { return Ok(false) };
    let shared = first.intersection(&second).count();
    Ok(shared > 0 && shared * 2 >= first.len().max(second.len()))
}

/// A document that is being read.
pub(super) struct Document<'a, 'v> {
    scanner: Scanner,
    visit: &'a mut Visit<'v>,
    tables: Vec<Rows>,
    /// Arrays that are no tables, for the remarks.
    passed: Vec<String>,
    value: Vec<u8>,
}

impl<'a, 'v> Document<'a, 'v> {
    pub(super) fn new(scanner: Scanner, visit: &'a mut Visit<'v>) -> Self {
        Self { scanner, visit, tables: Vec::new(), passed: Vec::new(), value: Vec::new() }
    }

    /// Reads everything.
    pub(super) fn read(&mut self, shape: Shape) -> Result<(), ReadError> {
        match shape {
            Shape::Lines => return self.lines(),
            Shape::Keyed => self.keyed()?,
            Shape::Document => match self.scanner.peek()? {
                Some(b'[') => self.array(&[])?,
                Some(b'{') => self.object(&mut Vec::new())?,
                found => return Err(self.scanner.unexpected(found, "an array or an object").into()),
            },
        }
        match self.scanner.peek()? {
            None => Ok(()),
            found => Err(self.scanner.unexpected(found, "the end of the file").into()),
        }
    }

    pub(super) fn into_layout(self) -> Layout {
        let mut remarks = Vec::new();
        if !self.passed.is_empty() {
            remarks.push(format!("left out, as they are no lists of rows: {}", self.passed.join(", ")));
        }
        Layout { tables: self.tables.into_iter().map(Rows::into_layout).collect(), remarks }
    }

    fn lines(&mut self) -> Result<(), ReadError> {
        let mut table = None;
        while self.scanner.peek()?.is_some() {
            let line = self.scanner.next_line()?;
            self.scanner.value(&mut self.value)?;
            self.row(&mut table, &[], line)?;
        }
        Ok(())
    }

    fn keyed(&mut self) -> Result<(), ReadError> {
        let mut rows = Rows::new(self.tables.len(), None, RowForm::Keyed);
        let mut key = Vec::new();
        self.scanner.expect(b"{")?;
        loop {
            let line = self.scanner.next_line()?;
            self.scanner.value(&mut key)?;
            let key: String = serde_json::from_slice(&key).map_err(|error| ScanError::Syntax {
                line,
                what: format!("this key cannot be read: {error}"),
            })?;
            self.scanner.expect(b":")?;
            self.scanner.value(&mut self.value)?;
            rows.visit(Some(&key), &self.value, line, self.visit)?;
            if self.scanner.expect(b",}")? == b'}' {
                self.tables.push(rows);
                return Ok(());
            }
        }
    }

    fn object(&mut self, path: &mut Vec<String>) -> Result<(), ReadError> {
        let mut key = Vec::new();
        self.scanner.expect(b"{")?;
        if self.scanner.peek()? == Some(b'}') {
            self.scanner.expect(b"}")?;
            return Ok(());
        }
        loop {
            let line = self.scanner.next_line()?;
            self.scanner.value(&mut key)?;
            path.push(serde_json::from_slice(&key).map_err(|error| ScanError::Syntax {
                line,
                what: format!("this key cannot be read: {error}"),
            })?);
            self.scanner.expect(b":")?;
            match self.scanner.peek()? {
                Some(b'[') => self.array(path)?,
                Some(b'{') if path.len() < DEPTH_MAX => self.object(path)?,
                _ => self.scanner.skip()?,
            }
            path.pop();
            if self.scanner.expect(b",}")? == b'}' {
                return Ok(());
            }
        }
    }

    fn array(&mut self, path: &[String]) -> Result<(), ReadError> {
        let mut table = None;
        self.scanner.expect(b"[")?;
        let first = self.scanner.peek()?;
        if first == Some(b']') {
            self.scanner.expect(b"]")?;
            return Ok(());
        }
        // Below the top, only arrays of objects are tables: others are mostly coordinates and tags.
        let is_table = path.is_empty() || first == Some(b'{');
        if !is_table && self.passed.len() < TABLES_MAX {
            self.passed.push(format!("`{}`", path.join(".")));
        }
        loop {
            let line = self.scanner.next_line()?;
            if is_table {
                self.scanner.value(&mut self.value)?;
                self.row(&mut table, path, line)?;
            } else {
                self.scanner.skip()?;
            }
            if self.scanner.expect(b",]")? == b']' {
                return Ok(());
            }
        }
    }

    /// Hands on the row that was just read; the first of a table tells what its rows are.
    fn row(&mut self, table: &mut Option<usize>, path: &[String], line: u64) -> Result<(), ReadError> {
        let at = table.unwrap_or(self.tables.len());
        if table.is_none() {
            if at == TABLES_MAX {
                let what = format!("more than {TABLES_MAX} lists of rows");
                return Err(ScanError::Syntax { line, what }.into());
            }
            let form = RowForm::of(std::str::from_utf8(&self.value).unwrap_or_default());
            self.tables.push(Rows::new(at, table_name(path), form));
            *table = Some(at);
        }
        self.tables[at].visit(None, &self.value, line, self.visit)
    }
}

/// What a table is called after: its place in the document, without words that say nothing.
fn table_name(path: &[String]) -> Option<String> {
    let words: Vec<&str> = path
        .iter()
        .map(String::as_str)
        .filter(|word| !EMPTY_WORDS.contains(&word.to_ascii_lowercase().as_str()))
        .collect();
    (!words.is_empty()).then(|| words.join("_"))
}
