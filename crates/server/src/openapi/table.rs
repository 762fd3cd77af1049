//! Routes of tables: lists and rows, read and written.

use kasoku_config::RoutePlan;
use kasoku_sql_plan::{Column, EmbedRules, Schema, Table, TableRules};
use serde_json::{Map, Value, json};

use super::writes::{guards, preferences, with_body, written};
use super::{operation, parameters, parts, schema};

/// A route and what it stands on.
pub(super) struct OfTable<'a> {
    pub(super) route: &'a RoutePlan,
    pub(super) path: &'a str,
    pub(super) rules: &'a TableRules,
    pub(super) table: &'a Table,
    pub(super) schema: &'a Schema,
}

impl OfTable<'_> {
    /// The name of the route's rows, and the schemas of a row as it is answered, as it is made and as it is changed.
    pub(super) fn schemas(&self) -> (String, Map<String, Value>) {
        let mut schemas = Map::new();
        let name = super::name_of("row", self.path);
        schemas.insert(name.clone(), row_of(self.rules, self.table, self.schema));
        let write = self.rules.write;
        let writable: Vec<&Column> = self.writable().collect();
        let properties: Map<String, Value> =
            writable.iter().map(|column| (column.name.clone(), schema::of_column(column))).collect();
        if write.insert || write.upsert {
            let needed: Vec<&str> = writable
                .iter()
                .filter(|column| !column.optional)
                .map(|column| column.name.as_str())
                .collect();
            let made = json!({
                "type": "object", "properties": properties, "required": needed, "additionalProperties": false,
            });
            schemas.insert(format!("{name}_new"), made);
        }
        if write.update || write.update_each {
            let changed = json!({
                "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1,
            });
            schemas.insert(format!("{name}_changes"), changed);
        }
        (name, schemas)
    }

    pub(super) fn list(&self, name: &str) -> Value {
        let mut item = Map::new();
        self.captured(&mut item);
        item.insert("get".into(), self.get_list(name));
        let write = self.rules.write;
        if write.insert {
            item.insert("post".into(), self.post(name));
        }
        if write.update || write.update_each {
            let body = reference(&format!("{name}_changes"));
            let each = json!({ "type": "array", "items": body, "maxItems": write.rows_most });
            let body = match (write.update, write.update_each) {
                (true, true) => json!({ "oneOf": [body, each] }),
                (true, false) => body,
                (false, _) => each,
            };
            let patch = self.change("patch", self.path, name, "Change the rows that the filters leave");
            item.insert("patch".into(), with_body(patch, &body));
        }
        if write.delete {
            let delete = self.change("delete", self.path, name, "Delete the rows that the filters leave");
            item.insert("delete".into(), delete);
        }
        Value::Object(item)
    }

    pub(super) fn row(&self, name: &str, path: &str) -> Value {
        let mut item = Map::new();
        self.captured(&mut item);
        let names: Vec<&str> =
            self.table.key.iter().map(|place| self.table.columns[*place].name.as_str()).collect();
        let key = json!({
            "name": "key", "in": "path", "required": true,
            "description": format!("The row's key: {}", names.join(",")),
            "schema": match self.table.key[..] {
                [only] => schema::of_kind(self.table.columns[only].kind, false),
                _ => json!({ "type": "string" }),
            },
        });
        let mut captured =
            item.remove("parameters").and_then(|known| known.as_array().cloned()).unwrap_or_default();
        captured.push(key);
        item.insert("parameters".into(), captured.into());
        let write = self.rules.write;
        item.insert("get".into(), self.get_row(name, path));
        let selection = || parameters::selection(self.rules);
        let guarded = |mut operation: Value| {
            let asked = [vec![preferences(false)], guards(), selection()].concat();
            operation["parameters"] = asked.into();
            operation["responses"]["412"] = parts::response("Problem");
            operation
        };
        if write.upsert {
            let mut put = self.change("put", path, name, "Make the row, or replace it");
            put["responses"]["201"] = written(name, "The row was made", false);
            item.insert("put".into(), with_body(guarded(put), &reference(&format!("{name}_new"))));
        }
        if write.update {
            let mut patch = self.change("patch", path, name, "Change the row");
            patch["responses"]["404"] = parts::response("Problem");
            item.insert("patch".into(), with_body(guarded(patch), &reference(&format!("{name}_changes"))));
        }
        if write.delete {
            let mut delete = self.change("delete", path, name, "Delete the row");
            delete["responses"]["404"] = parts::response("Problem");
            item.insert("delete".into(), guarded(delete));
        }
        Value::Object(item)
    }

    pub(super) fn captured(&self, item: &mut Map<String, Value>) {
        let captured = parameters::captured(&self.route.name.pattern, |_| json!({ "type": "string" }));
        if !captured.is_empty() {
            item.insert("parameters".into(), captured.into());
        }
    }

    fn get_list(&self, name: &str) -> Value {
        let rules = self.rules;
        let mut asked = parameters::selection(rules);
        asked.extend(parameters::filters(rules));
        asked.extend(parameters::paging(rules));
        parameters::of_embeds(&rules.embeds, "", &mut asked);
        let counts = parameters::counts(rules);
        if !counts.is_empty() {
            asked.push(parameters::prefer(&counts));
        }
        if rules.page.offset_most > 0 {
            asked.extend([parts::parameter("Range"), parts::parameter("RangeUnit")]);
        }
        asked.push(parts::parameter("IfNoneMatch"));
        let rows = json!({ "type": "array", "items": reference(name), "maxItems": rules.page.most });
        let answer = match &rules.envelope {
            None => rows.clone(),
            Some(envelope) => json!({
                "type": "object",
                "required": [envelope, "next_cursor"],
                "properties": { envelope: rows, "next_cursor": { "type": ["string", "null"] } },
            }),
        };
        let mut get = operation("get", self.path, &format!("Rows of `{}`", rules.table));
        if parameters::sums(rules) {
            get["description"] =
                "`select` may have sums, `count()` and `column.sum()`; rows are then groups.".into();
        }
        let found = json!({
            "description": "A page of rows",
            "headers": parts::header_refs(&["Cache-Status", "ETag", "Link", "Content-Range", "Preference-Applied"]),
            "content": {
                "application/json": { "schema": answer },
                "application/vnd.pgrst.array+json": { "schema": rows },
                "application/vnd.pgrst.object+json": { "schema": reference(name) },
                "text/csv": { "schema": { "type": "string" } },
            },
        });
        get["tags"] = json!([rules.table]);
        get["parameters"] = asked.into();
        if rules.page.offset_most > 0 {
            get["responses"]["206"] = found.clone();
            get["responses"]["416"] = parts::response("Problem");
        }
        get["responses"]["200"] = found;
        get["responses"]["304"] = parts::response("NotModified");
        get["responses"]["400"] = parts::response("Problem");
        get
    }

    fn get_row(&self, name: &str, path: &str) -> Value {
        let mut get = operation("get", path, &format!("A row of `{}`", self.rules.table));
        let mut asked = parameters::selection(self.rules);
        asked.push(parts::parameter("IfNoneMatch"));
        get["tags"] = json!([self.rules.table]);
        get["parameters"] = asked.into();
        get["responses"]["200"] = json!({
            "description": "The row",
            "headers": parts::header_refs(&["Cache-Status", "ETag"]),
            "content": { "application/json": { "schema": reference(name) }, "text/csv": { "schema": { "type": "string" } } },
        });
        get["responses"]["304"] = parts::response("NotModified");
        get["responses"]["404"] = parts::response("Problem");
        get
    }

    fn writable(&self) -> impl Iterator<Item = &Column> {
        let named = self.rules.select.iter().filter_map(|name| self.table.column(name));
        let hidden = self.rules.soft_delete.as_deref();
        named
            .map(|(_, column)| column)
            .filter(move |column| !column.generated && hidden != Some(column.name.as_str()))
    }
}

/// A row as it is answered, with what may be embedded in it. What a request does not select is not there.
fn row_of(rules: &TableRules, table: &Table, schema: &Schema) -> Value {
    let columns = rules.select.iter().filter_map(|name| table.column(name));
    let mut properties: Map<String, Value> =
        columns.map(|(_, column)| (column.name.clone(), schema::of_column(column))).collect();
    properties.extend(rules.embeds.iter().map(|embed| (embed.name.clone(), embedded(embed, schema))));
    json!({ "type": "object", "properties": properties })
}

fn embedded(embed: &EmbedRules, schema: &Schema) -> Value {
    let row = schema
        .table(&embed.rules.table)
        .map_or_else(|| json!({ "type": "object" }), |table| row_of(&embed.rules, table, schema));
    if embed.relation.many {
        json!({ "type": "array", "items": row })
    } else {
        json!({ "oneOf": [row, { "type": "null" }] })
    }
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
