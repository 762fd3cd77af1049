//! Requests to a table, bodies and preferences included, against a real database.
//!
//! The lines are method and target, `Prefer`, `Idempotency-Key`, `If-Match`, and the body. Holds for every input:
//! what fails is the caller's fault. A plan whose SQL the database does not understand would be the server's.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH};
use http::{HeaderValue, Method, Uri};
use http_body_util::BodyExt as _;
use kasoku_coherence::Sequence;
use kasoku_database::{Database, Settings};
use kasoku_observe::Silent;
use kasoku_pipeline::{Body, PathParams, Request, RequestBody, Source as _};
use kasoku_problem::Fault;
use kasoku_source_data::{Engine, KEY_PARAM, ListSource, RowSource, idempotency_schema, table_sources};
use kasoku_units::SystemClock;

use crate::parts::{lines, text};
use crate::shop;

/// Takes any bytes.
pub fn run(input: &[u8]) {
    let [head, prefer, idempotency_key, if_match, body] = lines(input);
    let head = text(head);
    let Some((method, target)) = head.split_once(' ') else { return };
    let (Some(method), Ok(uri)) = (method_of(method), target.parse::<Uri>()) else { return };
    let key = match uri.path().strip_prefix("/things") {
        Some("") => None,
        Some(key) if key.starts_with('/') => Some(key[1..].to_owned()),
        _ => return,
    };
    let mut request = Request::new(method, uri);
    for (name, value) in [
        (CONTENT_TYPE, &b"application/json"[..]),
        (HeaderName::from_static("prefer"), prefer),
        (HeaderName::from_static("idempotency-key"), idempotency_key),
        (IF_MATCH, if_match),
    ] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_bytes(value)) {
            request.headers.append(name, value);
        }
    }
    request.body = RequestBody::new(Body::from(body.to_vec()), 1 << 20);
    SHOP.with(|shop| shop.runtime.block_on(answered(shop, request, key)));
}

async fn answered(shop: &Shop, mut request: Request, key: Option<String>) {
    let outcome = match key {
        None => shop.list.answer(request).await,
        Some(key) => {
            request.params = PathParams::new(vec![(KEY_PARAM.into(), key)]);
            shop.row.answer(request).await
        }
    };
    match outcome {
        Ok(response) => {
            let response = response.into_fields();
            let body = response.body.collect().await.expect("rows are in memory").to_bytes();
            let parsed = serde_json::from_slice::<serde_json::Value>(&body);
            assert!(body.is_empty() || parsed.is_ok(), "{}", text(&body));
        }
        Err(failure) => {
            assert_eq!(failure.problem.kind().fault(), Fault::Caller, "{failure:?}");
        }
    }
}

/// The methods that the route has; the pipeline lets no other through.
fn method_of(name: &str) -> Option<Method> {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    methods.into_iter().find(|method| method.as_str() == name)
}

struct Shop {
    list: ListSource,
    row: RowSource,
    runtime: tokio::runtime::Runtime,
}

thread_local! {
    // Of the thread, so that its end closes the database and takes its file away.
    static SHOP: Shop = shop();
}

fn shop() -> Shop {
    let settings = Settings { readers: 1, ..Settings::default() };
    let sequence = Arc::new(Sequence::new());
    let database = Database::open(&settings, &[shop::migration()], sequence, Arc::new(Silent));
    let database = Arc::new(database.expect("a private database opens"));
    database
        .bulk(|bulk| bulk.run(&idempotency_schema(kasoku_sql_plan::Dialect::SQLITE)))
        .expect("the table is made");
    let engine = Engine { database, clock: Arc::new(SystemClock) };
    let cursors = Arc::new(shop::CURSORS.clone());
    let (list, row) = table_sources("/things", shop::planner(), &shop::rules(), true, engine, cursors);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Shop { list, row: row.expect("the table has a key"), runtime: runtime.expect("a runtime starts") }
}
