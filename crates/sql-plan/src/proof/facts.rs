//! What a database says of a plan, an index and a reference, in words that all engines share.

/// How a database would run a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// How each table is reached, the outermost loop first.
    pub steps: Vec<Step>,
    /// What is sorted because no index gives the order.
    pub sort: SortWork,
    /// The plan in the database's own words.
    pub lines: Vec<String>,
}

/// What is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortWork {
    /// Nothing.
    None,
    /// Rows that are equal in the first columns, among each other.
    Ties,
    /// All rows.
    All,
}

/// How one table is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The table, by its alias if it has one.
    pub table: String,
    /// How much of it is read.
    pub reach: Reach,
    /// The index; `None` is the table itself.
    pub index: Option<String>,
    /// Columns whose value is fixed by a search in the index.
    pub equal: Vec<String>,
    /// The column after them whose values are bounded by the search.
    pub bounded: Option<String>,
}

/// How much of a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One row for each value, by a unique key.
    Point,
    /// A part of an index.
    Part,
    /// All of an index or of the table.
    All,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: String,
    /// What it is sorted by.
    pub columns: Vec<IndexColumn>,
    /// Whether it also keeps values apart.
    pub unique: bool,
    /// Whether a key or a constraint of the table owns it, so that it cannot be dropped alone.
    pub owned: bool,
    /// The condition of the rows that are in it.
    pub condition: Option<String>,
}

/// A column of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IndexColumn {
    /// Its name; `None` is an expression.
    pub name: Option<String>,
    /// Largest first.
    pub descending: bool,
    /// Whether NULL comes before all else.
    pub nulls_first: bool,
}

/// A reference from one table to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table that refers.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that is referred to.
    pub parent: String,
    /// Whether a row goes with the row that it refers to.
    pub cascades: bool,
}

impl Index {
    /// Whether a condition says that a column is NULL, and nothing else.
    pub(super) fn holds_where_null(&self, column: &str) -> bool {
        self.condition.as_ref().is_some_and(|condition| {
            let plain: String = condition
                .chars()
                .filter(|letter| !matches!(letter, '"' | '(' | ')' | '`' | '[' | ']'))
                .collect();
            let words: Vec<&str> = plain.split_whitespace().collect();
            matches!(words[..], [name, is, null] if name.eq_ignore_ascii_case(column)
                && is.eq_ignore_ascii_case("is") && null.eq_ignore_ascii_case("null"))
        })
    }
}
