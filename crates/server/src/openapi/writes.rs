//! Writes through routes of tables: their bodies, what they may depend on, what they answer.

use serde_json::{Value, json};

use super::table::{OfTable, reference};
use super::{operation, parameters, parts};

impl OfTable<'_> {
    pub(super) fn post(&self, name: &str) -> Value {
        let row = reference(&format!("{name}_new"));
        let rows = json!({ "type": "array", "items": row, "maxItems": self.rules.write.rows_most });
        let mut post = operation("post", self.path, &format!("Insert rows into `{}`", self.rules.table));
        let mut asked = vec![preferences(self.rules.write.upsert), parts::parameter("IdempotencyKey")];
        asked.extend(parameters::selection(self.rules));
        let text = json!({ "type": "string" });
        asked.push(parameters::in_query("columns", "The only members of the body that count", &text));
        if self.rules.write.upsert {
            asked.push(parameters::in_query(
                "on_conflict",
                "The unique columns by which rows are the same",
                &text,
            ));
        }
        post["tags"] = json!([self.rules.table]);
        post["parameters"] = asked.into();
        post["responses"]["201"] = written(name, "The rows were made", true);
        post["responses"]["409"] = parts::response("Problem");
        let mut post = with_body(post, &json!({ "oneOf": [row, rows] }));
        let content = post["requestBody"]["content"].as_object_mut().expect("it was just made");
        content.insert("application/x-www-form-urlencoded".into(), json!({ "schema": row }));
        content.insert("text/csv".into(), json!({ "schema": { "type": "string" } }));
        post
    }

    /// A write of rows that are there.
    pub(super) fn change(&self, method: &str, path: &str, name: &str, summary: &str) -> Value {
        let mut asked = vec![preferences(false), parts::parameter("IdempotencyKey")];
        asked.extend(parameters::selection(self.rules));
        asked.extend(parameters::filters(self.rules));
        let mut change = operation(method, path, summary);
        change["tags"] = json!([self.rules.table]);
        change["parameters"] = asked.into();
        change["responses"]["200"] = written(name, "The rows as they are now", path == self.path);
        change["responses"]["204"] = json!({ "description": "Done" });
        change["responses"]["400"] = parts::response("Problem");
        change["responses"]["409"] = parts::response("Problem");
        change
    }
}

/// What a write of one row may depend on.
pub(super) fn guards() -> Vec<Value> {
    vec![parts::parameter("IfMatch"), parts::parameter("IfNoneMatch"), parts::parameter("IdempotencyKey")]
}

/// An answer with rows that were written.
pub(super) fn written(name: &str, says: &str, many: bool) -> Value {
    let row = reference(name);
    let answer = if many { json!({ "oneOf": [row, { "type": "array", "items": row }] }) } else { row };
    json!({
        "description": says,
        "headers": parts::header_refs(&["Location", "ETag", "Content-Range", "Preference-Applied"]),
        "content": { "application/json": { "schema": answer } },
    })
}

/// What a caller may prefer of a write.
pub(super) fn preferences(upserts: bool) -> Value {
    let usual = ["return=representation", "return=minimal", "tx=rollback", "max-affected=1"];
    let upsert = ["resolution=merge-duplicates", "resolution=ignore-duplicates", "missing=default"];
    let words = usual.iter().chain(upsert.iter().filter(|_| upserts));
    parameters::prefer(&words.map(ToString::to_string).collect::<Vec<_>>())
}

pub(super) fn with_body(mut operation: Value, schema: &Value) -> Value {
    operation["requestBody"] =
        json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    for status in ["413", "415", "422"] {
        operation["responses"][status] = parts::response("Problem");
    }
    operation
}
