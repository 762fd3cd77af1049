//! Doubles for tests: a source that does as it is told, an observer that remembers, and drops at every await.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{HeaderMap, Method};
use kasoku_coherence::{Snapshot, Tag};
use kasoku_observe::{Observation, Observer, RouteName};
use kasoku_pipeline::{Body, BoxFuture, Outcome, Pipeline, Promises, Request, Response, Source};
use kasoku_units::ManualClock;
use parking_lot::Mutex;

use crate::Surroundings;

type Script = Box<dyn Fn(usize, Request) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// Answers by a script, and counts how often it was asked and how many answers are being made.
pub(crate) struct ScriptedSource {
    promises: Promises,
    script: Script,
    asked: AtomicUsize,
    working: Arc<AtomicUsize>,
    heads: Mutex<Vec<(Method, HeaderMap)>>,
}

impl ScriptedSource {
    /// A source for reads; the script is told which request this is, counted from 0.
    pub(crate) fn new<F>(script: impl Fn(usize, Request) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        Self::promising(reads(), script)
    }

    pub(crate) fn promising<F>(
        promises: Promises,
        script: impl Fn(usize, Request) -> F + Send + Sync + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        Arc::new(Self {
            promises,
            script: Box::new(move |count, request| Box::pin(script(count, request))),
            asked: AtomicUsize::new(0),
            working: Arc::default(),
            heads: Mutex::default(),
        })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn working(&self) -> usize {
        self.working.load(Ordering::SeqCst)
    }

    /// What the source saw of each request.
    pub(crate) fn heads(&self) -> Vec<(Method, HeaderMap)> {
        self.heads.lock().clone()
    }
}

impl Source for ScriptedSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        let count = self.asked.fetch_add(1, Ordering::SeqCst);
        self.heads.lock().push((request.method.clone(), request.headers.clone()));
        let work = (self.script)(count, request);
        let working = Working::new(&self.working);
        Box::pin(async move {
            let _working = working;
            work.await
        })
    }
}

struct Working(Arc<AtomicUsize>);

impl Working {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Promises of a source that answers `GET` and depends on the tag `items`.
pub(crate) fn reads() -> Promises {
    Promises { methods: vec![Method::GET], depends_on: vec![Tag::named("items")], ..Promises::none() }
}

/// An answer with this text that may be stored.
pub(crate) fn readable(text: impl Into<String>, snapshot: Snapshot) -> Response {
    let mut response = Response::ok(Body::from(text.into().into_bytes()));
    response.headers.insert("content-type", "text/plain".parse().unwrap());
    response.tags = Arc::new([Tag::named("items")]);
    response.snapshot = Some(snapshot);
    response
}

/// The text of an answer in memory.
pub(crate) fn text(response: &Response) -> &str {
    std::str::from_utf8(response.body.bytes().expect("a body in memory")).expect("text")
}

/// A field of an answer; empty if it is not there.
pub(crate) fn field<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// A GET with header fields.
pub(crate) fn get_with(target: &str, fields: &[(&'static str, &str)]) -> Request {
    let mut request = Request::get(target);
    for (name, value) in fields {
        request.headers.append(*name, value.parse().unwrap());
    }
    request
}

/// Remembers the `Debug` form of everything that was observed.
#[derive(Default)]
pub(crate) struct Remembering(Mutex<Vec<String>>);

impl Remembering {
    /// How many observations begin with `start`.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.0.lock().iter().filter(|seen| seen.starts_with(start)).count()
    }

    /// How many of these say `fact` too.
    pub(crate) fn matching(&self, start: &str, fact: &str) -> usize {
        self.0.lock().iter().filter(|seen| seen.starts_with(start) && seen.contains(fact)).count()
    }

    pub(crate) fn last(&self) -> String {
        self.0.lock().last().cloned().unwrap_or_default()
    }
}

impl Observer for Remembering {
    fn observe(&self, observation: &Observation<'_>) {
        self.0.lock().push(format!("{observation:?}"));
    }
}

/// Surroundings whose time stands still and whose observations are remembered.
pub(crate) struct Stage {
    pub(crate) surroundings: Surroundings,
    pub(crate) observed: Arc<Remembering>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let (observed, clock) = (Arc::new(Remembering::default()), Arc::new(ManualClock::new()));
        let surroundings = Surroundings {
            route: RouteName { index: 3, pattern: "/items".into() },
            observer: Arc::clone(&observed) as _,
            clock: Arc::clone(&clock) as _,
            in_flight: Arc::default(),
        };
        Self { surroundings, observed, clock }
    }

    /// Moves the clock and tokio's time together.
    pub(crate) async fn wait(&self, by: Duration) {
        self.clock.advance(by);
        tokio::time::sleep(by).await;
    }
}

/// Gives up control so many times before it goes on.
pub(crate) async fn yields(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// Polls `future` at most `times`; whether it was ready by then.
pub(crate) async fn poll_times<F: Future + ?Sized>(
    mut future: Pin<&mut F>,
    times: usize,
) -> Option<F::Output> {
    for _ in 0..times {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Runs the request that `make` makes, and drops it after 0, 1, 2, … polls, until it gets ready. After each
/// drop `check` sees that nothing was left behind. Returns how many drops there were.
pub(crate) async fn drop_at_every_await(
    pipeline: &Arc<dyn Pipeline>,
    make: impl Fn() -> Request,
    check: impl Fn(usize),
) -> usize {
    for polls in 0.. {
        let mut work = pipeline.run(make());
        let ready = poll_times(work.as_mut(), polls).await.is_some();
        drop(work);
        check(polls);
        if ready {
            return polls;
        }
        assert!(polls < 1_000, "it never gets ready");
    }
    unreachable!("the loop has no end")
}
