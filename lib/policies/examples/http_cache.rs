//! An HTTP cache in front of a plain axum service: `cargo run -p kasoku-policies --example http_cache`.
//!
//! The handlers know nothing of the cache. They say what HTTP has fields for: how long an answer holds, what it varies
//! by, whom it is for; and a `POST` that succeeds is told apart from a `GET` by its method. Each answer says in
//! `Cache-Status` what became of it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, SET_COOKIE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use kasoku_policies::Surroundings;
use kasoku_policies::observe::Observe;
use kasoku_policies::rfc9111::HttpCacheRules;
use kasoku_policies::tower::{HttpCacheLayer, PolicyLayer};

/// What the handlers share: a guest book, and how often any of them was called.
#[derive(Clone, Default)]
pub(crate) struct Book {
    entries: Arc<Mutex<Vec<String>>>,
    pub(crate) calls: Arc<AtomicUsize>,
}

/// A greeting in the caller's language, good for an hour.
async fn greeting(State(book): State<Book>, headers: HeaderMap) -> impl IntoResponse {
    book.calls.fetch_add(1, Ordering::Relaxed);
    let likes_japanese =
        headers.get(ACCEPT_LANGUAGE).is_some_and(|value| value.as_bytes().starts_with(b"ja"));
    let text = if likes_japanese { "ようこそ" } else { "welcome" };
    ([(CACHE_CONTROL, "max-age=3600"), (VARY, "Accept-Language")], text)
}

/// What is in the book. It may be answered from memory for an hour because adding to it is a `POST` to this target.
async fn entries(State(book): State<Book>) -> impl IntoResponse {
    book.calls.fetch_add(1, Ordering::Relaxed);
    let entries = book.entries.lock().expect("no handler panics with the entries in hand").join("\n");
    ([(CACHE_CONTROL, "s-maxage=3600, max-age=0, stale-if-error=86400")], entries)
}

/// One of them. A `POST` to the list does not tell that this target has changed, which it never does.
async fn entry(State(book): State<Book>, Path(number): Path<usize>) -> impl IntoResponse {
    book.calls.fetch_add(1, Ordering::Relaxed);
    let entries = book.entries.lock().expect("no handler panics with the entries in hand");
    match entries.get(number) {
        Some(entry) => ([(CACHE_CONTROL, "max-age=3600, immutable")], entry.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")]).into_response(),
    }
}

async fn add(State(book): State<Book>, text: String) -> impl IntoResponse {
    book.entries.lock().expect("no handler panics with the entries in hand").push(text);
    StatusCode::CREATED
}

/// For who asks alone. It need not say so: an answer to a request with `Authorization` is shared only if it says that
/// it may be.
async fn account(State(book): State<Book>, headers: HeaderMap) -> impl IntoResponse {
    book.calls.fetch_add(1, Ordering::Relaxed);
    match headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        Some(who) => ([(CACHE_CONTROL, "max-age=60")], format!("the account of {who}")).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// An answer with a cookie, which is never stored.
async fn sign_in(State(book): State<Book>) -> impl IntoResponse {
    let number = book.calls.fetch_add(1, Ordering::Relaxed);
    let cookie = format!("session={number}; HttpOnly");
    ([(CACHE_CONTROL, "max-age=60".to_owned()), (SET_COOKIE, cookie)], "signed in")
}

/// The service behind its cache.
pub(crate) fn app(book: Book, cache: HttpCacheLayer) -> Router {
    Router::new()
        .route("/", get(greeting))
        .route("/entries", post(add).get(entries))
        .route("/entries/{number}", get(entry))
        .route("/account", get(account))
        .route("/sign-in", get(sign_in))
        .layer(cache)
        // Names requests and writes `Cache-Status`; the cache does without.
        .layer(PolicyLayer::new(Observe::new(&Surroundings::quiet(0, "/"))))
        .with_state(book)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example talks to people")]
async fn main() -> Result<Infallible, std::io::Error> {
    let cache = HttpCacheLayer::new(HttpCacheRules::default(), 64 << 20);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("try, twice: curl -i http://127.0.0.1:8080/entries");
    println!("and then:   curl -i --data 'I was here' http://127.0.0.1:8080/entries");
    axum::serve(listener, app(Book::default(), cache)).await?;
    Err(std::io::Error::other("the listener has ended"))
}
