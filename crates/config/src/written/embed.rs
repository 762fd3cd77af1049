//! What a `table` route puts into its rows of other tables, and what it sums up.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrFalse;

/// Rows of a related table that requests may put into each row, as `select=id,title,reviews(stars)` does. The name
/// is what requests call them: the related table's, that of the column that refers (with its `_id` or without), or,
/// where `table` is said, any. Nothing of the related table is shown but what stands here. An embed may hold
/// `embed` in turn, with the same settings, four deep.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "what is embedded in turn is set as what is embedded is")]
pub(crate) struct Embed {
    /// The related table, where it is not what the embed is called.
    #[schemars(example = &"reviews")]
    pub(crate) table: Option<String>,

    /// What relates them, where several foreign keys do: the column that refers, or the table between.
    #[schemars(example = &"book_id")]
    pub(crate) by: Option<String>,

    /// Whether there are many rows, where a table refers to itself: `true` for those that refer to the row, `false`
    /// for the one that it refers to.
    pub(crate) many: Option<bool>,

    /// The columns that may be read.
    #[schemars(extend("x-form" = "column"), example = ["id", "stars"])]
    pub(crate) select: Vec<String>,

    /// The columns that may be filtered by, as in `?reviews.stars=gt.3`. Without it, none.
    #[schemars(extend("x-form" = "column"), example = ["stars"])]
    pub(crate) filter: Option<Vec<String>>,

    /// The sorts that may be asked for, as in `?reviews.order=stars.desc`, each also in reverse; the first is the
    /// default. Without it, by key.
    #[schemars(example = ["-id", "-stars"])]
    pub(crate) order: Option<Vec<String>>,

    /// Rows inside of one row, at the most. A request whose rows have more must say how many it wants, as in
    /// `?reviews.limit=10`; nothing is cut silently.
    #[serde(default = "most")]
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) most: u32,

    /// Rows where this column is set do not exist for the route.
    #[schemars(extend("x-form" = "column"), example = &"deleted_at")]
    pub(crate) soft_delete: Option<String>,

    /// Which of these rows there are for a caller, as `where` of a route says it. Without it, the embed follows the rule of
    /// the routes that serve its table; `false` shows all rows to everybody who may use this route.
    #[serde(rename = "where")]
    #[schemars(extend("x-form" = "sql"), example = &"user_id = :caller.id")]
    pub(crate) row_rule: Option<OrFalse<String>>,

    /// What may be summed up, as in `reviews(stars.avg())`: `true` for all columns in `select`, or these, and the
    /// number of rows. Without it, nothing.
    #[schemars(extend("default" = false))]
    pub(crate) aggregate: Option<AggregateOrColumns>,

    /// What may be put into these rows in turn.
    pub(crate) embed: Option<BTreeMap<String, Embed>>,
}

/// All columns that are shown or none, or a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AggregateOrColumns {
    All(bool),
    Columns(Vec<String>),
}

fn most() -> u32 {
    100
}

/// Rows of all embeds of one answer, unless the route says otherwise.
pub(crate) const EMBED_ROWS: u32 = 10_000;
