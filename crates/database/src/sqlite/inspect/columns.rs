//! The columns of a statement's result.

use kasoku_sql_plan::ColumnKind;
use rusqlite::Connection;

use super::describe::kind_of;
use crate::inspect::ResultColumn;

pub(super) fn columns(raw: &Connection, sql: &str) -> rusqlite::Result<Vec<ResultColumn>> {
    let prepared = raw.prepare(sql)?;
    let mut columns = Vec::with_capacity(prepared.column_count());
    for column in prepared.columns_with_metadata() {
        let mut kind = ColumnKind::Any;
        let mut origin = None;
        if let (Some(table), Some(name)) = (column.table_name(), column.origin_name()) {
            // A table-valued function such as `json_each` has columns, and no declaration to look them up in.
            if let Ok((declared, ..)) = raw.column_metadata(column.database_name(), table, name) {
                let declared = declared.map(|text| text.to_string_lossy()).unwrap_or_default();
                kind = kind_of(&declared);
                origin = Some((table.to_owned(), name.to_owned()));
            }
        }
        columns.push(ResultColumn { name: column.name().to_owned(), kind, origin });
    }
    Ok(columns)
}
