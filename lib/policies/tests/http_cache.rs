//! Drives `examples/http_cache.rs`: the cache of RFC 9111 as a layer around an axum service.

#[path = "../examples/http_cache.rs"]
#[expect(dead_code, reason = "its `main` is for people")]
mod http_cache;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, Request};
use axum::routing::get;
use http_body_util::BodyExt;
use kasoku_pipeline::Promises;
use kasoku_policies::Surroundings;
use kasoku_policies::collapse::Collapse;
use kasoku_policies::rfc9111::{HttpCacheRules, pair};
use kasoku_policies::tower::{HttpCacheLayer, PolicyLayer};
use tokio::sync::Notify;
use tower::ServiceExt;

use self::http_cache::{Book, app};

fn cache() -> HttpCacheLayer {
    HttpCacheLayer::new(HttpCacheRules::default(), 16 << 20)
}

/// What a caller gets, in one line.
#[derive(Debug)]
struct Got {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Got {
    /// The verdict, as `Cache-Status` begins with it.
    fn cache(&self) -> &str {
        let status = self.headers.get("cache-status").map_or("", |value| value.to_str().unwrap());
        status.split("; ").nth(1).unwrap_or_default()
    }
}

async fn send(router: &Router, method: &str, target: &str, fields: &[(&str, &str)], body: &str) -> Got {
    let request = Request::builder().method(method).uri(target).header("host", "book.example");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Got { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// What is asked with these fields, and the verdict and the body of its answer.
type Turn<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

async fn check(router: &Router, target: &str, turns: &[Turn<'_>]) {
    for (turn, (fields, verdict, body)) in turns.iter().enumerate() {
        let got = send(router, "GET", target, fields, "").await;
        assert_eq!((got.cache(), got.body.as_str()), (*verdict, *body), "{target}, turn {turn}: {got:?}");
    }
}

#[tokio::test]
async fn what_a_handler_says_in_fields_is_followed() {
    let (book, cache) = (Book::default(), cache());
    let router = app(book.clone(), cache.clone());
    let (english, japanese) = ([("accept-language", "en")], [("accept-language", "ja")]);
    check(
        &router,
        "/",
        &[
            (&english, "fwd=uri-miss", "welcome"),
            (&japanese, "fwd=vary-miss", "ようこそ"),
            (&english, "hit", "welcome"),
            (&japanese, "hit", "ようこそ"),
            (&[("accept-language", "en"), ("cache-control", "no-cache")], "fwd=request", "welcome"),
        ],
    )
    .await;
    assert_eq!(book.calls.load(Ordering::Relaxed), 3);
    assert_eq!(cache.store().stats().entries, 2);
}

#[tokio::test]
async fn a_post_that_succeeds_is_seen_by_the_next_get() {
    let router = app(Book::default(), cache());
    check(&router, "/entries", &[(&[], "fwd=uri-miss", ""), (&[], "hit", "")]).await;
    let added = send(&router, "POST", "/entries", &[("content-type", "text/plain")], "I was here").await;
    assert_eq!((added.status, added.cache()), (201, "fwd=method"));
    check(&router, "/entries", &[(&[], "fwd=stale", "I was here"), (&[], "hit", "I was here")]).await;
    check(&router, "/entries/0", &[(&[], "fwd=uri-miss", "I was here"), (&[], "hit", "I was here")]).await;
    let refused = send(&router, "POST", "/entries/0", &[], "me too").await;
    assert_eq!(refused.status, 405, "{refused:?}");
    check(&router, "/entries/0", &[(&[], "hit", "I was here")]).await;
    check(&router, "/entries/9", &[(&[], "fwd=uri-miss", ""), (&[], "fwd=uri-miss", "")]).await;
}

#[tokio::test]
async fn nobody_gets_the_account_or_the_cookie_of_another() {
    let router = app(Book::default(), cache());
    let (one, other) = ([("authorization", "one")], [("authorization", "other")]);
    check(
        &router,
        "/account",
        &[
            (&one, "fwd=uri-miss", "the account of one"),
            (&other, "fwd=uri-miss", "the account of other"),
            (&[], "fwd=uri-miss", ""),
        ],
    )
    .await;
    let cookies = ["", ""].map(|_| send(&router, "GET", "/sign-in", &[], ""));
    let [first, second] = cookies;
    let (first, second) =
        (first.await.headers["set-cookie"].clone(), second.await.headers["set-cookie"].clone());
    assert_ne!(first, second);
}

#[tokio::test]
async fn equal_requests_share_a_call_unless_its_answer_is_for_one() {
    // How many calls it takes to answer four requests that wait at the same time.
    async fn calls(cache_control: &'static str, joined: bool) -> usize {
        let (calls, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let answer = {
            let (calls, gate) = (Arc::clone(&calls), Arc::clone(&gate));
            move || async move {
                calls.fetch_add(1, Ordering::SeqCst);
                gate.notified().await;
                ([(CACHE_CONTROL, cache_control)], "slow")
            }
        };
        let router = cached(Router::new().route("/", get(answer)), joined);
        let asked: Vec<_> = (0..4)
            .map(|_| {
                let router = router.clone();
                tokio::spawn(async move { send(&router, "GET", "/", &[], "").await.body })
            })
            .collect();
        while !asked.iter().all(tokio::task::JoinHandle::is_finished) {
            gate.notify_waiters();
            tokio::task::yield_now().await;
        }
        for body in asked {
            assert_eq!(body.await.unwrap(), "slow");
        }
        calls.load(Ordering::SeqCst)
    }
    for joined in [true, false] {
        assert_eq!(calls("max-age=60", joined).await, 1, "joined: {joined}");
        assert_eq!(calls("private", joined).await, 4, "joined: {joined}");
    }
}

/// The cache around a router, as one layer or as one for each of its policies.
fn cached(router: Router, joined: bool) -> Router {
    if joined {
        return router.layer(cache());
    }
    let store = Arc::clone(cache().store());
    let (cache, fill, changes) = pair(HttpCacheRules::default(), &store, &Surroundings::quiet(0, "/"), None);
    let collapse = Collapse::new(&Promises::none(), changes);
    router.layer(PolicyLayer::new(fill)).layer(PolicyLayer::new(collapse)).layer(PolicyLayer::new(cache))
}

#[tokio::test]
async fn nested_routers_are_told_apart_around_them_and_inside() {
    let named = |name: &'static str| {
        let answer = move || async move { ([(CACHE_CONTROL, "max-age=60")], name) };
        Router::new().route("/x", get(answer).post(|| async {}))
    };
    let inside = cache().target_from(|extensions| Some(extensions.get::<OriginalUri>()?.0.clone()));
    let around = Router::new().nest("/a", named("a")).nest("/b", named("b")).layer(cache());
    let inside =
        Router::new().nest("/a", named("a").layer(inside.clone())).nest("/b", named("b").layer(inside));
    for (place, router) in [("around", around), ("inside", inside)] {
        for (target, expected) in [("/a/x", "a"), ("/b/x", "b"), ("/a/x", "a")] {
            assert_eq!(send(&router, "GET", target, &[], "").await.body, expected, "{place}: {target}");
        }
        let age = async || send(&router, "GET", "/a/x", &[], "").await.headers.contains_key("age");
        assert!(age().await, "{place}: it is stored");
        send(&router, "POST", "/b/x", &[], "").await;
        assert!(age().await, "{place}: that was the other one");
        send(&router, "POST", "/a/x", &[], "").await;
        assert!(!age().await, "{place}: that was this one");
    }
}

#[tokio::test]
async fn streams_are_stored_when_all_of_them_has_come() {
    let calls = Arc::new(AtomicUsize::new(0));
    let answer = {
        let calls = Arc::clone(&calls);
        move || async move {
            calls.fetch_add(1, Ordering::SeqCst);
            let pieces = ["in ", "three ", "pieces"].map(Ok::<_, std::io::Error>);
            ([(CACHE_CONTROL, "max-age=60")], Body::from_stream(futures_util::stream::iter(pieces)))
        }
    };
    let router = Router::new().route("/", get(answer)).layer(cache());
    let part = [("range", "bytes=3-7")];
    assert_eq!(send(&router, "GET", "/", &[], "").await.body, "in three pieces");
    assert_eq!(send(&router, "GET", "/", &part, "").await.body, "three");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
