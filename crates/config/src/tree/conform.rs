//! Compares a tree with the JSON Schema of the settings: unknown and missing keys, wrong types, units and ranges.
//!
//! The schema is generated from the written settings, so there is no second list of what exists. What stands
//! here is only how to say it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{Entry, KeyPath, Node, Value};
use crate::diagnostic::{Finding, Findings, Place, did_you_mean, nearest};
use crate::later;
use crate::schema::{described, form, properties, type_names, variants};

/// Which sections hold something that cannot be understood. They are not looked at further, because what a
/// mistake hides would be reported as missing.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    sections: BTreeSet<KeyPath>,
    values: BTreeSet<KeyPath>,
}

impl Damage {
    /// Notes a value that holds a mistake which was reported.
    pub(crate) fn note(&mut self, path: &KeyPath) {
        self.sections.insert(path.section());
        self.values.insert(path.clone());
    }

    /// Whether a section (`server`, `route[2]`) holds a mistake.
    pub(crate) fn holds(&self, section: &KeyPath) -> bool {
        self.sections.contains(section)
    }

    /// Whether there is a mistake that may hide a whole section.
    pub(crate) fn holds_unknown_section(&self, known: &[&str]) -> bool {
        self.sections.iter().any(|path| path.keys().next().is_none_or(|name| !known.contains(&name)))
    }
}

/// Finds everything in a tree that the schema does not allow.
pub(crate) fn conform(tree: &Node, schema: &Json, damage: &mut Damage, findings: &mut Findings) {
    Walk { schema, findings, damage }.node(tree, schema, &KeyPath::root());
}

struct Walk<'a> {
    schema: &'a Json,
    findings: &'a mut Findings,
    damage: &'a mut Damage,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, whole: &Json, path: &KeyPath) {
        if self.damage.values.contains(path) {
            return;
        }
        let Some(schema) = variants(whole).into_iter().find(|variant| accepts_type(variant, node)) else {
            let finding = match later::value(path, node) {
                Some(what) => not_yet(path, what),
                None => Finding::error(format!("`{}` cannot be {}", path.name(), node.type_name()))
                    .label(format!("expected {}", described(whole)))
                    .hint_if(unit_hint(node, whole).or_else(|| list_hint(node, whole))),
            };
            return self.value(path, node, finding);
        };
        if let Some(fixed) = schema.get("const")
            && *fixed != node.to_json()
        {
            let finding = Finding::error(format!("`{}` cannot be `{}`", path.name(), node.to_json()))
                .label(format!("expected {}", described(whole)))
                .hint("leave it out for the default");
            return self.value(path, node, finding);
        }
        match &node.value {
            Value::String(text) => self.string(text, node, schema, path),
            Value::Integer(number) => self.number(*number as f64, node, schema, path),
            Value::Float(number) => self.number(*number, node, schema, path),
            Value::Array(nodes) => {
                let Some(items) = schema.get("items") else { return };
                for (index, node) in nodes.iter().enumerate() {
                    self.node(node, items, &path.index(index));
                }
            }
            Value::Table(table) => self.table(table, node, schema, path),
            Value::Boolean(_) | Value::Datetime(_) => {}
        }
    }

    fn string(&mut self, text: &str, node: &Node, schema: &Json, path: &KeyPath) {
        let unit_error = match form(schema) {
            Some("duration") => text.parse::<kasoku_units::Period>().err().map(|error| error.to_string()),
            Some("size") => text.parse::<kasoku_units::ByteSize>().err().map(|error| error.to_string()),
            _ => None,
        };
        if let Some(error) = unit_error {
            let finding = Finding::error(format!("`{}` is not {}", path.name(), described(schema)));
            return self.value(path, node, finding.label(error));
        }
        let Some(names) = schema.get("enum").and_then(Json::as_array) else { return };
        let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
        if !names.contains(&text) {
            let finding = Finding::error(format!("`{text}` is not a value of `{}`", path.name()))
                .label(format!("expected {}", described(schema)))
                .hint_if(nearest(text, names).map(|near| format!("did you mean \"{near}\"?")));
            self.value(path, node, finding);
        }
    }

    fn number(&mut self, number: f64, node: &Node, schema: &Json, path: &KeyPath) {
        let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        let within = number.is_finite()
            && least.is_none_or(|least| number >= least)
            && most.is_none_or(|most| number <= most);
        if !within {
            let range = match (least, most) {
                (Some(least), Some(most)) => format!("a number from {least} to {most}"),
                (Some(least), None) => format!("a number from {least}"),
                (None, Some(most)) => format!("a number up to {most}"),
                (None, None) => "a finite number".to_owned(),
            };
            let finding = Finding::error(format!("`{}` is out of range", path.name()));
            self.value(path, node, finding.label(format!("expected {range}")));
        }
    }

    fn table(&mut self, table: &BTreeMap<String, Entry>, node: &Node, schema: &Json, path: &KeyPath) {
        let known: BTreeMap<&str, &Json> = properties(schema).collect();
        let further = schema.get("additionalProperties").filter(|further| further.is_object());
        for (name, entry) in table {
            let here = path.key(name);
            if let Some(schema) = known.get(name.as_str()).copied().or(further) {
                self.node(&entry.node, schema, &here);
                continue;
            }
            let finding = self.unknown(name, entry, &known, path);
            if nearest(name, known.keys().copied()).is_none() {
                self.cover(&entry.node);
            }
            self.key(&here, entry.key.clone(), finding);
        }
        let required = schema.get("required").and_then(Json::as_array).into_iter().flatten();
        for name in required.filter_map(Json::as_str).filter(|name| !table.contains_key(*name)) {
            // A key that was probably meant to be this one has been reported already.
            let misspelt =
                table.keys().any(|key| !known.contains_key(key.as_str()) && nearest(key, [name]).is_some());
            if !misspelt {
                let finding = Finding::error(format!("{} needs `{name}`", section_name(path)))
                    .label(format!("expected `{name} = …`, {}", described(known[name])));
                self.key(&path.key(name), node.place.clone(), finding);
            }
        }
    }

    /// A key that no setting has: meant for later, misspelt, or in the wrong section.
    fn unknown(&self, name: &str, entry: &Entry, known: &BTreeMap<&str, &Json>, path: &KeyPath) -> Finding {
        if let Some(what) = later::feature(path, name) {
            return not_yet(&path.key(name), what);
        }
        let elsewhere = || {
            let section = properties(self.schema).find(|(section, schema)| {
                *section != "route"
                    && variants(schema).into_iter().flat_map(properties).any(|(key, _)| key == name)
            });
            section.map(|(section, _)| format!("`{name}` belongs to [{section}]"))
        };
        let hint = nearest(name, known.keys().copied())
            .map(|near| format!("did you mean `{near}`?"))
            .or_else(elsewhere)
            .or_else(|| did_you_mean(name, known.keys().copied()));
        let is_section =
            path.keys().next().is_none() && matches!(entry.node.value, Value::Table(_) | Value::Array(_));
        let finding = if is_section {
            Finding::error(format!("there is no section [{name}]")).label("not a section")
        } else {
            Finding::error(format!("there is no setting `{name}` in {}", section_name(path)))
                .label("not a setting")
        };
        finding.hint_if(hint)
    }

    /// Masks the texts of a setting that may be anything.
    fn cover(&mut self, node: &Node) {
        match &node.value {
            Value::Array(nodes) => nodes.iter().for_each(|node| self.cover(node)),
            Value::Table(table) => table.values().for_each(|entry| self.cover(&entry.node)),
            Value::String(_) | Value::Integer(_) => {
                let place = &node.place;
                // The quotes stay.
                let inner = if place.span.len() > 2 {
                    place.span.start + 1..place.span.end - 1
                } else {
                    place.span.clone()
                };
                self.findings.cover(&Place { text: place.text, span: inner });
            }
            _ => {}
        }
    }

    fn value(&mut self, path: &KeyPath, node: &Node, finding: Finding) {
        self.damage.note(path);
        self.findings.add(path, node.place.clone(), finding);
    }

    fn key(&mut self, path: &KeyPath, place: Place, finding: Finding) {
        self.damage.note(path);
        self.findings.add(path, place, finding);
    }
}

/// A setting of a later version.
fn not_yet(path: &KeyPath, what: &str) -> Finding {
    Finding::error(format!("`{}` is not part of this version", path.name()))
        .label(format!("{what} cannot be configured yet"))
        .hint_if(later::instead(path).map(str::to_owned))
}

fn accepts_type(schema: &Json, node: &Node) -> bool {
    let names: &[&str] = match node.value {
        Value::String(_) => &["string"],
        Value::Integer(_) => &["integer", "number"],
        Value::Float(_) => &["number"],
        Value::Boolean(_) => &["boolean"],
        Value::Array(_) => &["array"],
        Value::Table(_) => &["object"],
        Value::Datetime(_) => &[],
    };
    type_names(schema).any(|name| names.contains(&name))
}

/// A section as it is written in the file.
fn section_name(path: &KeyPath) -> String {
    let keys: Vec<&str> = path.keys().collect();
    match keys.as_slice() {
        [] => "the file".to_owned(),
        ["route"] => "[[route]]".to_owned(),
        ["route", inner @ ..] => format!("`{}` of a route", inner.join(".")),
        keys => format!("[{}]", keys.join(".")),
    }
}

/// Lists need brackets, and tables in a list their own header.
fn list_hint(node: &Node, schema: &Json) -> Option<String> {
    let items = variants(schema).into_iter().find_map(|variant| variant.get("items"))?;
    match &node.value {
        Value::String(text) if type_names(items).any(|name| name == "string") => {
            Some(format!("put brackets around it: [\"{text}\"]"))
        }
        Value::Table(_) if type_names(items).any(|name| name == "object") => {
            Some("each one has its own header with two brackets: [[route]]".to_owned())
        }
        _ => None,
    }
}

/// Numbers need quotes and a unit where a duration or size is meant.
fn unit_hint(node: &Node, schema: &Json) -> Option<String> {
    let Value::Integer(number) = node.value else { return None };
    variants(schema).into_iter().find_map(|variant| match form(variant)? {
        "duration" => Some(format!("say the unit: \"{number}s\" or \"{number}ms\"")),
        "size" => Some(format!("say the unit: \"{number}B\", \"{number}KiB\" or \"{number}MiB\"")),
        _ => None,
    })
}
