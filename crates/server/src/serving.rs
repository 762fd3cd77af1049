//! A whole server: logs, metrics, app, listeners, reload and signals, in the order in which they start and end.

use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use kasoku_config::Plan;
use kasoku_observe::{All, Observer};

use crate::admin::AdminState;
use crate::app::{App, StartError};
use crate::listen::{BindError, raise_descriptor_limit};
use crate::logs::{LogError, LogGuard, Logs};
use crate::metrics::Metrics;
use crate::reload::{Load, Look, Reloader};
use crate::server::{Addresses, Bound, Drained, Server};
use crate::signals::Signals;
use crate::storage::Progress;
use crate::warm::{self, Warmer};

/// Why a server could not start, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Logging.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What the plan names.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An address or certificate.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system.
    #[error("the server cannot go on")]
    System(#[from] io::Error),
}

/// A server that is ready to run: its addresses are bound and its routes made.
pub struct Serving {
    bound: Bound,
    app: Arc<App>,
    reloader: Arc<Reloader>,
    warmer: Arc<Warmer>,
    signals: Signals,
    log: LogGuard,
}

impl Serving {
    /// Starts everything. Blocks while the database is opened and filled.
    pub async fn start(plan: Plan, load: Load, progress: Progress<'_>) -> Result<Self, ServeError> {
        let seen = Look::at(&plan);
        let signals = Signals::listen()?;
        raise_descriptor_limit();
        let metrics = Metrics::new();
        metrics.slow_bound().set(plan.database.as_ref().and_then(|database| database.slow));
        let (logs, log) = Logs::install(&plan.log, Arc::clone(metrics.slow_bound()))?;
        let observer: Arc<dyn Observer> =
            Arc::new(All(vec![Arc::clone(&metrics) as _, Arc::clone(&logs) as _]));
        let (server, admin) = (plan.server.clone(), plan.admin.clone());
        let (app, router) = App::start(plan, Arc::clone(&observer), progress).await?;
        metrics.set_routes(router.names());
        metrics.add_gauges(Arc::clone(&app) as _);
        metrics.add_gauges(logs);
        let router = Arc::new(ArcSwap::from_pointee(router));
        let state = AdminState {
            vitals: Arc::clone(&app) as _,
            purge: Arc::clone(&app) as _,
            switches: Arc::clone(&app) as _,
            metrics: Arc::clone(&metrics),
        };
        let bound = Server::bind(&server, &admin, Arc::clone(&router), state, Arc::clone(&observer))?;
        let warmer = Arc::new(Warmer::new(Arc::clone(&app), Arc::clone(&router)));
        let reloader =
            Reloader::new(load, seen, Arc::clone(&app), router, metrics, observer, Arc::clone(&warmer));
        Ok(Self { bound, app, reloader: Arc::new(reloader), warmer, signals, log })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.bound.addresses()
    }

    /// What it serves.
    pub fn plan(&self) -> Plan {
        self.app.served().plan.clone()
    }

    /// Serves until a signal ends it, then finishes what is in progress.
    pub async fn run(self) -> Result<Drained, ServeError> {
        let Self { bound, app, reloader, warmer, signals, log } = self;
        let addresses = bound.addresses();
        let admin = addresses.admin.map(|address| address.to_string());
        tracing::info!(listen = %addresses.public, admin = admin.as_deref(), "listening");
        let following = tokio::spawn({
            let reloader = Arc::clone(&reloader);
            async move { reloader.follow().await }
        });
        let certificates = bound.certificates();
        let reload = || {
            reloader.ask();
            if let Some(certificates) = &certificates {
                certificates.ask();
            }
        };
        let warming = tokio::spawn({
            let warmer = Arc::clone(&warmer);
            async move {
                warmer.warm().await;
                warmer.follow().await;
            }
        });
        let drained = bound.run(signals.until_end(reload)).await;
        following.abort();
        warming.abort();
        warm::remember(&app);
        // What was acknowledged is durable already; this leaves the file without a log beside it.
        app.close();
        drop(log);
        Ok(drained?)
    }
}
