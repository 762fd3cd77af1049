//! Cache and fill together, as callers and the source see them.

use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, HeaderName, StatusCode};
use kasoku_cache_store::{Fence, Purge};
use kasoku_coherence::{Change, ChangeSink, Landmark, Mark, Sequence, Snapshot, Tag};
use kasoku_pipeline::{Body, Pipeline, Stack, first};

use super::*;
use crate::collapse::Collapse;
use crate::deadline::Deadline;
use crate::doubles::{ScriptedSource, Stage, field, get_with, poll_times, readable, reads, text, yields};
use crate::promise::{Promise, Promised};
use crate::shape::{Shape, ShapeRules};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const RULES: CacheRules = CacheRules {
    fresh: seconds(10),
    stale_while_revalidate: seconds(5),
    stale_if_error: seconds(60),
    client: Duration::ZERO,
    body_bytes_max: 10_000,
};

/// A table of one cell behind a cache: reads see its number, and each may be told to fail.
struct Stand {
    stage: Stage,
    sequence: Arc<Sequence>,
    store: Arc<ResponseStore>,
    rules: CacheRules,
    promises: Promises,
    audit_share: f64,
    lease: Option<Arc<Lease>>,
    promised: Option<Arc<dyn Promised>>,
}

impl Stand {
    fn new() -> Self {
        Self::with_fence(Fence::Whole)
    }

    fn with_fence(fence: Fence) -> Self {
        let sequence = Arc::new(Sequence::new());
        let store = Arc::new(ResponseStore::with_fence(1 << 22, Arc::clone(&sequence), fence));
        let (stage, promises) = (Stage::new(), reads());
        Self { stage, sequence, store, rules: RULES, promises, audit_share: 0.0, lease: None, promised: None }
    }

    /// Answers with the number of the request, read from what is there now.
    fn numbering(&self) -> Arc<ScriptedSource> {
        let sequence = Arc::clone(&self.sequence);
        ScriptedSource::promising(self.promises.clone(), move |count, _| {
            let snapshot = sequence.snapshot();
            async move { Ok(readable(count.to_string(), snapshot)) }
        })
    }

    fn pipeline(&self, source: &Arc<ScriptedSource>) -> Arc<dyn Pipeline> {
        let around = &self.stage.surroundings;
        first(Deadline::new(seconds(20), around))
            .then(Shape::new(ShapeRules { compress_above: Some(100) }, &self.promises))
            .then(self.promised.clone().map(Promise::new))
            .then(
                Cache::new(self.rules, &self.promises, &self.store, around)
                    .audited(self.audit_share)
                    .leased(self.lease.clone()),
            )
            .then(Collapse::new(&self.promises, Arc::clone(&self.store) as _))
            .then(Fill::new(self.rules, &self.store, around))
            .finally(Arc::clone(source) as _)
    }

    /// Something changes that the answers depend on.
    fn change(&self) {
        apply(&self.store, &self.sequence);
    }
}

fn apply(store: &ResponseStore, sequence: &Sequence) {
    store.apply(&Change { position: sequence.next(), tags: vec![Tag::named("items")] });
}

/// Asks, and returns the text and the verdict in one line.
async fn ask(pipeline: &Arc<dyn Pipeline>, request: Request) -> String {
    match pipeline.run(request).await {
        Ok(response) => format!("{} {}", text(&response), response.cache.label()),
        Err(failure) => format!("{} {}", failure.problem.kind().slug(), failure.cache.label()),
    }
}

async fn get(pipeline: &Arc<dyn Pipeline>) -> String {
    ask(pipeline, Request::get("/items")).await
}

#[tokio::test]
async fn what_others_may_change_is_reused_only_while_they_are_heard() {
    let stand = Stand::new();
    let lease = Arc::new(Lease::new(seconds(1), stand.stage.surroundings.clock.now()));
    let stand = Stand { lease: Some(Arc::clone(&lease)), ..stand };
    let source = stand.numbering();
    let pipeline = stand.pipeline(&source);
    let heard = || lease.renew(stand.stage.surroundings.clock.now());
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    assert_eq!(get(&pipeline).await, "1 stale", "nothing was ever heard");
    heard();
    assert_eq!(get(&pipeline).await, "1 hit");
    stand.stage.clock.advance(Duration::from_millis(400));
    let hit = pipeline.run(Request::get("/items")).await.unwrap();
    assert_eq!(hit.cache.bound_ms, Some(400));
    stand.stage.clock.advance(Duration::from_millis(600));
    let asked = pipeline.run(Request::get("/items")).await.unwrap();
    assert_eq!((text(&asked), asked.cache.reason), ("2", Some(Reason::Unheard)));
    heard();
    assert_eq!(get(&pipeline).await, "2 hit");
}

/// Has shown what a caller asks for by `x-position`, or has not yet.
struct Behind(AtomicBool);

impl Promised for Behind {
    fn owed(&self, headers: &HeaderMap) -> Option<Landmark> {
        let mark = Mark { timeline: 1, log: 7 };
        let owed = headers.contains_key("x-position") && self.0.load(Ordering::Relaxed);
        owed.then_some(Landmark { transaction: 7, mark })
    }
}

#[tokio::test]
async fn who_knows_of_a_later_change_is_answered_from_the_source_and_alone() {
    let behind = Arc::new(Behind(true.into()));
    let stand = Stand { promised: Some(Arc::clone(&behind) as _), ..Stand::new() };
    let source = stand.numbering();
    let pipeline = stand.pipeline(&source);
    let knowing = || get_with("/items", &[("x-position", "7")]);
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    let asked = pipeline.run(knowing()).await.unwrap();
    assert_eq!((text(&asked), asked.cache.reason), ("1", Some(Reason::Behind)));
    assert_eq!(get(&pipeline).await, "0 hit", "what was read for one is not shared");
    behind.0.store(false, Ordering::Relaxed);
    assert_eq!(ask(&pipeline, knowing()).await, "0 hit");
}

#[tokio::test]
async fn in_an_outage_what_was_last_heard_of_stands_in_as_stale_and_not_for_long() {
    let stand = Stand::new();
    let lease = Arc::new(Lease::new(seconds(1), stand.stage.surroundings.clock.now()));
    let rules = CacheRules { fresh: seconds(600), ..RULES };
    let stand = Stand { lease: Some(Arc::clone(&lease)), rules, ..stand };
    let source = ScriptedSource::promising(stand.promises.clone(), move |count, _| async move {
        if count == 0 { Ok(readable("0", Snapshot(0))) } else { Err(Kind::Unavailable.into()) }
    });
    let pipeline = stand.pipeline(&source);
    get(&pipeline).await;
    lease.renew(stand.stage.surroundings.clock.now());
    stand.stage.clock.advance(seconds(30));
    assert_eq!(get(&pipeline).await, "0 stale-hit");
    stand.stage.clock.advance(seconds(31));
    assert_eq!(get(&pipeline).await, "unavailable stale");
}

#[tokio::test]
async fn what_was_stored_is_reused_until_it_is_stale() {
    let stand = Stand::new();
    let source = stand.numbering();
    let pipeline = stand.pipeline(&source);
    let miss = pipeline.run(Request::get("/items")).await.unwrap();
    let facts = CacheFacts {
        stored: true,
        ttl_s: Some(10),
        as_of: Some(0),
        ..CacheFacts::forwarded(Forward::UriMiss)
    };
    assert_eq!(miss.cache, facts);
    stand.stage.clock.advance(seconds(3));
    let hit = pipeline.run(Request::get("/items")).await.unwrap();
    assert_eq!((text(&hit), hit.status), ("0", StatusCode::OK));
    let facts = CacheFacts { verdict: Verdict::Hit, ttl_s: Some(7), as_of: Some(0), ..CacheFacts::default() };
    assert_eq!(hit.cache, facts);
    assert_eq!((field(&hit, "age"), field(&hit, "content-type")), ("3", "text/plain"));
    assert_eq!((field(&hit, "etag"), field(&hit, "vary")), (field(&miss, "etag"), field(&miss, "vary")));
    stand.stage.clock.advance(seconds(12));
    assert_eq!(get(&pipeline).await, "1 stale");
    assert_eq!(get(&pipeline).await, "1 hit");
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn a_change_ends_reuse_at_once_and_a_store_without_fence_would_be_caught() {
    for (fence, expected) in [(Fence::Whole, "1 stale"), (Fence::Down, "0 hit")] {
        let stand = Stand::with_fence(fence);
        let pipeline = stand.pipeline(&stand.numbering());
        assert_eq!(get(&pipeline).await, "0 uri-miss");
        stand.change();
        assert_eq!(get(&pipeline).await, expected, "{fence:?}");
    }
}

#[tokio::test]
async fn a_fill_that_a_change_overtook_is_answered_but_not_stored() {
    let stand = Stand::new();
    let (store, sequence) = (Arc::clone(&stand.store), Arc::clone(&stand.sequence));
    let source = ScriptedSource::new(move |count, _| {
        let snapshot = sequence.snapshot();
        if count == 0 {
            apply(&store, &sequence);
        }
        async move { Ok(readable(count.to_string(), snapshot)) }
    });
    let pipeline = stand.pipeline(&source);
    let response = pipeline.run(Request::get("/items")).await.unwrap();
    assert_eq!((text(&response), response.cache.stored), ("0", false));
    assert_eq!(stand.stage.observed.count("Fenced"), 1);
    assert_eq!(get(&pipeline).await, "1 uri-miss");
    assert_eq!(get(&pipeline).await, "1 hit");
}

/// With the real store: a request that comes after a change or a purge does not share what was read before
/// it.
#[tokio::test]
async fn forwards_are_shared_only_as_far_as_the_fence_allows() {
    // Each says whether it reached anything that was stored, which is not the point here.
    type Happening = fn(&ResponseStore) -> u64;
    let happens: [(Happening, &str); 5] = [
        (|_| 0, "0"),
        (|store| store.purge_tag(Tag::named("items"), Purge::Hard), "1"),
        (|store| store.purge_tag(Tag::named("items"), Purge::Soft), "1"),
        (|store| store.purge_prefix(PATH_PART, b"/it", Purge::Hard), "1"),
        (|store| store.purge_tag(Tag::named("others"), Purge::Hard), "0"),
    ];
    for (happen, expected) in happens {
        let stand = Stand::new();
        let sequence = Arc::clone(&stand.sequence);
        let source = ScriptedSource::new(move |count, _| {
            let snapshot = sequence.snapshot();
            async move {
                yields(5).await;
                Ok(readable(count.to_string(), snapshot))
            }
        });
        let pipeline = stand.pipeline(&source);
        let mut earlier = pipeline.run(Request::get("/items"));
        assert!(poll_times(earlier.as_mut(), 1).await.is_none());
        happen(&stand.store);
        let later = pipeline.run(Request::get("/items"));
        let (earlier, later) = futures_util::future::join(earlier, later).await;
        assert_eq!((text(&earlier.unwrap()), text(&later.unwrap())), ("0", expected));
    }
}

#[tokio::test]
async fn path_query_and_promised_fields_tell_requests_apart_and_nothing_else_does() {
    let mut stand = Stand::new();
    stand.promises.vary = vec![HeaderName::from_static("prefer")];
    let source = stand.numbering();
    let pipeline = stand.pipeline(&source);
    let asked = [
        ("/items", &[][..], "0 uri-miss"),
        ("/items?", &[], "1 uri-miss"),
        ("/items?a=1", &[], "2 uri-miss"),
        ("/items?a=1", &[("prefer", "x")], "3 uri-miss"),
        ("/items?a=1", &[("prefer", "")], "4 uri-miss"),
        (
            "/items",
            &[("authorization", "Bearer x"), ("cookie", "a=b"), ("x-forwarded-host", "evil")],
            "0 hit",
        ),
        ("http://evil.example/items", &[("accept-encoding", "br"), ("if-none-match", r#""x""#)], "0 hit"),
    ];
    for (target, fields, expected) in asked {
        assert_eq!(ask(&pipeline, get_with(target, fields)).await, expected, "{target} {fields:?}");
    }
    let credentials =
        get_with("/secret", &[("authorization", "Bearer x"), ("cookie", "a=b"), ("prefer", "y")]);
    ask(&pipeline, credentials).await;
    let (_, seen) = source.heads().pop().unwrap();
    assert_eq!(seen.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["prefer"]);
}

#[tokio::test]
async fn writes_pass_untouched() {
    let mut stand = Stand::new();
    stand.promises.methods.push(Method::POST);
    let source = stand.numbering();
    let pipeline = stand.pipeline(&source);
    for number in 0..2 {
        let mut post = get_with("/items", &[("authorization", "Bearer x")]);
        post.method = Method::POST;
        assert_eq!(ask(&pipeline, post).await, format!("{number} method"));
    }
    assert!(source.heads()[0].1.contains_key("authorization"));
}

#[tokio::test]
async fn a_failure_is_not_stored_and_says_why_the_source_was_asked() {
    let stand = Stand::new();
    let source = ScriptedSource::new(|_, _| async { Err(Kind::NotFound.into()) });
    let pipeline = stand.pipeline(&source);
    assert_eq!(get(&pipeline).await, "not-found uri-miss");
    assert_eq!(get(&pipeline).await, "not-found uri-miss");
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_given_at_once_and_refreshed_behind_the_callers_back_once() {
    let stand = Stand::new();
    let sequence = Arc::clone(&stand.sequence);
    let source = ScriptedSource::new(move |count, _| {
        let snapshot = sequence.snapshot();
        async move {
            if count > 0 {
                tokio::time::sleep(seconds(1)).await;
            }
            Ok(readable(count.to_string(), snapshot))
        }
    });
    let pipeline = stand.pipeline(&source);
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    stand.stage.clock.advance(seconds(12));
    let stale = pipeline.run(get_with("/items", &[("cookie", "a=b")])).await.unwrap();
    assert_eq!((stale.cache.verdict, stale.cache.ttl_s), (Verdict::Stale, Some(-2)));
    assert_eq!(field(&stale, "age"), "12");
    for _ in 0..5 {
        assert_eq!(get(&pipeline).await, "0 stale-hit");
        yields(3).await;
    }
    assert_eq!((source.asked(), source.working()), (2, 1));
    assert!(source.heads()[1].1.is_empty(), "a refresh carries nobody's credentials");
    stand.stage.wait(seconds(2)).await;
    assert_eq!(get(&pipeline).await, "1 hit");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_panics_or_hangs_harms_nobody_and_is_tried_again() {
    let stand = Stand::new();
    let sequence = Arc::clone(&stand.sequence);
    let source = ScriptedSource::new(move |count, _| {
        let snapshot = sequence.snapshot();
        async move {
            match count {
                1 => panic!("on purpose"),
                2 => std::future::pending().await,
                _ => Ok(readable(count.to_string(), snapshot)),
            }
        }
    });
    let pipeline = stand.pipeline(&source);
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    stand.stage.clock.advance(seconds(10));
    assert_eq!(get(&pipeline).await, "0 stale-hit");
    yields(5).await;
    assert_eq!(stand.stage.observed.count("Panicked"), 1);
    assert_eq!(get(&pipeline).await, "0 stale-hit");
    yields(5).await;
    assert_eq!(source.working(), 1);
    tokio::time::sleep(seconds(21)).await;
    assert_eq!(source.working(), 0, "it had as much time as the caller had in the beginning");
    assert_eq!(get(&pipeline).await, "0 stale-hit");
    yields(5).await;
    assert_eq!(get(&pipeline).await, "3 hit");
}

#[tokio::test]
async fn what_was_purged_softly_is_stale_and_what_was_changed_is_not_served_stale() {
    let stand = Stand::new();
    let pipeline = stand.pipeline(&stand.numbering());
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    stand.store.purge_tag(Tag::named("items"), Purge::Soft);
    let stale = pipeline.run(Request::get("/items")).await.unwrap();
    assert_eq!((text(&stale), stale.cache.verdict, stale.cache.ttl_s), ("0", Verdict::Stale, Some(0)));
    yields(5).await;
    assert_eq!(get(&pipeline).await, "1 hit");
    stand.stage.clock.advance(seconds(11));
    stand.change();
    assert_eq!(get(&pipeline).await, "2 stale");
}

/// Answers once, and fails from then on as the kind says.
fn failing(stand: &Stand, kind: Kind) -> Arc<ScriptedSource> {
    let sequence = Arc::clone(&stand.sequence);
    ScriptedSource::new(move |count, _| {
        let snapshot = sequence.snapshot();
        async move { if count == 0 { Ok(readable("0", snapshot)) } else { Err(kind.into()) } }
    })
}

#[tokio::test]
async fn a_stale_answer_stands_in_for_a_failing_source_but_not_for_a_refusal() {
    for (kind, past_s, expected) in [
        (Kind::Unavailable, 6, "0 stale-hit"),
        (Kind::BadUpstream, 6, "0 stale-hit"),
        (Kind::Internal, 59, "0 stale-hit"),
        (Kind::DeadlineExceeded, 6, "0 stale-hit"),
        (Kind::Overloaded, 6, "0 stale-hit"),
        (Kind::NotFound, 6, "not-found stale"),
        (Kind::InsufficientStorage, 6, "insufficient-storage stale"),
        (Kind::Unavailable, 60, "unavailable uri-miss"),
    ] {
        let stand = Stand::new();
        let pipeline = stand.pipeline(&failing(&stand, kind));
        assert_eq!(get(&pipeline).await, "0 uri-miss");
        stand.stage.clock.advance(seconds(10 + past_s));
        assert_eq!(get(&pipeline).await, expected, "{kind:?} {past_s}");
    }
    let stand = Stand::new();
    let pipeline = stand.pipeline(&failing(&stand, Kind::Unavailable));
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    assert_eq!(ask(&pipeline, get_with("/items", &[("cache-control", "no-cache")])).await, "0 hit");
}

#[tokio::test]
async fn an_outage_told_as_an_answer_counts_as_one() {
    let stand = Stand::new();
    let sequence = Arc::clone(&stand.sequence);
    let source = ScriptedSource::new(move |count, _| {
        let mut response = readable(count.to_string(), sequence.snapshot());
        if count > 0 {
            response.status = StatusCode::BAD_GATEWAY;
        }
        async { Ok(response) }
    });
    let pipeline = stand.pipeline(&source);
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    stand.stage.clock.advance(seconds(16));
    assert_eq!(get(&pipeline).await, "0 stale-hit");
    stand.stage.clock.advance(seconds(60));
    assert_eq!(get(&pipeline).await, "2 uri-miss");
}

#[tokio::test]
async fn an_outage_does_not_hide_a_change_that_came_while_the_source_was_asked() {
    let stand = Stand::new();
    let (store, sequence) = (Arc::clone(&stand.store), Arc::clone(&stand.sequence));
    let source = ScriptedSource::new(move |count, _| {
        let snapshot = sequence.snapshot();
        if count > 0 {
            apply(&store, &sequence);
        }
        async move { if count == 0 { Ok(readable("0", snapshot)) } else { Err(Kind::Unavailable.into()) } }
    });
    let pipeline = stand.pipeline(&source);
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    stand.stage.clock.advance(seconds(16));
    assert_eq!(get(&pipeline).await, "unavailable stale");
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_given_before_the_deadline_drops_the_request() {
    for (waited_s, expected) in [(16, "0 stale-hit"), (80, "deadline-exceeded bypass")] {
        let stand = Stand::new();
        let sequence = Arc::clone(&stand.sequence);
        let source = ScriptedSource::new(move |count, _| {
            let snapshot = sequence.snapshot();
            async move {
                if count > 0 {
                    std::future::pending::<()>().await;
                }
                Ok(readable("0", snapshot))
            }
        });
        let pipeline = stand.pipeline(&source);
        assert_eq!(get(&pipeline).await, "0 uri-miss");
        stand.stage.clock.advance(seconds(waited_s));
        assert_eq!(get(&pipeline).await, expected);
        assert_eq!(source.working(), 0);
    }
}

#[tokio::test]
async fn the_callers_directives_are_followed() {
    let stand = Stand::new();
    let source = stand.numbering();
    let pipeline = stand.pipeline(&source);
    for (directive, expected) in [
        ("only-if-cached", "deadline-exceeded bypass"),
        ("no-store", "0 uri-miss"),
        ("max-age=0", "1 uri-miss"),
        ("no-store", "2 request"),
        ("only-if-cached", "1 hit"),
        ("no-cache", "3 request"),
        ("max-age=0", "3 hit"),
    ] {
        assert_eq!(
            ask(&pipeline, get_with("/items", &[("cache-control", directive)])).await,
            expected,
            "{directive}"
        );
    }
}

#[tokio::test]
async fn callers_are_told_to_validate_unless_the_rules_or_the_source_say_otherwise() {
    let told = async |client, own: Option<&'static str>| {
        let mut stand = Stand::new();
        stand.rules.client = client;
        let source = ScriptedSource::new(move |_, _| {
            let mut response = readable("text", Snapshot(0));
            if let Some(own) = own {
                response.headers.insert("cache-control", own.parse().unwrap());
            }
            async { Ok(response) }
        });
        let pipeline = stand.pipeline(&source);
        let miss = pipeline.run(Request::get("/items")).await.unwrap();
        let hit = pipeline.run(Request::get("/items")).await.unwrap();
        assert_eq!(hit.cache.verdict, Verdict::Hit);
        assert_eq!(field(&miss, "cache-control"), field(&hit, "cache-control"));
        field(&hit, "cache-control").to_owned()
    };
    assert_eq!(told(Duration::ZERO, None).await, "no-cache");
    assert_eq!(told(seconds(60), None).await, "max-age=60");
    assert_eq!(told(seconds(60), Some("max-age=5")).await, "max-age=5");
}

#[test]
fn only_what_may_be_shared_is_stored() {
    let stand = Stand::new();
    let fill = Fill::new(RULES, &stand.store, &stand.stage.surroundings);
    let check = |alter: &dyn Fn(&mut Response), expected| {
        let mut response = readable("text", Snapshot(1));
        alter(&mut response);
        assert_eq!(fill.storable(&response), expected, "{response:?}");
    };
    let with = |name: &'static str, value: &'static str| {
        move |response: &mut Response| drop(response.headers.insert(name, value.parse().unwrap()))
    };
    check(&|_| {}, Storable::For(seconds(10)));
    check(&|response| response.lifetime = Some(seconds(1)), Storable::For(seconds(10)));
    check(&|response| response.snapshot = None, Storable::NoSnapshot);
    check(&|response| response.body = Body::stream(Body::from("text")), Storable::Streamed);
    check(&|response| response.body = Body::from(vec![b'x'; 10_000]), Storable::For(seconds(10)));
    check(&|response| response.body = Body::from(vec![b'x'; 10_001]), Storable::TooLarge);
    check(&with("set-cookie", "a=b"), Storable::SetsCookie);
    check(&with("cache-control", "no-cache"), Storable::For(seconds(10)));
    check(&with("cache-control", "max-age=1, No-Store"), Storable::Forbidden);
    check(&with("cache-control", "private=\"x-a\""), Storable::Forbidden);
    check(&with("vary", "accept, *"), Storable::Forbidden);
    check(&|response| response.status = StatusCode::NOT_FOUND, Storable::Status);
    for status in [201, 204, 206, 301, 304, 400, 405, 414, 500, 503] {
        let alter = move |response: &mut Response| {
            response.status = StatusCode::from_u16(status).unwrap();
            response.lifetime = Some(seconds(1));
        };
        check(&alter, Storable::Status);
    }
    for (lifetime_s, expected_s) in [(1, 1), (100, 10)] {
        let alter = move |response: &mut Response| {
            response.status = StatusCode::NOT_FOUND;
            response.lifetime = Some(seconds(lifetime_s));
        };
        check(&alter, Storable::For(seconds(expected_s)));
    }
}

#[tokio::test]
async fn coded_forms_are_made_once_kept_beside_the_identity_form_and_weighed() {
    let stand = Stand::new();
    let sequence = Arc::clone(&stand.sequence);
    let body: String = (0..2_000).map(|number| number.to_string()).collect();
    let source = ScriptedSource::new(move |_, _| {
        let response = readable(body.clone(), sequence.snapshot());
        async { Ok(response) }
    });
    let pipeline = stand.pipeline(&source);
    pipeline.run(Request::get("/items")).await.unwrap();
    let before = stand.store.stats().bytes;
    let ask = async || pipeline.run(get_with("/items", &[("accept-encoding", "br")])).await.unwrap();
    let (one, other) = (ask().await, ask().await);
    assert_eq!((one.cache.verdict, field(&one, "content-encoding")), (Verdict::Hit, "br"));
    let (one, other) = (one.body.bytes().unwrap(), other.body.bytes().unwrap());
    assert_eq!(one.as_ptr(), other.as_ptr(), "the kept bytes themselves are sent");
    // The store rounds as allocators do, so growth is not exact.
    let grown = stand.store.stats().bytes - before;
    assert!(grown > one.len() as u64 / 2, "{grown} for {}", one.len());
    let plain = pipeline.run(Request::get("/items")).await.unwrap();
    assert_eq!((field(&plain, "content-encoding"), field(&plain, "vary")), ("", "accept-encoding"));
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn what_is_stored_is_a_copy_of_exactly_its_size_without_what_told_of_one_transfer() {
    let stand = Stand::new();
    let source = ScriptedSource::new(|_, _| async {
        let large = bytes::Bytes::from(vec![b'x'; 100_000]);
        let mut response = readable("", Snapshot(0));
        response.body = Body::Full(large.slice(..10));
        for name in ["age", "cache-status", "x-cache", "x-request-id"] {
            response.headers.insert(name, "7".parse().unwrap());
        }
        Ok(response)
    });
    let pipeline = stand.pipeline(&source);
    let before = stand.store.stats().bytes;
    let miss = pipeline.run(Request::get("/items")).await.unwrap();
    let hit = pipeline.run(Request::get("/items")).await.unwrap();
    assert_ne!(miss.body.bytes().unwrap().as_ptr(), hit.body.bytes().unwrap().as_ptr());
    assert_eq!((field(&hit, "age"), field(&hit, "cache-status"), field(&hit, "x-request-id")), ("0", "", ""));
    let weight = stand.store.stats().bytes - before;
    assert!((500..5_000).contains(&weight), "{weight}");
}

async fn audits(stand: &Stand) -> (usize, usize) {
    stand.stage.wait(seconds(2)).await;
    let observed = &stand.stage.observed;
    let consistent = observed.matching("Audited", "consistent: true");
    (consistent, observed.matching("Audited", "consistent: false"))
}

#[tokio::test(start_paused = true)]
async fn the_auditor_finds_what_the_fence_did_not_and_blames_nothing_else() {
    // What the source does behind the store's back, and what the audits of one hit come to.
    let quiet: fn(&Stand, &AtomicBool) = |_, _| {};
    let unannounced: fn(&Stand, &AtomicBool) = |_, moved| moved.store(true, Ordering::SeqCst);
    let announced: fn(&Stand, &AtomicBool) = |stand, moved| {
        moved.store(true, Ordering::SeqCst);
        stand.change();
    };
    for (what, late, expected) in
        [(quiet, quiet, (1, 0)), (unannounced, quiet, (0, 1)), (unannounced, announced, (0, 0))]
    {
        let mut stand = Stand::new();
        stand.audit_share = 1.0;
        let moved = Arc::new(AtomicBool::new(false));
        let (sequence, cell) = (Arc::clone(&stand.sequence), Arc::clone(&moved));
        let source = ScriptedSource::new(move |_, _| {
            let value = if cell.load(Ordering::SeqCst) { "new" } else { "old" };
            let response = readable(value, sequence.snapshot());
            async { Ok(response) }
        });
        let pipeline = stand.pipeline(&source);
        assert_eq!(get(&pipeline).await, "old uri-miss");
        what(&stand, &moved);
        assert_eq!(get(&pipeline).await, "old hit");
        yields(5).await;
        late(&stand, &moved);
        assert_eq!((audits(&stand).await, source.asked()), (expected, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn the_auditor_takes_its_share_and_stores_nothing() {
    let mut stand = Stand::new();
    stand.audit_share = 0.25;
    let source = stand.numbering();
    let pipeline = stand.pipeline(&source);
    assert_eq!(get(&pipeline).await, "0 uri-miss");
    for _ in 0..8 {
        assert_eq!(get(&pipeline).await, "0 hit");
        yields(3).await;
    }
    assert_eq!(source.asked(), 3);
    assert_eq!(get(&pipeline).await, "0 hit");
}
