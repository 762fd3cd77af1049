//! What a database holds, from its own descriptions of itself.

use kasoku_sql_plan::{Column, ColumnKind, Schema, Table, Unique};
use rusqlite::Connection;

use super::{partial, quoted, references};

/// A column as `table_xinfo` describes it.
struct Described {
    name: String,
    declared: String,
    not_null: bool,
    has_default: bool,
    key_place: i64,
    hidden: i64,
}

/// An index as `index_list` describes it.
struct Index {
    name: String,
    unique: bool,
    origin: String,
    partial: bool,
}

/// A table as `table_list` describes it.
struct Listed {
    name: String,
    view: bool,
    without_rowid: bool,
    strict: bool,
}

pub(in crate::sqlite) fn schema(raw: &Connection) -> rusqlite::Result<Schema> {
    let tables = listed(raw)?.iter().map(|listed| table(raw, listed)).collect::<rusqlite::Result<_>>()?;
    let mut schema = Schema { tables };
    references::add(raw, &mut schema)?;
    Ok(schema)
}

/// The names of the tables of [`schema`] that hold rows of their own.
pub(in crate::sqlite) fn ordinary_tables(raw: &Connection) -> rusqlite::Result<Vec<String>> {
    let listed = listed(raw)?.into_iter();
    Ok(listed.filter(|listed| !listed.view).map(|listed| listed.name).collect())
}

fn listed(raw: &Connection) -> rusqlite::Result<Vec<Listed>> {
    let mut statement = raw.prepare(
        "SELECT name, type = 'view', wr, strict FROM pragma_table_list WHERE schema = 'main' AND \
         type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND \
         name NOT LIKE '\\_kasoku\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let listed = statement.query_map([], |row| {
        Ok(Listed { name: row.get(0)?, view: row.get(1)?, without_rowid: row.get(2)?, strict: row.get(3)? })
    })?;
    listed.collect()
}

/// How the values of a column with this declared type are read. The words that SQLite itself looks for come first
/// where they decide what it stores (<https://sqlite.org/datatype3.html> §3.1).
pub(super) fn kind_of(declared: &str) -> ColumnKind {
    let declared = declared.to_ascii_uppercase();
    let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if declared.is_empty() || declared == "ANY" || says(&["STRING"]) {
        ColumnKind::Any
    } else if says(&["BOOL"]) {
        ColumnKind::Boolean
    } else if says(&["JSON"]) {
        ColumnKind::Json
    } else if says(&["INT"]) {
        ColumnKind::Integer
    } else if says(&["CHAR", "CLOB", "TEXT", "DATE", "TIME", "UUID"]) {
        ColumnKind::Text
    } else if says(&["BLOB"]) {
        ColumnKind::Blob
    } else if says(&["REAL", "FLOA", "DOUB"]) {
        ColumnKind::Real
    } else {
        ColumnKind::Number
    }
}

fn table(raw: &Connection, listed: &Listed) -> rusqlite::Result<Table> {
    let described = described(raw, &listed.name)?;
    let indexes = indexes(raw, &listed.name)?;
    let mut key: Vec<usize> = (0..described.len()).filter(|place| described[*place].key_place > 0).collect();
    key.sort_by_key(|place| described[*place].key_place);
    // A single INTEGER PRIMARY KEY is another name of the rowid and numbers itself, unless it has an index of its own.
    let rowid = match key[..] {
        [only] if !listed.without_rowid && described[only].declared.eq_ignore_ascii_case("INTEGER") => {
            (!indexes.iter().any(|index| index.origin == "pk")).then_some(only)
        }
        _ => None,
    };
    let mut columns = Vec::with_capacity(described.len());
    for (place, column) in described.iter().enumerate() {
        let kind = kind_of(&column.declared);
        let generated = column.hidden > 1;
        let nullable = !column.not_null && rowid != Some(place);
        columns.push(Column {
            name: column.name.clone(),
            kind,
            nullable,
            optional: nullable || generated || column.has_default || rowid == Some(place),
            generated,
            // What is computed is not told by changes.
            exact_equality: !listed.view
                && !generated
                && equal_values_are_equal_bytes(kind, &column.declared, listed.strict)
                && collates_binary(raw, &listed.name, &column.name)?,
        });
    }
    let (mut unique, mut partial) = (Vec::new(), Vec::new());
    for index in indexes.iter().filter(|index| index.unique && index.origin != "pk") {
        match index_columns(raw, &index.name, &described)? {
            Some(columns) if index.partial => {
                let condition = partial::condition(raw, &index.name)?;
                partial.extend(condition.map(|condition| Unique { columns, condition: Some(condition) }));
            }
            Some(columns) => unique.push(columns),
            None => {}
        }
    }
    unique.sort();
    unique.dedup();
    let name = listed.name.clone();
    Ok(Table { name, view: listed.view, columns, key, unique, partial, foreign_keys: Vec::new() })
}

fn described(raw: &Connection, table: &str) -> rusqlite::Result<Vec<Described>> {
    let mut statement = raw.prepare(&format!("PRAGMA main.table_xinfo({})", quoted(table)))?;
    let rows = statement.query_map([], |row| {
        Ok(Described {
            name: row.get(1)?,
            declared: row.get(2)?,
            not_null: row.get(3)?,
            has_default: row.get::<_, Option<String>>(4)?.is_some(),
            key_place: row.get(5)?,
            hidden: row.get(6)?,
        })
    })?;
    // 1 is a hidden column of a virtual table; 2 and 3 are generated columns, virtual and stored.
    rows.filter(|row| !row.as_ref().is_ok_and(|column| column.hidden == 1)).collect()
}

fn indexes(raw: &Connection, table: &str) -> rusqlite::Result<Vec<Index>> {
    let mut statement = raw.prepare(&format!("PRAGMA main.index_list({})", quoted(table)))?;
    let rows = statement.query_map([], |row| {
        Ok(Index { name: row.get(1)?, unique: row.get(2)?, origin: row.get(3)?, partial: row.get(4)? })
    })?;
    rows.collect()
}

/// The columns of an index, or `None` if it has expressions.
fn index_columns(
    raw: &Connection,
    index: &str,
    columns: &[Described],
) -> rusqlite::Result<Option<Vec<usize>>> {
    let mut statement = raw.prepare(&format!("PRAGMA main.index_xinfo({})", quoted(index)))?;
    let names = statement
        .query_map([], |row| Ok((row.get::<_, Option<String>>(2)?, row.get::<_, bool>(5)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let key = names.into_iter().filter(|(_, key)| *key).map(|(name, _)| name);
    Ok(key.map(|name| columns.iter().position(|column| Some(&column.name) == name.as_ref())).collect())
}

/// Whether two values that SQLite finds equal are the same value. Where a column holds numbers in several forms, or
/// turns text that looks like a number into one, they need not be.
fn equal_values_are_equal_bytes(kind: ColumnKind, declared: &str, strict: bool) -> bool {
    let declared = declared.to_ascii_uppercase();
    match kind {
        ColumnKind::Integer | ColumnKind::Real | ColumnKind::Boolean => true,
        ColumnKind::Text => ["CHAR", "CLOB", "TEXT"].iter().any(|word| declared.contains(word)),
        ColumnKind::Blob => strict,
        ColumnKind::Number
        | ColumnKind::Json
        | ColumnKind::Array
        | ColumnKind::Range
        | ColumnKind::Search
        | ColumnKind::Decimal
        | ColumnKind::Uuid
        | ColumnKind::Date
        | ColumnKind::Timestamp
        | ColumnKind::Any => false,
    }
}

fn collates_binary(raw: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    let (_, collation, ..) = raw.column_metadata(Some("main"), table, column)?;
    Ok(collation.is_none_or(|name| name.to_bytes().eq_ignore_ascii_case(b"BINARY")))
}
