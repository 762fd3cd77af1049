//! Metrics: a view of observations as numbers, read by Prometheus.
//!
//! Label values come from the plan and from closed lists; nothing that a caller sends becomes one. What is known
//! only at the moment of reading, such as the bytes of a cache, is asked of [`Gauges`].

mod cells;
mod statements;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arc_swap::ArcSwap;
use kasoku_observe::{Observation, Observer, RouteName};
use parking_lot::Mutex;

use crate::server::Traffic;
use cells::{Histogram, RouteCells};
pub(crate) use statements::SlowBound;
pub use statements::StatementReport;
use statements::Statements;

/// Reasons that are counted by name. They come from closed lists that are far shorter.
const REASONS_MAX: usize = 64;

/// Everything that is counted.
#[derive(Default)]
pub struct Metrics {
    counts: Arc<Counts>,
    gauges: Mutex<Vec<Arc<dyn Gauges>>>,
}

/// Tells numbers at the moment of reading.
pub trait Gauges: Send + Sync + 'static {
    /// The numbers. Called at each reading; it must not block.
    fn gauges(&self) -> Vec<Gauge>;
}

/// A number at the moment of reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    /// Its name with unit and without prefix, as in `cache_bytes`. A total's name goes without `_total`.
    pub name: &'static str,
    /// What it says, in a sentence without a full stop.
    pub help: &'static str,
    /// Whether it only ever grows.
    pub is_total: bool,
    /// Whose it is, where several have it; these follow each other. The name of the label, and its value, which is from
    /// the plan.
    pub of: Option<(&'static str, Arc<str>)>,
    /// The number.
    pub value: f64,
}

struct Counts {
    routes: ArcSwap<Vec<Arc<RouteCells>>>,
    /// Answers to what is no route's.
    elsewhere: RouteCells,
    statements: Statements,
    commits: Histogram,
    committed_writes: AtomicU64,
    database_failures: Reasons,
    connections_opened: AtomicU64,
    connections_closed: AtomicU64,
    connections_refused: Reasons,
    origin_servers_out: AtomicU64,
    origin_servers_back: AtomicU64,
    reloads: AtomicU64,
    reloads_refused: AtomicU64,
    generation: AtomicU64,
}

/// Counts by reason.
#[derive(Default)]
struct Reasons(Mutex<BTreeMap<&'static str, u64>>);

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Counts by these routes from now on. Routes that were known before go on where they were; what is still
    /// answered under a route that is gone counts as no route's.
    pub fn set_routes(&self, routes: &[RouteName]) {
        let known = self.counts.routes.load();
        let length = routes.iter().map(|route| route.index + 1).max().unwrap_or(0);
        let unused: Arc<str> = Arc::from("");
        let mut cells = vec![Arc::clone(&unused); length];
        for route in routes {
            cells[route.index] = Arc::clone(&route.pattern);
        }
        let cells = cells
            .into_iter()
            .map(|pattern| {
                let before = known.iter().find(|cells| cells.pattern == pattern && !pattern.is_empty());
                before.map_or_else(|| Arc::new(RouteCells::new(pattern)), Arc::clone)
            })
            .collect();
        self.counts.routes.store(Arc::new(cells));
    }

    /// From how long on a statement is slow, for all who tell of it.
    pub(crate) fn slow_bound(&self) -> &Arc<SlowBound> {
        self.counts.statements.slow_bound()
    }

    /// The statements that have run, in no order.
    pub fn statements(&self) -> Vec<StatementReport> {
        self.counts.statements.reports()
    }

    /// Asks these too at each reading.
    pub fn add_gauges(&self, gauges: Arc<dyn Gauges>) {
        self.gauges.lock().push(gauges);
    }

    /// All of it in the `OpenMetrics` text format.
    pub fn text(&self, traffic: &Traffic) -> String {
        let gauges = self.gauges.lock().iter().flat_map(|gauges| gauges.gauges()).collect();
        text::encode(&self.counts, traffic, gauges)
    }
}

impl Observer for Metrics {
    fn observe(&self, observation: &Observation<'_>) {
        let counts = &*self.counts;
        match observation {
            Observation::Answered(answered) => {
                counts.of(answered.route, |cells| cells.answered(answered));
            }
            Observation::Shed { route, reason } => counts.of(Some(route), |cells| {
                let cell = if *reason == "queue-full" { &cells.shed_queue } else { &cells.shed_wait };
                cell.fetch_add(1, Relaxed);
            }),
            Observation::Panicked { route, .. } => counts.of(Some(route), |cells| add(&cells.panics, 1)),
            Observation::Fenced { route } => counts.of(Some(route), |cells| add(&cells.fenced, 1)),
            Observation::Audited { route, consistent } => counts.of(Some(route), |cells| {
                add(if *consistent { &cells.audited_well } else { &cells.audited_wrong }, 1);
            }),
            Observation::Statement { name, sql, took, rows } => {
                counts.statements.ran(name, sql, *took, *rows);
            }
            Observation::Committed { writes, took } => {
                counts.commits.add(*took);
                add(&counts.committed_writes, *writes as u64);
            }
            Observation::DatabaseFailed { what, .. } => counts.database_failures.add(what),
            Observation::ConnectionOpened => add(&counts.connections_opened, 1),
            Observation::ConnectionClosed => add(&counts.connections_closed, 1),
            Observation::ConnectionRefused { reason } => counts.connections_refused.add(reason),
            Observation::OriginServer { in_use, .. } => {
                add(if *in_use { &counts.origin_servers_back } else { &counts.origin_servers_out }, 1);
            }
            Observation::Reloaded { generation } => {
                add(&counts.reloads, 1);
                counts.generation.store(*generation, Relaxed);
            }
            Observation::ReloadRefused { .. } => add(&counts.reloads_refused, 1),
            _ => {}
        }
    }
}

impl Counts {
    /// Hands over the cells of a route.
    fn of(&self, route: Option<&RouteName>, count: impl FnOnce(&RouteCells)) {
        let Some(route) = route else {
            return count(&self.elsewhere);
        };
        let routes = self.routes.load();
        let same = |cells: &&Arc<RouteCells>| {
            Arc::ptr_eq(&cells.pattern, &route.pattern) || cells.pattern == route.pattern
        };
        let cells = routes.get(route.index).filter(same).or_else(|| routes.iter().find(same));
        count(cells.map_or(&self.elsewhere, |cells| cells));
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            routes: ArcSwap::default(),
            elsewhere: RouteCells::new("".into()),
            statements: Statements::default(),
            commits: Histogram::default(),
            committed_writes: AtomicU64::default(),
            database_failures: Reasons::default(),
            connections_opened: AtomicU64::default(),
            connections_closed: AtomicU64::default(),
            connections_refused: Reasons::default(),
            origin_servers_out: AtomicU64::default(),
            origin_servers_back: AtomicU64::default(),
            reloads: AtomicU64::default(),
            reloads_refused: AtomicU64::default(),
            generation: AtomicU64::new(1),
        }
    }
}

impl Reasons {
    fn add(&self, reason: &'static str) {
        let mut reasons = self.0.lock();
        if reasons.len() < REASONS_MAX || reasons.contains_key(reason) {
            *reasons.entry(reason).or_default() += 1;
        }
    }
}

fn add(cell: &AtomicU64, amount: u64) {
    cell.fetch_add(amount, Relaxed);
}

#[cfg(test)]
mod tests;
