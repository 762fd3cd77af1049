//! Kinds of failure: whose fault they are, whether a retry can help, and what the caller may read of them.
//!
//! A [`Problem`] has two texts that never mix: `detail`, which is sent to the caller as an RFC 9457 problem
//! document, and `cause`, which goes to the operator's logs and nowhere else. This crate decides no policy: it
//! does not know what raised a problem, nor where it becomes an answer.

mod code;
mod kind;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::HeaderName;
use serde_json::{Map, Value};

pub use kind::{Fault, Kind, Retry};

/// The media type of a problem document (RFC 9457 §3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A failure on its way to the caller.
#[derive(Clone)]
pub struct Problem(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    detail: Option<Cow<'static, str>>,
    members: Vec<(&'static str, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    retry_after: Option<Duration>,
    code: Option<&'static str>,
    details: Option<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// A problem with no more to say than its kind does.
    pub fn new(kind: Kind) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: None,
            members: Vec::new(),
            headers: Vec::new(),
            retry_after: None,
            code: None,
            details: None,
            hint: None,
            cause: None,
        }))
    }

    /// Says to the caller what is wrong with this request in particular. Never put internal text here.
    #[must_use]
    pub fn detail(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(text.into());
        self
    }

    /// Adds an extension member (RFC 9457 §3.2), such as the parameter at fault or what is allowed.
    #[must_use]
    pub fn member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.push((name, value.into()));
        self
    }

    /// Adds a header field that belongs to the status, such as `Allow` to a 405.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Says when a retry may help; sent as `Retry-After`, rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Names it more precisely than its kind does, in the words of [`coded_document`](Self::coded_document).
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.0.code = Some(code);
        self
    }

    /// Says more than the detail does, to callers who read coded documents.
    #[must_use]
    pub fn details(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.details = Some(text.into());
        self
    }

    /// Says what may help, to callers who read coded documents.
    #[must_use]
    pub fn hint(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(text.into());
        self
    }

    /// Keeps what caused it, for the operator's logs only.
    #[must_use]
    pub fn cause(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The detail, if any.
    pub fn detail_text(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The header fields to send besides the document.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// `Retry-After` in seconds: what was said, or what the kind suggests.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let suggested = match self.0.kind.retry() {
            Retry::Never => None,
            Retry::After(seconds) => Some(seconds),
        };
        let said = self.0.retry_after.map(|after| after.as_millis().div_ceil(1_000) as u64);
        said.or(suggested)
    }

    /// What caused it, for logs.
    pub fn cause_ref(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.0.cause.as_deref()
    }

    /// The problem document. `instance` names the request, so that a report can be matched with the logs.
    pub fn document(&self, instance: &str) -> Vec<u8> {
        written(&self.members(instance))
    }

    /// The problem document with the four members besides by which clients of PostgREST tell errors apart: `code`,
    /// `message`, `details` and `hint`, the latter two `null` where there is nothing to say.
    ///
    /// ```
    /// use kasoku_problem::{Kind, Problem};
    ///
    /// let problem = Problem::new(Kind::Conflict).code("23505").detail("this title is taken");
    /// let document: serde_json::Value = serde_json::from_slice(&problem.coded_document("r-1")).unwrap();
    /// assert_eq!(document["code"], "23505");
    /// assert_eq!(document["message"], document["detail"]);
    /// assert!(document["hint"].is_null());
    /// ```
    pub fn coded_document(&self, instance: &str) -> Vec<u8> {
        let inner = &self.0;
        let mut document = self.members(instance);
        let text = |text: &Option<Cow<'static, str>>| text.as_deref().map_or(Value::Null, Value::from);
        let message = inner.detail.as_deref().unwrap_or(inner.kind.title());
        document.insert("code".into(), self.code_text().into());
        document.insert("message".into(), message.into());
        document.insert("details".into(), text(&inner.details));
        document.insert("hint".into(), text(&inner.hint));
        written(&document)
    }

    /// What coded documents call it: its own code, or its kind's.
    pub fn code_text(&self) -> &'static str {
        self.0.code.unwrap_or_else(|| code::of_kind(self.0.kind))
    }

    fn members(&self, instance: &str) -> Map<String, Value> {
        let kind = self.0.kind;
        let mut document = Map::new();
        document.insert("type".into(), format!("urn:problem-type:kasoku:{}", kind.slug()).into());
        document.insert("title".into(), kind.title().into());
        document.insert("status".into(), kind.status().as_u16().into());
        if let Some(detail) = &self.0.detail {
            document.insert("detail".into(), detail.as_ref().into());
        }
        document.insert("request_id".into(), instance.into());
        for (name, value) in &self.0.members {
            document.insert((*name).into(), value.clone());
        }
        document
    }
}

fn written(document: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(document).expect("a map of JSON values is always representable")
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("kind", &self.0.kind)
            .field("detail", &self.0.detail)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.detail {
            Some(detail) => write!(f, "{}: {detail}", self.0.kind.title()),
            None => f.write_str(self.0.kind.title()),
        }
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_holds_what_the_caller_may_know_and_not_the_cause() {
        let problem = Problem::new(Kind::UnknownParameter)
            .detail("there is no column `pricee`")
            .member("parameter", "pricee")
            .cause(std::io::Error::other("/var/lib/secret.db"));
        let document = String::from_utf8(problem.document("r-1")).unwrap();
        assert_eq!(
            document,
            concat!(
                r#"{"detail":"there is no column `pricee`","parameter":"pricee","request_id":"r-1","#,
                r#""status":400,"title":"Unknown parameter","type":"urn:problem-type:kasoku:unknown-parameter"}"#
            )
        );
        assert!(!document.contains("secret"));
    }

    #[test]
    fn a_coded_document_has_the_code_of_its_kind_unless_it_has_one_of_its_own() {
        let check = |problem: Problem, expected: [&str; 4]| {
            let document: Value = serde_json::from_slice(&problem.coded_document("r-1")).unwrap();
            let member = |name| document.get(name).map(|value: &Value| value.as_str().unwrap_or("null"));
            assert_eq!(["code", "message", "details", "hint"].map(|name| member(name).unwrap()), expected);
            assert_eq!(document["status"], problem.kind().status().as_u16());
            assert_eq!(document["request_id"], "r-1");
        };
        check(Problem::new(Kind::DeadlineExceeded), ["57014", "Deadline exceeded", "null", "null"]);
        check(
            Problem::new(Kind::TooManyRequests),
            ["too-many-requests", "Too many requests", "null", "null"],
        );
        let problem = Problem::new(Kind::NotAcceptable).code("PGRST116").detail("one row was asked for");
        let problem = problem.details("the result has 0 rows").hint("ask for a list");
        check(problem, ["PGRST116", "one row was asked for", "the result has 0 rows", "ask for a list"]);
        let plain = String::from_utf8(Problem::new(Kind::NotFound).code("PGRST116").document("r-1")).unwrap();
        assert!(!plain.contains("code"), "{plain}");
    }

    #[test]
    fn a_retry_is_rounded_up_and_defaults_to_the_kind() {
        assert_eq!(Problem::new(Kind::NotFound).retry_after_seconds(), None);
        assert_eq!(Problem::new(Kind::Overloaded).retry_after_seconds(), Some(1));
        let later = Problem::new(Kind::Overloaded).retry_after(Duration::from_millis(2_001));
        assert_eq!(later.retry_after_seconds(), Some(3));
    }
}
