//! What a database holds, as far as planning must know: tables, columns, kinds, keys.

/// The tables and views of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// In the order of their names.
    pub tables: Vec<Table>,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Whether it is a view, which cannot be written.
    pub view: bool,
    /// Its columns, in the order of the table.
    pub columns: Vec<Column>,
    /// Columns of the primary key, as places in `columns`; empty if it has none.
    pub key: Vec<usize>,
    /// Columns of each other unique constraint or unique index without a condition, as places in `columns`.
    pub unique: Vec<Vec<usize>>,
    /// Its unique indexes with a condition, which hold for some rows only.
    pub partial: Vec<Unique>,
    /// Its references to rows of other tables, or its own.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A unique index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// Its columns, as places in their table.
    pub columns: Vec<usize>,
    /// The condition of the rows that it holds for, as the database writes it.
    pub condition: Option<Box<str>>,
}

/// A reference to rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name; where the database keeps none, the one that PostgreSQL would give it:
    /// `books_author_id_fkey`.
    pub name: String,
    /// The columns that refer, as places in their table.
    pub columns: Vec<usize>,
    /// The name of the table that they refer to.
    pub table: String,
    /// The columns that they refer to, in the same order, as places in that table.
    pub referred: Vec<usize>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, as the database states it")]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How its values are read, written and shown.
    pub kind: ColumnKind,
    /// Whether it may hold NULL.
    pub nullable: bool,
    /// Whether an insert may leave it out: it has a default, may be NULL, or numbers itself.
    pub optional: bool,
    /// Whether it is computed and cannot be written.
    pub generated: bool,
    /// Whether equal values are equal bytes, and a change of a row tells the stored value. Where a collation folds case,
    /// equality cannot be named by a tag.
    pub exact_equality: bool,
}

/// How a column's values are read, written and shown in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// A whole number.
    Integer,
    /// A double.
    Real,
    /// A number that keeps the form it was given, whole or not (`NUMERIC`, `DECIMAL`).
    Number,
    /// Text; in SQLite, dates and times are text in RFC 3339 form.
    Text,
    /// `true` or `false`, stored as 1 or 0.
    Boolean,
    /// A JSON document, stored as text and shown as itself.
    Json,
    /// Bytes, shown in base64.
    Blob,
    /// A list of values of one type, as PostgreSQL has them; its text is the database's own, `{1,2}`.
    Array,
    /// A span of values, as PostgreSQL has them; its text is the database's own, `[1,5)`.
    Range,
    /// A document prepared for text search (`tsvector`).
    Search,
    /// A decimal number of any length, bound and shown with all its digits.
    Decimal,
    /// A UUID, written in lower case with hyphens.
    Uuid,
    /// A day, `2020-02-29`.
    Date,
    /// A day and a time, with a distance from UTC or without (RFC 3339).
    Timestamp,
    /// No declared type: whatever each row holds.
    Any,
}

impl ColumnKind {
    /// The kind in words, to follow "which is".
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Real | Self::Number | Self::Decimal => "a number",
            Self::Text => "text",
            Self::Boolean => "`true` or `false`",
            Self::Json => "a JSON document",
            Self::Blob => "bytes",
            Self::Array => "an array",
            Self::Range => "a range",
            Self::Search => "a search document",
            Self::Uuid => "a UUID",
            Self::Date => "a date",
            Self::Timestamp => "a date and time",
            Self::Any => "of no declared type",
        }
    }
}

impl Schema {
    /// The table or view of that name; SQL names do not mind ASCII case.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

impl Unique {
    /// An index that holds for all rows.
    pub(crate) fn whole(columns: &[usize]) -> Self {
        Self { columns: columns.to_vec(), condition: None }
    }
}

impl ForeignKey {
    /// The name of a constraint that was given none.
    pub fn usual_name(table: &str, columns: &[&str]) -> String {
        format!("{table}_{}_fkey", columns.join("_"))
    }
}

impl Table {
    /// The place and description of a column.
    pub fn column(&self, name: &str) -> Option<(usize, &Column)> {
        self.columns.iter().enumerate().find(|(_, column)| column.name.eq_ignore_ascii_case(name))
    }
}
