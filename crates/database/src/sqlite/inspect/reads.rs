//! What a statement reads, writes and calls, as SQLite itself says while it compiles it.

use rusqlite::{Connection, OptionalExtension};

use super::{Noted, describe, volatile};

/// What a statement touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// The tables that it reads, views resolved, in the order of their names. Where it reads rows whose changes
    /// nobody reports (a virtual table, SQLite's own), these are all tables: what changes such rows is a trigger of
    /// one of them.
    pub tables: Vec<TableRead>,
    /// The views that it goes through.
    pub views: Vec<String>,
    /// The tables that it writes, by its triggers too (cascades of foreign keys apart).
    pub writes: Vec<String>,
    /// The functions that it calls.
    pub functions: Vec<String>,
    /// What makes its result depend on more than the tables: `random`, `datetime('now')`, `changes`, …
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

pub(super) fn summarise(raw: &Connection, sql: &str, noted: &[Noted]) -> rusqlite::Result<Reads> {
    let mut reads = Reads::default();
    let mut texts = vec![sql.to_owned()];
    for note in noted {
        match note {
            Noted::Read { table, column } => match view_sql(raw, table)? {
                Some(text) => {
                    if add(&mut reads.views, table) {
                        texts.push(text);
                    }
                }
                None => add_read(&mut reads.tables, table, column),
            },
            Noted::Write { table } => {
                add(&mut reads.writes, table);
            }
            Noted::Function { name } => {
                add(&mut reads.functions, name);
            }
            Noted::Other => {}
        }
    }
    if reads_unreported(raw, &reads.tables)? {
        for name in describe::ordinary_tables(raw)? {
            add_read(&mut reads.tables, &name, "");
        }
    }
    reads.tables.sort_by(|a, b| a.table.cmp(&b.table));
    for table in &mut reads.tables {
        table.columns.sort();
    }
    reads.volatile = volatile::volatile(&texts, &reads.functions);
    Ok(reads)
}

/// Whether one of these tables is stored and yet none of the ordinary ones. Table-valued functions are not stored.
fn reads_unreported(raw: &Connection, tables: &[TableRead]) -> rusqlite::Result<bool> {
    let ordinary = describe::ordinary_tables(raw)?;
    let mut stored =
        raw.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE")?;
    for table in tables {
        let known = ordinary.iter().any(|name| name.eq_ignore_ascii_case(&table.table));
        if !known && stored.exists([&table.table])? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn view_sql(raw: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?1 COLLATE NOCASE";
    raw.query_row(sql, [name], |row| row.get(0)).optional()
}

fn add(list: &mut Vec<String>, name: &str) -> bool {
    let new = !list.iter().any(|known| known.eq_ignore_ascii_case(name));
    if new {
        list.push(name.to_owned());
    }
    new
}

fn add_read(tables: &mut Vec<TableRead>, table: &str, column: &str) {
    if !tables.iter().any(|known| known.table == table) {
        tables.push(TableRead { table: table.to_owned(), columns: Vec::new() });
    }
    let known = tables.iter_mut().find(|known| known.table == table);
    if let Some(known) = known.filter(|_| !column.is_empty()) {
        add(&mut known.columns, column);
    }
}
