//! What a cache hit costs through all policies, in nanoseconds and allocations:
//! `cargo run --release -p kasoku-policies --example hit_cost`.
//!
//! One thread, no socket, no server. Read ratios; the first line is the cost of making the request alone. An argument
//! sets how often to repeat: a handful is enough for a profiler that counts instructions.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use kasoku_coherence::{Sequence, Tag};
use kasoku_pipeline::{
    Body, BoxFuture, Outcome, Pipeline, Promises, Request, Response, Source, Stack, first,
};
use kasoku_policies::Surroundings;
use kasoku_policies::admit::{Admit, AdmitRules};
use kasoku_policies::cache::{Cache, CacheRules, Fill, ResponseStore};
use kasoku_policies::collapse::Collapse;
use kasoku_policies::deadline::Deadline;
use kasoku_policies::observe::Observe;
use kasoku_policies::rescue::Rescue;
use kasoku_policies::rfc9111::{HttpCacheRules, pair};
use kasoku_policies::shape::{Shape, ShapeRules};

/// Counts allocations, and leaves them to the allocator that the server uses.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[expect(unsafe_code, reason = "an allocator cannot be wrapped otherwise; it only counts and hands on")]
// SAFETY: every call is handed on unchanged to an allocator that keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { mimalloc::MiMalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, and `pointer` came from the same allocator.
        unsafe { mimalloc::MiMalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, and `pointer` came from the same allocator.
        unsafe { mimalloc::MiMalloc.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Answers with 6 KB of JSON, and says what it depends on, as sources do, and more, as origins do.
struct Items {
    promises: Promises,
    sequence: Arc<Sequence>,
    says: &'static [(&'static str, &'static str)],
}

impl Source for Items {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn answer(&self, _: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(async {
            let snapshot = self.sequence.snapshot();
            let row = r#"{"id":1,"title":"A title of usual length","price":1200},"#;
            let mut response = Response::ok(Body::from(row.repeat(110).into_bytes()));
            response.headers.insert("content-type", HeaderValue::from_static("application/json"));
            response.headers.insert("link", HeaderValue::from_static(r#"</items?cursor=x>; rel="next""#));
            let said = self.says.iter().map(|(name, value)| (*name, HeaderValue::from_static(value)));
            said.for_each(|(name, value)| drop(response.headers.insert(name, value)));
            response.tags = Arc::new([Tag::named("items")]);
            response.snapshot = Some(snapshot);
            Ok(response)
        })
    }
}

fn pipeline() -> Arc<dyn Pipeline> {
    let sequence = Arc::new(Sequence::new());
    let store = Arc::new(ResponseStore::new(64 << 20, Arc::clone(&sequence)));
    let promises = Promises {
        methods: vec![Method::GET],
        vary: vec![http::header::ACCEPT],
        depends_on: vec![Tag::named("items")],
        ..Promises::none()
    };
    let around = Surroundings::quiet(0, "/items");
    let rules = CacheRules {
        fresh: Duration::from_hours(1),
        stale_while_revalidate: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        client: Duration::ZERO,
        body_bytes_max: 1 << 20,
    };
    let fill = Fill::new(rules, &store, &around).varying(&promises.vary);
    first(Observe::new(&around))
        .then(Rescue::new(&around))
        .then(Admit::new(AdmitRules { concurrent: 256, queue: 256, wait: Duration::from_secs(1) }, &around))
        .then(Deadline::new(Duration::from_secs(5), &around))
        .then(Shape::new(ShapeRules { compress_above: Some(1_024) }, &promises))
        .then(Some(Cache::new(rules, &promises, &store, &around)))
        .then(Some(Collapse::new(&promises, Arc::clone(&store) as _)))
        .then(Some(fill))
        .finally(Arc::new(Items { promises, sequence, says: &[] }))
}

/// The cache before origins, between the policies that every route has.
fn pipeline_of_origin() -> Arc<dyn Pipeline> {
    let sequence = Arc::new(Sequence::new());
    let store = Arc::new(ResponseStore::new(64 << 20, Arc::clone(&sequence)));
    let around = Surroundings::quiet(0, "/items");
    let says = &[("cache-control", "max-age=3600"), ("vary", "accept-language")];
    let (cache, fill, changes) = pair(HttpCacheRules::default(), &store, &around, None);
    first(Observe::new(&around))
        .then(Rescue::new(&around))
        .then(Admit::new(AdmitRules { concurrent: 256, queue: 256, wait: Duration::from_secs(1) }, &around))
        .then(Deadline::new(Duration::from_secs(5), &around))
        .then(Some(cache))
        .then(Some(Collapse::new(&Promises::none(), changes)))
        .then(Some(fill))
        .finally(Arc::new(Items { promises: Promises::none(), sequence, says }))
}

/// A request as a browser sends it.
fn request(fields: &[(&'static str, &'static str)]) -> Request {
    let mut request = Request::get("/v1/items?category=books&limit=20");
    for (name, value) in [
        ("host", "localhost:8080"),
        ("user-agent", "Mozilla/5.0"),
        ("accept", "application/json"),
        ("connection", "keep-alive"),
    ] {
        request.headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in fields {
        request.headers.insert(*name, HeaderValue::from_static(value));
    }
    request
}

/// Rounds are short and many, and the best counts, so that other work on the machine disturbs only some.
const ROUNDS: u64 = 500;
const REPEATS: u64 = 1_000;

fn repeats() -> u64 {
    std::env::args().nth(1).map_or(REPEATS, |text| text.parse().expect("a number of repeats"))
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
async fn measure(name: &str, work: impl AsyncFn()) {
    let mut best_ns = u64::MAX;
    let mut allocations = 0;
    for _ in 0..repeats() {
        let (began, before) = (Instant::now(), ALLOCATIONS.load(Ordering::Relaxed));
        for _ in 0..ROUNDS {
            work().await;
        }
        best_ns = best_ns.min(began.elapsed().as_nanos() as u64 / ROUNDS);
        allocations = (ALLOCATIONS.load(Ordering::Relaxed) - before) / ROUNDS;
    }
    println!("{name:32} {best_ns:6} ns {allocations:4} allocations");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let pipeline = pipeline();
    let coded = [("accept-encoding", "gzip, deflate, br, zstd")];
    let miss = pipeline.run(request(&coded)).await.expect("the source answers");
    assert_eq!(miss.headers["x-cache"], "MISS");
    measure("making the request", async || drop(std::hint::black_box(request(&[])))).await;
    measure("a hit, identity", async || {
        let hit = pipeline.run(request(&[])).await.expect("it is stored");
        assert_eq!(hit.headers["x-cache"], "HIT");
    })
    .await;
    measure("a hit, brotli", async || {
        let hit = pipeline.run(request(&coded)).await.expect("it is stored");
        assert_eq!(hit.headers["content-encoding"], "br");
    })
    .await;
    measure("a hit, not modified", async || {
        let hit = pipeline.run(request(&[("if-none-match", "*")])).await.expect("it is stored");
        assert_eq!(hit.status, 304);
    })
    .await;
    let pipeline = pipeline_of_origin();
    let fields: [&[_]; 3] =
        [&[], &[("accept-language", "ja")], &[("accept-language", "ja"), ("range", "bytes=0-99")]];
    for fields in &fields[..2] {
        pipeline.run(request(fields)).await.expect("the source answers");
    }
    for (name, fields) in
        ["an HTTP hit", "an HTTP hit of a variant", "an HTTP hit, a part"].into_iter().zip(fields)
    {
        measure(name, async || {
            let hit = pipeline.run(request(fields)).await.expect("it is stored");
            assert_eq!(hit.headers["x-cache"], "HIT");
        })
        .await;
    }
}
