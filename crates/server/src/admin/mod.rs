//! The admin listener: metrics, health and purge, for operators and their machines. Never on the public address.
//!
//! What it shows and does is behind two traits that the assembly implements; who may use it is decided in
//! [`guard`]. It knows neither database nor cache.

mod guard;
mod health;
mod purge;
mod statements;
mod switch;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, middleware};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use kasoku_config::Secret;
use kasoku_problem::{Kind, MEDIA_TYPE, Problem};
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Metrics;
use crate::router::Router;
use crate::server::Traffic;
use guard::{Guard, guard};

pub use purge::{Nodes, Purge, PurgeOrder, Purged, Selection};
pub use switch::{RouteCache, Switches, Turned};

/// Admin connections at once. They are few and trusted; the bound is for accidents.
const CONNECTIONS_MAX: usize = 64;
/// Connections that have said nothing yet. They wait apart, so that silent peers keep nobody else out.
const SILENT_MAX: usize = 1_024;
/// Bytes of an admin request's header section.
const HEADER_BYTES_MAX: usize = 16_384;
/// From the start of an admin connection, or the end of its last request, to the end of a header section.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// What the admin listener shows and does.
#[derive(Clone)]
pub struct AdminState {
    /// The state of the parts.
    pub vitals: Arc<dyn Vitals>,
    /// Removes stored answers.
    pub purge: Arc<dyn Purge>,
    /// Switches the caches of routes.
    pub switches: Arc<dyn Switches>,
    /// What was counted.
    pub metrics: Arc<Metrics>,
}

/// The state of the server's parts.
pub trait Vitals: Send + Sync + 'static {
    /// Whether requests can be answered now. Asked often: it must be cheap.
    fn readiness(&self) -> Readiness;

    /// Facts for `/health/detail`, such as `database`, `cache` and the configuration's generation.
    fn detail(&self) -> Map<String, Value>;

    /// The routes with what operators want to know of them, for `/api/routes`.
    fn routes(&self) -> Value;

    /// The API in OpenAPI, for `/openapi.json`.
    fn openapi(&self) -> Value {
        Value::Null
    }

    /// How the database would run each of these statements, in its own words; nothing where it does not say. Blocks while
    /// it is asked.
    fn plans_of(&self, statements: &[String]) -> Vec<Option<Vec<String>>> {
        vec![None; statements.len()]
    }
}

/// Whether requests can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// They can.
    Ready,
    /// They cannot; the parts at fault.
    NotReady(Vec<String>),
}

/// What the handlers share.
struct Desk {
    state: AdminState,
    traffic: Traffic,
    router: Arc<ArcSwap<Router>>,
    started: Instant,
    /// Held while the database is asked for plans.
    explaining: tokio::sync::Mutex<()>,
}

/// Serves the admin listener until it is aborted.
pub(crate) async fn serve(
    listener: TcpListener,
    state: AdminState,
    token: Option<Secret>,
    traffic: Traffic,
    router: Arc<ArcSwap<Router>>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(error = &*error.to_string(), "there is no admin listener"),
    };
    let app = app(
        Arc::new(Desk {
            state,
            traffic,
            router,
            started: Instant::now(),
            explaining: tokio::sync::Mutex::new(()),
        }),
        token,
    );
    let (room, silent) = (Room::of(CONNECTIONS_MAX), Room::of(SILENT_MAX));
    loop {
        let waiting = silent.take().await;
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (app, room) = (app.clone(), room.clone());
        tokio::spawn(async move {
            let first = &mut [0];
            let spoken = tokio::time::timeout(HEADER_TIMEOUT, tcp.peek(first)).await;
            if !matches!(spoken, Ok(Ok(1))) {
                return;
            }
            let permit = room.take().await;
            drop(waiting);
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .max_header_size(HEADER_BYTES_MAX)
                .serve_connection(TokioIo::new(tcp), TowerToHyperService::new(app))
                .await;
            // A peer that broke off is of no interest to anybody.
            drop(served);
            drop(permit);
        });
    }
}

/// Room for a number of connections.
#[derive(Clone)]
struct Room(Arc<Semaphore>);

impl Room {
    fn of(connections: usize) -> Self {
        Self(Arc::new(Semaphore::new(connections)))
    }

    async fn take(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.0).acquire_owned().await.expect("the semaphore is never closed")
    }
}

fn app(desk: Arc<Desk>, token: Option<Secret>) -> axum::Router {
    axum::Router::new()
        .route("/", get(|| async { Html(include_str!("index.html")) }))
        .route("/metrics", get(metrics))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/detail", get(health::detail))
        .route("/api/routes", get(routes))
        .route("/openapi.json", get(openapi))
        .route("/api/statements", get(statements::slow))
        .route("/api/cache/purge", post(purge::purge))
        .route("/api/cache/routes", get(switch::list).post(switch::turn))
        .route("/api/serving", put(health::serving))
        .fallback(async || refuse(Problem::new(Kind::NotFound).detail("`/` lists what is here")))
        .method_not_allowed_fallback(async || refuse(Problem::new(Kind::MethodNotAllowed)))
        .layer(middleware::from_fn_with_state(Arc::new(Guard::new(token)), guard))
        .layer(middleware::map_response(harden))
        .with_state(desk)
}

/// Keeps answers out of frames of other pages, and browsers from guessing what they are.
async fn harden(mut response: Response) -> Response {
    const FIELDS: [(header::HeaderName, HeaderValue); 3] = [
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'self' 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
            ),
        ),
    ];
    response.headers_mut().extend(FIELDS);
    response
}

async fn metrics(State(desk): State<Arc<Desk>>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = desk.state.metrics.text(&desk.traffic);
    ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}

async fn routes(State(desk): State<Arc<Desk>>) -> Json<Value> {
    let router = desk.router.load();
    let patterns: Vec<&str> = router.names().iter().map(|name| &*name.pattern).collect();
    Json(json!({ "patterns": patterns, "routes": desk.state.vitals.routes() }))
}

async fn openapi(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(desk.state.vitals.openapi())
}

/// A problem as an answer.
fn refuse(problem: impl Into<Problem>) -> Response {
    let problem = problem.into();
    let mut response = (problem.kind().status(), problem.document("admin")).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    for (name, value) in problem.headers() {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// JSON that says whether all is well by its status too.
fn told(well: bool, facts: Value) -> Response {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(facts)).into_response()
}
