//! Turns failures into answers. It is the only policy that does.
//!
//! A [`Failure`] becomes an RFC 9457 document with the right status, `Retry-After` where a retry can help,
//! and `Cache-Control: no-store`; where the source promises it, the document also has the members that clients of data
//! routes read. A panic further in becomes a 500 and is reported; what it said is for the
//! operator and does not reach the caller.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method};
use kasoku_observe::Observation;
use kasoku_pipeline::{Body, Failure, Next, Outcome, Policy, ProblemForm, Request, RequestId, Response};
use kasoku_problem::{Kind, MEDIA_TYPE};

use crate::Surroundings;

/// See the module.
pub struct Rescue {
    surroundings: Surroundings,
    form: ProblemForm,
}

impl Rescue {
    /// For the requests of one route.
    pub fn new(surroundings: &Surroundings) -> Self {
        Self { surroundings: surroundings.clone(), form: ProblemForm::Plain }
    }

    /// Tells of failures in this form.
    #[must_use]
    pub fn telling(mut self, form: ProblemForm) -> Self {
        self.form = form;
        self
    }
}

impl Policy for Rescue {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let (id, method) = (request.id.clone(), request.method.clone());
        // What a panic may have left half-done lies behind `next`, whose locks do not poison and whose guards
        // undo their part while the stack unwinds.
        let failure = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(failure)) => failure,
            Err(payload) => {
                let route = &self.surroundings.route;
                let message = panic_message(&*payload);
                self.surroundings.observe(&Observation::Panicked { route, message });
                Failure::from(Kind::Internal)
            }
        };
        let response = answer(failure, &id, self.form);
        Ok(if method == Method::HEAD { response.head_only() } else { response })
    }
}

/// The answer that tells the caller of a failure.
pub(crate) fn answer(failure: Failure, id: &RequestId, form: ProblemForm) -> Response {
    let Failure { problem, cache } = failure;
    let document = match form {
        ProblemForm::Plain => problem.document(id.as_str()),
        ProblemForm::Coded => problem.coded_document(id.as_str()),
    };
    let mut response = Response::new(problem.kind().status(), Body::from(document));
    let headers = &mut response.headers;
    for (name, value) in problem.headers() {
        headers.append(name, value.clone());
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after_seconds() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.cache = cache;
    response.problem = Some(problem);
    response
}

/// What a panic said, if it said it in words.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}
