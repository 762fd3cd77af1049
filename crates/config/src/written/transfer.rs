//! Whole lists as files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, SizeText};

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

/// A list of forms, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ImportOrList {
    List(Vec<ImportName>),
    Import(Import),
}

/// Files into the table, by `POST` to the route's path with `.csv`, `.ndjson` or `.json` behind it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    /// The forms.
    #[schemars(example = ["csv", "ndjson", "json"])]
    pub(crate) formats: Vec<ImportName>,

    /// Imports in progress, at the most; one more is refused with 503.
    #[serde(default = "imports")]
    #[schemars(range(min = 1, max = 1_000))]
    pub(crate) concurrent: u32,

    /// Size of a file; more is answered with 413. The size of one row is bounded by `body`.
    #[serde(default = "file")]
    pub(crate) file: SizeText,

    /// Rows of one transaction, where the caller prefers `continue-on-error`.
    #[serde(default = "rows")]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) rows: u32,

    /// Refused rows that an answer names, at the most.
    #[serde(default = "errors")]
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) errors: u32,

    /// How long one may take, from its beginning to its answer.
    #[serde(default = "deadline")]
    pub(crate) deadline: DurationText,
}

/// A form of file that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ImportName {
    Csv,
    Ndjson,
    Json,
}

impl Import {
    /// These forms, and nothing else said.
    pub(crate) fn of(formats: Vec<ImportName>) -> Self {
        Self {
            formats,
            concurrent: imports(),
            file: file(),
            rows: rows(),
            errors: errors(),
            deadline: deadline(),
        }
    }
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

fn imports() -> u32 {
    2
}

fn file() -> SizeText {
    SizeText::mib(1 << 10)
}

fn errors() -> u32 {
    100
}

fn rows() -> u32 {
    1_000
}

fn deadline() -> DurationText {
    DurationText::seconds(60 * 60)
}
