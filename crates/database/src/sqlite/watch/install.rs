//! The triggers that write down who changed what in a file, for all who ask.
//!
//! They lie in the file, so they fire in whatever program writes it, and use nothing that the oldest shell does not
//! know: a function of ours would make others' writes fail. They write rows of a table of changes, one for what a row
//! was and one for what it is, by the columns that answers are tagged by.
//!
//! A REPLACE removes rows without firing their delete triggers, unless the program has asked for it. So before
//! each insert and update the rows that it could replace are looked up by the table's unique keys and written down.

use std::fmt::Write as _;

use super::Watched;
use crate::changes::WatchedTable;
use crate::error::DatabaseError;
use crate::sqlite::connection::Connection;
use crate::sqlite::inspect::quoted;

/// Values of a row that fit the table of changes; a table that is tagged by more is told as a whole.
const COLUMNS_MAX: usize = 16;

/// Rows that the table of changes takes beyond those that were read.
pub(super) const ROWS_MAX: i64 = 100_000;

/// What a row of the table of changes is.
pub(super) const BEFORE: i64 = 0;
pub(super) const AFTER: i64 = 1;
pub(super) const WHOLE: i64 = 2;

const PREFIX: &str = "_kasoku_note_";

struct Trigger {
    name: String,
    sql: String,
}

/// Makes the tables that all triggers share.
pub(super) fn install_base(connection: &Connection) -> Result<(), DatabaseError> {
    let columns = places(COLUMNS_MAX);
    within(connection, &format!(
        "CREATE TABLE IF NOT EXISTS _kasoku_change (seq INTEGER PRIMARY KEY, relation TEXT NOT NULL, \
         side INTEGER NOT NULL{columns});
         CREATE TABLE IF NOT EXISTS _kasoku_feed (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, \
         upto INTEGER NOT NULL);
         INSERT OR IGNORE INTO _kasoku_feed VALUES (1, hex(randomblob(16)), {ROWS_MAX});
         CREATE TABLE IF NOT EXISTS _kasoku_watched (relation TEXT PRIMARY KEY, columns TEXT NOT NULL);"
    ))
}

/// Whether there is a table of changes.
pub(super) fn is_installed(connection: &Connection) -> Result<bool, DatabaseError> {
    let sql = "SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' \
               AND name IN ('_kasoku_change', '_kasoku_feed', '_kasoku_watched')";
    Ok(connection.integer(sql)? == 3)
}

/// Installs what is missing, or tells rows by fewer columns than asked. Says which tables it changed.
pub(super) fn install(
    connection: &Connection,
    tables: &[WatchedTable],
) -> Result<Vec<String>, DatabaseError> {
    install_base(connection)?;
    let known = installed(connection)?;
    let mut changed = Vec::new();
    for table in tables {
        let before = known.iter().find(|known| known.table == table.table);
        let mut columns = before.map(|known| known.columns.clone()).unwrap_or_default();
        let missing: Vec<String> =
            table.columns.iter().filter(|name| !columns.contains(name)).cloned().collect();
        columns.extend(missing);
        // A trigger that names what is not there would make every write fail.
        let names = column_names(connection, &table.table)?;
        columns.retain(|column| names.iter().any(|name| name.eq_ignore_ascii_case(column)));
        let wanted = Watched { table: table.table.clone(), columns };
        if before == Some(&wanted) && is_whole(connection, &wanted)? {
            continue;
        }
        let mut sql = String::new();
        for trigger in there(connection, &wanted.table)? {
            write!(sql, "DROP TRIGGER main.{};", quoted(&trigger.name)).expect("a String takes all text");
        }
        for trigger in triggers(connection, &wanted)? {
            sql.push_str(&trigger.sql);
            sql.push(';');
        }
        let columns = serde_json::to_string(&wanted.columns).expect("names are text");
        write!(
            sql,
            "INSERT INTO _kasoku_watched VALUES ({}, {}) \
             ON CONFLICT (relation) DO UPDATE SET columns = excluded.columns;",
            literal(&wanted.table),
            literal(&columns)
        )
        .expect("a String takes all text");
        within(connection, &sql)?;
        changed.push(wanted.table);
    }
    Ok(changed)
}

/// Takes everything away that [`install`] has made.
pub(super) fn remove(connection: &Connection) -> Result<(), DatabaseError> {
    let mut sql = String::new();
    let names =
        "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND name GLOB '_kasoku_note_*'";
    for trigger in read_triggers(connection, names, [])? {
        write!(sql, "DROP TRIGGER main.{};", quoted(&trigger.name)).expect("a String takes all text");
    }
    sql.push_str(
        "DROP TABLE IF EXISTS _kasoku_change; DROP TABLE IF EXISTS _kasoku_feed; \
         DROP TABLE IF EXISTS _kasoku_watched;",
    );
    within(connection, &sql)
}

/// The tables whose changes are written down.
pub(super) fn installed(connection: &Connection) -> Result<Vec<Watched>, DatabaseError> {
    let read = || -> rusqlite::Result<Vec<(String, String)>> {
        let sql = "SELECT relation, columns FROM main._kasoku_watched ORDER BY relation";
        let mut statement = connection.raw().prepare(sql)?;
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let rows = read().map_err(|error| connection.failed(error))?;
    let watched = rows.into_iter().map(|(table, columns)| {
        let columns = serde_json::from_str(&columns)
            .map_err(|_| DatabaseError::Corrupt("the list of watched columns".into()))?;
        Ok(Watched { table, columns })
    });
    watched.collect()
}

/// Whether the triggers of a table are as they should be.
pub(super) fn is_whole(connection: &Connection, watched: &Watched) -> Result<bool, DatabaseError> {
    let wanted = triggers(connection, watched)?;
    let there = there(connection, &watched.table)?;
    Ok(!wanted.is_empty()
        && wanted.len() == there.len()
        && wanted
            .iter()
            .all(|wanted| there.iter().any(|there| there.name == wanted.name && there.sql == wanted.sql)))
}

/// Runs statements in a transaction of their own, or in the one that is open: all or none.
fn within(connection: &Connection, sql: &str) -> Result<(), DatabaseError> {
    let (begin, end, undo) = if connection.raw().is_autocommit() {
        ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
    } else {
        ("SAVEPOINT kasoku_note", "RELEASE kasoku_note", "ROLLBACK TO kasoku_note; RELEASE kasoku_note")
    };
    connection.raw().execute_batch(&format!("{begin}; {sql} {end};")).map_err(|error| {
        let error = connection.failed(error);
        if !connection.raw().is_autocommit() {
            // The first error says more than one about the end of the transaction.
            let _ended = connection.raw().execute_batch(undo);
        }
        error
    })
}

fn triggers(connection: &Connection, watched: &Watched) -> Result<Vec<Trigger>, DatabaseError> {
    let Watched { table, columns } = watched;
    let keys = unique_keys(connection, table)?;
    let told = columns.len() <= COLUMNS_MAX;
    let digest = kasoku_coherence::Tag::named(table).0;
    let room = "(SELECT coalesce(max(seq), 0) FROM _kasoku_change) < (SELECT upto FROM _kasoku_feed)";
    let relation = literal(table);
    let places = places(columns.len());
    let write = |side: i64, of: &str| {
        if told {
            format!(
                "INSERT INTO _kasoku_change (relation, side{places}) VALUES ({relation}, {side}{});",
                values(columns, of)
            )
        } else {
            format!("INSERT INTO _kasoku_change (relation, side) VALUES ({relation}, {WHOLE});")
        }
    };
    let mut all = Vec::new();
    let mut add = |suffix: &str, event: &str, condition: &str, body: &str| {
        let name = format!("{PREFIX}{digest:016x}_{suffix}");
        let sql = format!(
            "CREATE TRIGGER {name} {event} ON {} FOR EACH ROW WHEN {room}{condition} BEGIN {body} END",
            quoted(table)
        );
        all.push(Trigger { name, sql });
    };
    add("insert", "AFTER INSERT", "", &write(AFTER, "NEW."));
    add("delete", "AFTER DELETE", "", &write(BEFORE, "OLD."));
    add("update", "AFTER UPDATE", "", &write(AFTER, "NEW."));
    if told && !columns.is_empty() {
        let differ: Vec<String> =
            columns.iter().map(|column| format!("OLD.{0} IS NOT NEW.{0}", quoted(column))).collect();
        let condition = format!(" AND ({})", differ.join(" OR "));
        add("moved", "AFTER UPDATE", &condition, &write(BEFORE, "OLD."));
    }
    let replaced = match &keys {
        Some(keys) if told => replaced(table, columns, keys),
        _ => format!("INSERT INTO _kasoku_change (relation, side) VALUES ({relation}, {WHOLE});"),
    };
    if keys.as_ref().is_none_or(|keys| !keys.is_empty()) {
        add("replaced", "BEFORE INSERT", "", &replaced);
        let moved: Vec<String> = keys
            .iter()
            .flatten()
            .flatten()
            .map(|column| format!("OLD.{0} IS NOT NEW.{0}", quoted(column)))
            .collect();
        let condition =
            if moved.is_empty() { String::new() } else { format!(" AND ({})", moved.join(" OR ")) };
        add("replaced_by_update", "BEFORE UPDATE", &condition, &replaced);
    }
    Ok(all)
}

/// Writes down the rows that a new one would replace by one of these keys.
fn replaced(table: &str, columns: &[String], keys: &[Vec<String>]) -> String {
    let same = |column: &String| format!("{0} = NEW.{0}", quoted(column));
    let by = |key: &Vec<String>| format!("({})", key.iter().map(same).collect::<Vec<_>>().join(" AND "));
    let by: Vec<String> = keys.iter().map(by).collect();
    format!(
        "INSERT INTO _kasoku_change (relation, side{}) SELECT {}, {BEFORE}{} FROM {} WHERE {};",
        places(columns.len()),
        literal(table),
        values(columns, ""),
        quoted(table),
        by.join(" OR ")
    )
}

/// The first columns for values of the table of changes.
fn places(count: usize) -> String {
    (0..count).fold(String::new(), |text, place| text + &format!(", c{place}"))
}

/// These columns of a row.
fn values(columns: &[String], of: &str) -> String {
    columns.iter().fold(String::new(), |text, column| text + ", " + of + &quoted(column))
}

/// The columns of each key by which a row can be replaced; `None` where one of them is no list of columns.
fn unique_keys(connection: &Connection, table: &str) -> Result<Option<Vec<Vec<String>>>, DatabaseError> {
    let read = || -> rusqlite::Result<Option<Vec<Vec<String>>>> {
        let raw = connection.raw();
        let mut keys: Vec<Vec<String>> = Vec::new();
        let mut primary = raw.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
        let primary: Vec<String> = primary.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
        if !primary.is_empty() {
            keys.push(primary);
        }
        let mut indexes = raw.prepare("SELECT name, partial FROM pragma_index_list(?1) WHERE \"unique\"")?;
        let indexes: Vec<(String, bool)> =
            indexes.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        for (index, is_partial) in indexes {
            let mut columns = raw.prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
            let columns: Vec<Option<String>> =
                columns.query_map([index], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let Some(columns) = columns.into_iter().collect::<Option<Vec<String>>>() else { return Ok(None) };
            if is_partial {
                return Ok(None);
            }
            if !keys.contains(&columns) {
                keys.push(columns);
            }
        }
        Ok(Some(keys))
    };
    read().map_err(|error| connection.failed(error))
}

fn column_names(connection: &Connection, table: &str) -> Result<Vec<String>, DatabaseError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut names = connection.raw().prepare("SELECT name FROM pragma_table_xinfo(?1)")?;
        names.query_map([table], |row| row.get(0))?.collect()
    };
    read().map_err(|error| connection.failed(error))
}

/// The triggers of ours that a table has.
fn there(connection: &Connection, table: &str) -> Result<Vec<Trigger>, DatabaseError> {
    let sql = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND name GLOB '_kasoku_note_*' \
               AND tbl_name = ?1 COLLATE NOCASE";
    read_triggers(connection, sql, [table])
}

fn read_triggers<P: rusqlite::Params>(
    connection: &Connection,
    sql: &str,
    params: P,
) -> Result<Vec<Trigger>, DatabaseError> {
    let read = || -> rusqlite::Result<Vec<Trigger>> {
        let mut statement = connection.raw().prepare(sql)?;
        statement.query_map(params, |row| Ok(Trigger { name: row.get(0)?, sql: row.get(1)? }))?.collect()
    };
    read().map_err(|error| connection.failed(error))
}

/// A text as a constant.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
