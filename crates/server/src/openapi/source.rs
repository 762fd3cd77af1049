//! The description as callers get it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use kasoku_config::Plan;
use kasoku_observe::Observer;
use kasoku_pipeline::{Body, BoxFuture, Outcome, ProblemForm, Promises, Request, Response, Source};

use super::openapi;
use crate::assemble::assemble_document;
use crate::router::{Router, RouterError};

/// Gives a router the description, where the plan has a path for it.
pub(crate) fn place(
    router: Router,
    plan: &Plan,
    observer: &Arc<dyn Observer>,
    problems: ProblemForm,
) -> Result<Router, RouterError> {
    let Some(path) = &plan.openapi else { return Ok(router) };
    router.with(path, assemble_document(observer, problems, Arc::new(OpenapiSource::of(plan))))
}

/// Answers one description.
struct OpenapiSource {
    text: Bytes,
    promises: Promises,
}

impl OpenapiSource {
    fn of(plan: &Plan) -> Self {
        let promises = Promises { methods: vec![Method::GET], ..Promises::none() };
        Self { text: openapi(plan).to_string().into(), promises }
    }
}

impl Source for OpenapiSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, _: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(async {
            let mut response = Response::new(StatusCode::OK, Body::from(self.text.clone()));
            response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(response)
        })
    }
}
