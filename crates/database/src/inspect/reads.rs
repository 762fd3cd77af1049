//! What a statement reads, writes and calls.

/// What a statement touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// The tables that it reads, views resolved, in the order of their names. Where it reads rows whose changes
    /// nobody reports (a virtual table, SQLite's own), or calls a function that may read anything, these are all
    /// tables.
    pub tables: Vec<TableRead>,
    /// The views that it goes through.
    pub views: Vec<String>,
    /// The tables that it writes, by its triggers too (cascades of foreign keys apart).
    pub writes: Vec<String>,
    /// The functions that it calls.
    pub functions: Vec<String>,
    /// What makes its result depend on more than the tables: `random`, `datetime('now')`, a materialised view, …
    pub volatile: Vec<String>,
}

/// A table and the columns that are read from it; no column where only the existence of rows matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRead {
    /// The table.
    pub table: String,
    /// Its columns, in the order of their names.
    pub columns: Vec<String>,
}

impl Reads {
    /// Adds a column that is read; an empty one stands for the existence of rows.
    pub(crate) fn add_read(&mut self, table: &str, column: &str) {
        let known = self.tables.iter().position(|known| known.table == table);
        let place = known.unwrap_or_else(|| {
            self.tables.push(TableRead { table: table.to_owned(), columns: Vec::new() });
            self.tables.len() - 1
        });
        if !column.is_empty() {
            add(&mut self.tables[place].columns, column);
        }
    }

    /// Puts tables and columns into the order of their names.
    pub(crate) fn sort(&mut self) {
        self.tables.sort_by(|a, b| a.table.cmp(&b.table));
        for table in &mut self.tables {
            table.columns.sort();
        }
    }
}

/// Adds a name that is not there yet; whether it was added.
pub(crate) fn add(list: &mut Vec<String>, name: &str) -> bool {
    let new = !list.iter().any(|known| known.eq_ignore_ascii_case(name));
    if new {
        list.push(name.to_owned());
    }
    new
}
