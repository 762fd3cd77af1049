//! Writes: a body becomes a plan, the plan one job of the writer, and its rows the answer.

mod batch;
mod job;
mod plan;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use http::Method;
use http::header::{CONTENT_LOCATION, CONTENT_RANGE, ETAG, HeaderValue};
use kasoku_database::{ConstraintKind, DatabaseError, WriteTransaction};
use kasoku_http_caching::conditions::Conditions;
use kasoku_pipeline::{Outcome, Request};
use kasoku_problem::Problem;
use kasoku_units::Clock;

pub use batch::{BatchRules, BatchSource};

use crate::idempotency::{Idempotent, Written};
use crate::media::{self, Media};
use crate::prefer::{self, Preferences};
use crate::table::Table;
use crate::{body, position};
use job::Guards;

/// Why a job was undone.
enum WriteError {
    Database(DatabaseError),
    Refused(Problem),
    /// It was done, and undone as the caller preferred.
    RolledBack(Box<Done>),
}

/// What the writer did.
struct Done {
    written: Written,
    when: When,
    /// The tag of the row, if the answer's body is the row as it is now.
    etag: Option<HeaderValue>,
    /// `Content-Range` with the number of rows, if the caller asked for it.
    counted: Option<HeaderValue>,
}

/// When the writer did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    /// For an equal request with the same `Idempotency-Key`.
    Before,
}

pub(crate) async fn answer(table: &Table, mut request: Request) -> Outcome {
    let preferences = Preferences::of(&request.headers)?;
    let sent = std::mem::replace(&mut request.body, kasoku_pipeline::RequestBody::empty());
    let (bytes, body) = match request.method {
        Method::DELETE => (bytes::Bytes::new(), serde_json::Value::Null),
        _ => body::read(&request.headers, sent, &table.planner).await?,
    };
    let media = Media::of(&request.headers, media::of_path(&request.params))?;
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    let applied = preferences.applied_to_write(request.method == Method::POST);
    let preferred = applied.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
    let accepted = media.name().as_bytes();
    let caller = request.caller.as_deref();
    let parts = [request.method.as_str().as_bytes(), target.as_bytes(), preferred, accepted, &bytes[..]];
    let idempotent =
        Idempotent::of(&request.headers, (&table.route, caller), parts, calendar(table.lanes.clock()).0)?;
    let conditions = Conditions::take(&mut request.headers);
    let guards = Guards { idempotent, conditions };
    let job = Arc::new(plan::job(table, &request, &body, (preferences, media), guards)?);
    let run = Arc::clone(&job);
    let work = move |transaction: &mut WriteTransaction<'_>| run.run(transaction);
    let written = table.lanes.write(job.decides(), request.deadline, work).await;
    let (done, commit) = match written {
        Ok((done, commit)) => (*done, Some(commit)),
        Err(WriteError::RolledBack(done)) => (*done, None),
        // Without a body, what does not fit was in the filters.
        Err(WriteError::Database(
            error @ DatabaseError::Constraint { kind: ConstraintKind::DataType, .. },
        )) if request.method == Method::DELETE => return Err(error.problem_of_asking().into()),
        Err(WriteError::Database(error)) => {
            return Err(error.problem(|column| table.shown.iter().any(|shown| shown == column)).into());
        }
        Err(WriteError::Refused(problem)) => return Err(problem.into()),
    };
    let mut response = done.written.into_response(media, done.when == When::Before);
    if let Some(etag) = done.etag {
        response.headers.insert(ETAG, etag);
        // Which the tag is of (RFC 9110 §8.7): the body is the row, as a read would answer it.
        if let Ok(path) = HeaderValue::try_from(request.uri.path()) {
            response.headers.insert(CONTENT_LOCATION, path);
        }
    }
    if let Some(rows) = done.counted {
        response.headers.insert(CONTENT_RANGE, rows);
    }
    if let Some(applied) = applied {
        response.headers.insert(prefer::PREFERENCE_APPLIED, applied);
    }
    if let Some(landmark) = commit.and_then(|commit| commit.landmark) {
        position::tell(&mut response, &request.headers, &table.cursors.seal_landmark(landmark));
    }
    Ok(response)
}

impl From<DatabaseError> for WriteError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// The calendar: seconds since 1970, and as RFC 3339 writes it, in UTC with milliseconds.
pub(crate) fn calendar(clock: &dyn Clock) -> (i64, String) {
    let now = clock.wall();
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (i64::try_from(seconds).unwrap_or(i64::MAX), humantime::format_rfc3339_millis(now).to_string())
}
