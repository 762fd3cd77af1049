//! Collapse: who shares a forward with whom, and what is left behind (nothing).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use kasoku_coherence::KeyBuilder;
use kasoku_pipeline::{Body, BodyError, BoxFuture, Pipeline, SharedBody, Stack, first};

use super::*;
use crate::doubles::{ScriptedSource, poll_times, readable, reads, text, yields};

struct Stand {
    collapse: Arc<Collapse>,
    changes: Arc<Counted>,
    pipeline: Arc<dyn Pipeline>,
    source: Arc<ScriptedSource>,
}

/// Counts changes; each is to everything.
#[derive(Default)]
struct Counted(AtomicU64);

impl Changes for Counted {
    fn snapshot(&self) -> Snapshot {
        Snapshot(self.0.load(Ordering::SeqCst))
    }

    fn allow(&self, _: &Key, tags: &[Tag], since: Snapshot) -> bool {
        assert_eq!(tags, [Tag::named("items")]);
        since == self.snapshot()
    }
}

impl Stand {
    fn new(promises: &Promises, source: Arc<ScriptedSource>) -> Self {
        let changes = Arc::new(Counted::default());
        let collapse = Arc::new(Collapse::new(promises, Arc::clone(&changes) as _));
        let pipeline = first(Arc::clone(&collapse)).finally(Arc::clone(&source) as _);
        Self { collapse, changes, pipeline, source }
    }

    /// Begins requests for these keys, each polled once.
    async fn begin(&self, keys: &[&str]) -> Vec<BoxFuture<'_, Outcome>> {
        let mut works = Vec::new();
        for key in keys {
            let mut work = self.pipeline.run(keyed(key));
            assert!(poll_times(work.as_mut(), 1).await.is_none());
            works.push(work);
        }
        works
    }
}

fn keyed(key: &str) -> Request {
    let mut request = Request::get("/items");
    request.key = Some(KeyBuilder::new().part(key.as_bytes()).build());
    request
}

/// Answers with the number of the request, after some awaits.
fn numbering() -> Arc<ScriptedSource> {
    ScriptedSource::new(|count, _| async move {
        yields(5).await;
        Ok(readable(count.to_string(), Snapshot(0)))
    })
}

/// Texts of answers, with a star for each that shared another's forward.
async fn texts(works: Vec<BoxFuture<'_, Outcome>>) -> Vec<String> {
    let outcomes = join_all(works).await;
    let shown = |outcome: &Outcome| {
        let response = outcome.as_ref().unwrap();
        format!("{}{}", text(response), if response.cache.collapsed { "*" } else { "" })
    };
    outcomes.iter().map(shown).collect()
}

#[tokio::test]
async fn equal_requests_share_one_forward_and_others_do_not() {
    let stand = Stand::new(&reads(), numbering());
    let works = stand.begin(&["a", "b", "a", "a", "b"]).await;
    assert_eq!(stand.collapse.in_flight(), 2);
    assert_eq!(texts(works).await, ["0", "1", "0*", "0*", "1*"]);
    assert_eq!((stand.source.asked(), stand.collapse.in_flight()), (2, 0));
    assert_eq!(texts(stand.begin(&["a"]).await).await, ["2"], "what has landed is not shared");
    let keyless =
        join_all([stand.pipeline.run(Request::get("/")), stand.pipeline.run(Request::get("/"))]).await;
    assert_eq!((keyless.len(), stand.source.asked()), (2, 5));
}

#[tokio::test]
async fn a_request_that_came_after_a_change_does_not_join_a_flight_that_began_before_it() {
    let stand = Stand::new(&reads(), numbering());
    let mut works = stand.begin(&["a", "a"]).await;
    stand.changes.0.fetch_add(1, Ordering::SeqCst);
    works.extend(stand.begin(&["a", "a"]).await);
    assert_eq!(texts(works).await, ["0", "0*", "1", "1*"]);
    assert_eq!(
        stand.collapse.in_flight(),
        0,
        "the end of the older flight has not removed the later one for long"
    );
}

#[tokio::test]
async fn the_end_of_an_older_flight_leaves_the_later_one_listed() {
    let stand = Stand::new(&reads(), numbering());
    let older = stand.begin(&["a"]).await;
    stand.changes.0.fetch_add(1, Ordering::SeqCst);
    let later = stand.begin(&["a"]).await;
    drop(older);
    assert_eq!((stand.collapse.in_flight(), stand.source.working()), (1, 1));
    let joined = stand.begin(&["a"]).await;
    assert_eq!(texts(later.into_iter().chain(joined).collect()).await, ["1", "1*"]);
}

#[tokio::test]
async fn a_flight_goes_on_while_anybody_waits_and_ends_when_nobody_does() {
    let stand = Stand::new(&reads(), numbering());
    let mut works = stand.begin(&["a", "a", "a"]).await;
    drop(works.remove(0));
    assert_eq!((stand.source.working(), stand.collapse.in_flight()), (1, 1));
    assert_eq!(texts(works).await, ["0*", "0*"]);
    let works = stand.begin(&["a", "a"]).await;
    assert_eq!(stand.source.working(), 1);
    drop(works);
    assert_eq!((stand.source.working(), stand.collapse.in_flight()), (0, 0));
}

#[tokio::test]
async fn dropping_leader_or_follower_at_any_await_strands_nobody() {
    for dropped in [0, 1] {
        for polls in 0..8 {
            let stand = Stand::new(&reads(), numbering());
            let mut works: Vec<_> = (0..2).map(|_| Some(stand.pipeline.run(keyed("a")))).collect();
            for _ in 0..polls {
                for work in works.iter_mut().filter_map(Option::as_mut) {
                    let _ = work.as_mut().now_or_never();
                }
                if stand.source.working() == 0 {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let finished = stand.source.asked() > 0 && stand.source.working() == 0;
            if finished {
                break;
            }
            works[dropped] = None;
            let left = works.into_iter().flatten().next().unwrap();
            assert_eq!(text(&left.await.unwrap()), "0", "{dropped} dropped after {polls} polls");
            assert_eq!((stand.source.working(), stand.collapse.in_flight(), stand.source.asked()), (0, 0, 1));
        }
    }
}

#[tokio::test]
async fn a_follower_with_more_time_than_its_leader_tries_again_once_and_with_others() {
    let source = ScriptedSource::new(|count, _| async move {
        yields(3).await;
        match count {
            0 => Err(Kind::DeadlineExceeded.into()),
            _ => Ok(readable(count.to_string(), Snapshot(0))),
        }
    });
    let stand = Stand::new(&reads(), source);
    let now = Instant::now();
    let works = [1, 1, 2, 3].map(|seconds| {
        let mut request = keyed("a");
        request.deadline = Some(now + Duration::from_secs(seconds));
        stand.pipeline.run(request)
    });
    let outcomes = join_all(works).await;
    let kinds =
        outcomes.iter().map(|outcome| outcome.as_ref().map_or_else(|f| f.problem.kind().slug(), text));
    assert_eq!(kinds.collect::<Vec<_>>(), ["deadline-exceeded", "deadline-exceeded", "1", "1"]);
    assert_eq!(stand.source.asked(), 2);
}

#[tokio::test]
async fn failures_are_shared_and_marked() {
    let source = ScriptedSource::new(|_, _| async {
        yields(2).await;
        Err(Kind::Unavailable.into())
    });
    let stand = Stand::new(&reads(), source);
    let outcomes = join_all(stand.begin(&["a", "a"]).await).await;
    let collapsed: Vec<_> =
        outcomes.into_iter().map(|outcome| outcome.unwrap_err().cache.collapsed).collect();
    assert_eq!((collapsed, stand.source.asked()), (vec![false, true], 1));
}

#[tokio::test]
async fn a_panic_goes_on_in_one_and_fails_the_others() {
    let source = ScriptedSource::new(|_, _| async {
        yields(9).await;
        panic!("on purpose")
    });
    let stand = Stand::new(&reads(), source);
    let works = stand.begin(&["a", "a", "a"]).await;
    let works = works.into_iter().map(|work| std::panic::AssertUnwindSafe(work).catch_unwind());
    let outcomes = join_all(works).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
    let failed = outcomes.iter().flatten().filter_map(|outcome| outcome.as_ref().err());
    assert_eq!(failed.filter(|failure| failure.problem.kind() == Kind::Internal).count(), 2);
    assert_eq!(stand.collapse.in_flight(), 0);
}

#[tokio::test]
async fn streams_are_not_shared() {
    let streaming = || {
        ScriptedSource::new(|count, _| async move {
            yields(9).await;
            Ok(Response::ok(Body::stream(Body::from(count.to_string().into_bytes()))))
        })
    };
    let promised = Stand::new(&Promises { streams: true, ..reads() }, streaming());
    assert_eq!(join_all(promised.begin(&["a", "a"]).await).await.len(), 2);
    assert_eq!((promised.source.asked(), promised.collapse.in_flight()), (2, 0));
    let surprising = Stand::new(&reads(), streaming());
    let outcomes = join_all(surprising.begin(&["a", "a", "a"]).await).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(answer) if matches!(answer.body, Body::Stream(_))))
    );
    assert_eq!(
        surprising.source.asked(),
        3,
        "the leader has the one that it led to, the others ask for their own"
    );
}

#[tokio::test]
async fn a_full_board_lets_requests_go_on_their_own() {
    let flights = Arc::new(Flights::new(1));
    let source = numbering();
    let next = |request: Request| Some((Arc::new(Direct(Arc::clone(&source))), request));
    let key = |name: &str| keyed(name).key.clone().unwrap();
    let held = flights.board(&key("a"), Snapshot(0), |_, _| true, || next(keyed("a")));
    assert!(held.is_some());
    assert!(flights.board(&key("b"), Snapshot(0), |_, _| true, || next(keyed("b"))).is_none());
    assert!(
        flights.board(&key("a"), Snapshot(1), |_, _| false, || next(keyed("a"))).is_some(),
        "a later flight takes the older one's place"
    );
}

struct Direct(Arc<ScriptedSource>);

impl Next for Direct {
    fn run(&self, request: Request) -> impl Future<Output = Outcome> + Send {
        kasoku_pipeline::Source::answer(&*self.0, request)
    }
}

/// Answers with a body that comes in two parts, the second after some awaits.
fn arriving(is_personal: bool) -> Arc<ScriptedSource> {
    ScriptedSource::new(move |count, _| async move {
        yields(2).await;
        let parts = futures_util::stream::unfold(0, move |part| async move {
            yields(3).await;
            let text = Bytes::from(format!("{count}.{part};"));
            (part < 2).then(|| (Ok::<_, BodyError>(Frame::data(text)), part + 1))
        });
        let body = SharedBody::new(StreamBody::new(Box::pin(parts)), 100, &Arc::default(), Box::new(drop));
        let mut response = Response::ok(Body::Shared(body));
        response.is_personal = is_personal;
        Ok(response)
    })
}

async fn read(response: Response) -> String {
    let bytes = response.into_fields().body.collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn who_comes_while_the_body_arrives_joins_it() {
    let stand = Stand::new(&reads(), arriving(false));
    let leader = stand.pipeline.run(keyed("a")).await.unwrap();
    let follower = stand.pipeline.run(keyed("a")).await.unwrap();
    assert!(follower.cache.collapsed && !leader.cache.collapsed);
    stand.changes.0.fetch_add(1, Ordering::SeqCst);
    let later = stand.pipeline.run(keyed("a")).await.unwrap();
    assert_eq!(read(later).await, "1.0;1.1;", "a change came between");
    assert_eq!([read(follower).await, read(leader).await], ["0.0;0.1;", "0.0;0.1;"]);
    assert_eq!((stand.collapse.in_flight(), stand.source.asked()), (0, 2));
    let afterwards = stand.pipeline.run(keyed("a")).await.unwrap();
    assert_eq!(read(afterwards).await, "2.0;2.1;", "the body has been read to its end");
}

#[tokio::test]
async fn a_body_that_nobody_reads_on_is_not_joined() {
    let stand = Stand::new(&reads(), arriving(false));
    drop(stand.pipeline.run(keyed("a")).await.unwrap());
    assert_eq!(stand.collapse.in_flight(), 0);
    assert_eq!(read(stand.pipeline.run(keyed("a")).await.unwrap()).await, "1.0;1.1;");
}

#[tokio::test]
async fn what_is_for_one_caller_is_given_to_one_caller() {
    let stand = Stand::new(&reads(), arriving(true));
    let outcomes = join_all((0..3).map(|_| stand.pipeline.run(keyed("a")))).await;
    let mut texts = join_all(outcomes.into_iter().map(|outcome| read(outcome.unwrap()))).await;
    texts.sort();
    assert_eq!(texts, ["0.0;0.1;", "1.0;1.1;", "2.0;2.1;"]);
}
