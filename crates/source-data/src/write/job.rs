//! One job of the writer: what it asks first, what it runs, what it makes of the rows.

use std::sync::Arc;

use http::StatusCode;
use http::header::HeaderValue;
use kasoku_database::{DatabaseError, Statement, WriteTransaction};
use kasoku_http_caching::conditions::Conditions;
use kasoku_http_caching::entity_tag;
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{WritePlan, breaks_row_rule};

use super::{Done, When, WriteError};
use crate::current::{self, CurrentRow, Subject};
use crate::idempotency::{Idempotent, Known, Written};
use crate::media::Media;
use crate::nested::{self, Sheet};
use crate::prefer::End;
use crate::table::no_such_row;
use crate::{location, render};

/// What the writer is to do, and how it is answered.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the request, decided by itself")]
pub(super) struct Job {
    pub(super) plan: WritePlan,
    pub(super) guards: Guards,
    /// The row that the path names, where its state matters.
    pub(super) current: Option<CurrentRow>,
    /// Whether the body of the answer is the row as `GET` answers it, and so has its tag.
    pub(super) tagged: bool,
    pub(super) form: Form,
    pub(super) media: Media,
    pub(super) status: StatusCode,
    /// The path of the list, where the answer says where the new row is.
    pub(super) located_in: Option<String>,
    /// The path of the row, if the write makes it where it is not there yet.
    pub(super) put_at: Option<String>,
    /// Rows that may be touched.
    pub(super) rows_most: u64,
    /// Whether the path names the row, so that it is an error if that is not there.
    pub(super) names_row: bool,
    pub(super) end: End,
    /// Whether the answer says how many rows were written.
    pub(super) counts: bool,
    /// Whether rows that were there were changed, which have places; new ones have none.
    pub(super) changes: bool,
}

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing.
    Minimal,
    /// The one row. Without it there was nothing to write.
    Object { missing_is_not_found: bool },
    /// The rows.
    Array,
}

/// What is asked before anything is written.
pub(super) struct Guards {
    pub(super) idempotent: Option<Idempotent>,
    pub(super) conditions: Option<Box<Conditions>>,
}

impl Job {
    pub(super) fn run(&self, transaction: &mut WriteTransaction<'_>) -> Result<Box<Done>, WriteError> {
        if let Some(idempotent) = &self.guards.idempotent
            && let Known::Answered(written) = idempotent.look_up(transaction)?.map_err(WriteError::Refused)?
        {
            // It held its conditions then; they are not asked of the row that it made. The row may have changed since.
            let now = self.row_now(transaction)?.filter(|row| *row == written.body);
            let etag = now.map(|row| entity_tag::of_body(&row));
            return Ok(Box::new(Done { written, when: When::Before, etag, counted: None }));
        }
        let mut made_at = None;
        if self.guards.conditions.is_some() || self.put_at.is_some() {
            let subject = self.subject(transaction)?;
            if let Some(conditions) = &self.guards.conditions {
                current::require(conditions, &subject).map_err(WriteError::Refused)?;
            }
            made_at = self.put_at.clone().filter(|_| matches!(subject, Subject::NoRow));
        }
        let (mut written, rows) = self.write(transaction)?;
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
        if let Some(idempotent) = &self.guards.idempotent {
            idempotent.keep(transaction, &written)?;
        }
        let done = Box::new(Done { written, when: When::Now, etag, counted: self.counted(rows) });
        match self.end {
            End::Commit => Ok(done),
            End::Rollback => Err(WriteError::RolledBack(done)),
        }
    }

    /// The rows that were written, of as many.
    fn counted(&self, rows: u64) -> Option<HeaderValue> {
        let range = match rows.checked_sub(1) {
            Some(last) if self.changes => format!("0-{last}/{rows}"),
            _ => format!("*/{rows}"),
        };
        self.counts.then(|| HeaderValue::try_from(range).expect("digits and signs"))
    }

    /// Whether it decides by what it reads, which must still be so when it is committed.
    pub(super) fn decides(&self) -> bool {
        self.guards.idempotent.is_some() || self.guards.conditions.is_some() || self.current.is_some()
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

    fn write(&self, transaction: &mut WriteTransaction<'_>) -> Result<(Written, u64), WriteError> {
        let mut text = Vec::with_capacity(256);
        let nest = self.plan.nest.as_ref().filter(|_| self.form != Form::Minimal);
        let mut sheet = nest.map(Sheet::of);
        let (mut touched, mut location) = (0, None);
        let mut missing = Vec::new();
        let statement =
            |of: &kasoku_sql_plan::Statement| Statement::new(Arc::clone(&of.name), Arc::clone(&of.sql));
        let planned = self.plan.statements.iter().map(|write| &write.statement);
        let statements: Vec<_> = planned.map(|planned| (statement(planned), &planned.params[..])).collect();
        transaction.query_all(&statements, |place, rows| {
            let before = touched;
            while let Some(row) = rows.next()? {
                if self.plan.within_rule.is_some_and(|place| row.get(place).as_integer() != Some(1)) {
                    return Err(WriteError::Refused(breaks_row_rule()));
                }
                touched += 1;
                if touched > self.rows_most {
                    return Err(WriteError::Refused(too_many(self.rows_most)));
                }
                if location.is_none()
                    && let Some(path) = &self.located_in
                {
                    location =
                        Some(location::of_row(path, self.plan.key.iter().map(|place| row.get(*place))));
                }
                if let Some(sheet) = &mut sheet {
                    sheet.add(row);
                } else if self.form != Form::Minimal {
                    if touched > 1 {
                        text.push(b',');
                    }
                    render::row(&mut text, &self.plan.columns, row);
                }
            }
            if self.plan.each_writes && touched == before {
                return Err(WriteError::Refused(breaks_row_rule()));
            }
            if self.plan.each_touches && touched == before {
                missing.push(self.plan.statements[place].row);
            }
            Ok(())
        })?;
        if !missing.is_empty() {
            return Err(WriteError::Refused(not_there(&missing)));
        }
        if touched == 0 && self.must_touch() {
            return Err(WriteError::Refused(no_such_row()));
        }
        if let (Some(nest), Some(sheet)) = (nest, &sheet) {
            nested::append(transaction, nest, sheet, self.plan.embed_rows_most, &mut text)?
                .map_err(|excess| WriteError::Refused(excess.into()))?;
        }
        let body = self.body(text).map_err(WriteError::Refused)?;
        Ok((Written { status: self.status, location, body }, touched))
    }

    /// The rows, in the form of the answer.
    fn body(&self, mut text: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let columns = &self.plan.columns;
        match self.form {
            Form::Minimal => Ok(text),
            Form::Object { .. } => Ok(self.media.of_row(text, columns)),
            Form::Array => {
                text.insert(0, b'[');
                text.push(b']');
                self.media.of_rows(text, columns)
            }
        }
    }

    /// Whether it is an error to have touched nothing: the request named one row, and that is not there.
    fn must_touch(&self) -> bool {
        match self.form {
            Form::Object { missing_is_not_found } => missing_is_not_found,
            Form::Minimal => self.names_row,
            Form::Array => false,
        }
    }
}

/// Rows of the body that name no row of the table.
fn not_there(rows: &[usize]) -> Problem {
    const NAMED_MOST: usize = 100;
    let named = &rows[..rows.len().min(NAMED_MOST)];
    Problem::new(Kind::NotFound)
        .detail(format!("{} of the rows name no row that is there; nothing was written", rows.len()))
        .member("rows", named.to_vec())
}

fn too_many(most: u64) -> Problem {
    Problem::new(Kind::InvalidParameter)
        .code("PGRST124")
        .detail(format!("more than {most} rows would be affected; nothing was written"))
        .member("affected_most", most)
}
