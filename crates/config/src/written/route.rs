//! A `[[route]]`: a path, one source, and what differs from the defaults around it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, OrFalse, SizeText};

/// A route: a path, one source, and what differs from the defaults around it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    /// Where it is served. `{name}` matches one segment, `{*rest}` all that are left. A `table` route serves its
    /// list here and single rows at `path/{key}`; a `files` route everything below.
    #[schemars(extend("x-form" = "pattern"), example = &"/v1/items", example = &"/posts/{slug}")]
    pub(crate) path: String,

    /// Source: answers from this table or view.
    #[schemars(extend("x-form" = "table"), example = &"items")]
    pub(crate) table: Option<String>,

    /// Source: answers from this `select`, in which `:name` is a parameter.
    #[schemars(
        extend("x-form" = "sql"),
        example = &"select category, count(*) as items from items group by category order by category"
    )]
    pub(crate) query: Option<String>,

    /// Source: answers from the files of this folder.
    #[schemars(extend("x-form" = "folder"), example = &"static/")]
    pub(crate) files: Option<FilesOrFolder>,

    /// `table`: the columns that may be read. Without it, all of them.
    #[schemars(extend("x-form" = "column"), example = ["id", "title", "price"])]
    pub(crate) select: Option<Vec<String>>,

    /// `table`: the columns that may be filtered by, as in `?price=gt.10`. Without it, none.
    #[schemars(extend("x-form" = "column"), example = ["category", "price"])]
    pub(crate) filter: Option<Vec<String>>,

    /// `table`: columns out of `filter` for which the plain form `?category=books` works too.
    #[schemars(extend("x-form" = "column"), example = ["category"])]
    pub(crate) plain: Option<Vec<String>>,

    /// `table`: the sorts that may be asked for, each also in reverse; the first is the default. `-` puts the
    /// largest first, and a comma adds a further column. Without it, by key.
    #[schemars(example = ["-id", "price", "category,-price"])]
    pub(crate) order: Option<Vec<String>>,

    /// `table`: how many rows a page has.
    pub(crate) page: Option<Page>,

    /// `table`: which totals a list gives: `none` (the default), `estimated`, `capped` or `exact`; or a table that
    /// also says which of them `Prefer: count=…` may ask for.
    #[schemars(example = &"capped")]
    pub(crate) count: Option<CountOrName>,

    /// `table`: what may be written: `insert`, `update`, `upsert`, `delete`. Without it, nothing.
    #[schemars(example = ["insert", "update", "delete"])]
    pub(crate) write: Option<WriteOrList>,

    /// `table`: answers lists as an object with this member, and `next_cursor`, instead of a plain array.
    #[schemars(example = &"items")]
    pub(crate) envelope: Option<String>,

    /// `table`: a delete sets this column to the time, and rows where it is set do not exist for the route.
    #[schemars(extend("x-form" = "column"), example = &"deleted_at")]
    pub(crate) soft_delete: Option<String>,

    /// `query`: its parameters, where they are not texts or have a default. A parameter is taken from the path
    /// if the path has it, and from the query string otherwise.
    pub(crate) params: Option<BTreeMap<String, ParamOrType>>,

    /// `query`: answers the one row as an object, and 404 where there is none, instead of an array.
    #[schemars(extend("default" = false))]
    pub(crate) one: Option<bool>,

    /// `query`: rows at the most. An answer with more is an error, never cut silently.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = 1000))]
    pub(crate) rows: Option<u32>,

    /// How answers are reused. Answers of `table` and `query` routes are, also without this: a change to what
    /// they depend on removes them at once. `false` switches it off.
    pub(crate) cache: Option<OrFalse<RouteCache>>,

    /// How long an answer may take; later it is a 504.
    #[serde(default = "deadline")]
    pub(crate) deadline: DurationText,

    /// How much the route takes on at once.
    #[serde(default)]
    pub(crate) admit: Admit,

    /// Answers of this size and more are compressed for callers that accept it. `false` never compresses.
    #[serde(default = "compress")]
    pub(crate) compress: OrFalse<SizeText>,

    /// Size of a request's body; more is answered with 413. Without it, `server.limits.body`.
    #[schemars(example = &"64KiB")]
    pub(crate) body: Option<SizeText>,
}

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
    /// Which writes.
    #[schemars(example = ["insert", "update", "delete"])]
    pub(crate) allow: Vec<WriteName>,

    /// Rows in one request, at the most.
    #[serde(default = "write_rows")]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) rows: u32,
}

/// A kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WriteName {
    Insert,
    Update,
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

/// How answers are reused.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RouteCache {
    /// How long a stored answer is fresh, unless a change to what it depends on removes it before. A query with
    /// a function such as `random()`, whose result changes by itself, must say it.
    #[schemars(example = &"30s", extend("default" = "1h"))]
    pub(crate) fresh: Option<DurationText>,

    /// How long after that it may still be given, while a new one is fetched in the background.
    #[schemars(example = &"30s")]
    pub(crate) stale_while_revalidate: DurationText,

    /// How long after `fresh` it may still be given if the source fails.
    #[schemars(example = &"10m")]
    pub(crate) stale_if_error: DurationText,

    /// How long a caller may keep it for itself. Nothing can remove it there, so by default callers ask each
    /// time, and are told that it has not changed.
    #[schemars(example = &"5s")]
    pub(crate) client: DurationText,

    /// Larger answers are given but not stored.
    pub(crate) body: SizeText,
}

/// How much a route takes on at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Admit {
    /// Requests in progress, at the most.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) concurrent: u32,

    /// Requests that may wait for their turn; one more is refused with 503.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) queue: u32,

    /// How long one may wait.
    pub(crate) wait: DurationText,
}

impl Default for Page {
    fn default() -> Self {
        Self { default: 20, most: 100 }
    }
}

impl Default for Count {
    fn default() -> Self {
        Self { default: CountName::None, allowed: Vec::new(), cap: 10_000 }
    }
}

impl Default for RouteCache {
    fn default() -> Self {
        Self {
            fresh: None,
            stale_while_revalidate: DurationText::seconds(0),
            stale_if_error: DurationText::seconds(0),
            client: DurationText::seconds(0),
            body: SizeText::mib(1),
        }
    }
}

impl Default for Admit {
    fn default() -> Self {
        Self { concurrent: 1_024, queue: 16_384, wait: DurationText::seconds(5) }
    }
}

/// Rows in one write request, unless the route says otherwise.
pub(crate) fn write_rows() -> u32 {
    1_000
}

fn deadline() -> DurationText {
    DurationText::seconds(10)
}

fn compress() -> OrFalse<SizeText> {
    OrFalse::On(SizeText::kib(1))
}

fn index() -> String {
    "index.html".into()
}

fn zero() -> DurationText {
    DurationText::seconds(0)
}
