//! Values of columns as JSON Schema.

use kasoku_sql_plan::{Column, ColumnKind};
use serde_json::{Value, json};

/// A column's values, as they are answered and taken.
pub(super) fn of_column(column: &Column) -> Value {
    of_kind(column.kind, column.nullable)
}

/// Values of a kind.
pub(super) fn of_kind(kind: ColumnKind, nullable: bool) -> Value {
    let (types, more): (&[&str], Option<(&str, Value)>) = match kind {
        ColumnKind::Integer => (&["integer"], Some(("format", "int64".into()))),
        ColumnKind::Real => (&["number"], Some(("format", "double".into()))),
        // With all their digits; a body may have them in a string, which keeps more than a double does.
        ColumnKind::Number | ColumnKind::Decimal => (&["number", "string"], None),
        ColumnKind::Boolean => (&["boolean"], None),
        ColumnKind::Blob => (&["string"], Some(("contentEncoding", "base64".into()))),
        ColumnKind::Array => (&["array"], Some(("items", json!({})))),
        ColumnKind::Uuid => (&["string"], Some(("format", "uuid".into()))),
        ColumnKind::Date => (&["string"], Some(("format", "date".into()))),
        ColumnKind::Text | ColumnKind::Range | ColumnKind::Search | ColumnKind::Timestamp => {
            (&["string"], None)
        }
        // Anything, and so NULL too.
        ColumnKind::Json | ColumnKind::Any => return json!({}),
    };
    let types: Vec<&str> = types.iter().copied().chain(nullable.then_some("null")).collect();
    let mut schema = match types[..] {
        [only] => json!({ "type": only }),
        _ => json!({ "type": types }),
    };
    if let Some((key, value)) = more {
        schema[key] = value;
    }
    schema
}
