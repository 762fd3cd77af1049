//! The row that a write is about, as a read would answer it at this moment of the writer's transaction.
//!
//! It is what conditions on the write are evaluated against (RFC 9110 §13.1), so that nothing can come between the
//! evaluation and the write; and what the entity tag of the write's answer is made of.

use std::sync::Arc;

use http::HeaderValue;
use kasoku_database::{DatabaseError, Statement, WriteTransaction};
use kasoku_http_caching::conditions::{Access, Conditions, Unmet, Validators, Verdict};
use kasoku_http_caching::entity_tag;
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{OnePlan, OutputColumn, Value};

use crate::render;

/// How to read the row by the key of the path, as `GET` without a query does.
pub(crate) struct CurrentRow {
    statement: Statement,
    params: Vec<Value>,
    columns: Arc<[OutputColumn]>,
}

impl CurrentRow {
    pub(crate) fn new(plan: OnePlan) -> Self {
        let statement = Statement::new(plan.statement.name, plan.statement.sql);
        Self { statement, params: plan.statement.params, columns: plan.columns }
    }

    /// The tag of the row; `None` if there is no such row.
    pub(crate) fn tag(
        &self,
        transaction: &mut WriteTransaction<'_>,
    ) -> Result<Option<HeaderValue>, DatabaseError> {
        Ok(self.read(transaction)?.map(|text| entity_tag::of_body(&text)))
    }

    /// What a read of the row would answer now: what the write made of it, and triggers after the write. `None`
    /// where the write has moved the row to another key.
    pub(crate) fn read(
        &self,
        transaction: &mut WriteTransaction<'_>,
    ) -> Result<Option<Vec<u8>>, DatabaseError> {
        transaction.query(&self.statement, &self.params, |rows| render::first(rows, &self.columns))
    }
}

/// What the conditions of a write are about.
#[derive(Debug)]
pub(crate) enum Subject {
    /// A row with this tag.
    Row(HeaderValue),
    /// A key that no row has.
    NoRow,
    /// A list. It exists, and that is all that can be said of it without reading it.
    List,
}

/// Refuses a write whose conditions do not hold.
pub(crate) fn require(conditions: &Conditions, subject: &Subject) -> Result<(), Problem> {
    let validators = match subject {
        Subject::Row(etag) => Some(Validators { etag: Some(etag), modified: None }),
        Subject::NoRow => None,
        Subject::List => Some(Validators::default()),
    };
    match conditions.evaluate(Access::Write, validators.as_ref()) {
        Verdict::Failed(unmet) => Err(refused(unmet, subject)),
        Verdict::Proceed | Verdict::NotModified(_) => Ok(()),
    }
}

fn refused(unmet: Unmet, subject: &Subject) -> Problem {
    let field = unmet.field();
    let detail = match subject {
        Subject::Row(_) => format!("the row is not as `{field}` says; nothing was written"),
        Subject::NoRow => format!("there is no row for `{field}` to hold; nothing was written"),
        Subject::List => {
            format!("`{field}` can be asked of one row by its key and not of a list; nothing was written")
        }
    };
    Problem::new(Kind::PreconditionFailed).detail(detail).member("parameter", field)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn a_write_is_refused_unless_its_subject_is_as_the_caller_says() {
        let row = || Subject::Row(HeaderValue::from_static(r#""a""#));
        let check = |name: &'static str, value: &str, subject: &Subject, mentions: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            let refusal = require(&Conditions::take(&mut headers).unwrap(), subject).err();
            let detail = refusal.as_ref().and_then(Problem::detail_text);
            let said = detail.zip(mentions).is_some_and(|(detail, mentions)| detail.contains(mentions));
            assert!(detail.is_some() == mentions.is_some(), "{name}: {value} {subject:?}: {refusal:?}");
            assert!(said || mentions.is_none(), "{refusal:?}");
        };
        check("if-match", r#""a""#, &row(), None);
        check("if-match", r#""a-br""#, &row(), None);
        check("if-match", r#"W/"a""#, &row(), Some("the row is not as `If-Match` says"));
        check("if-match", r#""b""#, &row(), Some("the row is not as `If-Match` says"));
        check("if-match", "*", &row(), None);
        check("if-match", "*", &Subject::NoRow, Some("no row for `If-Match`"));
        check("if-match", "*", &Subject::List, None);
        check("if-match", r#""a""#, &Subject::List, Some("not of a list"));
        check("if-none-match", "*", &row(), Some("`If-None-Match`"));
        check("if-none-match", r#"W/"a""#, &row(), Some("`If-None-Match`"));
        check("if-none-match", r#""b""#, &row(), None);
        check("if-none-match", "*", &Subject::NoRow, None);
        check("if-none-match", "*", &Subject::List, Some("not of a list"));
        check("if-unmodified-since", "Sat, 01 Nov 2025 00:00:00 GMT", &row(), None);
        check("if-modified-since", "Sat, 01 Nov 2025 00:00:00 GMT", &row(), None);
    }
}
