//! The reference page: every setting with its type, default, range, variable, meaning and example.
//!
//! It is generated from the same schema as the check, so that it cannot say what the parser does not do.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::check::BELONG;
use crate::diagnostic::Findings;
use crate::schema::{described, form, properties, settings, type_names, variants};
use crate::tree::{KeyPath, Node, Value, read, variables};

/// A file with every setting, which the tests load.
pub(crate) const EXAMPLE: &str = include_str!("reference.toml");

const INTRODUCTION: &str = r#"# Configuration

An app is a folder with a `kasoku.toml`. What the file leaves out has the default that stands here; nothing but a
route is needed. `kasoku check APP` says what is wrong with a file, with line, column and the nearest valid name.
`kasoku schema` prints a JSON Schema: editors complete and check the file if its first line is
`#:schema kasoku.schema.json`.

**Durations** are whole numbers with units, `ms`, `s`, `m`, `h` or `d`: `"250ms"`, `"30s"`, `"1h30m"`.
**Sizes** are a whole number with a unit, `B`, `KiB`, `MiB`, `GiB`, `TiB`, `KB`, `MB`, `GB` or `TB`: `"64KiB"`.
**Paths** of files and folders start at the folder of the file unless they begin with `/`.

**Values of the environment**: `${NAME}` in any string is replaced by the variable, and `$${` stands for `${`. A
variable that is not set is an error. **Secrets** can also be written `"env:NAME"`, or `"file:PATH"` for the text of a
file. Neither appears in a log or message.

**Overrides**: where a variable is named below, it takes the place of the setting. Flags of the command line take the
place of both.
"#;

/// The reference page, as Markdown.
pub fn reference() -> String {
    let mut findings = Findings::default();
    let example = read(EXAMPLE, findings.text("reference.toml", EXAMPLE), &mut findings);
    let mut page = Page { out: INTRODUCTION.to_owned(), example, variables: variables(settings()) };
    page.section("The top of the file", &KeyPath::root(), settings());
    let _ = write!(page.out, "## A file with every setting\n\n```toml\n{}\n```\n", EXAMPLE.trim_end());
    page.out
}

struct Page {
    out: String,
    /// The example, whose order is that of the page.
    example: Node,
    variables: std::collections::BTreeMap<String, (KeyPath, Json)>,
}

impl Page {
    /// A table of the file: its single settings, then the tables in it.
    fn section(&mut self, title: &str, path: &KeyPath, schema: &Json) {
        self.write(format_args!("{}## {title}\n\n", if self.out.ends_with("\n\n") { "" } else { "\n" }));
        if let Some(text) = schema.get("description").and_then(Json::as_str) {
            self.write(format_args!("{text}\n\n"));
        }
        let mut settings: Vec<(&str, &Json)> = properties(schema).collect();
        settings.sort_by_key(|(name, _)| {
            let path = path.key(name);
            first_place(&self.example, &path.keys().collect::<Vec<_>>())
        });
        for group in groups(path, &settings) {
            if let Some(title) = group.title {
                self.write(format_args!("### {title}\n\n"));
            }
            for (name, schema) in group.settings {
                if alone(schema) {
                    self.setting(name, &path.key(name), schema);
                }
            }
        }
        for (name, schema) in settings {
            if let Some(inner) = inner(schema) {
                let path = path.key(name);
                // What an embed may hold in turn has the same settings.
                if path.keys().filter(|key| *key == "embed").count() > 1 {
                    continue;
                }
                let described = schema.get("description").cloned();
                let mut inner = inner.clone();
                if let (Some(text), Some(members)) = (described, inner.as_object_mut()) {
                    members.insert("description".into(), text);
                }
                self.section(&title_of(&path), &path, &inner);
            }
        }
    }

    fn setting(&mut self, name: &str, path: &KeyPath, schema: &Json) {
        let mut facts = vec![kind(schema)];
        if let (Some(least), Some(most)) = (schema.get("minimum"), schema.get("maximum")) {
            facts.push(format!("from {} to {}", plain(least), plain(most)));
        }
        if let Some(default) = schema.get("default").filter(|default| !default.is_object()) {
            facts.push(format!("default `{}`", toml(default)));
        }
        let variable =
            self.variables.iter().find(|(_, (of, _))| of == path).map(|(name, _)| format!("`{name}`"));
        facts.extend(variable);
        self.write(format_args!("#### `{name}`\n\n*{}*\n\n", facts.join(" · ")));
        if let Some(text) = schema.get("description").and_then(Json::as_str) {
            self.write(format_args!("{text}\n\n"));
        }
        let examples = schema.get("examples").and_then(Json::as_array).into_iter().flatten();
        let examples: Vec<String> = examples.map(|example| format!("{name} = {}", toml(example))).collect();
        if !examples.is_empty() {
            self.write(format_args!("```toml\n{}\n```\n\n", examples.join("\n")));
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("a string takes all text");
    }
}

/// Where a setting stands first in a tree, looking into each table of an array; the end, if it does not.
fn first_place(node: &Node, way: &[&str]) -> usize {
    match (&node.value, way) {
        (Value::Array(nodes), _) if !way.is_empty() => {
            nodes.iter().map(|node| first_place(node, way)).min().unwrap_or(usize::MAX)
        }
        (Value::Table(table), [name]) => table.get(*name).map_or(usize::MAX, |entry| entry.key.span.start),
        (Value::Table(table), [name, rest @ ..]) => {
            table.get(*name).map_or(usize::MAX, |entry| first_place(&entry.node, rest))
        }
        _ => usize::MAX,
    }
}

/// Settings that are read together.
struct Group<'a> {
    title: Option<&'static str>,
    settings: Vec<(&'a str, &'a Json)>,
}

/// The settings of a route by the source that they belong to; all others together.
fn groups<'a>(path: &KeyPath, settings: &[(&'a str, &'a Json)]) -> Vec<Group<'a>> {
    const FIRST: [&str; 6] = ["path", "table", "query", "files", "batch", "origin"];
    if !path.keys().eq(["route"]) {
        return vec![Group { title: None, settings: settings.to_vec() }];
    }
    let owner = |name: &str| BELONG.iter().find(|(setting, _)| *setting == name).map(|(_, sources)| *sources);
    let of = |wanted: &dyn Fn(&str) -> bool| {
        settings.iter().copied().filter(|(name, _)| wanted(name)).collect::<Vec<_>>()
    };
    let first =
        FIRST.iter().filter_map(|wanted| settings.iter().copied().find(|(name, _)| name == wanted)).collect();
    vec![
        Group { title: Some("Where it is served, and from what"), settings: first },
        Group { title: Some("Of `table` routes"), settings: of(&|name| owner(name) == Some(&["table"])) },
        Group { title: Some("Of `query` routes"), settings: of(&|name| owner(name) == Some(&["query"])) },
        Group { title: Some("Of `batch` routes"), settings: of(&|name| owner(name) == Some(&["batch"])) },
        Group { title: Some("Of `origin` routes"), settings: of(&|name| owner(name) == Some(&["origin"])) },
        Group {
            title: Some("Around all routes"),
            settings: of(&|name| {
                !FIRST.contains(&name) && owner(name).is_none_or(|sources| sources.len() > 1)
            }),
        },
    ]
}

/// Whether something can be said of a setting besides its being a table.
fn alone(schema: &Json) -> bool {
    variants(schema).into_iter().any(|variant| type_names(variant).any(|name| name != "object"))
        && !is_array_of_tables(schema)
}

/// The table that a setting is, or can be.
fn inner(schema: &Json) -> Option<&Json> {
    let tables = if is_array_of_tables(schema) { schema.get("items") } else { Some(schema) };
    let table =
        variants(tables?).into_iter().find(|variant| type_names(variant).any(|name| name == "object"))?;
    match table.get("additionalProperties").filter(|further| further.is_object()) {
        Some(further) => inner(further),
        None => Some(table),
    }
}

fn is_array_of_tables(schema: &Json) -> bool {
    schema.get("items").is_some_and(|items| type_names(items).any(|name| name == "object"))
}

fn title_of(path: &KeyPath) -> String {
    let keys: Vec<&str> = path.keys().collect();
    match keys.as_slice() {
        ["route"] => "`[[route]]`".into(),
        ["route", "params"] => "`params.NAME` of a route".into(),
        ["route", "embed"] => "`embed.NAME` of a route".into(),
        ["route", inner @ ..] => format!("`{}` of a route", inner.join(".")),
        keys => format!("`[{}]`", keys.join(".")),
    }
}

/// What a value is, in words.
fn kind(schema: &Json) -> String {
    match form(schema) {
        Some("address") => "address and port".into(),
        Some("secret") => "secret".into(),
        Some("file") => "path of a file".into(),
        Some("folder") if inner(schema).is_none() => "path of a folder".into(),
        Some("folder") => "path of a folder, or a table".into(),
        Some("origin") => "URL of a server, or a table".into(),
        Some("table") => "name of a table or view".into(),
        Some("column") if type_names(schema).any(|name| name == "array") => {
            "array of names of columns".into()
        }
        Some("column") => "name of a column".into(),
        Some("pattern") => "path".into(),
        Some("sql") => "SQL".into(),
        Some("duration") => "duration".into(),
        Some("size") => "size".into(),
        _ => described(schema),
    }
}

/// A value as it is written in the file.
fn toml(value: &Json) -> String {
    match value {
        Json::Array(values) => format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A bound without the `.0` of a real.
fn plain(bound: &Json) -> String {
    bound.as_f64().map_or_else(|| bound.to_string(), |number| number.to_string())
}
