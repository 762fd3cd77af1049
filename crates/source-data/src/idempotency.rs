//! `Idempotency-Key`: a repeated write gets the first answer and happens once.
//!
//! The answer is stored in the transaction of the write itself, so there is no moment in which one exists without
//! the other. An equal request that comes while the first is in progress waits for it, or is run again after it, and
//! finds its answer (draft-ietf-httpapi-idempotency-key-header). A write that failed had no effect, and its
//! key may be used again.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kasoku_database::{DatabaseError, Statement, WriteTransaction};
use kasoku_pipeline::{Caller, Response};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{Dialect, Value};
use sha2::{Digest, Sha256};

use crate::media::Media;
use crate::render;

/// Makes the table of answers; to be run once before routes are served that write.
pub fn idempotency_schema(dialect: &Dialect) -> String {
    let bytes = dialect.bytes_type();
    format!(
        "create table if not exists _kasoku_idempotency (
            route text not null, key text not null, fingerprint {bytes} not null, status integer not null,
            location text, body {bytes} not null, created_s bigint not null,
            primary key (route, key)
        );
        create index if not exists _kasoku_idempotency_by_age on _kasoku_idempotency (created_s);"
    )
}

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How long an answer is kept.
const KEPT_S: i64 = 24 * 60 * 60;
/// Expired answers that one write removes.
const REMOVED_MOST: i64 = 16;

/// The key of a request, and what it must be equal in to be the same request.
#[derive(Debug, Clone)]
pub(crate) struct Idempotent {
    route: String,
    key: String,
    fingerprint: Vec<u8>,
    now_s: i64,
}

/// The answer to a write, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Whether the key was used before.
pub(crate) enum Known {
    /// It was not.
    New,
    /// By an equal request, which got this answer.
    Answered(Written),
}

impl Idempotent {
    /// Whether a request has a key.
    pub(crate) fn is_asked(headers: &HeaderMap) -> bool {
        headers.contains_key(KEY)
    }

    /// The key of a request, if it has one. Keys of different callers do not meet. `parts` are what makes it another
    /// request: method, target, what it
    /// prefers and accepts, body.
    pub(crate) fn of(
        headers: &HeaderMap,
        (route, caller): (&str, Option<&Caller>),
        parts: [&[u8]; 5],
        now_s: i64,
    ) -> Result<Option<Self>, Problem> {
        let mut fields = headers.get_all(KEY).iter();
        let Some(field) = fields.next() else { return Ok(None) };
        // Of two lines it would be a guess which one names the request.
        let key = if fields.next().is_none() { field.to_str().unwrap_or_default().trim() } else { "" };
        // The draft wants a quoted string; what most clients send is bare.
        let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
        if key.is_empty() || key.len() > 255 {
            let problem = Problem::new(Kind::Malformed).member("parameter", "Idempotency-Key");
            return Err(problem.detail("`Idempotency-Key` must be one text of 1 to 255 visible characters"));
        }
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let fingerprint = digest.finalize().to_vec();
        // No path pattern has a blank in it.
        let route = match caller.and_then(Caller::id) {
            Some(id) => format!("{route} {id}"),
            None => route.to_owned(),
        };
        Ok(Some(Self { route, key: key.to_owned(), fingerprint, now_s }))
    }

    /// Looks the key up.
    pub(crate) fn look_up(
        &self,
        transaction: &mut WriteTransaction<'_>,
    ) -> Result<Result<Known, Problem>, DatabaseError> {
        let statement = Statement::new(
            "idempotency-find",
            "select fingerprint, status, location, body from _kasoku_idempotency \
             where route = $1 and key = $2 and created_s > $3",
        );
        let params =
            [self.route.as_str().into(), self.key.as_str().into(), Value::Integer(self.now_s - KEPT_S)];
        transaction.query(&statement, &params, |rows| {
            let Some(row) = rows.next()? else { return Ok(Ok(Known::New)) };
            if row.get(0).to_value() != Value::Blob(self.fingerprint.clone()) {
                let problem = Problem::new(Kind::IdempotencyMismatch).member("parameter", "Idempotency-Key");
                return Ok(Err(problem.detail("this key was used before, with another request")));
            }
            let status = row.get(1).as_integer().and_then(|status| u16::try_from(status).ok());
            let status =
                status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
            let Value::Blob(body) = row.get(3).to_value() else { return Ok(Ok(Known::New)) };
            Ok(Ok(Known::Answered(Written {
                status,
                location: row.get(2).as_text().map(str::to_owned),
                body,
            })))
        })
    }

    /// Keeps the answer, and makes room for it by removing a few that are too old.
    pub(crate) fn keep(
        &self,
        transaction: &mut WriteTransaction<'_>,
        written: &Written,
    ) -> Result<(), DatabaseError> {
        let expire = Statement::new(
            "idempotency-expire",
            "delete from _kasoku_idempotency where (route, key) in \
             (select route, key from _kasoku_idempotency where created_s <= $1 order by created_s limit $2)",
        );
        transaction.execute(&expire, &[Value::Integer(self.now_s - KEPT_S), Value::Integer(REMOVED_MOST)])?;
        let insert = Statement::new(
            "idempotency-keep",
            "insert into _kasoku_idempotency (route, key, fingerprint, status, location, body, created_s) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (route, key) do update set \
             fingerprint = excluded.fingerprint, status = excluded.status, location = excluded.location, \
             body = excluded.body, created_s = excluded.created_s",
        );
        let location = written.location.as_deref().map_or(Value::Null, Value::from);
        let params = [
            self.route.as_str().into(),
            self.key.as_str().into(),
            Value::Blob(self.fingerprint.clone()),
            Value::Integer(i64::from(written.status.as_u16())),
            location,
            Value::Blob(written.body.clone()),
            Value::Integer(self.now_s),
        ];
        transaction.execute(&insert, &params).map(|_| ())
    }
}

impl Written {
    /// As an answer in this form; `replayed` if the write happened before.
    pub(crate) fn into_response(self, media: Media, replayed: bool) -> Response {
        let mut response = if self.body.is_empty() {
            Response::new(self.status, kasoku_pipeline::Body::Empty)
        } else {
            render::answer(self.status, media, self.body)
        };
        if let Some(location) = self.location.and_then(|location| HeaderValue::try_from(location).ok()) {
            response.headers.insert(http::header::LOCATION, location);
        }
        if replayed {
            response.headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
