//! The API that a plan makes, described in OpenAPI 3.1 for its callers.
//!
//! Everything is read from the checked plan and the schema that it was checked against, so that the description cannot
//! fall behind what is served.

mod files;
mod parameters;
mod parts;
mod query;
mod schema;
mod source;
mod table;
mod writes;

use kasoku_coherence::KeyBuilder;
use kasoku_config::{Plan, RoutePlan, SourcePlan};
use serde_json::{Map, Value, json};

pub(crate) use source::place;

/// Describes the API. The version is that of its content: it is another one exactly where something else is described.
pub fn openapi(plan: &Plan) -> Value {
    let mut described = Described::default();
    for route in &plan.routes {
        let before: Vec<String> = described.paths.keys().cloned().collect();
        described.add(plan, route);
        let own = described.paths.iter_mut().filter(|(path, _)| !before.contains(path));
        if let Some(requires) = &route.requires {
            own.for_each(|(_, item)| parts::guard(item, requires));
        }
    }
    let Described { paths, mut schemas } = described;
    schemas.extend(parts::schemas());
    let mut components = json!({
        "schemas": schemas,
        "responses": parts::responses(),
        "headers": parts::headers(),
        "parameters": parts::parameters(),
    });
    if plan.identity.is_some() {
        components["securitySchemes"] = parts::security_schemes();
    }
    let digest = KeyBuilder::new()
        .part(Value::from(paths.clone()).to_string().as_bytes())
        .part(components.to_string().as_bytes())
        .build();
    json!({
        "openapi": "3.1.0",
        "info": { "title": plan.name, "version": format!("{:08x}", digest.hash64() >> 32) },
        "paths": paths,
        "components": components,
    })
}

/// What has been described so far.
#[derive(Default)]
struct Described {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Described {
    fn add(&mut self, plan: &Plan, route: &RoutePlan) {
        let path = path_of(&route.name.pattern);
        match (&route.source, &plan.database) {
            (SourcePlan::Table(rules), Some(database)) => {
                let Some(table) = database.schema.table(&rules.table) else { return };
                let of = table::OfTable { route, path: &path, rules, table, schema: &database.schema };
                let (name, rows) = of.schemas();
                self.schemas.extend(rows);
                self.put(&path, of.list(&name));
                of.files().into_iter().for_each(|(path, file)| self.put(&path, file));
                if !table.key.is_empty() {
                    let row = format!("{}/{{key}}", path.trim_end_matches('/'));
                    self.put(&row, of.row(&name, &row));
                }
            }
            (SourcePlan::Query(rules), _) => self.put(&path, query::of_query(route, &path, rules)),
            (SourcePlan::Files(_), _) => {
                let mut get = operation("get", &path, "A file");
                get["responses"]["200"] = json!({
                    "description": "The file", "content": { "*/*": {} },
                    "headers": parts::header_refs(&["ETag", "Last-Modified"]),
                });
                get["responses"]["304"] = parts::response("NotModified");
                self.put(&path, item(&route.name.pattern, [("get", get)]));
            }
            (SourcePlan::Origin(_), _) => {
                let methods = ["get", "head", "post", "put", "patch", "delete", "options"];
                let of = |method| {
                    let mut operation =
                        operation(method, &path, "Answered by an HTTP server behind this one");
                    operation["responses"]["default"] = json!({ "description": "What it answers" });
                    (method, operation)
                };
                self.put(&path, item(&route.name.pattern, methods.map(of)));
            }
            (SourcePlan::Batch(_), _) => {
                let mut post = operation("post", &path, "Several writes in one transaction");
                post["requestBody"] = json!({ "required": true, "content": { "application/json": {} } });
                post["responses"]["200"] = json!({
                    "description": "What each operation was answered with", "content": { "application/json": {} },
                });
                self.put(&path, item(&route.name.pattern, [("post", post)]));
            }
            (SourcePlan::Table(_), None) => {}
        }
    }

    /// Two routes may differ in the name of what they capture, and mean other paths for it.
    fn put(&mut self, path: &str, item: Value) {
        self.paths.entry(path).or_insert(item);
    }
}

/// A pattern as OpenAPI writes it: `/legacy/{rest}` for `/legacy/{*rest}`.
fn path_of(pattern: &str) -> String {
    pattern.replace("{{", "%7B").replace("}}", "%7D").replace("{*", "{")
}

/// A path item, with the parameters that its path has.
fn item<const N: usize>(pattern: &str, operations: [(&str, Value); N]) -> Value {
    let mut item = Map::new();
    let captured = parameters::captured(pattern, |_| json!({ "type": "string" }));
    if !captured.is_empty() {
        item.insert("parameters".into(), captured.into());
    }
    item.extend(operations.into_iter().map(|(method, operation)| (method.to_owned(), operation)));
    Value::Object(item)
}

/// An operation that can fail, and does nothing else yet.
fn operation(method: &str, path: &str, summary: &str) -> Value {
    json!({
        "operationId": name_of(method, path),
        "summary": summary,
        "responses": { "default": parts::response("Problem") },
    })
}

/// `get_v1_items_key`: as unique as method and path are, for they differ in more than signs.
fn name_of(method: &str, path: &str) -> String {
    let mut name = method.to_owned();
    for word in path.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        name.push('_');
        name.push_str(word);
    }
    name
}

#[cfg(test)]
mod tests;
