//! A whole list out, as fast as its caller takes it.
//!
//! A part is read when the caller has taken the one before, and between two parts nothing of the database is held: no
//! connection, no transaction, no snapshot. So a slow caller costs a place and a few buffers. What follows from it is that
//! an export is not one moment of the table: rows that change meanwhile are seen before or after their change.
//!
//! The first part is read before the answer begins, so that what is wrong with a request has its own status. What goes
//! wrong later breaks the answer off; it has no length beforehand, and so it never looks whole.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use kasoku_observe::{Observation, Observer};
use kasoku_pipeline::{Body, BodyError, Outcome, Request, Response};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::ListPlan;
use tokio::sync::OwnedSemaphorePermit;

use super::form::{CURSOR, Form};
use super::part::Reader;
use super::{ExportRules, TransferFormat, TransferSource, place};
use crate::prefer::{self, Preferences};
use crate::table::Table;

/// An export in progress.
struct Export {
    table: Arc<Table>,
    reader: Reader,
    form: Form,
    until: Instant,
    observer: Arc<dyn Observer>,
    /// Lines that were written and not yet handed on.
    ready: Option<Bytes>,
    goes_on: bool,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn answer(
    source: &TransferSource,
    (rules, format): (&ExportRules, TransferFormat),
    request: Request,
) -> Outcome {
    let preferences = Preferences::of(&request.headers)?;
    let form = Form::of(format, &request.headers, preferences.row_cursors);
    let walk = source.table.planner_for(&request).walk(request.uri.query())?;
    let place = place(&source.exports, "exports")?;
    let until = source.table.lanes.clock().now() + rules.deadline;
    let mut reader = Reader::new(&source.table, walk, rules.rows_most, Some(until));
    let (part, plan) = reader.next().await?;
    name_is_free(form, &plan)?;
    let lines = form.lines(&part, &plan, &source.table.cursors, true)?;
    let export = Export {
        table: Arc::clone(&source.table),
        reader,
        form,
        until,
        observer: Arc::clone(&source.observer),
        ready: Some(Bytes::from(lines)).filter(|lines| !lines.is_empty()),
        goes_on: part.goes_on,
        _place: place,
    };
    let frames = stream::try_unfold(export, async |mut export: Export| {
        let lines = export.next().await.map_err(|problem| export.broken(problem))?;
        Ok::<_, BodyError>(lines.map(|lines| (Frame::data(lines), export)))
    });
    let mut response = Response::new(StatusCode::OK, Body::stream(StreamBody::new(frames)));
    response.headers.insert(CONTENT_TYPE, form.content_type());
    response.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers.insert(CONTENT_DISPOSITION, disposition(request.uri.path(), format));
    let mut applied = preferences.heeded();
    applied.extend(form.cursors.then(|| "cursor=row".to_owned()));
    if let Some(applied) = Preferences::applied(&applied) {
        response.headers.insert(prefer::PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}

impl Export {
    /// The lines that come next; `None` behind the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if let Some(ready) = self.ready.take() {
            return Ok(Some(ready));
        }
        if !self.goes_on {
            return Ok(None);
        }
        if self.until <= self.table.lanes.clock().now() {
            let detail = "the export took longer than `export.deadline` allows";
            return Err(Problem::new(Kind::DeadlineExceeded).detail(detail));
        }
        let (part, plan) = self.reader.next().await?;
        self.goes_on = part.goes_on;
        let lines = self.form.lines(&part, &plan, &self.table.cursors, false)?;
        Ok(Some(Bytes::from(lines)).filter(|lines| !lines.is_empty()))
    }

    /// The caller learns of it by the connection; the operator by the log.
    fn broken(&self, problem: Problem) -> BodyError {
        self.observer.observe(&Observation::DatabaseFailed { what: "export", error: &problem });
        Box::new(problem)
    }
}

/// Refuses to call the cursor what a column is called.
fn name_is_free(form: Form, plan: &ListPlan) -> Result<(), Problem> {
    let taken = plan.columns.iter().any(|column| *column.json_key == *format!("\"{CURSOR}\":"));
    if !form.cursors || !taken {
        return Ok(());
    }
    let detail = format!("a column is called `{CURSOR}` too; select it under another name");
    Err(Problem::new(Kind::InvalidParameter).detail(detail).member("parameter", "Prefer"))
}

/// The name of a file, for who saves it (RFC 6266 §4): what the path ends in.
fn disposition(path: &str, format: TransferFormat) -> HeaderValue {
    let last = path.rsplit('/').next().unwrap_or_default();
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let name =
        if last.bytes().all(harmless) { last.to_owned() } else { format!("list.{}", format.extension()) };
    HeaderValue::try_from(format!("attachment; filename=\"{name}\"")).expect("letters, digits and signs")
}
