//! Admit: places, the queue, and that both are given back.

use std::pin::pin;

use http_body_util::BodyExt;
use kasoku_pipeline::{Failure, Response, Stack, first};

use super::*;
use crate::doubles::{ScriptedSource, Stage, drop_at_every_await, poll_times, yields};

const RULES: AdmitRules = AdmitRules { concurrent: 2, queue: 2, wait: Duration::from_secs(1) };

fn admit(stage: &Stage, rules: AdmitRules) -> Arc<Admit> {
    Arc::new(Admit::new(rules, &stage.surroundings))
}

fn overloaded(outcome: Outcome) -> bool {
    matches!(outcome, Err(Failure { problem, .. }) if problem.kind() == Kind::Overloaded)
}

#[tokio::test(start_paused = true)]
async fn what_finds_neither_place_nor_room_is_refused_at_once() {
    let stage = Stage::new();
    let admit = admit(&stage, RULES);
    let source = ScriptedSource::new(|_, _| async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(Response::ok(Body::Empty))
    });
    let pipeline = first(Arc::clone(&admit)).finally(source.clone());
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let pipeline = Arc::clone(&pipeline);
            tokio::spawn(async move { pipeline.run(Request::get("/")).await })
        })
        .collect();
    yields(10).await;
    assert_eq!((admit.in_progress(), admit.waiting(), source.asked()), (2, 2, 2));
    assert_eq!(stage.observed.count("Shed"), 1);
    assert!(stage.observed.last().contains("queue-full"));
    let mut refused = 0;
    for task in tasks {
        refused += usize::from(overloaded(task.await.unwrap()));
    }
    assert_eq!((refused, source.asked()), (1, 4));
    assert_eq!((admit.in_progress(), admit.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_rules_or_the_deadline_allow() {
    for (deadline_ms, expected_ms) in [(None, 1_000), (Some(300), 300), (Some(5_000), 1_000)] {
        let stage = Stage::new();
        let admit = admit(&stage, AdmitRules { concurrent: 1, ..RULES });
        let pipeline = first(Arc::clone(&admit)).finally(ScriptedSource::new(|_, _| std::future::pending()));
        let mut holder = pin!(pipeline.run(Request::get("/")));
        assert!(poll_times(holder.as_mut(), 1).await.is_none());
        let mut request = Request::get("/");
        request.deadline = deadline_ms.map(|ms| stage.surroundings.clock.now() + Duration::from_millis(ms));
        let began = tokio::time::Instant::now();
        assert!(overloaded(pipeline.run(request).await));
        assert_eq!(began.elapsed().as_millis(), expected_ms, "{deadline_ms:?}");
        assert!(stage.observed.last().contains("waited-too-long"));
        assert_eq!((admit.in_progress(), admit.waiting()), (1, 0));
    }
}

#[tokio::test]
async fn a_stream_holds_its_place_until_it_has_ended_or_was_dropped() {
    let stage = Stage::new();
    let admit = admit(&stage, RULES);
    let source = ScriptedSource::new(|_, _| async { Ok(Response::ok(Body::stream(Body::from("text")))) });
    let pipeline = first(Arc::clone(&admit)).finally(source);
    let response = pipeline.run(Request::get("/")).await.unwrap();
    assert_eq!(admit.in_progress(), 1);
    drop(response);
    assert_eq!(admit.in_progress(), 0);
    let mut response = pipeline.run(Request::get("/")).await.unwrap();
    assert_eq!(response.body.frame().await.unwrap().unwrap().into_data().unwrap(), "text");
    assert_eq!(admit.in_progress(), 1);
    assert!(response.body.frame().await.is_none());
    assert_eq!(admit.in_progress(), 0, "it has ended, though somebody still has it");
}

#[tokio::test]
async fn a_request_dropped_at_any_await_gives_back_what_it_held() {
    let stage = Stage::new();
    let admit = admit(&stage, AdmitRules { concurrent: 1, ..RULES });
    let source = ScriptedSource::new(|_, _| async {
        yields(3).await;
        Ok(Response::ok(Body::Empty))
    });
    let pipeline = first(Arc::clone(&admit)).finally(source.clone());
    let drops = drop_at_every_await(
        &pipeline,
        || Request::get("/"),
        |polls| {
            assert_eq!(
                (admit.in_progress(), admit.waiting(), source.working()),
                (0, 0, 0),
                "after {polls} polls"
            );
        },
    );
    assert!(drops.await >= 3, "it was dropped while it worked");

    // The same while they wait in the queue: the place is taken until the holder is dropped.
    let holder = ScriptedSource::new(|_, _| std::future::pending());
    let busy = first(Arc::clone(&admit)).finally(holder);
    let mut holding = Some(busy.run(Request::get("/")));
    poll_times(holding.as_mut().unwrap().as_mut(), 1).await;
    for polls in 0..3 {
        let mut work = pipeline.run(Request::get("/"));
        assert!(poll_times(work.as_mut(), polls).await.is_none());
        assert_eq!(admit.waiting(), u32::from(polls > 0));
        drop(work);
        assert_eq!((admit.in_progress(), admit.waiting()), (1, 0), "after {polls} polls in the queue");
    }
    // A place that was handed to a waiter which is dropped before it took it goes to the next one.
    let mut waiter = pipeline.run(Request::get("/"));
    poll_times(waiter.as_mut(), 1).await;
    holding.take();
    drop(waiter);
    assert_eq!((admit.in_progress(), admit.waiting()), (0, 0));
    assert!(pipeline.run(Request::get("/")).await.is_ok());
}
