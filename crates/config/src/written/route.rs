//! A `[[route]]`: a path, one source, and what differs from the defaults around it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AggregateOrColumns, CacheOrName, CountOrName, DurationText, Embed, ExportOrList, FilesOrFolder,
    ImportOrList, OrFalse, OriginOrUrl, Page, ParamOrType, ProofOrName, RequiresOrWho, SizeText, WriteOrList,
};

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

    /// Source: answers from this HTTP server, whatever the method; or a table with several servers and more.
    #[schemars(extend("x-form" = "origin"), example = &"http://127.0.0.1:3000")]
    pub(crate) origin: Option<OriginOrUrl>,

    /// Source: `POST` of several writes in one transaction, each to one of these `table` routes, which allow what they
    /// allow to requests of their own.
    #[schemars(example = ["/v1/items", "/v1/orders"])]
    pub(crate) batch: Option<Vec<String>>,

    /// `batch`: operations in one request, at the most.
    #[schemars(range(min = 1, max = 10_000), extend("default" = 100))]
    pub(crate) operations: Option<u32>,

    /// `origin`: taken from the beginning of each path before it is sent.
    #[schemars(example = &"/legacy")]
    pub(crate) strip: Option<String>,

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

    /// `table`: what may be written: `insert`, `update`, `update-each`, `upsert`, `delete`. Without it, nothing.
    #[schemars(example = ["insert", "update", "delete"])]
    pub(crate) write: Option<WriteOrList>,

    /// `table`: whole lists as files, however long, at the path with `.csv` or `.ndjson` behind it, with the filters,
    /// sorts and columns of the list: `csv`, `ndjson` or both; or a table with limits. Without it, none.
    #[schemars(example = ["csv", "ndjson"])]
    pub(crate) export: Option<ExportOrList>,

    /// `table`: files into the table, by `POST` to the path with `.csv`, `.ndjson` or `.json` behind it: `csv`, `ndjson`,
    /// `json`; or a table with limits. The route must let rows be inserted. Without it, none.
    #[schemars(example = ["csv", "ndjson", "json"])]
    pub(crate) import: Option<ImportOrList>,

    /// `table`: answers lists as an object with this member, and `next_cursor`, instead of a plain array.
    #[schemars(example = &"items")]
    pub(crate) envelope: Option<String>,

    /// `table`: a delete sets this column to the time, and rows where it is set do not exist for the route.
    #[schemars(extend("x-form" = "column"), example = &"deleted_at")]
    pub(crate) soft_delete: Option<String>,

    /// `table`: which rows there are for a caller, by comparisons of columns with what is known of it: `:caller.id`, or a
    /// claim such as `:caller.tenant`. Other rows do not exist for the caller, whatever it asks for or writes; a new row
    /// gets what it leaves out. What is not known of a caller equals nothing.
    #[schemars(extend("x-form" = "sql"), example = &"user_id = :caller.id", example = &"public = true or user_id = :caller.id")]
    #[serde(rename = "where")]
    pub(crate) row_rule: Option<String>,

    /// Who may use the route: `anyone`, `caller` for everybody who was identified, a role, or several roles of which one
    /// is enough; or a table that says so by method. A request with wrong credentials is refused, whoever may. Without
    /// it, a route with `where` or `:caller.id` requires a caller, and any other does not ask.
    #[schemars(example = &"caller", example = ["editor", "admin"])]
    pub(crate) requires: Option<RequiresOrWho>,

    /// `table`: answers `Accept: application/vnd.pgrst.plan+text` (or `+json`) with how the database would read the rows
    /// of a list, instead of with the rows. That names tables, columns and indexes: it is for routes that only those
    /// call who may know them.
    #[schemars(extend("default" = false))]
    pub(crate) plans: Option<bool>,

    /// `table`, `query`: what `kasoku check` demands of the route's statements, where it is not what `database.proof`
    /// says: `require`, `warn` or `off`; or a table that also says which filters go together, and what is accepted.
    #[schemars(example = &"warn")]
    pub(crate) proof: Option<ProofOrName>,

    /// `table`: rows of related tables that requests may put into each row.
    pub(crate) embed: Option<BTreeMap<String, Embed>>,

    /// `table`: rows of all embeds of one answer together, at the most. A request for more is answered with 400.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = 10_000))]
    pub(crate) embed_rows: Option<u32>,

    /// `table`: what may be summed up, as in `?select=category,price.avg(),count()`, where the columns beside the
    /// sums make groups: `true` for all columns in `select`, or these, and the number of rows. Without it, nothing.
    #[schemars(extend("default" = false), example = ["price"])]
    pub(crate) aggregate: Option<AggregateOrColumns>,

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
    /// they depend on removes them at once. Answers of an `origin` are reused as their own fields say, after RFC
    /// 9111; that alone is `"rfc9111"`. `false` switches it off.
    #[schemars(example = &"rfc9111")]
    pub(crate) cache: Option<OrFalse<CacheOrName>>,

    /// How long an answer may take, until it begins; later it is a 504. Without it, 1m for an `origin`, which is sent
    /// a request's body within this time, and 10s for all else.
    #[schemars(example = &"10s")]
    pub(crate) deadline: Option<DurationText>,

    /// How much the route takes on at once.
    #[serde(default)]
    pub(crate) admit: Admit,

    /// Answers of this size and more are compressed for callers that accept it. `false` never compresses. For an
    /// `origin`: those that it sends plain, once they are stored, and never for callers with cookies or credentials.
    #[serde(default = "compress")]
    pub(crate) compress: OrFalse<SizeText>,

    /// Size of a request's body; more is answered with 413. Without it, `server.limits.body`; for an `origin`, which
    /// is sent bodies as they come, 1GiB.
    #[schemars(example = &"64KiB")]
    pub(crate) body: Option<SizeText>,
}

/// How much a route takes on at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Admit {
    /// Requests in progress, at the most. A request counts while its body arrives too, so that this bounds what
    /// bodies take of memory; whoever sends slowly has its place until the deadline.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) concurrent: u32,

    /// Requests that may wait for their turn; one more is refused with 503.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) queue: u32,

    /// How long one may wait.
    pub(crate) wait: DurationText,
}

impl Default for Admit {
    fn default() -> Self {
        Self { concurrent: 1_024, queue: 16_384, wait: DurationText::seconds(5) }
    }
}

fn compress() -> OrFalse<SizeText> {
    OrFalse::On(SizeText::kib(1))
}
