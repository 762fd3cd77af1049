//! Reload: a new configuration is checked, made beside the old one, and swapped in; or refused, and nothing
//! changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use kasoku_config::{Diagnostics, Loaded, Plan};
use kasoku_observe::{Observation, Observer};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::app::App;
use crate::metrics::Metrics;
use crate::router::Router;
use crate::storage;
use crate::warm::Warmer;

/// How often the files of the plan are looked at. A file system's own notices would miss files on network shares and
/// those that are replaced rather than written.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Reads the configuration anew.
pub type Load = Box<dyn Fn() -> Result<Loaded, Diagnostics> + Send + Sync>;

/// Puts new configurations in force.
pub(crate) struct Reloader {
    load: Load,
    app: Arc<App>,
    router: Arc<ArcSwap<Router>>,
    metrics: Arc<Metrics>,
    observer: Arc<dyn Observer>,
    warmer: Arc<Warmer>,
    asked: Notify,
    /// What the files of the plan in force looked like when they were read.
    seen: Mutex<Look>,
}

/// What the files of a plan looked like: enough to see that one changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl Reloader {
    /// Reloads what `load` reads into `app` and `router`.
    pub(crate) fn new(
        load: Load,
        seen: Look,
        app: Arc<App>,
        router: Arc<ArcSwap<Router>>,
        metrics: Arc<Metrics>,
        observer: Arc<dyn Observer>,
        warmer: Arc<Warmer>,
    ) -> Self {
        Self { load, app, router, metrics, observer, warmer, asked: Notify::new(), seen: Mutex::new(seen) }
    }

    /// Asks for a reload, as SIGHUP does.
    pub(crate) fn ask(&self) {
        self.asked.notify_one();
    }

    /// Reloads whenever it is asked to or a file of the plan has changed; never ends.
    pub(crate) async fn follow(&self) {
        loop {
            let asked = tokio::time::timeout(LOOK_EVERY, self.asked.notified()).await.is_ok();
            if !asked && !self.changed().await {
                continue;
            }
            match self.reload().await {
                Ok(generation) => self.observer.observe(&Observation::Reloaded { generation }),
                Err(diagnostics) => {
                    self.observer.observe(&Observation::ReloadRefused { diagnostics: &diagnostics });
                }
            }
        }
    }

    /// Whether a file has changed, and rests: whoever writes it may not be done with it.
    async fn changed(&self) -> bool {
        let now = Look::at(&self.app.served().plan);
        if now == *self.seen.lock() {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY / 5).await;
        Look::at(&self.app.served().plan) == now
    }

    async fn reload(&self) -> Result<u64, String> {
        *self.seen.lock() = Look::at(&self.app.served().plan);
        let loaded = (self.load)().map_err(|diagnostics| diagnostics.render(false))?;
        let plan = loaded.plan;
        // The new plan may have other files.
        *self.seen.lock() = Look::at(&plan);
        let before = self.app.served();
        if !storage::is_same(before.plan.database.as_ref(), plan.database.as_ref()) {
            return Err(
                "the database's settings or schema files have changed: restart to apply them".to_owned()
            );
        }
        let slow = plan.database.as_ref().and_then(|database| database.slow);
        let made = self.app.make(plan).map_err(|error| error.to_string())?;
        self.metrics.set_routes(made.router.names());
        let router = self.app.put_in_force(made).await.map_err(|error| error.to_string())?;
        self.metrics.slow_bound().set(slow);
        self.router.store(Arc::new(router));
        self.warmer.follow_reload(&before);
        self.app.drop_rest(&before);
        Ok(self.app.served().number)
    }
}

impl Look {
    /// What they look like now.
    pub(crate) fn at(plan: &Plan) -> Self {
        let facts = |path: &PathBuf| {
            let facts = std::fs::metadata(path).ok()?;
            Some((facts.modified().ok()?, facts.len()))
        };
        Self(plan.sources.iter().map(|path| (path.clone(), facts(path))).collect())
    }
}
