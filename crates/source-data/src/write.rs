//! Writes: a body becomes a plan, the plan one job of the writer, and its rows the answer.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use http::header::{CONTENT_LOCATION, ETAG, HeaderValue};
use http::{Method, StatusCode};
use kasoku_database::{DatabaseError, Statement, WriteTransaction};
use kasoku_http_caching::conditions::Conditions;
use kasoku_http_caching::entity_tag;
use kasoku_pipeline::{Outcome, Request};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{Resolution, Target, Value, WritePlan};
use kasoku_units::Clock;

use crate::current::{self, CurrentRow, Subject};
use crate::idempotency::{Idempotent, Known, Written};
use crate::media::{self, Media};
use crate::prefer::{self, Preferences, Return};
use crate::table::{KEY_PARAM, Table, no_such_row};
use crate::{body, location, position, render};

/// What the writer is to do, and how it is answered.
struct Job {
    plan: WritePlan,
    idempotent: Option<Idempotent>,
    conditions: Option<Box<Conditions>>,
    /// The row that the path names, where its state matters.
    current: Option<CurrentRow>,
    /// Whether the body of the answer is the row as `GET` answers it, and so has its tag.
    tagged: bool,
    form: Form,
    media: Media,
    status: StatusCode,
    /// The path of the list, where the answer says where the new row is.
    located_in: Option<String>,
    /// The path of the row, if the write makes it where it is not there yet.
    put_at: Option<String>,
}

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing.
    Minimal,
    /// The one row. Without it there was nothing to write.
    Object { missing_is_not_found: bool },
    /// The rows.
    Array,
}

/// Why a job was undone.
enum WriteError {
    Database(DatabaseError),
    Refused(Problem),
}

/// What the writer did.
struct Done {
    written: Written,
    when: When,
    /// The tag of the row, if the answer's body is the row as it is now.
    etag: Option<HeaderValue>,
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
    let applied = preferences.applied_to_write();
    let preferred = applied.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
    let accepted = media.name().as_bytes();
    let parts = [request.method.as_str().as_bytes(), target.as_bytes(), preferred, accepted, &bytes[..]];
    let idempotent = Idempotent::of(&request.headers, &table.route, parts, calendar(table.lanes.clock()).0)?;
    let conditions = Conditions::take(&mut request.headers);
    let job = Arc::new(plan(table, &request, &body, (preferences, media), (idempotent, conditions))?);
    let run = Arc::clone(&job);
    let work = move |transaction: &mut WriteTransaction<'_>| run.run(transaction);
    let written = table.lanes.database().write(request.deadline, work).await;
    let (done, commit) = written.map_err(|error| match error {
        WriteError::Database(error) => {
            error.problem(|column| table.shown.iter().any(|shown| shown == column))
        }
        WriteError::Refused(problem) => problem,
    })?;
    let mut response = done.written.into_response(media, done.when == When::Before);
    if let Some(etag) = done.etag {
        response.headers.insert(ETAG, etag);
        // Which the tag is of (RFC 9110 §8.7): the body is the row, as a read would answer it.
        if let Ok(path) = HeaderValue::try_from(request.uri.path()) {
            response.headers.insert(CONTENT_LOCATION, path);
        }
    }
    if let Some(applied) = applied {
        response.headers.insert(prefer::PREFERENCE_APPLIED, applied);
    }
    if let Some(landmark) = commit.landmark {
        position::tell(&mut response, &request.headers, &table.cursors.seal_landmark(landmark));
    }
    Ok(response)
}

fn plan(
    table: &Table,
    request: &Request,
    body: &serde_json::Value,
    (preferences, media): (Preferences, Media),
    (idempotent, conditions): (Option<Idempotent>, Option<Box<Conditions>>),
) -> Result<Job, Problem> {
    let planner = &table.planner;
    let (query, key) = (request.uri.query(), request.params.get(KEY_PARAM));
    let target = key.map_or(Target::Filters, Target::Key);
    let one = key.is_some() || (request.method == Method::POST && body.is_object());
    let plan = match (&request.method, preferences.resolution) {
        (&Method::POST, None) => planner.insert(query, body)?,
        (&Method::POST, Some(_)) if !table.may_upsert => {
            let detail = "this route does not allow `Prefer: resolution=…`; its `write` setting lacks upsert";
            return Err(Problem::new(Kind::InvalidParameter).detail(detail).member("parameter", "Prefer"));
        }
        (&Method::POST, Some(resolution)) => planner.upsert(
            query,
            body,
            match resolution {
                prefer::Resolution::MergeDuplicates => Resolution::Merge,
                prefer::Resolution::IgnoreDuplicates => Resolution::Ignore,
            },
        )?,
        (&Method::PUT, _) => planner.put(key.unwrap_or_default(), query, body)?,
        (&Method::PATCH, _) => planner.update(target, query, body, preferences.affected_most)?,
        (&Method::DELETE, _) => planner.delete(
            target,
            query,
            preferences.affected_most,
            Value::Text(calendar(table.lanes.clock()).1),
        )?,
        _ => return Err(Kind::MethodNotAllowed.into()),
    };
    let is_insert = request.method == Method::POST;
    let default = if request.method == Method::DELETE { Return::Minimal } else { Return::Representation };
    // Rows that are asked for by name come as a list does, be it of one row.
    let asked = preferences.returned == Some(Return::Representation);
    let single = key.is_some() || (one && !asked && media == Media::Json);
    let form = match preferences.returned.unwrap_or(default) {
        Return::Minimal => Form::Minimal,
        Return::Representation if single => Form::Object { missing_is_not_found: !is_insert },
        Return::Representation => Form::Array,
    };
    let status = match form {
        _ if is_insert => StatusCode::CREATED,
        Form::Minimal => StatusCode::NO_CONTENT,
        _ => StatusCode::OK,
    };
    let located_in = (is_insert && one && table.has_key).then(|| request.uri.path().to_owned());
    let updates = matches!(request.method, Method::PUT | Method::PATCH);
    let tagged = updates
        && media == Media::Json
        && matches!(form, Form::Object { .. })
        && query.is_none_or(str::is_empty);
    let put_at = (request.method == Method::PUT).then(|| request.uri.path().to_owned());
    let current = match key.filter(|_| tagged || conditions.is_some() || put_at.is_some()) {
        Some(key) => Some(CurrentRow::new(planner.one(key, None)?)),
        None => None,
    };
    Ok(Job { plan, idempotent, conditions, current, tagged, form, media, status, located_in, put_at })
}

impl Job {
    fn run(&self, transaction: &mut WriteTransaction<'_>) -> Result<Done, WriteError> {
        if let Some(idempotent) = &self.idempotent
            && let Known::Answered(written) = idempotent.look_up(transaction)?.map_err(WriteError::Refused)?
        {
            // It held its conditions then; they are not asked of the row that it made. The row may have changed since.
            let now = self.row_now(transaction)?.filter(|row| *row == written.body);
            let etag = now.map(|row| entity_tag::of_body(&row));
            return Ok(Done { written, when: When::Before, etag });
        }
        let mut made_at = None;
        if self.conditions.is_some() || self.put_at.is_some() {
            let subject = self.subject(transaction)?;
            if let Some(conditions) = &self.conditions {
                current::require(conditions, &subject).map_err(WriteError::Refused)?;
            }
            made_at = self.put_at.clone().filter(|_| matches!(subject, Subject::NoRow));
        }
        let mut written = self.write(transaction)?;
        if made_at.is_some() {
            // RFC 9110 §9.3.4: a PUT that made what was not there says so.
            written.status = StatusCode::CREATED;
            written.location = made_at;
        }
        let etag = self.row_now(transaction)?.map(|row| {
            // `RETURNING` shows a row before its triggers have run.
            written.body = row;
            entity_tag::of_body(&written.body)
        });
        if let Some(idempotent) = &self.idempotent {
            idempotent.keep(transaction, &written)?;
        }
        Ok(Done { written, when: When::Now, etag })
    }

    fn subject(&self, transaction: &mut WriteTransaction<'_>) -> Result<Subject, DatabaseError> {
        let Some(current) = &self.current else { return Ok(Subject::List) };
        Ok(current.tag(transaction)?.map_or(Subject::NoRow, Subject::Row))
    }

    /// The row that the answer shows, if it is one row by its key and all of its columns.
    fn row_now(&self, transaction: &mut WriteTransaction<'_>) -> Result<Option<Vec<u8>>, DatabaseError> {
        match self.current.as_ref().filter(|_| self.tagged) {
            Some(current) => current.read(transaction),
            None => Ok(None),
        }
    }

    fn write(&self, transaction: &mut WriteTransaction<'_>) -> Result<Written, WriteError> {
        let mut text = Vec::with_capacity(256);
        let (mut touched, mut location) = (0, None);
        for write in &self.plan.statements {
            let statement =
                Statement::new(Arc::clone(&write.statement.name), Arc::clone(&write.statement.sql));
            transaction.query(&statement, &write.statement.params, |rows| {
                while let Some(row) = rows.next()? {
                    touched += 1;
                    if touched > self.plan.rows_most {
                        return Err(WriteError::Refused(too_many(self.plan.rows_most)));
                    }
                    if location.is_none()
                        && let Some(path) = &self.located_in
                    {
                        location =
                            Some(location::of_row(path, self.plan.key.iter().map(|place| row.get(*place))));
                    }
                    if self.form != Form::Minimal {
                        if touched > 1 {
                            text.push(b',');
                        }
                        render::row(&mut text, &self.plan.columns, row);
                    }
                }
                Ok(())
            })?;
        }
        if touched == 0 && self.must_touch() {
            return Err(WriteError::Refused(no_such_row()));
        }
        let columns = &self.plan.columns;
        let body = match self.form {
            Form::Minimal => text,
            Form::Object { .. } => self.media.of_row(text, columns),
            Form::Array => {
                text.insert(0, b'[');
                text.push(b']');
                self.media.of_rows(text, columns).map_err(WriteError::Refused)?
            }
        };
        Ok(Written { status: self.status, location, body })
    }

    /// Whether it is an error to have touched nothing: the request named one row, and that is not there.
    fn must_touch(&self) -> bool {
        match self.form {
            Form::Object { missing_is_not_found } => missing_is_not_found,
            Form::Minimal => self.plan.rows_most == 1 && self.status != StatusCode::CREATED,
            Form::Array => false,
        }
    }
}

impl From<DatabaseError> for WriteError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

fn too_many(most: u64) -> Problem {
    Problem::new(Kind::InvalidParameter)
        .code("PGRST124")
        .detail(format!("more than {most} rows would be affected; nothing was written"))
        .member("affected_most", most)
}

/// The calendar: seconds since 1970, and as RFC 3339 writes it, in UTC with milliseconds.
fn calendar(clock: &dyn Clock) -> (i64, String) {
    let now = clock.wall();
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (i64::try_from(seconds).unwrap_or(i64::MAX), humantime::format_rfc3339_millis(now).to_string())
}
