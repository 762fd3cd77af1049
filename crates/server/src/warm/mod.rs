//! Asks for what will be asked for, before others do: at the start, while the server is not ready yet, and after each
//! reload, because a new configuration begins with an empty cache.
//!
//! The requests go through the same pipelines as those of callers, without a socket, as a browser would send them:
//! without credentials, and with the codings that all browsers know. Nothing waits for longer than `warm_timeout`.

mod hot;
mod progress;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderValue};
use http::uri::Scheme;
use http::{Method, Uri};
use kasoku_config::{Plan, WarmTarget};
use kasoku_pipeline::{PathParams, Request, Verdict};
use tokio::task::JoinSet;

use crate::app::{App, Served};
use crate::router::{Routed, Router};

pub(crate) use progress::Warmth;

/// Requests at once: enough to keep a few sources busy, few enough to leave them room for callers.
const CONCURRENT: usize = 8;

/// Failures that are told one by one; the others are counted.
const TOLD_MAX: usize = 20;

/// Between two looks at what is hot.
const REMEMBER_EVERY: Duration = Duration::from_mins(5);

const CODINGS: HeaderValue = HeaderValue::from_static("gzip, deflate, br, zstd");
const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");

/// Warms one server.
pub(crate) struct Warmer {
    app: Arc<App>,
    router: Arc<ArcSwap<Router>>,
}

/// What the requests of one warming share.
struct Round {
    router: Arc<ArcSwap<Router>>,
    scheme: Scheme,
    targets: Vec<WarmTarget>,
    next: AtomicUsize,
    app: Arc<App>,
}

impl Warmer {
    /// Makes the server say that it is not ready, if there is anything to warm. What is to be warmed is read now.
    pub(crate) fn new(app: Arc<App>, router: Arc<ArcSwap<Router>>) -> Self {
        let plan = &app.served().plan;
        let warm = &plan.cache.warm;
        if let Some(settings) = &warm.hot {
            app.warmth.keep(hot::load(settings));
        }
        app.warmth.begin(targets(plan, &app.warmth).len());
        Self { app, router }
    }

    /// Warms the cache, and lets the server be ready.
    pub(crate) async fn warm(&self) {
        let served = self.app.served();
        let warm = &served.plan.cache.warm;
        let targets = targets(&served.plan, &self.app.warmth);
        if !targets.is_empty() {
            self.round(targets, warm.timeout, scheme(&served.plan)).await;
        }
        self.app.warmth.end();
    }

    /// Warms in the background for the configuration that has just come in force: its cache is empty, and what was hot
    /// under the one before is known.
    pub(crate) fn follow_reload(self: &Arc<Self>, before: &Served) {
        let served = self.app.served();
        let warm = &served.plan.cache.warm;
        if let Some(settings) = &warm.hot {
            self.app
                .warmth
                .keep(self.app.warmth.among_kept(hot::hottest(before, settings.count), settings.count));
        }
        let targets = targets(&served.plan, &self.app.warmth);
        if !targets.is_empty() {
            let (warmer, limit, scheme) = (Arc::clone(self), warm.timeout, scheme(&served.plan));
            tokio::spawn(async move { warmer.round(targets, limit, scheme).await });
        }
    }

    /// Remembers now and then what is hot; never ends.
    pub(crate) async fn follow(&self) {
        loop {
            tokio::time::sleep(REMEMBER_EVERY).await;
            let app = Arc::clone(&self.app);
            // It walks through the whole store, and waits for a disk.
            let remembered = tokio::task::spawn_blocking(move || remember(&app)).await;
            if remembered.is_err() {
                tracing::error!("the hottest targets could not be remembered");
            }
        }
    }

    async fn round(&self, targets: Vec<WarmTarget>, limit: Duration, scheme: Scheme) {
        let (began, count) = (Instant::now(), targets.len());
        tracing::info!(targets = count, "the cache is being warmed");
        self.app.warmth.begin_round(count);
        let (router, app) = (Arc::clone(&self.router), Arc::clone(&self.app));
        let round = Arc::new(Round { router, scheme, targets, next: AtomicUsize::new(0), app });
        let mut askers: JoinSet<()> = (0..CONCURRENT.min(count)).map(|_| Arc::clone(&round).work()).collect();
        let in_time = async { while askers.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout(limit, in_time).await.is_ok();
        // Who is not done by now is cancelled.
        drop(askers);
        let (done, failed) = self.app.warmth.counts();
        let took_ms = began.elapsed().as_millis() as u64;
        let (warmed, left) = (done - failed, count - done);
        if in_time {
            tracing::info!(warmed, failed, took_ms, "the cache is warm");
        } else {
            tracing::warn!(warmed, failed, left, took_ms, "the time for warming the cache is over");
        }
    }
}

impl Round {
    async fn work(self: Arc<Self>) {
        while let Some(target) = self.targets.get(self.next.fetch_add(1, Relaxed)) {
            let asked = self.ask(target).await;
            if let Err(reason) = &asked {
                self.app.warmth.drop_kept(target);
                if self.app.warmth.counts().1 < TOLD_MAX {
                    tracing::warn!(target = %target, reason, "a target could not be warmed");
                }
            }
            self.app.warmth.count(asked.is_ok());
        }
    }

    /// Asks for one target, as far as the end of its body, for it is stored then.
    async fn ask(&self, target: &WarmTarget) -> Result<(), String> {
        let router = self.router.load_full();
        let (pipeline, params) = match router.find(target.target.path()) {
            Routed::Pipeline(pipeline, params) => (pipeline, params),
            Routed::Open(pipeline) => (pipeline, PathParams::default()),
            Routed::Health | Routed::Elsewhere(_) => return Err("no route serves it".into()),
        };
        let mut request = Request::new(Method::GET, Uri::from(target.target.clone()));
        request.scheme = self.scheme.clone();
        request.params = params;
        let host = target.host.as_ref().map(HeaderValue::try_from).transpose();
        let host = host.map_err(|_| "its host cannot be sent".to_owned())?;
        request.headers.extend(host.map(|host| (HOST, host)));
        request.headers.extend([(ACCEPT, ANYTHING), (ACCEPT_ENCODING, CODINGS)]);
        let answer =
            pipeline.run(request).await.map_err(|failure| failure.problem.to_string())?.into_fields();
        let is_stored = answer.cache.stored || matches!(answer.cache.verdict, Verdict::Hit | Verdict::Stale);
        let why_not = answer.cache.reason.map_or("", |reason| reason.explain());
        answer.body.drain().await;
        match answer.status {
            status if status.is_client_error() || status.is_server_error() => {
                Err(format!("it was answered {status}"))
            }
            _ if !is_stored => Err(format!("its answer was not stored. {why_not}").trim_end().to_owned()),
            _ => Ok(()),
        }
    }
}

/// Writes down what is hot, if that is wanted.
pub(crate) fn remember(app: &App) {
    let served = app.served();
    let Some(settings) = &served.plan.cache.warm.hot else { return };
    let hottest = hot::hottest(&served, settings.count);
    let targets = app.warmth.among_kept(hottest, settings.count);
    if let Err(error) = hot::save(settings, &targets) {
        let file = settings.file.display();
        tracing::warn!(%file, cause = &*error.to_string(), "the hottest targets could not be written down");
    }
}

/// What there is to warm: what the configuration names, then what was hot.
fn targets(plan: &Plan, warmth: &Warmth) -> Vec<WarmTarget> {
    let mut targets: Vec<WarmTarget> = Vec::new();
    let mut known = std::collections::HashSet::new();
    let hot = warmth.kept();
    for target in plan.cache.warm.targets.iter().chain(&hot) {
        if known.insert(target) {
            targets.push(target.clone());
        }
    }
    targets
}

/// The scheme that callers speak.
fn scheme(plan: &Plan) -> Scheme {
    if plan.server.listen.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP }
}
