//! Whole lists as files: out of a table and into it, in memory that does not depend on how long they are.
//!
//! Each form of file has a path of its own beside the list's, `things.csv` beside `things`: what is read there can be
//! written there again. Nothing of it is cached.

mod export;
mod form;
mod import;
mod part;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, header};
use kasoku_observe::Observer;
use kasoku_pipeline::{BoxFuture, Outcome, ProblemForm, Promises, Request, Source};
use kasoku_problem::{Kind, Problem};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::prefer;
use crate::table::{ListSource, Table};

/// A form of file that is let out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferFormat {
    /// Lines after RFC 4180, the first with the names.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// A form of file that is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// Lines after RFC 4180, the first with the names.
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
}

/// What a route lets out and in as files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferRules {
    /// How lists are let out.
    pub export: Option<ExportRules>,
    /// How rows are let in.
    pub import: Option<ImportRules>,
}

/// How whole lists are let out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRules {
    /// The forms.
    pub formats: Vec<TransferFormat>,
    /// Exports in progress at the most; one more is refused.
    pub concurrent: u32,
    /// Rows that are read at a time, at the most.
    pub rows_most: u32,
    /// How long one may take, to its last byte.
    pub deadline: Duration,
}

/// How files are let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRules {
    /// The forms.
    pub formats: Vec<ImportFormat>,
    /// Imports in progress at the most; one more is refused.
    pub concurrent: u32,
    /// Bytes of one, at the most.
    pub body_bytes_max: u64,
    /// Bytes of one row, at the most.
    pub row_bytes_max: usize,
    /// Rows of one transaction, where not all of them are written together.
    pub rows_at_once: usize,
    /// Refused rows that an answer names.
    pub errors_most: usize,
    /// How long one may take, from its first byte to its answer.
    pub deadline: Duration,
}

/// Lets whole lists out and in, in one form.
pub struct TransferSource {
    table: Arc<Table>,
    export: Option<(ExportRules, TransferFormat)>,
    import: Option<(ImportRules, ImportFormat)>,
    exports: Arc<Semaphore>,
    imports: Arc<Semaphore>,
    observer: Arc<dyn Observer>,
    promises: Promises,
}

impl TransferFormat {
    /// What a path in this form ends in, without the point.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl ImportFormat {
    /// What a path in this form ends in, without the point.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
        }
    }
}

/// What paths of files end in.
const EXTENSIONS: [&str; 3] = ["csv", "ndjson", "json"];

impl TransferRules {
    /// What the paths of all forms end in that are let out or in.
    pub fn extensions(&self) -> impl Iterator<Item = &'static str> {
        EXTENSIONS
            .into_iter()
            .filter(|extension| self.export_as(extension).is_some() || self.import_as(extension).is_some())
    }

    /// The longest that anything of it may take.
    pub fn deadline(&self) -> Duration {
        let export = self.export.as_ref().map(|export| export.deadline);
        let import = self.import.as_ref().map(|import| import.deadline);
        export.max(import).unwrap_or_default()
    }

    fn export_as(&self, extension: &str) -> Option<(ExportRules, TransferFormat)> {
        let rules = self.export.as_ref()?;
        let format = rules.formats.iter().find(|format| format.extension() == extension)?;
        Some((rules.clone(), *format))
    }

    fn import_as(&self, extension: &str) -> Option<(ImportRules, ImportFormat)> {
        let rules = self.import.as_ref()?;
        let format = rules.formats.iter().find(|format| format.extension() == extension)?;
        Some((rules.clone(), *format))
    }
}

impl TransferSource {
    /// The sources of a list's forms, each with what its path ends in.
    pub fn all(
        list: &ListSource,
        rules: &TransferRules,
        observer: &Arc<dyn Observer>,
    ) -> Vec<(&'static str, Self)> {
        let places = |most: Option<u32>| Arc::new(Semaphore::new(most.unwrap_or_default() as usize));
        // The forms of a route share its places.
        let exports = places(rules.export.as_ref().map(|export| export.concurrent));
        let imports = places(rules.import.as_ref().map(|import| import.concurrent));
        let source = |extension: &'static str| {
            let (export, import) = (rules.export_as(extension), rules.import_as(extension));
            let (out, into) = (export.as_ref().map(|_| Method::GET), import.as_ref().map(|_| Method::POST));
            let source = Self {
                table: Arc::clone(list.table()),
                export,
                import,
                exports: Arc::clone(&exports),
                imports: Arc::clone(&imports),
                observer: Arc::clone(observer),
                promises: Promises {
                    methods: out.into_iter().chain(into).collect(),
                    vary: vec![header::ACCEPT, prefer::PREFER],
                    by: Vec::new(),
                    depends_on: Vec::new(),
                    streams: true,
                    problems: ProblemForm::Coded,
                },
            };
            (extension, source)
        };
        rules.extensions().map(source).collect()
    }
}

impl Source for TransferSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        match (&request.method, &self.export, &self.import) {
            (&Method::GET, Some((rules, format)), _) => {
                Box::pin(export::answer(self, (rules, *format), request))
            }
            (&Method::POST, _, Some((rules, format))) => {
                Box::pin(import::answer(self, (rules, *format), request))
            }
            _ => Box::pin(async { Err(Kind::MethodNotAllowed.into()) }),
        }
    }
}

/// Takes a place, if one is free.
fn place(places: &Arc<Semaphore>, what: &str) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(places).try_acquire_owned().map_err(|_| {
        let detail = format!("as many {what} are in progress as this route allows");
        Problem::new(Kind::Overloaded).detail(detail).retry_after(RETRY_AFTER)
    })
}

/// When who was refused may try again: what takes a place takes seconds, and may take hours.
const RETRY_AFTER: Duration = Duration::from_secs(10);
