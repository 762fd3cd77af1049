//! Rescue: failures and panics become answers.

use std::time::Duration;

use http::HeaderName;
use kasoku_pipeline::{CacheFacts, Forward, Stack, first};
use kasoku_problem::Problem;

use super::*;
use crate::doubles::{ScriptedSource, Stage, field, text};

async fn rescued(stage: &Stage, request: Request, failure: Failure) -> Response {
    let source = ScriptedSource::new(move |_, _| {
        let failure = failure.clone();
        async move { Err(failure) }
    });
    first(Rescue::new(&stage.surroundings))
        .finally(source)
        .run(request)
        .await
        .expect("nothing else comes out")
}

#[tokio::test]
async fn every_kind_becomes_a_problem_document_that_is_not_stored() {
    let stage = Stage::new();
    for kind in Kind::ALL {
        let response = rescued(&stage, Request::get("/"), Failure::from(*kind)).await;
        assert_eq!(response.status, kind.status(), "{kind:?}");
        assert_eq!(field(&response, "content-type"), MEDIA_TYPE);
        assert_eq!(field(&response, "cache-control"), "no-store");
        let seconds = Problem::new(*kind).retry_after_seconds().map(|seconds| seconds.to_string());
        assert_eq!(field(&response, "retry-after"), seconds.unwrap_or_default(), "{kind:?}");
        assert!(text(&response).contains(kind.slug()));
    }
}

#[tokio::test]
async fn fields_of_the_problem_and_facts_of_the_cache_are_kept() {
    let problem = Problem::new(Kind::TooManyRequests)
        .retry_after(Duration::from_millis(2_500))
        .header(HeaderName::from_static("allow"), HeaderValue::from_static("GET"));
    let facts = CacheFacts::forwarded(Forward::Stale);
    let response = rescued(&Stage::new(), Request::get("/"), Failure { problem, cache: facts }).await;
    assert_eq!(field(&response, "retry-after"), "3");
    assert_eq!(field(&response, "allow"), "GET");
    assert_eq!(response.cache, facts);
}

#[tokio::test]
async fn a_head_gets_no_document_but_its_length() {
    let request = Request::new(Method::HEAD, "/".parse().unwrap());
    let response = rescued(&Stage::new(), request, Failure::from(Kind::NotFound)).await;
    assert_eq!(text(&response), "");
    assert!(field(&response, "content-length").parse::<usize>().unwrap() > 0);
}

#[tokio::test]
async fn a_panic_becomes_a_500_that_does_not_say_why() {
    let stage = Stage::new();
    for late in [false, true] {
        let source = ScriptedSource::new(move |_, _| async move {
            if late {
                tokio::task::yield_now().await;
            }
            panic!("the secret is {}", 42)
        });
        let pipeline = first(Rescue::new(&stage.surroundings)).finally(source);
        let response = pipeline.run(Request::get("/")).await.unwrap();
        assert_eq!(response.status, 500);
        assert!(!text(&response).contains("secret"));
        assert!(stage.observed.last().contains("the secret is 42"));
    }
    assert_eq!(stage.observed.count("Panicked"), 2);
}
