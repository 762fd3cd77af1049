//! What the store says that stored responses weigh is what they take from the allocator, and little more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderValue, Method};
use kasoku_coherence::{Sequence, Tag};
use kasoku_pipeline::{Body, BoxFuture, Outcome, Promises, Request, Response, Source, Stack, first};
use kasoku_policies::Surroundings;
use kasoku_policies::cache::{Cache, CacheRules, Fill, ResponseStore};
use kasoku_policies::shape::{Shape, ShapeRules};

/// Counts bytes in use, as they were asked for.
struct Counting;

static IN_USE: AtomicU64 = AtomicU64::new(0);

#[expect(unsafe_code, reason = "an allocator cannot be wrapped otherwise; it only counts and hands on")]
// SAFETY: every call is handed on unchanged to an allocator that keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, and `pointer` came from the same allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Answers with so many bytes of text in a buffer that is twice as large.
struct Pages {
    promises: Promises,
    sequence: Arc<Sequence>,
    bytes: usize,
}

impl Source for Pages {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let mut text = Vec::with_capacity(2 * self.bytes);
            text.extend((0..).flat_map(|number: u32| number.to_string().into_bytes()).take(self.bytes));
            let mut response = Response::ok(Body::from(text));
            response.headers.insert("content-type", HeaderValue::from_static("text/plain"));
            response.headers.insert("x-name-of-our-own", HeaderValue::from_static("and a value"));
            response.tags = Arc::new([Tag::named("pages"), Tag::named(request.uri.path())]);
            response.snapshot = Some(self.sequence.snapshot());
            Ok(response)
        })
    }
}

const PAGES: u64 = 150;

/// Stores many pages, asks for each in these codings, and compares what was taken with what the store says.
async fn check(bytes: usize, codings: &[&'static str]) {
    let sequence = Arc::new(Sequence::new());
    let store = Arc::new(ResponseStore::new(256 << 20, Arc::clone(&sequence)));
    let promises = Promises { methods: vec![Method::GET], ..Promises::none() };
    let around = Surroundings::quiet(0, "/pages");
    let rules = CacheRules {
        fresh: Duration::from_hours(1),
        stale_while_revalidate: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        client: Duration::ZERO,
        body_bytes_max: 1 << 20,
    };
    let pipeline = first(Shape::new(ShapeRules { compress_above: Some(100) }, &promises))
        .then(Cache::new(rules, &promises, &store, &around))
        .then(Fill::new(rules, &store, &around))
        .finally(Arc::new(Pages { promises, sequence, bytes }));
    let (used_before, said_before) = (IN_USE.load(Ordering::Relaxed), store.stats().bytes);
    for number in 0..PAGES {
        for coding in codings {
            let mut request = Request::get(&format!("/pages/{number}"));
            request.headers.insert("accept-encoding", HeaderValue::from_static(coding));
            pipeline.run(request).await.expect("the source answers");
        }
    }
    let used = (IN_USE.load(Ordering::Relaxed) - used_before) / PAGES;
    let said = (store.stats().bytes - said_before) / PAGES;
    assert_eq!(store.stats().entries, PAGES);
    assert!(used <= said, "{bytes} {codings:?}: {used} bytes are in use, {said} are accounted for");
    assert!(said <= used + used / 2, "{bytes} {codings:?}: {said} are accounted for, only {used} in use");
}

#[tokio::test]
async fn stored_responses_weigh_what_they_take() {
    for bytes in [0, 300, 3_000, 20_000] {
        check(bytes, &["identity"]).await;
        check(bytes, &["identity", "br", "zstd", "gzip", "identity"]).await;
    }
}
