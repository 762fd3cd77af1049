//! Which tables refer to which, as the tables themselves declare it.

use kasoku_sql_plan::{ForeignKey, Schema};
use rusqlite::Connection;

use super::quoted;

/// One column of a foreign key, as `foreign_key_list` describes it.
struct Described {
    key: i64,
    table: String,
    column: String,
    /// Not there where the primary key is meant.
    referred: Option<String>,
}

/// Adds the foreign keys of all tables. One that refers to what is not there is left out: no row can follow it.
pub(super) fn add(raw: &Connection, schema: &mut Schema) -> rusqlite::Result<()> {
    for place in 0..schema.tables.len() {
        if schema.tables[place].view {
            continue;
        }
        let described = described(raw, &schema.tables[place].name)?;
        let mut keys: Vec<ForeignKey> = described
            .chunk_by(|one, other| one.key == other.key)
            .filter_map(|columns| foreign_key(schema, place, columns))
            .collect();
        keys.sort_by(|one, other| {
            (&one.columns, &one.table, &one.referred).cmp(&(&other.columns, &other.table, &other.referred))
        });
        tell_apart(&mut keys);
        schema.tables[place].foreign_keys = keys;
    }
    Ok(())
}

fn described(raw: &Connection, table: &str) -> rusqlite::Result<Vec<Described>> {
    let mut statement = raw.prepare(&format!("PRAGMA main.foreign_key_list({})", quoted(table)))?;
    let rows = statement.query_map([], |row| {
        Ok(Described { key: row.get(0)?, table: row.get(2)?, column: row.get(3)?, referred: row.get(4)? })
    })?;
    rows.collect()
}

fn foreign_key(schema: &Schema, place: usize, described: &[Described]) -> Option<ForeignKey> {
    let table = &schema.tables[place];
    let target = schema.table(&described.first()?.table).filter(|target| !target.view)?;
    let columns = described.iter().map(|column| table.column(&column.column).map(|(place, _)| place));
    let columns: Vec<usize> = columns.collect::<Option<_>>()?;
    let referred: Vec<usize> = if described.iter().all(|column| column.referred.is_none()) {
        target.key.clone()
    } else {
        let named = |column: &Described| target.column(column.referred.as_ref()?).map(|(place, _)| place);
        described.iter().map(named).collect::<Option<_>>()?
    };
    if columns.len() != referred.len() {
        return None;
    }
    let names: Vec<&str> = columns.iter().map(|place| table.columns[*place].name.as_str()).collect();
    let name = ForeignKey::usual_name(&table.name, &names);
    Some(ForeignKey { name, columns, table: target.name.clone(), referred })
}

/// Numbers those of one name, as PostgreSQL does.
fn tell_apart(keys: &mut [ForeignKey]) {
    for place in 1..keys.len() {
        let earlier = keys[..place].iter().filter(|key| key.columns == keys[place].columns).count();
        if earlier > 0 {
            keys[place].name.push_str(&earlier.to_string());
        }
    }
}
