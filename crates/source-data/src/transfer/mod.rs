//! Whole lists as files: out of a table and into it, in memory that does not depend on how long they are.
//!
//! Each form of file has a path of its own beside the list's, `things.csv` beside `things`: what is read there can be
//! written there again. Nothing of it is cached.

mod export;
mod form;
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

/// A form of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferFormat {
    /// Lines after RFC 4180, the first with the names.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// What a route lets out and in as files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferRules {
    /// How lists are let out.
    pub export: Option<ExportRules>,
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

/// Answers whole lists in one form.
pub struct TransferSource {
    table: Arc<Table>,
    format: TransferFormat,
    rules: TransferRules,
    exports: Arc<Semaphore>,
    observer: Arc<dyn Observer>,
    promises: Promises,
}

impl TransferFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Ndjson];

    /// What a path in this form ends in, without the point.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl TransferRules {
    /// The forms that are let out or in.
    pub fn formats(&self) -> impl Iterator<Item = TransferFormat> {
        TransferFormat::ALL.into_iter().filter(|format| self.exports(*format))
    }

    /// The longest that anything of it may take.
    pub fn deadline(&self) -> Duration {
        self.export.as_ref().map_or(Duration::ZERO, |export| export.deadline)
    }

    fn exports(&self, format: TransferFormat) -> bool {
        self.export.as_ref().is_some_and(|export| export.formats.contains(&format))
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
        let source = |format: TransferFormat| {
            let methods = rules.exports(format).then_some(Method::GET);
            let source = Self {
                table: Arc::clone(list.table()),
                format,
                rules: rules.clone(),
                exports: Arc::clone(&exports),
                observer: Arc::clone(observer),
                promises: Promises {
                    methods: methods.into_iter().collect(),
                    vary: vec![header::ACCEPT, prefer::PREFER],
                    by: Vec::new(),
                    depends_on: Vec::new(),
                    streams: true,
                    problems: ProblemForm::Coded,
                },
            };
            (format.extension(), source)
        };
        rules.formats().map(source).collect()
    }
}

impl Source for TransferSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        match (&request.method, &self.rules.export) {
            (&Method::GET, Some(rules)) => Box::pin(export::answer(self, rules, request)),
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
