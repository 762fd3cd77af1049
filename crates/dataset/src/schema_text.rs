//! The SQL that makes the tables and indexes of a survey.

use std::fmt::Write as _;

use kasoku_sql_plan::ColumnKind;

use crate::cell::DateForm;
use crate::shape::{ColumnShape, KeyShape, TableShape};

/// The statement that makes a table. Each column that needs a word of explanation has a comment.
pub(crate) fn create_table(table: &TableShape) -> String {
    let mut sql = format!("create table if not exists {} (\n", quoted(&table.name));
    let key = table.key_columns();
    let last = table.columns.len().saturating_sub(1);
    for (place, column) in table.columns.iter().enumerate() {
        let mut line = format!("    {}", quoted(&column.name));
        if let Some(declared) = declared(column.kind) {
            let _ = write!(line, " {declared}");
        }
        if key == [place] {
            line.push_str(" primary key");
        }
        let is_rowid = key == [place] && column.kind == ColumnKind::Integer;
        if !column.nullable && !is_rowid {
            line.push_str(" not null");
        }
        if place < last {
            line.push(',');
        }
        if let Some(comment) = comment(column) {
            let _ = write!(line, " -- {comment}");
        }
        sql.push_str(&line);
        sql.push('\n');
    }
    sql.push_str(");\n");
    sql
}

/// The statements that make a table's indexes, each with what it is for.
///
/// The rowid stands at the end of every index of SQLite, so an index on one column also gives the order by that
/// column and then by a whole-number key. Another key has to be named.
pub(crate) fn create_indexes(table: &TableShape) -> Vec<String> {
    let key = match &table.key {
        KeyShape::Columns(places) => {
            places.iter().find(|place| table.columns[**place].kind != ColumnKind::Integer).copied()
        }
        KeyShape::Added | KeyShape::RowNumber | KeyShape::None => None,
    };
    let sql_of = |column: usize, reason: &str| {
        let name = &table.columns[column].name;
        let mut columns = quoted(name);
        if let Some(key) = key {
            let _ = write!(columns, ", {}", quoted(&table.columns[key].name));
        }
        let index = quoted(&format!("{}_by_{name}", table.name));
        format!("-- {reason}\ncreate index if not exists {index} on {} ({columns});\n", quoted(&table.name))
    };
    table.indexes.iter().map(|index| sql_of(index.column, &index.reason)).collect()
}

/// The text of a schema file that makes all tables and indexes.
pub(crate) fn schema_file(tables: &[TableShape]) -> String {
    let mut text = String::new();
    for table in tables {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&create_table(table));
        for index in create_indexes(table) {
            text.push('\n');
            text.push_str(&index);
        }
    }
    text
}

/// An identifier of SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The declared type that the database reads a kind from; `None` stores each value as what it is.
fn declared(kind: ColumnKind) -> Option<&'static str> {
    match kind {
        ColumnKind::Integer => Some("integer"),
        ColumnKind::Real => Some("real"),
        ColumnKind::Number | ColumnKind::Decimal => Some("numeric"),
        ColumnKind::Text | ColumnKind::Uuid | ColumnKind::Date | ColumnKind::Timestamp => Some("text"),
        ColumnKind::Boolean => Some("boolean"),
        // With `text` in it, SQLite does not turn documents that are mere numbers into numbers.
        ColumnKind::Json => Some("json text"),
        ColumnKind::Blob => Some("blob"),
        ColumnKind::Any | ColumnKind::Array | ColumnKind::Range | ColumnKind::Search => None,
    }
}

fn comment(column: &ColumnShape) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(written) = &column.written {
        parts.push(format!("{:?} in the file", written.chars().take(60).collect::<String>()));
    }
    match column.dates {
        Some(DateForm::Date) => parts.push("dates".into()),
        Some(DateForm::DateTime) => parts.push("dates and times".into()),
        None => {}
    }
    parts.extend(column.why.clone());
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::IndexShape;

    #[test]
    fn a_table_is_written_with_its_reasons() {
        let column = |name: &str, kind, nullable| ColumnShape {
            name: name.into(),
            written: None,
            kind,
            nullable,
            distinct: None,
            dates: None,
            example: None,
            why: None,
        };
        let mut zip = column("zip", ColumnKind::Text, true);
        zip.why = Some("kept as text: line 2 has \"02134\"".into());
        zip.written = Some("Zip\n-code\"".into());
        let table = TableShape {
            name: "shops".into(),
            view: false,
            rows: Some(3),
            columns: vec![
                column("code", ColumnKind::Text, false),
                zip,
                column("tags", ColumnKind::Json, true),
                column("any", ColumnKind::Any, true),
            ],
            key: KeyShape::Columns(vec![0]),
            indexes: vec![IndexShape { column: 1, reason: "filters".into() }],
        };
        insta::assert_snapshot!(schema_file(&[table]), @r#"
        create table if not exists "shops" (
            "code" text primary key not null,
            "zip" text, -- "Zip\n-code\"" in the file; kept as text: line 2 has "02134"
            "tags" json text,
            "any"
        );

        -- filters
        create index if not exists "shops_by_zip" on "shops" ("zip", "code");
        "#);
    }
}
