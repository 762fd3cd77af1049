//! What the environment and the command line say instead of the file.
//!
//! Every single setting outside of routes can be set by a variable: `KASOKU_` and the way to it, joined by `_`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Entry, KeyPath, Node, Value};
use crate::diagnostic::{Finding, Findings, Place, nearest};
use crate::environment::{Environment, read_variable};
use crate::load::Overrides;
use crate::schema::{properties, type_names, variants};

/// What the names of all variables begin with.
const PREFIX: &str = "KASOKU_";

/// Puts what the environment and the command line say into the tree; the command line comes last and wins.
pub(crate) fn apply(
    tree: &mut Node,
    schema: &Json,
    environment: &dyn Environment,
    overrides: &Overrides,
    findings: &mut Findings,
) {
    let settings = variables(schema);
    let has_database = matches!(&tree.value, Value::Table(table) if table.contains_key("database"));
    let database_url = ("DATABASE_URL".to_owned(), (KeyPath::root().key("database").key("url"), Json::Null));
    let of_database =
        has_database.then_some(&database_url).into_iter().map(|(name, setting)| (name, setting));
    for (name, (path, schema)) in of_database.chain(&settings) {
        match read_variable(environment, name) {
            Ok(None) => {}
            Ok(Some(value)) => {
                let prefix = format!("{name}=");
                put(tree, path, schema, "environment", &prefix, &value, findings);
            }
            Err(error) => {
                let text = findings.text("environment", name);
                findings.add(path, Place { text, span: 0..name.len() }, Finding::error(error.to_string()));
            }
        }
    }
    warn_of_unknown(&settings, environment, findings);
    flags(tree, overrides, findings);
}

/// The variable of each single setting, the way to it and its schema.
pub(crate) fn variables(schema: &Json) -> BTreeMap<String, (KeyPath, Json)> {
    let mut found = BTreeMap::new();
    let sections = properties(schema).filter(|(name, _)| *name != "route");
    for (name, schema) in sections {
        collect(&KeyPath::root().key(name), schema, &mut found);
    }
    found
}

fn collect(path: &KeyPath, schema: &Json, found: &mut BTreeMap<String, (KeyPath, Json)>) {
    let is_table = variants(schema).iter().any(|variant| type_names(variant).any(|name| name == "object"));
    if is_table {
        for (name, schema) in variants(schema).into_iter().flat_map(properties) {
            collect(&path.key(name), schema, found);
        }
    } else {
        let words: Vec<String> = path.keys().map(str::to_ascii_uppercase).collect();
        found.insert(format!("{PREFIX}{}", words.join("_")), (path.clone(), schema.clone()));
    }
}

fn warn_of_unknown(
    settings: &BTreeMap<String, (KeyPath, Json)>,
    environment: &dyn Environment,
    findings: &mut Findings,
) {
    let known = || settings.keys().filter_map(|name| name.strip_prefix(PREFIX));
    for name in environment.names() {
        if let Some(setting) = name.strip_prefix(PREFIX)
            && !settings.contains_key(&name)
            && let Some(near) = nearest(setting, known())
        {
            let text = findings.text("environment", &name);
            let finding = Finding::warning(format!("the environment variable `{name}` names no setting"))
                .label("not read")
                .hint(format!("did you mean `{PREFIX}{near}`?"));
            findings.add(&name, Place { text, span: 0..name.len() }, finding);
        }
    }
}

fn flags(tree: &mut Node, overrides: &Overrides, findings: &mut Findings) {
    let server = KeyPath::root().key("server");
    let mut flag = |path: KeyPath, prefix: &str, value: &str, schema: Json| {
        put(tree, &path, &schema, "command line", prefix, value, findings);
    };
    if let Some(listen) = &overrides.listen {
        flag(server.key("listen"), "--listen ", listen, Json::Null);
    }
    if let Some(admin) = &overrides.admin {
        flag(server.key("admin"), "--admin ", admin, serde_json::json!({ "type": ["boolean", "string"] }));
    }
    if overrides.log_json {
        flag(KeyPath::root().key("log").key("format"), "--json means ", "json", Json::Null);
    }
    if let Some(rows) = overrides.seed_rows {
        let path = KeyPath::root().key("database").key("seed").key("rows");
        flag(path, "--rows ", &rows.to_string(), serde_json::json!({ "type": "integer" }));
    }
}

/// Puts a value in place, with a text of its own that findings can quote.
fn put(
    tree: &mut Node,
    path: &KeyPath,
    schema: &Json,
    origin: &str,
    prefix: &str,
    value: &str,
    findings: &mut Findings,
) {
    let text = findings.text(origin, &format!("{prefix}{value}"));
    let place = Place { text, span: prefix.len()..prefix.len() + value.len() };
    let place = if value.is_empty() { Place { text, span: 0..prefix.len() } } else { place };
    let key = Place { text, span: 0..prefix.trim_end_matches(['=', ' ']).len() };
    let node = Node { place, value: typed(value, schema) };
    insert(tree, path.keys(), Entry { key, node });
}

/// The value in the type that the setting has; what does not look like it stays a string, for the check to refuse.
fn typed(value: &str, schema: &Json) -> Value {
    let names: Vec<&str> = variants(schema).into_iter().flat_map(type_names).collect();
    let number = || value.trim().parse::<i64>().ok().map(Value::Integer);
    let float = || value.trim().parse::<f64>().ok().map(Value::Float);
    let boolean = || value.trim().parse::<bool>().ok().map(Value::Boolean);
    let read = |name: &&str| match *name {
        "boolean" => boolean(),
        "integer" => number(),
        "number" => number().or_else(float),
        _ => None,
    };
    names.iter().find_map(read).unwrap_or_else(|| Value::String(value.to_owned()))
}

/// Puts an entry at the end of a way through tables, making those that are missing.
fn insert<'a>(node: &mut Node, mut way: impl Iterator<Item = &'a str> + Clone, entry: Entry) {
    let Some(name) = way.next() else { return };
    let is_last = way.clone().next().is_none();
    // A section that is not a table stays, and is found to be wrong.
    let Value::Table(table) = &mut node.value else { return };
    if is_last {
        table.insert(name.to_owned(), entry);
    } else {
        let made = || Entry {
            key: entry.key.clone(),
            node: Node { place: entry.key.clone(), value: Value::Table(BTreeMap::new()) },
        };
        let inner = table.entry(name.to_owned()).or_insert_with(made);
        insert(&mut inner.node, way, entry);
    }
}
