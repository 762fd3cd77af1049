//! What belongs to single sources of a route: files, pages, counts, writes and parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DurationText;

/// The folder alone, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum FilesOrFolder {
    Folder(String),
    Files(Files),
}

/// A folder of files.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    /// The folder. Files whose names begin with a dot are not served.
    #[schemars(extend("x-form" = "folder"), example = &"static/")]
    pub(crate) folder: String,

    /// Served for a path that ends in `/`.
    #[serde(default = "index")]
    pub(crate) index: String,

    /// Served where nothing else is, for single-page applications.
    #[serde(default)]
    #[schemars(example = &"index.html")]
    pub(crate) fallback: Option<String>,

    /// How long callers may use a file without asking again. They ask each time by default, and are told that
    /// it has not changed.
    #[serde(default = "zero")]
    #[schemars(example = &"1h")]
    pub(crate) max_age: DurationText,
}

/// How many rows a page has.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Page {
    /// If the request does not say.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) default: u32,

    /// At the most. A request for more is answered with 400.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) most: u32,

    /// Rows that `offset=` and `Range` may pass over, at the most. 0 leaves cursors alone to lead from page to page:
    /// a database reads all rows that it passes over, so late pages cost more than early ones.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub(crate) offset: u32,
}

/// One way of counting, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum CountOrName {
    Name(CountName),
    Count(Count),
}

/// Which totals a list gives.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Count {
    /// Given without being asked for.
    pub(crate) default: CountName,

    /// What `Prefer: count=…` may ask for, besides the default.
    #[schemars(example = ["capped", "exact"])]
    pub(crate) allowed: Vec<CountName>,

    /// Where a `capped` count stops counting, and says "at least".
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(crate) cap: u64,
}

/// A way to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CountName {
    None,
    Estimated,
    Capped,
    Exact,
}

/// A list of what may be written, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum WriteOrList {
    List(Vec<WriteName>),
    Write(Write),
}

/// What may be written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Write {
    /// Which writes. An answer to a change of one row by its key shows the row as its triggers left it; answers to
    /// inserts and to changes by filter show rows as the statement left them, before `AFTER` triggers ran.
    /// `update-each` is a `PATCH` of the list with an array of rows, each of which carries its key: all are changed, or
    /// none.
    #[schemars(example = ["insert", "update", "delete"])]
    pub(crate) allow: Vec<WriteName>,

    /// Rows in one request, at the most.
    #[serde(default = "write_rows")]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) rows: u32,
}

/// A kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WriteName {
    Insert,
    Update,
    UpdateEach,
    Upsert,
    Delete,
}

/// The type alone, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ParamOrType {
    Type(ParamType),
    Param(Param),
}

/// A parameter of a query.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Param {
    /// How its text is read.
    #[serde(rename = "type", default)]
    pub(crate) kind: ParamType,

    /// Used where the request has none. Without it, the request must have one.
    #[schemars(with = "Option<Scalar>", example = 10)]
    pub(crate) default: Option<serde_json::Value>,
}

/// A text, a number, or `true` or `false`.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Scalar {
    Text(String),
    Integer(i64),
    Real(f64),
    Boolean(bool),
}

/// How the text of a parameter is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ParamType {
    #[default]
    Text,
    Integer,
    Real,
    Boolean,
}

impl Default for Page {
    fn default() -> Self {
        Self { default: 20, most: 100, offset: 0 }
    }
}

impl Default for Count {
    fn default() -> Self {
        Self { default: CountName::None, allowed: Vec::new(), cap: 10_000 }
    }
}

/// Rows in one write request, unless the route says otherwise.
pub(crate) fn write_rows() -> u32 {
    1_000
}

fn index() -> String {
    "index.html".into()
}

fn zero() -> DurationText {
    DurationText::seconds(0)
}
