//! Both kinds of caches behind a switch.

use kasoku_cache_store::Purge;
use kasoku_coherence::{Sequence, Tag};
use kasoku_pipeline::{Body, Pipeline, Promises, Response, Stack, first};
use kasoku_problem::Kind;

use super::*;
use crate::cache::{Cache, CacheRules, Fill, ROUTE_PART, ResponseStore};
use crate::collapse::Collapse;
use crate::doubles::{ScriptedSource, Stage, field, get_with, readable, text};
use crate::observe::Observe;
use crate::rfc9111::{HttpCacheRules, pair};

/// A pipeline with a switch, and what is behind it.
struct Stand {
    store: Arc<ResponseStore>,
    lever: Arc<Lever>,
    pipeline: Arc<dyn Pipeline>,
    source: Arc<ScriptedSource>,
}

impl Stand {
    /// A source that answers with the number of its answer, and fails at the third.
    fn declared() -> Self {
        let sequence = Arc::new(Sequence::new());
        let store = Arc::new(ResponseStore::new(1 << 20, Arc::clone(&sequence)));
        let source = ScriptedSource::new(move |count, _| {
            let snapshot = sequence.snapshot();
            async move {
                if count == 3 {
                    Err(Kind::Unavailable.into())
                } else {
                    Ok(readable(count.to_string(), snapshot))
                }
            }
        });
        let (stage, lever) = (Stage::new(), Arc::new(Lever::default()));
        let rules = CacheRules {
            fresh: std::time::Duration::from_mins(1),
            stale_while_revalidate: std::time::Duration::ZERO,
            stale_if_error: std::time::Duration::ZERO,
            client: std::time::Duration::ZERO,
            body_bytes_max: 1 << 10,
        };
        let behind: Arc<dyn Source> = Arc::clone(&source) as _;
        let pipeline = first(Observe::new(&stage.surroundings))
            .then(Switch::new(&lever, &behind))
            .then(Cache::new(rules, source.promises(), &store, &stage.surroundings))
            .then(Collapse::new(source.promises(), Arc::clone(&store) as _))
            .then(Fill::new(rules, &store, &stage.surroundings))
            .finally(behind);
        Self { store, lever, pipeline, source }
    }

    /// An origin whose answers may be kept for a minute.
    fn origin() -> Self {
        let store = Arc::new(ResponseStore::new(1 << 20, Arc::new(Sequence::new())));
        let source = ScriptedSource::promising(Promises::none(), |count, _| async move {
            let mut response = Response::ok(Body::from(count.to_string().into_bytes()));
            response.headers.insert("cache-control", http::HeaderValue::from_static("max-age=60"));
            Ok(response)
        });
        let (stage, lever) = (Stage::new(), Arc::new(Lever::default()));
        let behind: Arc<dyn Source> = Arc::clone(&source) as _;
        let (cache, fill, changes) = pair(HttpCacheRules::default(), &store, &stage.surroundings, None);
        let pipeline = first(Observe::new(&stage.surroundings))
            .then(Switch::new(&lever, &behind))
            .then(cache)
            .then(Collapse::new(&Promises::none(), changes))
            .then(fill)
            .finally(behind);
        Self { store, lever, pipeline, source }
    }

    async fn get(&self) -> (String, String) {
        self.send(Method::GET).await
    }

    /// The body, and how the cache took part.
    async fn send(&self, method: Method) -> (String, String) {
        let mut request = get_with("/items", &[("host", "a.example")]);
        request.method = method;
        let response = self.pipeline.run(request).await.expect("observe makes answers of failures");
        let status = field(&response, "cache-status").split("; detail=\"as-of").next().unwrap().to_owned();
        match &response.body {
            Body::Shared(_) => {
                let body = http_body_util::BodyExt::collect(response.into_fields().body).await.unwrap();
                (String::from_utf8(body.to_bytes().to_vec()).unwrap(), status)
            }
            _ => (text(&response).to_owned(), status),
        }
    }
}

const OFF: &str = "kasoku; fwd=bypass; detail=switched-off";

#[tokio::test]
async fn off_every_read_is_answered_by_the_source_and_nothing_is_stored() {
    for stand in [Stand::declared(), Stand::origin()] {
        assert!(stand.lever.is_on());
        stand.get().await;
        assert!(stand.get().await.1.starts_with("kasoku; hit"));
        assert!(stand.lever.turn(false), "it was on");
        assert!(!stand.lever.turn(false), "it was off");
        let entries = stand.store.stats().inserted;
        assert_eq!(stand.get().await, ("1".into(), OFF.into()));
        assert_eq!(stand.send(Method::HEAD).await.1, OFF);
        assert_eq!(stand.store.stats().inserted, entries);
        assert_eq!(stand.source.asked(), 3);
    }
}

#[tokio::test]
async fn off_the_source_sees_what_callers_say() {
    let stand = Stand::declared();
    stand.lever.turn(false);
    stand.pipeline.run(get_with("/items", &[("authorization", "a"), ("x-own", "b")])).await.unwrap();
    assert_eq!(stand.source.heads()[0].1.len(), 2);
}

#[tokio::test]
async fn off_a_failure_says_so_too() {
    let stand = Stand::declared();
    stand.lever.turn(false);
    for _ in 0..3 {
        stand.get().await;
    }
    assert_eq!(stand.get().await.1, OFF);
}

#[tokio::test]
async fn on_again_what_is_stored_counts_as_far_as_nothing_has_changed() {
    let stand = Stand::declared();
    stand.get().await;
    stand.lever.turn(false);
    stand.store.purge_tag(Tag::named("items"), Purge::Hard);
    stand.lever.turn(true);
    assert_eq!(stand.get().await.0, "1", "it changed meanwhile");
    stand.lever.turn(false);
    stand.lever.turn(true);
    assert_eq!(stand.get().await.0, "1", "it did not");
}

#[tokio::test]
async fn off_a_write_still_removes_what_is_stored_for_its_target() {
    let stand = Stand::origin();
    stand.get().await;
    stand.lever.turn(false);
    assert_eq!(stand.send(Method::POST).await.1, "kasoku; fwd=method");
    stand.lever.turn(true);
    assert_eq!(stand.get().await.0, "2");
}

#[tokio::test]
async fn a_purge_of_the_route_reaches_all_that_it_has_stored_and_nothing_else() {
    for stand in [Stand::declared(), Stand::origin()] {
        stand.get().await;
        assert_eq!(stand.store.purge_prefix(ROUTE_PART, &4_u64.to_le_bytes(), Purge::Hard), 0);
        assert_eq!(stand.store.purge_prefix(ROUTE_PART, &3_u64.to_le_bytes(), Purge::Hard), 1);
        assert_eq!(stand.get().await.0, "1");
    }
}
