//! Tables as they will be served: what an import made of a file, or what a database already holds.

use kasoku_sql_plan::ColumnKind;

use crate::cell::DateForm;

/// A table or view, with what was found out about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// Whether it is a view, which cannot be written.
    pub view: bool,
    /// How many rows it has, if that is known.
    pub rows: Option<u64>,
    /// Its columns, in order.
    pub columns: Vec<ColumnShape>,
    /// What tells its rows apart.
    pub key: KeyShape,
    /// Its indexes besides the key.
    pub indexes: Vec<IndexShape>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// What the file calls it, if that is something else.
    pub written: Option<String>,
    /// How its values are read and shown.
    pub kind: ColumnKind,
    /// Whether it may hold NULL.
    pub nullable: bool,
    /// About how many different values it has, if that was counted.
    pub distinct: Option<u64>,
    /// Which form of date all of its texts have.
    pub dates: Option<DateForm>,
    /// The first value, if it is short.
    pub example: Option<String>,
    /// Why it has this kind, where that may surprise.
    pub why: Option<String>,
}

/// What tells the rows of a table apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyShape {
    /// Columns of the table itself, as places in its columns.
    Columns(Vec<usize>),
    /// A number that was added as the first column: the row's place in the file, counted from 1.
    Added,
    /// No column, but the database itself numbers its rows.
    RowNumber,
    /// Nothing.
    None,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexShape {
    /// The column that it begins with, as a place in the table's columns.
    pub column: usize,
    /// What it is for.
    pub reason: String,
}

impl TableShape {
    /// The places of the key's columns.
    pub fn key_columns(&self) -> &[usize] {
        match &self.key {
            KeyShape::Columns(places) => places,
            KeyShape::Added => &[0],
            KeyShape::RowNumber | KeyShape::None => &[],
        }
    }

    /// Whether lists can be sorted by this column without sorting the whole table.
    pub fn is_indexed(&self, column: usize) -> bool {
        self.key_columns().first() == Some(&column) || self.indexes.iter().any(|index| index.column == column)
    }
}
