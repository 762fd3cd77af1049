//! Deadline: the instant, the 504, and that the work is cancelled.

use kasoku_pipeline::{Body, Response, Stack, first};

use super::*;
use crate::doubles::{ScriptedSource, Stage, drop_at_every_await, yields};

fn policy(stage: &Stage) -> Deadline {
    Deadline::new(Duration::from_secs(2), &stage.surroundings)
}

#[tokio::test(start_paused = true)]
async fn the_answer_is_504_at_the_instant_and_the_work_is_dropped() {
    let stage = Stage::new();
    let source = ScriptedSource::new(|_, _| std::future::pending());
    let pipeline = first(policy(&stage)).finally(source.clone());
    let began = tokio::time::Instant::now();
    let failure = pipeline.run(Request::get("/")).await.unwrap_err();
    assert_eq!(failure.problem.kind(), Kind::DeadlineExceeded);
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!((source.asked(), source.working()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_passed_on() {
    let stage = Stage::new();
    let source = ScriptedSource::new(|count, _| async move {
        tokio::time::sleep(Duration::from_millis(1_999 * count as u64)).await;
        Ok(Response::ok(Body::Empty))
    });
    let pipeline = first(policy(&stage)).finally(source);
    assert!(pipeline.run(Request::get("/")).await.is_ok(), "at once");
    assert!(pipeline.run(Request::get("/")).await.is_ok(), "just in time");
    assert!(pipeline.run(Request::get("/")).await.is_err(), "too late");
}

#[tokio::test]
async fn the_instant_counts_from_the_arrival_and_is_never_moved_back() {
    let stage = Stage::new();
    let now = stage.surroundings.clock.now();
    let second = Duration::from_secs(1);
    for (arrived, earlier, expected) in [
        (None, None, 2 * second),
        (Some(now + second), None, 3 * second),
        (None, Some(now + second), second),
        (None, Some(now + 9 * second), 2 * second),
    ] {
        let source = ScriptedSource::new(move |_, request| async move {
            assert_eq!(request.deadline, Some(now + expected));
            Ok(Response::ok(Body::Empty))
        });
        let mut request = Request::get("/");
        (request.arrived, request.deadline) = (arrived, earlier);
        first(policy(&stage)).finally(source).run(request).await.unwrap();
    }
}

#[tokio::test]
async fn no_work_is_begun_when_the_time_was_spent_in_the_queue() {
    let stage = Stage::new();
    let source = ScriptedSource::new(|_, _| async { Ok(Response::ok(Body::Empty)) });
    let pipeline = first(policy(&stage)).finally(source.clone());
    let mut request = Request::get("/");
    request.arrived = Some(stage.surroundings.clock.now());
    stage.clock.advance(Duration::from_secs(2));
    assert_eq!(pipeline.run(request).await.unwrap_err().problem.kind(), Kind::DeadlineExceeded);
    assert_eq!(source.asked(), 0);
}

#[tokio::test]
async fn dropping_the_request_at_any_await_drops_the_work() {
    let stage = Stage::new();
    let source = ScriptedSource::new(|_, _| async {
        yields(3).await;
        Ok(Response::ok(Body::Empty))
    });
    let pipeline = first(policy(&stage)).finally(source.clone());
    let drops = drop_at_every_await(
        &pipeline,
        || Request::get("/"),
        |polls| {
            assert_eq!(source.working(), 0, "after {polls} polls");
        },
    );
    assert!(drops.await >= 3, "it was dropped while it worked");
}
