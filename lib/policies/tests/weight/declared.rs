//! Answers of sources that say what they depend on.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method};
use kasoku_coherence::{Sequence, Tag};
use kasoku_pipeline::{Body, BoxFuture, Outcome, Promises, Request, Response, Source, Stack, first};
use kasoku_policies::Surroundings;
use kasoku_policies::cache::{Cache, CacheRules, Fill, ResponseStore};
use kasoku_policies::shape::{Shape, ShapeRules};

use super::{ALONE, bytes_in_use, compare};

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
    let (used_before, said_before) = (bytes_in_use(), store.stats().bytes);
    for number in 0..PAGES {
        for coding in codings {
            let mut request = Request::get(&format!("/pages/{number}"));
            request.headers.insert("accept-encoding", HeaderValue::from_static(coding));
            pipeline.run(request).await.expect("the source answers");
        }
    }
    let used = (bytes_in_use() - used_before) / PAGES;
    let said = (store.stats().bytes - said_before) / PAGES;
    assert_eq!(store.stats().entries, PAGES);
    compare(used, said, &format!("{bytes} {codings:?}"));
}

#[tokio::test]
async fn stored_responses_weigh_what_they_take() {
    let _alone = ALONE.lock().await;
    for bytes in [0, 300, 3_000, 20_000] {
        check(bytes, &["identity"]).await;
        check(bytes, &["identity", "br", "zstd", "gzip", "identity"]).await;
    }
}
