//! Writes the `kasoku.toml` that serves tables: for reading, with comments, and for serving as it is.

use std::fmt::Write as _;

use kasoku_sql_plan::RESERVED_PARAMETERS;

use crate::existing::{ROWS_SMALL, is_sortable};
use crate::names::{Names, clean};
use crate::shape::{KeyShape, TableShape};

/// Columns of a list, from which on they are written one below the other.
const NAMES_ON_A_LINE: usize = 8;

/// What an app is written with besides its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppOptions {
    /// What the comment at the top says the app is.
    pub title: String,
    /// The database's file, as the configuration should name it.
    pub database: String,
    /// The folder of schema files, if the app has one.
    pub schema: Option<String>,
    /// Whether its routes may write.
    pub access: AppAccess,
}

/// Whether the routes of an app may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppAccess {
    /// They only read, and the database is not touched.
    ReadOnly,
    /// Rows can be inserted, changed and deleted.
    ReadWrite,
}

/// A table and the path that it is served at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedTable<'a> {
    /// The table.
    pub table: &'a TableShape,
    /// The path of its list.
    pub path: String,
}

/// Where each table is served, in the order of the tables. Paths are encoded as they are sent, and differ.
pub fn paths(tables: &[TableShape]) -> Vec<ServedTable<'_>> {
    let mut names = Names::default();
    // Answered by every server itself.
    names.unused("health");
    let served = tables.iter().zip(1..).map(|(table, place)| {
        let name = clean(&table.name).unwrap_or_else(|| format!("table_{place}"));
        ServedTable { table, path: format!("/{}", segment(&names.unused(&name))) }
    });
    served.collect()
}

/// The text of the configuration.
pub fn app_text(tables: &[TableShape], options: &AppOptions) -> String {
    let mut text = format!("# {}\n", one_line(&options.title));
    text.push_str(
        "# `kasoku check` says what is wrong after an edit, `kasoku schema` prints what can be set, for editors.\n\n",
    );
    text.push_str("[server]\nlisten = \"127.0.0.1:8080\"\nadmin = \"127.0.0.1:9090\"\n\n[database]\n");
    let _ = writeln!(text, "url = {}", string(&format!("sqlite:{}", options.database)));
    if let Some(schema) = &options.schema {
        let _ = writeln!(text, "schema = {}", string(schema));
    } else if options.access == AppAccess::ReadOnly {
        text.push_str("read_only = true\n");
    }
    text.push_str("# What no index serves is a warning of `kasoku check`; \"require\" makes it an error.\nproof = \"warn\"\n");
    text.push_str(
        "\n[cache]\n# Real bytes. An answer is reused until a write changes what it depends on.\nmemory = \"256MiB\"\n",
    );
    for served in paths(tables) {
        text.push('\n');
        if served.table.key == KeyShape::None {
            text.push_str(&query_route(&served));
        } else {
            text.push_str(&table_route(&served, options.access));
        }
    }
    text
}

fn table_route(served: &ServedTable<'_>, access: AppAccess) -> String {
    let ServedTable { table, path } = served;
    let mut text = String::new();
    let rows = table.rows.map_or_else(String::new, |rows| format!("{} rows. ", grouped(rows)));
    let one = match table.key {
        KeyShape::RowNumber | KeyShape::None => String::new(),
        KeyShape::Columns(_) | KeyShape::Added => format!(", single rows at {path}/{{{}}}", key_text(table)),
    };
    let _ = writeln!(text, "# {rows}Lists at {path}{one}.");
    for index in &table.indexes {
        if index.reason != "indexed" {
            let _ = writeln!(
                text,
                "#   indexed: {} ({})",
                one_line(&table.columns[index.column].name),
                index.reason
            );
        }
    }
    let _ = writeln!(text, "[[route]]\npath = {}\ntable = {}", string(path), string(&table.name));
    let all: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let _ = writeln!(text, "select = {}", list(&all));
    let filter: Vec<&str> = filters(table).collect();
    if !filter.is_empty() {
        let unindexed =
            table.rows.is_none_or(|rows| rows > ROWS_SMALL)
                && table.columns.iter().enumerate().any(|(place, column)| {
                    filter.contains(&column.name.as_str()) && !table.is_indexed(place)
                });
        if unindexed {
            text.push_str("# A filter by a column without an index reads the table until a page is full.\n");
        }
        let _ = writeln!(text, "filter = {}", list(&filter));
        let plain: Vec<&str> =
            filter.iter().copied().filter(|name| !RESERVED_PARAMETERS.contains(name)).collect();
        if !plain.is_empty() {
            let _ = writeln!(text, "# Also as ?{}=…", one_line(plain[plain.len().min(2) - 1]));
            let _ = writeln!(text, "plain = {}", list(&plain));
        }
    }
    text.push_str("# The first is the default; each also in reverse.\n");
    let orders = orders(table);
    let orders: Vec<&str> = orders.iter().map(String::as_str).collect();
    let _ = writeln!(text, "order = {}", list(&orders));
    text.push_str("page = { default = 20, most = 1000 }\n");
    text.push_str("count = { default = \"none\", allowed = [\"estimated\", \"capped\", \"exact\"] }\n");
    if access == AppAccess::ReadWrite && !table.view {
        let upsert = if table.key == KeyShape::RowNumber { "" } else { "\"upsert\", " };
        let _ = writeln!(text, "write = [\"insert\", \"update\", {upsert}\"delete\"]");
    }
    text
}

/// What has no key cannot be paged by one: a view is served as a query, a page at a time.
fn query_route(served: &ServedTable<'_>) -> String {
    let ServedTable { table, path } = served;
    let name = table.name.replace('"', "\"\"");
    let sql = format!("select * from \"{name}\" limit :limit offset :offset");
    format!(
        "# A view has no key, so its rows are numbered by place: {path}?limit=100&offset=200.\n\
         [[route]]\npath = {}\nquery = {}\n\
         params = {{ limit = {{ type = \"integer\", default = 100 }}, offset = {{ type = \"integer\", default = 0 }} }}\n\
         rows = 10000\n",
        string(path),
        string(&sql),
    )
}

/// The columns that lists can be filtered by: all that can be compared.
fn filters(table: &TableShape) -> impl Iterator<Item = &str> {
    let comparable = table.columns.iter().filter(|column| is_sortable(column.kind));
    comparable.map(|column| column.name.as_str())
}

/// The sorts that lists can be asked for: by key, and by every column that has an index, or by any in a small table.
fn orders(table: &TableShape) -> Vec<String> {
    let names = |places: &[usize]| -> Vec<&str> {
        places.iter().map(|place| table.columns[*place].name.as_str()).collect()
    };
    let mut orders: Vec<String> = Vec::new();
    if !table.key_columns().is_empty() {
        orders.push(names(table.key_columns()).join(","));
    }
    let small = table.rows.is_some_and(|rows| rows <= ROWS_SMALL);
    for (place, column) in table.columns.iter().enumerate() {
        let speakable = column.name.chars().all(|c| c.is_alphanumeric() || c == '_' || !c.is_ascii());
        let quick = (small && !table.view) || table.is_indexed(place);
        if quick && speakable && is_sortable(column.kind) && !orders.contains(&column.name) {
            orders.push(column.name.clone());
        }
    }
    if orders.is_empty() {
        let first = table.columns.iter().find(|column| is_sortable(column.kind)).or(table.columns.first());
        orders.extend(first.map(|column| column.name.clone()));
    }
    orders
}

fn key_text(table: &TableShape) -> String {
    let names: Vec<String> =
        table.key_columns().iter().map(|place| one_line(&table.columns[*place].name)).collect();
    names.join(",")
}

fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| string(name)).collect();
    if names.len() <= NAMES_ON_A_LINE {
        return format!("[{}]", names.join(", "));
    }
    let lines: Vec<String> =
        names.chunks(NAMES_ON_A_LINE).map(|chunk| format!("    {},\n", chunk.join(", "))).collect();
    format!("[\n{}]", lines.concat())
}

/// A TOML string of the configuration, in which `${` would begin the name of an environment variable.
fn string(text: &str) -> String {
    let text = text.replace("${", "$${");
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A text that cannot end the comment that it stands in.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A segment of a path as browsers send it (RFC 3986 §2.1).
fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
