//! An answer, or a failure, on its way back through the policies.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, StatusCode};
use kasoku_coherence::{Snapshot, Tag};
use kasoku_problem::{Kind, Problem};

use crate::{Body, CacheFacts, Forms, Upgrade};

/// An answer, with what a cache must know of it. Its fields are boxed, so that handing it back from policy to
/// policy moves one pointer.
#[derive(Debug)]
pub struct Response(Box<ResponseFields>);

/// The fields of a [`Response`].
#[derive(Debug)]
pub struct ResponseFields {
    /// The status.
    pub status: StatusCode,
    /// The header fields; framing fields are the server's.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// How long it may be reused, if the source says; the route's own setting goes first.
    pub lifetime: Option<Duration>,
    /// What it depends on.
    pub tags: Arc<[Tag]>,
    /// What its reads could see. An answer without one is never stored.
    pub snapshot: Option<Snapshot>,
    /// Whether it is for who asked alone, so that equal requests which wait for it have to ask for themselves.
    pub is_personal: bool,
    /// How the cache took part.
    pub cache: CacheFacts,
    /// What the fields that tell of this transfer say already: which request it was, and that the cache took part so.
    pub marked: Option<CacheFacts>,
    /// Where coded forms of the body are kept, if it is kept at all. Set by `cache` and `fill`, used by `shape`.
    pub forms: Option<Arc<dyn Forms>>,
    /// What the caller's connection is joined with after a 101.
    pub upgrade: Option<Upgrade>,
    /// The problem that it tells of, for logs. Set by `rescue`.
    pub problem: Option<Problem>,
}

impl Response {
    /// An answer that depends on nothing and is not to be stored.
    pub fn new(status: StatusCode, body: Body) -> Self {
        Self(Box::new(ResponseFields {
            status,
            headers: HeaderMap::new(),
            body,
            lifetime: None,
            tags: Arc::new([]),
            snapshot: None,
            is_personal: false,
            cache: CacheFacts::default(),
            marked: None,
            forms: None,
            upgrade: None,
            problem: None,
        }))
    }

    /// A 200.
    pub fn ok(body: Body) -> Self {
        Self::new(StatusCode::OK, body)
    }

    /// Its fields, to take apart.
    pub fn into_fields(self) -> ResponseFields {
        *self.0
    }

    /// The same answer once more, if its body can be had again and its fields do not speak of one request.
    pub fn try_clone(&self) -> Option<Self> {
        if self.marked.is_some() {
            return None;
        }
        let body = self.body.try_clone()?;
        Some(Self(Box::new(ResponseFields {
            status: self.status,
            headers: self.headers.clone(),
            body,
            lifetime: self.lifetime,
            tags: Arc::clone(&self.tags),
            snapshot: self.snapshot,
            is_personal: self.is_personal,
            cache: self.cache,
            marked: None,
            forms: self.forms.clone(),
            upgrade: None,
            problem: self.problem.clone(),
        })))
    }

    /// The answer to a `HEAD`: the same fields, `Content-Length` included, and no body (RFC 9110 §9.3.2). What has
    /// no body for a `GET` either has no length to tell: it would be taken for that of the 200 (§8.6).
    #[must_use]
    pub fn head_only(mut self) -> Self {
        let bodiless = matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let told = bodiless || self.headers.contains_key(CONTENT_LENGTH);
        if let Some(length) = self.body.len().filter(|_| !told) {
            self.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        self.body = Body::Empty;
        self
    }
}

impl From<ResponseFields> for Response {
    fn from(fields: ResponseFields) -> Self {
        Self(Box::new(fields))
    }
}

impl Deref for Response {
    type Target = ResponseFields;

    fn deref(&self) -> &ResponseFields {
        &self.0
    }
}

impl DerefMut for Response {
    fn deref_mut(&mut self) -> &mut ResponseFields {
        &mut self.0
    }
}

/// A problem, and how the cache took part before it arose.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What went wrong.
    pub problem: Problem,
    /// How the cache took part.
    pub cache: CacheFacts,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, cache: CacheFacts::default() }
    }
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Problem::new(kind).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_the_length_of_what_a_get_would_send() {
        let length = |status, body| {
            let answer = Response::new(status, body).head_only();
            assert_eq!(answer.body.len(), Some(0));
            answer.headers.get(CONTENT_LENGTH).map(|length| length.to_str().unwrap().to_owned())
        };
        assert_eq!(length(StatusCode::OK, Body::from("four")).as_deref(), Some("4"));
        assert_eq!(length(StatusCode::OK, Body::Empty).as_deref(), Some("0"));
        assert_eq!(length(StatusCode::NOT_MODIFIED, Body::Empty), None, "the 200 has another length");
        assert_eq!(length(StatusCode::NO_CONTENT, Body::Empty), None);
    }
}
