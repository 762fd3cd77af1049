//! The triggers that feed the record.

use std::fmt::Write as _;
use std::sync::Arc;

use super::record::{DELETED, FUNCTION, INSERTED, Recorder, UPDATED};
use crate::changes::WatchedTable;
use crate::error::DatabaseError;
use crate::sqlite::connection::Connection;
use crate::sqlite::inspect::quoted;

/// Columns beyond which a row does not fit the arguments of a function, old and new; such a table is watched
/// without values.
const COLUMNS_MAX: usize = 400;

/// Replaces the triggers on this connection, and what the record expects of them.
pub(super) fn install(
    connection: &Connection,
    recorder: &Recorder,
    tables: &[WatchedTable],
) -> Result<(), DatabaseError> {
    let mut sql = String::from("SAVEPOINT kasoku_watch;");
    for name in installed(connection)? {
        write!(sql, "DROP TRIGGER temp.{};", quoted(&name)).expect("a string takes all text");
    }
    for (place, table) in tables.iter().enumerate() {
        let columns = watched_columns(table);
        for (what, word) in [(INSERTED, "INSERT"), (UPDATED, "UPDATE"), (DELETED, "DELETE")] {
            let mut values = String::new();
            for row in ["OLD", "NEW"] {
                if (row == "OLD" && what == INSERTED) || (row == "NEW" && what == DELETED) {
                    continue;
                }
                for column in columns {
                    write!(values, ", {row}.{}", quoted(column)).expect("a string takes all text");
                }
            }
            write!(
                sql,
                "CREATE TEMP TRIGGER _kasoku_{place}_{what} AFTER {word} ON main.{} FOR EACH ROW \
                 BEGIN SELECT {FUNCTION}({place}, {what}{values}); END;",
                quoted(&table.table)
            )
            .expect("a string takes all text");
        }
    }
    sql.push_str("RELEASE kasoku_watch;");
    if let Err(error) = connection.raw().execute_batch(&sql) {
        let error = connection.failed(error);
        if !connection.raw().is_autocommit() {
            connection.run("ROLLBACK -- kasoku")?;
        }
        return Err(error);
    }
    recorder
        .watch(tables.iter().map(|table| (Arc::from(table.table.as_str()), watched_columns(table).len())));
    Ok(())
}

fn watched_columns(table: &WatchedTable) -> &[String] {
    if table.columns.len() > COLUMNS_MAX { &[] } else { &table.columns }
}

fn installed(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let list = || -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.raw().prepare(
            "SELECT name FROM temp.sqlite_schema WHERE type = 'trigger' AND name GLOB '_kasoku_[0-9]*'",
        )?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    list().map_err(|error| connection.failed(error))
}
