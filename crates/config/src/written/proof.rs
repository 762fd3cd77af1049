//! What `kasoku check` demands of the statements of a route.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much is demanded, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ProofOrName {
    Name(ProofName),
    Proof(Proof),
}

/// How much is demanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProofName {
    #[default]
    Require,
    Warn,
    Off,
}

/// What is demanded of the statements of a route, and what is accepted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Proof {
    /// `require`, `warn` or `off`. Without it, what `database.proof` says.
    pub(crate) level: Option<ProofName>,

    /// `table`: sets of two to four columns out of `filter` that callers filter by at once. Each filter alone is always
    /// looked at; of filters together, only these sets are, with a range in one of them at the most.
    #[schemars(example = [["category", "price"]])]
    pub(crate) together: Vec<Vec<String>>,

    /// `table`: columns out of `filter` of which one value is had by few rows: what is found by it may be sorted
    /// afterwards, and held against other filters.
    #[schemars(extend("x-form" = "column"), example = ["maker"])]
    pub(crate) may_sort: Vec<String>,

    /// `table`: columns out of `filter` for which a list may be read in its order, skipping rows that do not match.
    /// Good where most rows match; where few do, a page costs as much as the table.
    #[schemars(extend("x-form" = "column"), example = ["price"])]
    pub(crate) may_skip: Vec<String>,
}
