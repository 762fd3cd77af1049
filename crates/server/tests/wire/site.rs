//! A server with small routes, for tests.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use kasoku_config::{AdminSettings, ConnectionLimits, ListenSettings, Secret, ServerSettings, TlsSettings};
use kasoku_observe::{All, Observation, Observer, RouteName};
use kasoku_pipeline::{
    Body, BoxFuture, Next, Outcome, Pipeline, Policy, Promises, Request, Response, Source, Stack, first,
};
use kasoku_problem::{Kind, Problem};
use kasoku_server::{
    AdminState, Drained, Metrics, Purge, PurgeOrder, Purged, Readiness, Route, RouteCache, Router, Server,
    Switches, Takes, Turned, Vitals,
};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::peer::PATIENCE;

/// A running server, ended when it is dropped.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) router: Arc<ArcSwap<Router>>,
    pub(crate) seen: Arc<Seen>,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Drained>>,
}

/// What differs from test to test.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) limits: ConnectionLimits,
    pub(crate) drain: Duration,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) token: Option<&'static str>,
    pub(crate) threads: usize,
}

/// What was observed, as words.
#[derive(Default)]
pub(crate) struct Seen {
    words: Mutex<Vec<String>>,
    more: Condvar,
}

impl Default for Setting {
    fn default() -> Self {
        let patient = Duration::from_secs(30);
        let limits = ConnectionLimits {
            connections_max: 1_000,
            header_timeout: patient,
            body_timeout: patient,
            idle_timeout: patient,
            handshake_timeout: patient,
            write_timeout: patient,
            header_bytes_max: 16_384,
            header_fields_max: 100,
            body_bytes_max: 1_000,
            streams_max: 100,
        };
        Self { limits, drain: Duration::from_secs(30), tls: None, token: None, threads: 2 }
    }
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::with(Setting::default())
    }

    pub(crate) fn limited(limit: impl Fn(&mut ConnectionLimits)) -> Self {
        let mut setting = Setting::default();
        limit(&mut setting.limits);
        Self::with(setting)
    }

    pub(crate) fn with(setting: Setting) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = ServerSettings {
            listen: ListenSettings { address: loopback, tls: setting.tls },
            limits: setting.limits,
            drain: setting.drain,
            threads: setting.threads,
            secret: None,
        };
        let admin = AdminSettings { address: Some(loopback), token: setting.token.map(Secret::new) };
        let seen = Arc::new(Seen::default());
        let metrics = Metrics::new();
        let router = Arc::new(ArcSwap::from_pointee(router()));
        metrics.set_routes(router.load().names());
        let state = AdminState {
            vitals: Arc::new(Well),
            purge: Arc::new(Purger(Arc::clone(&seen))),
            switches: Arc::new(Levers),
            metrics: Arc::clone(&metrics),
        };
        let observer = Arc::new(All(vec![Arc::clone(&seen) as Arc<dyn Observer>, metrics]));
        let bound = Server::bind(&settings, &admin, Arc::clone(&router), state, observer).unwrap();
        let addresses = bound.addresses();
        let (shutdown, ended) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(bound.run(async { drop(ended.await) })).unwrap()
        });
        Self {
            address: addresses.public,
            admin: addresses.admin.unwrap(),
            router,
            seen,
            shutdown: Some(shutdown),
            thread: Some(thread),
        }
    }

    /// Tells it to end.
    pub(crate) fn shut_down(&mut self) {
        drop(self.shutdown.take());
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn end(mut self) -> Drained {
        self.shut_down();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shut_down();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Seen {
    pub(crate) fn push(&self, word: impl Into<String>) {
        self.words.lock().unwrap().push(word.into());
        self.more.notify_all();
    }

    pub(crate) fn forget(&self) {
        self.words.lock().unwrap().clear();
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.lock().unwrap().iter().any(|seen| seen == word)
    }

    /// Waits until this was observed.
    pub(crate) fn wait_for(&self, word: &str) {
        let words = self.words.lock().unwrap();
        let missing = |words: &mut Vec<String>| !words.iter().any(|seen| seen == word);
        let (words, waited) = self.more.wait_timeout_while(words, PATIENCE, missing).unwrap();
        assert!(!waited.timed_out(), "not {word}, but {words:?}");
    }
}

impl Observer for Seen {
    fn observe(&self, observation: &Observation<'_>) {
        match observation {
            Observation::ConnectionRefused { reason } => self.push(*reason),
            Observation::Draining { .. } => self.push("draining"),
            _ => {}
        }
    }
}

/// All is well.
struct Well;

impl Vitals for Well {
    fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    fn detail(&self) -> Map<String, Value> {
        Map::from_iter([("database".to_owned(), json!({ "rows": 3 }))])
    }

    fn routes(&self) -> Value {
        json!(["one"])
    }
}

struct Purger(Arc<Seen>);

impl Purge for Purger {
    fn purge(&self, order: PurgeOrder) -> BoxFuture<'_, Result<Purged, Problem>> {
        self.0.push(format!("{order:?}"));
        Box::pin(async { Ok(Purged::here(7)) })
    }
}

/// One route that can be switched, and none that is known by another name.
struct Levers;

impl Switches for Levers {
    fn list(&self) -> Vec<RouteCache> {
        vec![RouteCache { route: "/hello".into(), configured: true, cache: true }]
    }

    fn turn(&self, route: &str, on: bool) -> Result<Turned, Problem> {
        if route != "/hello" {
            return Err(Kind::NotFound.into());
        }
        let now = RouteCache { route: route.into(), configured: true, cache: on };
        Ok(Turned { now, changed: !on, entries: 3 })
    }
}

/// A policy that does nothing.
struct Plain;

impl Policy for Plain {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        next.run(request).await
    }
}

/// A source made of a function.
struct Made(Answer);

type Answer = fn(Request) -> BoxFuture<'static, Outcome>;

impl Source for Made {
    fn promises(&self) -> &Promises {
        const { &Promises::none() }
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        (self.0)(request)
    }
}

pub(crate) fn around(source: Arc<dyn Source>) -> Arc<dyn Pipeline> {
    first(Plain).finally(source)
}

pub(crate) fn router() -> Router {
    let sources: [(&str, Answer); 6] = [
        ("/hello", |_| Box::pin(async { Ok(Response::ok(Body::from("hello"))) })),
        ("/echo", |request| Box::pin(echo(request))),
        ("/ignore", |_| Box::pin(async { Ok(Response::ok(Body::from("ignored"))) })),
        ("/slow/{ms}", |request| Box::pin(slow(request))),
        ("/big/{bytes}", |request| {
            Box::pin(async move { Ok(Response::ok(Body::from(vec![b'x'; number(&request, "bytes")]))) })
        }),
        ("/endless", |_| Box::pin(async { Ok(Response::ok(Body::stream(Endless))) })),
    ];
    let routes = sources.into_iter().enumerate().map(|(index, (pattern, source))| Route {
        takes: Takes::Known,
        pattern: pattern.into(),
        name: RouteName { index, pattern: pattern.into() },
        pipeline: around(Arc::new(Made(source))),
    });
    Router::new(routes.collect(), around).unwrap()
}

/// Method, target and body, as they were understood.
async fn echo(request: Request) -> Outcome {
    let fields = request.into_fields();
    let body = fields.body.read().await?;
    let text = format!("{} {} [{}]", fields.method, fields.uri, String::from_utf8_lossy(&body));
    Ok(Response::ok(Body::from(text.into_bytes())))
}

async fn slow(request: Request) -> Outcome {
    tokio::time::sleep(Duration::from_millis(number(&request, "ms") as u64)).await;
    Ok(Response::ok(Body::from("slow")))
}

fn number(request: &Request, name: &str) -> usize {
    request.params.get(name).unwrap().parse().unwrap()
}

/// A body that never ends.
struct Endless;

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(&[b'x'; 16_384])))))
    }
}
