//! Routes of declared queries.

use kasoku_config::RoutePlan;
use kasoku_sql_plan::{QueryParam, QueryRules, Value as SqlValue};
use serde_json::{Map, Value, json};

use super::{operation, parameters, parts, schema};

pub(super) fn of_query(route: &RoutePlan, path: &str, rules: &QueryRules) -> Value {
    let kind = |name: &str| rules.params.iter().find(|param| param.name == name).map(|param| param.kind);
    let captured = parameters::captured(&route.name.pattern, |name| {
        kind(name).map_or_else(|| json!({ "type": "string" }), |kind| schema::of_kind(kind, false))
    });
    let in_path = |param: &&QueryParam| captured.iter().any(|known| known["name"] == param.name.as_str());
    let mut asked: Vec<Value> = rules.params.iter().filter(|param| !in_path(param)).map(parameter).collect();
    asked.push(parts::parameter("IfNoneMatch"));
    // Of a result's columns no database says whether they may be NULL.
    let columns = rules.columns.iter().map(|(name, kind)| (name.clone(), schema::of_kind(*kind, true)));
    let columns: Map<String, Value> = columns.collect();
    let row = json!({ "type": "object", "properties": columns });
    let (says, answer) = if rules.one {
        ("The row", row)
    } else {
        ("The rows", json!({ "type": "array", "maxItems": rules.rows_most, "items": row }))
    };
    let mut get = operation("get", path, "The result of a declared query");
    get["parameters"] = asked.into();
    get["responses"]["200"] = json!({
        "description": says,
        "headers": parts::header_refs(&["Cache-Status", "ETag"]),
        "content": { "application/json": { "schema": answer }, "text/csv": { "schema": { "type": "string" } } },
    });
    get["responses"]["304"] = parts::response("NotModified");
    get["responses"]["400"] = parts::response("Problem");
    if rules.one {
        get["responses"]["404"] = parts::response("Problem");
    }
    let mut item = json!({ "get": get });
    if !captured.is_empty() {
        item["parameters"] = captured.into();
    }
    item
}

fn parameter(param: &QueryParam) -> Value {
    let mut schema = schema::of_kind(param.kind, false);
    if let Some(default) = &param.default {
        schema["default"] = match default {
            SqlValue::Integer(number) if param.kind == kasoku_sql_plan::ColumnKind::Boolean => {
                (*number != 0).into()
            }
            SqlValue::Integer(number) => (*number).into(),
            SqlValue::Real(number) => (*number).into(),
            SqlValue::Text(text) => text.as_str().into(),
            SqlValue::Null | SqlValue::Blob(_) => Value::Null,
        };
    }
    json!({ "name": param.name, "in": "query", "required": param.default.is_none(), "schema": schema })
}
