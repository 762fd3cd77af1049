//! Whole lists as files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DurationText;

/// A list of forms, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ExportOrList {
    List(Vec<ExportName>),
    Export(Export),
}

/// Whole lists as files, at the route's path with `.csv` or `.ndjson` behind it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    /// The forms.
    #[schemars(example = ["csv", "ndjson"])]
    pub(crate) formats: Vec<ExportName>,

    /// Exports in progress, at the most; one more is refused with 503.
    #[serde(default = "concurrent")]
    #[schemars(range(min = 1, max = 1_000))]
    pub(crate) concurrent: u32,

    /// Rows that are read by one statement, at the most. Fewer are where rows are large.
    #[serde(default = "rows")]
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) rows: u32,

    /// How long one may take, to its last byte; later it breaks off.
    #[serde(default = "deadline")]
    pub(crate) deadline: DurationText,
}

/// A form of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportName {
    Csv,
    Ndjson,
}

impl Export {
    /// These forms, and nothing else said.
    pub(crate) fn of(formats: Vec<ExportName>) -> Self {
        Self { formats, concurrent: concurrent(), rows: rows(), deadline: deadline() }
    }
}

fn concurrent() -> u32 {
    4
}

fn rows() -> u32 {
    1_000
}

fn deadline() -> DurationText {
    DurationText::seconds(60 * 60)
}
