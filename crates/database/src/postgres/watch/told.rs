//! What the triggers wrote down, as changes.

use std::sync::Arc;

use kasoku_sql_plan::{ColumnKind, Value};
use serde_json::{Map, Value as Json};

use crate::changes::{DataChange, RowChange};

/// A table that is watched, and how its values are read.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: Arc<str>,
    pub(super) columns: Vec<(String, ColumnKind)>,
}

/// One row of the table of changes.
pub(super) struct Told<'t> {
    pub(super) relation: &'t str,
    pub(super) before: Option<&'t str>,
    pub(super) after: Option<&'t str>,
    pub(super) whole: bool,
}

/// Adds the changes that were told. What cannot be read in full stands for the whole table.
pub(super) fn read(told: &Told<'_>, tables: &[Table], changes: &mut Vec<DataChange>) {
    let Some(table) = tables.iter().find(|table| &*table.name == told.relation) else {
        changes.push(DataChange::Table(told.relation.into()));
        return;
    };
    let rows = (|| {
        let before = rows(told.before, table)?;
        let after = rows(told.after, table)?;
        (!told.whole).then_some((before, after))
    })();
    let Some((before, after)) = rows else {
        changes.push(DataChange::Table(Arc::clone(&table.name)));
        return;
    };
    let row = |old, new| DataChange::Row(RowChange { table: Arc::clone(&table.name), old, new });
    changes.extend(before.into_iter().map(|old| row(Some(old), None)));
    changes.extend(after.into_iter().map(|new| row(None, Some(new))));
}

fn rows(text: Option<&str>, table: &Table) -> Option<Vec<Box<[Value]>>> {
    let Some(text) = text else { return Some(Vec::new()) };
    let rows: Vec<Map<String, Json>> = serde_json::from_str(text).ok()?;
    rows.iter()
        .map(|row| {
            table
                .columns
                .iter()
                .map(|(name, kind)| value(row.get(name)?, *kind))
                .collect::<Option<Box<[Value]>>>()
        })
        .collect()
}

/// A value as it is tagged; `None` if it cannot be one of this kind.
fn value(json: &Json, kind: ColumnKind) -> Option<Value> {
    Some(match (json, kind) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(truth), ColumnKind::Boolean) => Value::Integer(i64::from(*truth)),
        (Json::Number(number), ColumnKind::Integer) => Value::Integer(number.as_i64()?),
        (Json::Number(number), ColumnKind::Real) => Value::Real(number.as_f64()?),
        (Json::String(text), ColumnKind::Blob) => Value::Blob(bytes(text)?),
        (Json::String(text), _) => Value::Text(text.clone()),
        _ => return None,
    })
}

/// Bytes as the server writes them: `\x00ff`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?;
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    digits.len().is_multiple_of(2).then_some(())?;
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_by_their_columns_and_whatever_is_odd_stands_for_the_table() {
        let table = Table {
            name: "items".into(),
            columns: vec![("id".into(), ColumnKind::Integer), ("shop".into(), ColumnKind::Text)],
        };
        let check = |before, after, whole, expected: &[&str]| {
            let mut changes = Vec::new();
            let told = Told { relation: "items", before, after, whole };
            read(&told, std::slice::from_ref(&table), &mut changes);
            let texts: Vec<String> = changes.iter().map(crate::tests::change_text).collect();
            assert_eq!(texts, expected);
        };
        let (one, two) = (r#"[{"id": 1, "shop": "a"}]"#, r#"[{"id": 1, "shop": null}]"#);
        check(Some(one), Some(two), false, &["items 1,a -> ·", "items · -> 1,null"]);
        check(None, Some(one), false, &["items · -> 1,a"]);
        check(None, None, true, &["items whole"]);
        check(None, Some(r#"[{"id": 1}]"#), false, &["items whole"]);
        check(None, Some(r#"[{"id": 1.5, "shop": "a"}]"#), false, &["items whole"]);
        check(None, Some("no document"), false, &["items whole"]);
    }
}
