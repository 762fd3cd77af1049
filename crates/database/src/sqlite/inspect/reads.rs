//! What a statement reads, writes and calls, as SQLite itself says while it compiles it.

use rusqlite::{Connection, OptionalExtension};

use super::{Noted, describe, volatile};
use crate::inspect::{Reads, TableRead, add};

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
                None => reads.add_read(table, column),
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
            reads.add_read(&name, "");
        }
    }
    reads.sort();
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
