//! A file into a table, whatever its length, with a report of what became of its rows.
//!
//! Rows are read as they come, each held against the table at once. Either all of them are written or none, which is the
//! default: they wait in a file until the last one has come, and are then written in one transaction. Or
//! (`Prefer: continue-on-error`) those are written that can be, some to a transaction, while others come.

mod receive;
mod report;
mod rows;
mod split;
mod spool;
mod write;

use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use kasoku_coherence::Landmark;
use kasoku_database::{Commit, DatabaseError, WriteTransaction};
use kasoku_pipeline::{Outcome, Request, RequestBody, Response};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{LoadRow, Missing, Resolution};

use super::{ImportFormat, ImportRules, TransferSource, place};
use crate::idempotency::{Idempotent, Known, Written};
use crate::media::Media;
use crate::prefer::{self, End, Preferences};
use crate::table::Table;
use crate::write::calendar;
use crate::{body, position, render};
use receive::Receiver;
use report::Report;
use rows::{Numbered, RowReader};
use split::Splitter;
use spool::Spool;
use write::RowWriter;

/// Rows that are taken out of the file at a time.
const ROWS_AT_ONCE: usize = 1_024;

/// Bytes of a body after which the rows so far are written, however few they are.
const BYTES_AT_ONCE: usize = 1 << 20;

/// An import that is about to begin.
struct Import<'s> {
    table: &'s Arc<Table>,
    rules: &'s ImportRules,
    receiver: Receiver,
    writer: RowWriter,
    preferences: Preferences,
    until: Instant,
}

/// Why nothing was kept.
enum ImportError {
    Database(DatabaseError),
    Refused(Problem),
    /// The caller preferred it so.
    RolledBack(Report),
}

/// What a job has done.
enum Done {
    Now(Report),
    /// For an equal request with the same `Idempotency-Key`.
    Before(Written),
}

pub(super) async fn answer(
    source: &TransferSource,
    (rules, format): (&ImportRules, ImportFormat),
    mut request: Request,
) -> Outcome {
    let table = &source.table;
    let preferences = Preferences::of(&request.headers)?;
    format.require(&request.headers)?;
    body::require_plain(&request.headers)?;
    if preferences.continues && preferences.end == Some(End::Rollback) {
        return Err(contradicts("tx", "what is kept row by row cannot be rolled back as a whole").into());
    }
    let resolution = match preferences.resolution {
        Some(_) if !table.may_upsert => {
            return Err(contradicts("resolution", "its `write` setting lacks upsert").into());
        }
        Some(prefer::Resolution::MergeDuplicates) => Some(Resolution::Merge),
        Some(prefer::Resolution::IgnoreDuplicates) => Some(Resolution::Ignore),
        None => None,
    };
    let missing = preferences.missing.unwrap_or(Missing::Null);
    let load = Arc::new(table.planner.load(request.uri.query(), resolution, missing)?);
    let keyed = Idempotent::is_asked(&request.headers);
    if keyed && preferences.continues {
        let detail = "an import that goes on behind errors is not one thing that could be done once";
        return Err(Problem::new(Kind::Malformed)
            .detail(detail)
            .member("parameter", "Idempotency-Key")
            .into());
    }
    let _place = place(&source.imports, "imports")?;
    let sent = std::mem::replace(&mut request.body, RequestBody::empty());
    let splitter = Splitter::new(format, rules.row_bytes_max);
    let rows = RowReader::new(table, &load, format);
    let import = Import {
        table,
        rules,
        receiver: Receiver::new(sent, rules.body_bytes_max, (splitter, rows), keyed),
        writer: RowWriter { table: Arc::clone(table), load, all: !preferences.continues },
        preferences,
        until: table.lanes.clock().now() + rules.deadline,
    };
    let headers = request.headers.clone();
    let (done, commit) =
        if preferences.continues { import.each().await? } else { import.all(request).await? };
    let mut response = match done {
        Done::Now(report) => render::answer(StatusCode::OK, Media::Json, report.body()),
        Done::Before(written) => written.into_response(Media::Json, true),
    };
    response.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(applied) = preferences.applied_to_import() {
        response.headers.insert(prefer::PREFERENCE_APPLIED, applied);
    }
    tell(&mut response, &headers, table, commit);
    Ok(response)
}

impl Import<'_> {
    /// All rows, in one transaction.
    async fn all(mut self, request: Request) -> Result<(Done, Option<Landmark>), Problem> {
        let folder = self.table.lanes.database().path().and_then(|path| path.parent());
        let mut spool = Spool::within(folder);
        let mut report = Report::new(self.rules.errors_most);
        while let Some(Numbered { row, line, what }) = self.receiver.next().await? {
            match what {
                Ok(what) if report.refused == 0 => {
                    spool.add(&Numbered { row, line, what }).map_err(no_room)?;
                }
                Ok(_) => {}
                Err(problem) => report.refuse(row, line, &problem),
            }
            if report.is_full() {
                break;
            }
        }
        if report.refused > 0 {
            return Err(report.problem());
        }
        let idempotent = self.idempotent(&request)?;
        let decides = idempotent.is_some();
        let (writer, errors_most) = (self.writer, self.rules.errors_most);
        let end = self.preferences.end.unwrap_or(End::Commit);
        let job = move |transaction: &mut WriteTransaction<'_>| {
            if let Some(idempotent) = &idempotent
                && let Known::Answered(written) =
                    idempotent.look_up(transaction)?.map_err(ImportError::Refused)?
            {
                return Ok(Done::Before(written));
            }
            let mut report = Report::new(errors_most);
            let lost = |error| ImportError::Refused(no_room(error));
            let mut waiting = spool.rows().map_err(lost)?;
            loop {
                let rows = waiting.next(ROWS_AT_ONCE).map_err(lost)?;
                if rows.is_empty() || report.is_full() {
                    break;
                }
                writer.write(transaction, &rows, &mut report)?;
            }
            if report.refused > 0 {
                return Err(ImportError::Refused(report.problem()));
            }
            if let Some(idempotent) = &idempotent {
                let written = Written { status: StatusCode::OK, location: None, body: report.body() };
                idempotent.keep(transaction, &written)?;
            }
            match end {
                End::Commit => Ok(Done::Now(report)),
                End::Rollback => Err(ImportError::RolledBack(report)),
            }
        };
        match self.table.lanes.write_long(decides, self.until, job).await {
            Ok((done, commit)) => Ok((done, commit.landmark)),
            Err(ImportError::RolledBack(report)) => Ok((Done::Now(report), None)),
            Err(ImportError::Refused(problem)) => Err(problem),
            Err(ImportError::Database(error)) => Err(error.into()),
        }
    }

    /// Those rows that can be written, some at a time.
    async fn each(mut self) -> Result<(Done, Option<Landmark>), Problem> {
        let mut report = Report::new(self.rules.errors_most);
        let mut landmark = None;
        loop {
            let (rows, ended) = self.some(&mut report).await;
            if !rows.is_empty() {
                match write(&self.writer, rows, self.rules.errors_most, self.until).await {
                    Ok((part, commit)) => {
                        report.add(part);
                        landmark = commit.landmark.or(landmark);
                    }
                    Err(error) => return Err(report.added_to(error.into())),
                }
            }
            match ended {
                None => {}
                Some(Ok(())) => return Ok((Done::Now(report), landmark)),
                Some(Err(problem)) => return Err(report.added_to(problem)),
            }
        }
    }

    /// Rows that came next; and how it ended, if it did.
    async fn some(&mut self, report: &mut Report) -> (Vec<Numbered<LoadRow>>, Option<Result<(), Problem>>) {
        let (mut rows, begun) = (Vec::new(), self.receiver.bytes());
        while rows.len() < self.rules.rows_at_once && self.receiver.bytes() - begun < BYTES_AT_ONCE as u64 {
            match self.receiver.next().await {
                Ok(Some(Numbered { row, line, what: Ok(what) })) => rows.push(Numbered { row, line, what }),
                Ok(Some(Numbered { row, line, what: Err(problem) })) => {
                    report.received += 1;
                    report.refuse(row, line, &problem);
                }
                Ok(None) => return (rows, Some(Ok(()))),
                Err(problem) => return (rows, Some(Err(problem))),
            }
        }
        (rows, None)
    }

    fn idempotent(&mut self, request: &Request) -> Result<Option<Idempotent>, Problem> {
        let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
        let applied = self.preferences.applied_to_import();
        let preferred = applied.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
        let digest = self.receiver.digest().unwrap_or_default();
        let parts = [request.method.as_str().as_bytes(), target.as_bytes(), preferred, b"", &digest];
        let (now_s, caller) = (calendar(self.table.lanes.clock()).0, request.caller.as_deref());
        Idempotent::of(&request.headers, (&self.table.route, caller), parts, now_s)
    }
}

/// Writes these rows in a transaction of their own.
async fn write(
    writer: &RowWriter,
    rows: Vec<Numbered<LoadRow>>,
    errors_most: usize,
    until: Instant,
) -> Result<(Report, Commit), DatabaseError> {
    let own = writer.clone();
    let job = move |transaction: &mut WriteTransaction<'_>| {
        let mut part = Report::new(errors_most);
        own.write(transaction, &rows, &mut part)?;
        Ok::<_, DatabaseError>(part)
    };
    writer.table.lanes.write_long(false, until, job).await
}

impl ImportFormat {
    /// Refuses a body that says that it is something else. One that says nothing is what the path says.
    fn require(self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(given) = headers.get(CONTENT_TYPE) else { return Ok(()) };
        let given = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let allowed: &[&str] = match self {
            Self::Csv => &["text/csv"],
            Self::Ndjson => &["application/x-ndjson", "application/ndjson", "application/jsonl"],
            Self::Json => &["application/json"],
        };
        if allowed.iter().any(|name| name.eq_ignore_ascii_case(given)) {
            return Ok(());
        }
        let detail = format!("this path reads {}", allowed.join(", "));
        Err(Problem::new(Kind::UnsupportedMediaType).detail(detail).member("allowed", allowed.to_vec()))
    }
}

fn tell(response: &mut Response, headers: &HeaderMap, table: &Table, landmark: Option<Landmark>) {
    if let Some(landmark) = landmark {
        position::tell(response, headers, &table.cursors.seal_landmark(landmark));
    }
}

fn contradicts(preference: &str, why: &str) -> Problem {
    Problem::new(Kind::InvalidParameter)
        .detail(format!("this import does not allow `Prefer: {preference}=…`: {why}"))
        .member("parameter", "Prefer")
}

/// The file for rows that wait cannot be written or read.
fn no_room(error: std::io::Error) -> Problem {
    let kind = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Kind::InsufficientStorage,
        _ => Kind::Internal,
    };
    Problem::new(kind).cause(error)
}

impl From<DatabaseError> for ImportError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}
