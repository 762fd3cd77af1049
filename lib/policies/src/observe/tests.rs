//! Observe: names, marks and reports.

use std::pin::pin;
use std::time::Duration;

use kasoku_pipeline::{Failure, Pipeline, Stack, first};

use super::*;
use crate::doubles::{ScriptedSource, Stage, field, get_with, poll_times, text};
use crate::rescue::Rescue;

fn pipeline(stage: &Stage, source: Arc<ScriptedSource>) -> Arc<dyn Pipeline> {
    first(Observe::new(&stage.surroundings)).then(Rescue::new(&stage.surroundings)).finally(source)
}

#[tokio::test(start_paused = true)]
async fn every_answer_is_marked_and_reported_once() {
    let stage = Stage::new();
    let clock = Arc::clone(&stage.clock);
    let source = ScriptedSource::new(move |_, request| {
        clock.advance(Duration::from_millis(7));
        async move { Ok(Response::ok(Body::from(request.id.as_str().to_owned().into_bytes()))) }
    });
    let pipeline = pipeline(&stage, source);
    let response = pipeline.run(get_with("/items?a=1", &[("x-request-id", "mine")])).await.unwrap();
    assert_eq!(text(&response), "mine");
    assert_eq!(field(&response, "x-request-id"), "mine");
    assert_eq!(field(&response, "cache-status"), "kasoku; fwd=bypass");
    assert_eq!(field(&response, "x-cache"), "BYPASS");
    assert_eq!(stage.observed.count("Answered"), 1);
    let report = stage.observed.last();
    for fact in [
        r#"target: "/items?a=1""#,
        "status: 200",
        "latency: 7ms",
        r#"request_id: "mine""#,
        "body_bytes: Some(4)",
    ] {
        assert!(report.contains(fact), "{fact} is not in {report}");
    }
    assert_eq!(stage.observed.count("Abandoned"), 0);
}

#[tokio::test]
async fn what_caches_on_the_way_have_said_is_kept_before_the_own_status() {
    let stage = Stage::new();
    let source = ScriptedSource::new(|_, _| async {
        let mut response = Response::ok(Body::Empty);
        for (name, value) in [("cache-status", "nearer; hit"), ("x-cache", "HIT"), ("x-request-id", "theirs")]
        {
            response.headers.insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    });
    let response =
        pipeline(&stage, source).run(get_with("/items", &[("x-request-id", "mine")])).await.unwrap();
    let lines: Vec<_> = response.headers.get_all("cache-status").iter().collect();
    assert_eq!(lines, ["nearer; hit", "kasoku; fwd=bypass"]);
    assert_eq!([field(&response, "x-cache"), field(&response, "x-request-id")], ["BYPASS", "mine"]);
}

#[tokio::test]
async fn failures_are_reported_with_what_caused_them() {
    let stage = Stage::new();
    let source = ScriptedSource::new(|_, _| async {
        Err(Problem::new(Kind::Unavailable).cause(std::io::Error::other("the disk is gone")).into())
    });
    let response = pipeline(&stage, source).run(Request::get("/items")).await.unwrap();
    assert_eq!(response.status, 503);
    assert_eq!(field(&response, "cache-status"), r#"kasoku; detail="unavailable""#);
    let report = stage.observed.last();
    assert!(report.contains("unavailable") && report.contains("the disk is gone"), "{report}");
    assert!(!text(&response).contains("disk"));
    assert!(text(&response).contains(field(&response, "x-request-id")), "the problem names the request");
}

#[tokio::test]
async fn a_failure_that_nobody_rescued_is_a_bare_500() {
    let stage = Stage::new();
    let source = ScriptedSource::new(|_, _| async { Err(Failure::from(Kind::NotFound)) });
    let pipeline = first(Observe::new(&stage.surroundings)).finally(source);
    let response = pipeline.run(Request::get("/items")).await.unwrap();
    assert_eq!(response.status, 500);
    assert_eq!(text(&response), "");
    assert_eq!(stage.observed.count("Answered"), 1);
}

#[tokio::test]
async fn a_request_that_is_dropped_half_way_is_reported_as_abandoned() {
    let stage = Stage::new();
    let source = ScriptedSource::new(|_, _| std::future::pending());
    let pipeline = pipeline(&stage, source);
    {
        let mut work = pin!(pipeline.run(Request::get("/items")));
        assert!(poll_times(work.as_mut(), 3).await.is_none());
        stage.clock.advance(Duration::from_secs(2));
    }
    assert_eq!((stage.observed.count("Abandoned"), stage.observed.count("Answered")), (1, 0));
    assert!(stage.observed.last().contains("waited: 2s"));
}
