//! The JSON Schema of the settings, generated from their written form, and how to read it.

use std::sync::LazyLock;

use kasoku_sql_plan::limits::EMBED_DEPTH_MAX;
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use crate::diagnostic::listed;
use crate::written::{FORM, Written};

/// The JSON Schema of `kasoku.toml`, for editors: put `#:schema kasoku.schema.json` in its first line.
pub fn schema() -> Json {
    settings().clone()
}

/// The same, made once.
pub(crate) fn settings() -> &'static Json {
    static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
        let generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let mut schema = generator.into_generator().into_root_schema_for::<Written>().to_value();
        unfold(&mut schema);
        for_toml(&mut schema);
        if let Some(root) = schema.as_object_mut() {
            root.insert("title".into(), "kasoku.toml".into());
        }
        schema
    });
    &SCHEMA
}

/// The settings of a table.
pub(crate) fn properties(schema: &Json) -> impl Iterator<Item = (&str, &Json)> {
    let properties = schema.get("properties").and_then(Json::as_object);
    properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
}

/// The forms that a value can have: those of `anyOf`, or the one there is.
pub(crate) fn variants(schema: &Json) -> Vec<&Json> {
    match schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array) {
        Some(variants) => variants.iter().flat_map(variants_of).collect(),
        None => vec![schema],
    }
}

fn variants_of(schema: &Json) -> Vec<&Json> {
    variants(schema)
}

/// One of our own forms of strings.
pub(crate) fn form(schema: &Json) -> Option<&str> {
    schema.get(FORM).and_then(Json::as_str)
}

/// The names of the JSON types that a value can have.
pub(crate) fn type_names(schema: &Json) -> impl Iterator<Item = &str> {
    let names: Vec<&str> = match schema.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    names.into_iter()
}

/// Puts what refers to itself in place, as deep as it may be nested, so that readers need not follow references.
fn unfold(schema: &mut Json) {
    fn expand(schema: &mut Json, definitions: &Json, depth: usize) {
        match schema {
            Json::Object(members) => {
                if let Some(Json::String(reference)) = members.remove("$ref") {
                    let name = reference.rsplit('/').next().unwrap_or_default();
                    let mut definition = definitions[name].clone();
                    if depth + 1 == EMBED_DEPTH_MAX
                        && let Some(Json::Object(properties)) = definition.get_mut("properties")
                    {
                        properties.remove("embed");
                    }
                    expand(&mut definition, definitions, depth + 1);
                    if let Json::Object(definition) = definition {
                        for (name, value) in definition {
                            members.entry(name).or_insert(value);
                        }
                    }
                }
                members.values_mut().for_each(|member| expand(member, definitions, depth));
            }
            Json::Array(items) => items.iter_mut().for_each(|item| expand(item, definitions, depth)),
            _ => {}
        }
    }
    let definitions = schema.as_object_mut().and_then(|members| members.remove("$defs"));
    if let Some(definitions) = definitions {
        expand(schema, &definitions, 0);
    }
}

/// Takes the line breaks of source code out of descriptions; paragraphs stay.
fn unwrapped(text: &str) -> String {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

/// What a value may be, in words.
pub(crate) fn described(schema: &Json) -> String {
    let mut words: Vec<String> = Vec::new();
    for variant in variants(schema) {
        let word = described_variant(variant);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}

fn described_variant(schema: &Json) -> String {
    if let Some(names) = schema.get("enum").and_then(Json::as_array) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        return match names.as_slice() {
            [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
            names => names.concat(),
        };
    }
    if let Some(fixed) = schema.get("const") {
        return format!("`{fixed}`");
    }
    match (type_names(schema).next(), form(schema)) {
        (_, Some("duration")) => "a duration such as \"30s\"".into(),
        (_, Some("size")) => "a size such as \"64KiB\"".into(),
        (_, Some("address")) => "an address such as \"127.0.0.1:8080\"".into(),
        (_, Some("database")) => {
            "a URL such as \"sqlite:app.db\" or \"postgres://app@127.0.0.1/shop\"".into()
        }
        (_, Some("pattern")) => "a path such as \"/v1/items\"".into(),
        (Some("string"), _) => "a string".into(),
        (Some("integer"), _) => "a whole number".into(),
        (Some("number"), _) => "a number".into(),
        (Some("boolean"), _) => "`true` or `false`".into(),
        (Some("array"), _) => match schema.get("items") {
            Some(items) => format!("an array of {}", plural(items)),
            None => "an array".into(),
        },
        _ => {
            let names: Vec<String> = properties(schema).map(|(name, _)| format!("`{name}`")).collect();
            match names.as_slice() {
                [] | [_, _, _, _, ..] => "a table".into(),
                names => format!("a table with {}", listed(names)),
            }
        }
    }
}

fn plural(items: &Json) -> String {
    if let Some(names) = items.get("enum").and_then(Json::as_array) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        return names.join(", ");
    }
    match type_names(items).next() {
        Some("string") => "strings".into(),
        Some("object") => "tables".into(),
        _ => "values".into(),
    }
}

/// Makes what is generated from Rust fit for TOML, which has no `null`: an optional setting is left out.
fn for_toml(schema: &mut Json) {
    match schema {
        Json::Object(members) => {
            if members.get("default").is_some_and(Json::is_null) {
                members.remove("default");
            }
            if let Some(Json::Array(names)) = members.get_mut("type") {
                names.retain(|name| name != "null");
                if let [only] = names.as_slice() {
                    let only = only.clone();
                    members.insert("type".into(), only);
                }
            }
            if let Some(Json::String(text)) = members.get_mut("description") {
                *text = unwrapped(text);
            }
            // Widths of Rust's numbers say nothing to those who write the file; ranges do.
            if members.get("format").is_some_and(Json::is_string) {
                members.remove("format");
            }
            if let Some(Json::Array(names)) = members.get_mut("enum") {
                names.retain(|name| !name.is_null());
            }
            if let Some(Json::Array(variants)) = members.get_mut("anyOf") {
                variants.retain(|variant| variant.get("type").is_none_or(|name| name != "null"));
                if let [Json::Object(only)] = variants.as_mut_slice() {
                    let only = std::mem::take(only);
                    members.remove("anyOf");
                    for (name, value) in only {
                        members.entry(name).or_insert(value);
                    }
                }
            }
            for (name, member) in members.iter_mut() {
                if name != "examples" {
                    for_toml(member);
                }
            }
            drop_null_members(members);
        }
        Json::Array(items) => items.iter_mut().for_each(for_toml),
        _ => {}
    }
}

/// Defaults of whole tables name only what has a default.
fn drop_null_members(members: &mut serde_json::Map<String, Json>) {
    if let Some(Json::Object(default)) = members.get_mut("default") {
        default.retain(|_, value| !value.is_null());
        default.values_mut().filter_map(Json::as_object_mut).for_each(|inner| {
            inner.retain(|_, value| !value.is_null());
        });
    }
}
