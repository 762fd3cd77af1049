//! All policies around a plain axum router: `cargo run -p kasoku-policies --example axum_service`.
//!
//! The router keeps notes in memory. Its answers are cached, collapsed, compressed, validated and bounded,
//! and a note that was added is in the very next answer: the handler that writes names what it changed.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{Extension, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use kasoku_coherence::{Change, ChangeSink, Sequence, Tag};
use kasoku_pipeline::Promises;
use kasoku_policies::Surroundings;
use kasoku_policies::admit::{Admit, AdmitRules};
use kasoku_policies::cache::{Cache, CacheRules, Fill, ResponseStore};
use kasoku_policies::collapse::Collapse;
use kasoku_policies::deadline::Deadline;
use kasoku_policies::observe::Observe;
use kasoku_policies::rescue::Rescue;
use kasoku_policies::shape::{Shape, ShapeRules};
use kasoku_policies::tower::{PolicyLayer, Provenance};
use tower::ServiceBuilder;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Notes {
    texts: Arc<Mutex<Vec<String>>>,
    sequence: Arc<Sequence>,
    store: Arc<ResponseStore>,
}

impl Notes {
    /// No notes yet, and 64 MiB for stored responses.
    pub(crate) fn new() -> Self {
        let sequence = Arc::new(Sequence::new());
        let store = Arc::new(ResponseStore::new(64 << 20, Arc::clone(&sequence)));
        Self { texts: Arc::default(), sequence, store }
    }
}

/// All answers depend on the notes as a whole.
fn notes_tag() -> Tag {
    Tag::named("notes")
}

async fn list(State(notes): State<Notes>) -> impl IntoResponse {
    // The snapshot is noted before reading.
    let provenance = Provenance::new(notes.sequence.snapshot(), [notes_tag()]);
    let texts = notes.texts.lock().expect("no handler panics with the notes in hand").clone();
    (Extension(provenance), Json(texts))
}

async fn one(State(notes): State<Notes>, Path(number): Path<usize>) -> impl IntoResponse {
    let provenance = Provenance::new(notes.sequence.snapshot(), [notes_tag()]);
    let texts = notes.texts.lock().expect("no handler panics with the notes in hand");
    match texts.get(number) {
        Some(text) => (Extension(provenance), Json(text.clone())).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn add(State(notes): State<Notes>, text: String) -> impl IntoResponse {
    notes.texts.lock().expect("no handler panics with the notes in hand").push(text);
    // The change is visible by now; it is applied before the caller is told of success.
    notes.store.apply(&Change { position: notes.sequence.next(), tags: vec![notes_tag()] });
    StatusCode::CREATED
}

/// The router with all policies around it.
pub(crate) fn app(notes: Notes) -> Router {
    let surroundings = Surroundings::quiet(0, "/notes");
    let promises = Promises {
        methods: vec![Method::GET, Method::POST],
        depends_on: vec![notes_tag()],
        ..Promises::none()
    };
    let rules = CacheRules {
        fresh: Duration::from_mins(1),
        stale_while_revalidate: Duration::from_secs(30),
        stale_if_error: Duration::from_mins(10),
        client: Duration::ZERO,
        body_bytes_max: 1 << 20,
    };
    let admission = AdmitRules { concurrent: 256, queue: 1_024, wait: Duration::from_secs(1) };
    let store = &notes.store;
    let policies = ServiceBuilder::new()
        .layer(PolicyLayer::new(Observe::new(&surroundings)))
        .layer(PolicyLayer::new(Rescue::new(&surroundings)))
        .layer(PolicyLayer::new(Admit::new(admission, &surroundings)))
        .layer(PolicyLayer::new(Deadline::new(Duration::from_secs(5), &surroundings)))
        .layer(PolicyLayer::new(Shape::new(ShapeRules { compress_above: Some(1_024) }, &promises)))
        .layer(PolicyLayer::new(Cache::new(rules, &promises, store, &surroundings).audited(0.01)))
        .layer(PolicyLayer::new(Collapse::new(&promises, Arc::clone(store) as _)))
        .layer(PolicyLayer::new(Fill::new(rules, store, &surroundings)));
    Router::new()
        .route("/notes", get(list).post(add))
        .route("/notes/{number}", get(one))
        .layer(policies)
        .with_state(notes)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example talks to people")]
async fn main() -> Result<Infallible, std::io::Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("try: curl -i http://127.0.0.1:8080/notes");
    println!("and: curl -i --data 'a note' http://127.0.0.1:8080/notes");
    axum::serve(listener, app(Notes::new())).await?;
    Err(std::io::Error::other("the listener has ended"))
}
