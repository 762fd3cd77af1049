//! Gives an answer the form that the caller asked for: methods, `HEAD`, conditions, coding.
//!
//! It is the one place that evaluates conditions on reads: what stands further in never sees them, so that
//! equal requests with different conditions are equal requests. `If-Match` on a write is the source's
//! business and is passed on. `HEAD` is run as `GET` further in. Ranges are left to sources that serve files;
//! conditions are evaluated before them (RFC 9110 §13.2.2), also where there is no such range.

mod coder;
mod methods;
mod stored;
mod vary;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kasoku_http_caching::coding::{Wish, negotiate};
use kasoku_http_caching::conditions::{Access, Conditions, Unmet, Validators, Verdict};
use kasoku_http_caching::entity_tag;
use kasoku_pipeline::{Body, Failure, Next, Outcome, Policy, Promises, Request, Response};
use kasoku_problem::{Kind, Problem};

use self::coder::Coder;
use self::methods::{Methods, Treatment};
pub use self::stored::ShapeStored;
use self::vary::Vary;
use crate::coding::{self, Suitability};

/// How a route's answers are shaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapeRules {
    /// Answers of at least this many bytes are compressed for callers that accept it; `None` never
    /// compresses.
    pub compress_above: Option<u64>,
}

/// See the module.
pub struct Shape {
    rules: ShapeRules,
    methods: Methods,
    vary: Vary,
    coder: Coder,
}

impl Shape {
    /// For a route whose source makes these promises.
    pub fn new(rules: ShapeRules, promises: &Promises) -> Self {
        Self {
            rules,
            methods: Methods::new(&promises.methods),
            vary: Vary::new(&promises.vary),
            coder: Coder::new(),
        }
    }
}

impl Policy for Shape {
    async fn around<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let head = request.method == Method::HEAD;
        match self.methods.treatment(&request.method) {
            Treatment::Read => {}
            Treatment::Other => return Box::pin(self.pass(request, next)).await,
            Treatment::Describe => return Ok(self.methods.describe()),
            Treatment::Refuse(kind) => return Err(self.methods.refuse(kind).into()),
        }
        request.method = Method::GET;
        if head {
            // RFC 9110 §14.2: a range means something with `GET` only.
            drop_range(&mut request);
        }
        let wish = self.wish(&request);
        let is_conditional = request.headers.keys().any(is_condition);
        let conditions = is_conditional.then(|| Conditions::take(&mut request.headers)).flatten();
        let response = match conditions {
            Some(conditions) if request.headers.contains_key(RANGE) => {
                Box::pin(self.read_part(request, wish, &conditions, next)).await?
            }
            conditions => self.read(request, wish, conditions.as_deref(), next).await?,
        };
        Ok(if head { response.head_only() } else { response })
    }
}

impl Shape {
    fn wish(&self, request: &Request) -> Wish {
        let asks = || request.headers.keys().any(|name| *name == ACCEPT_ENCODING);
        if self.rules.compress_above.is_some() && asks() {
            negotiate(&request.headers)
        } else {
            Wish::default()
        }
    }

    fn is_suitable(&self, response: &Response) -> bool {
        let Some(bytes_min) = self.rules.compress_above else { return false };
        let judge = || coding::suitability(response, bytes_min) == Suitability::Suitable;
        response.forms.as_ref().map_or_else(judge, |forms| forms.is_worth_coding(&judge))
    }

    /// Writes and what else is not a read: only coded.
    async fn pass<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let wish = self.wish(&request);
        let mut response = next.run(request).await?;
        if self.is_suitable(&response) {
            self.vary.extend(&mut response.headers, true);
            // `ETag` in the answer to a write names what was written, not what is sent (RFC 9110 §8.8.3).
            let etag = response.headers.remove(ETAG);
            response = self.coder.code(response, wish).await;
            if let Some(etag) = etag {
                response.headers.insert(ETAG, etag);
            }
        }
        Ok(response)
    }

    async fn read<N: Next>(
        &self,
        request: Request,
        wish: Wish,
        conditions: Option<&Conditions>,
        next: &Arc<N>,
    ) -> Outcome {
        let response = next.run(request).await?;
        if response.status.is_success() {
            self.shape_read(response, wish, conditions).await
        } else {
            Ok(response)
        }
    }

    /// A part of something, on conditions. A source that has no such range says nothing of what the conditions are
    /// about; so it is asked for the whole, and if they hold, that there is no such range stays the answer.
    async fn read_part<N: Next>(
        &self,
        request: Request,
        wish: Wish,
        conditions: &Conditions,
        next: &Arc<N>,
    ) -> Outcome {
        let mut whole = request.again();
        drop_range(&mut whole);
        match self.read(request, wish, Some(conditions), next).await {
            Err(failure) if failure.problem.kind() == Kind::RangeNotSatisfiable => {
                let response = self.read(whole, Wish::default(), Some(conditions), next).await?;
                if response.status == StatusCode::NOT_MODIFIED { Ok(response) } else { Err(failure) }
            }
            outcome => outcome,
        }
    }

    async fn shape_read(
        &self,
        mut response: Response,
        wish: Wish,
        conditions: Option<&Conditions>,
    ) -> Outcome {
        let suitable = self.is_suitable(&response);
        self.vary.extend(&mut response.headers, suitable);
        let untagged = response.status == StatusCode::OK && !is_tagged(&response.headers);
        let fields = &mut *response;
        if let Some(bytes) = fields.body.bytes().filter(|_| untagged) {
            fields.headers.insert(ETAG, entity_tag::of_body(bytes));
        }
        let verdict = conditions.map_or(Verdict::Proceed, |conditions| {
            conditions.evaluate(Access::Read, Some(&Validators::of(&response.headers)))
        });
        match verdict {
            Verdict::Proceed if suitable && wish.best().is_some() => {
                Ok(self.coder.code(response, wish).await)
            }
            Verdict::Proceed => Ok(response),
            Verdict::NotModified(etag) => Ok(not_modified(response, etag)),
            Verdict::Failed(unmet) => Err(Failure { problem: failed(unmet), cache: response.cache }),
        }
    }
}

/// Asked of each field of a request, which costs less than to look four names up that most requests do not have.
fn is_condition(name: &HeaderName) -> bool {
    matches!(*name, IF_MATCH | IF_NONE_MATCH | IF_MODIFIED_SINCE | IF_UNMODIFIED_SINCE)
}

/// Passing over the names finds the tag sooner than hashing its own does: it is one of the first.
fn is_tagged(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| *name == ETAG)
}

fn drop_range(request: &mut Request) {
    request.headers.remove(RANGE);
    request.headers.remove(IF_RANGE);
}

fn failed(unmet: Unmet) -> Problem {
    let detail = format!("the resource is not as `{}` says", unmet.field());
    Problem::new(Kind::PreconditionFailed).detail(detail)
}

/// Fields that describe the content that a 304 does not have.
const OF_THE_CONTENT: [HeaderName; 5] =
    [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_LANGUAGE, CONTENT_RANGE];

/// A 304: no content, no fields that describe one, and the tag that the caller can match with what it has.
/// All else stays, among it what RFC 9110 §15.4.5 demands: `Cache-Control`, `Content-Location`, `Date`,
/// `Expires`, `Vary`.
pub(crate) fn not_modified(mut response: Response, etag: Option<HeaderValue>) -> Response {
    response.status = StatusCode::NOT_MODIFIED;
    response.body = Body::Empty;
    response.forms = None;
    for name in OF_THE_CONTENT {
        response.headers.remove(name);
    }
    if let Some(etag) = etag {
        response.headers.insert(ETAG, etag);
    }
    if response.headers.contains_key(ETAG) {
        // §15.4.5: of use only where there is no tag.
        response.headers.remove(LAST_MODIFIED);
    }
    response
}
