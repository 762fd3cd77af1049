//! What can be observed in a running server, as one enum and one trait.
//!
//! Code that notices something emits an [`Observation`] and does not format it; logs, metrics and traces are
//! views of it. This crate knows no logger and no metrics library, and holds no text beyond the names of facts.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A route as observers know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RouteName {
    /// Its place in the plan: a small number, to index what is kept per route.
    pub index: usize,
    /// Its path pattern.
    pub pattern: Arc<str>,
}

/// Something that happened. All labels are from closed lists, so that nothing a caller sends becomes one.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// A request was answered, refusals included.
    Answered(Answered<'a>),
    /// The caller went away before its answer was there; the work for it alone was dropped.
    Abandoned {
        /// The route that was asked for, if one matched.
        route: Option<&'a RouteName>,
        /// How long it had waited.
        waited: Duration,
    },
    /// A request was refused to protect the server; the answer is observed too.
    Shed {
        /// The route that was asked for.
        route: &'a RouteName,
        /// `"queue-full"` or `"waited-too-long"`.
        reason: &'static str,
    },
    /// A policy or source panicked; the request was answered with a 500.
    Panicked {
        /// The route that was asked for.
        route: &'a RouteName,
        /// What the panic said.
        message: &'a str,
    },
    /// A fill came back after a change to one of its tags, and was answered but not stored.
    Fenced {
        /// The route that was filled.
        route: &'a RouteName,
    },
    /// A stored answer was re-read and compared (the auditor).
    Audited {
        /// The route that was audited.
        route: &'a RouteName,
        /// Whether the stored and the fresh answer agree.
        consistent: bool,
    },
    /// A statement ran.
    Statement {
        /// Its stable name.
        name: &'a str,
        /// Its text, which holds no values of callers.
        sql: &'a str,
        /// How long it took.
        took: Duration,
        /// Rows read or written.
        rows: u64,
    },
    /// Writes were committed together.
    Committed {
        /// How many requests shared the commit.
        writes: usize,
        /// How long the commit took, the sync included.
        took: Duration,
    },
    /// The database could not do something; `what` says what, `error` why.
    DatabaseFailed {
        /// What was tried.
        what: &'static str,
        /// Why it failed; internal text.
        error: &'a (dyn Error + 'static),
    },
    /// A connection was accepted.
    ConnectionOpened,
    /// A connection ended.
    ConnectionClosed,
    /// A connection was refused or cut; `reason` is from a closed list.
    ConnectionRefused {
        /// Why.
        reason: &'static str,
    },
    /// A new configuration was put in force.
    Reloaded {
        /// Which one, counted from 1.
        generation: u64,
    },
    /// A new configuration was refused; the old one stays in force.
    ReloadRefused {
        /// The diagnostics, as printed by `check`.
        diagnostics: &'a str,
    },
    /// The second tier of the cache came into use, or fell out of it; said once for each change of state.
    SecondTier {
        /// Whether it is read and written from now on.
        in_use: bool,
        /// Why, from a closed list: `"joined"`, `"timeout"`, `"connection"`, …
        reason: &'static str,
    },
    /// A server of an origin could not be connected to, or can be again; said once for each change of state.
    OriginServer {
        /// Which one; it is from the configuration.
        server: &'a str,
        /// Whether it is asked again.
        in_use: bool,
        /// Why not; internal text.
        error: Option<&'a (dyn Error + 'static)>,
    },
    /// A replica of the database is read from, or is not any more; said once for each change of state.
    Replica {
        /// Which one, without user and password.
        server: &'a str,
        /// Why it is not, from a closed list.
        unfit: Option<&'static str>,
    },
    /// An issuer was asked for its keys.
    IssuerKeys {
        /// Why there are none; internal text. `None` where they came.
        error: Option<&'a (dyn Error + 'static)>,
    },
    /// The server stops taking requests.
    Draining {
        /// Requests still being answered.
        in_flight: usize,
    },
}

/// The facts of an answered request.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The route, if one matched.
    pub route: Option<&'a RouteName>,
    /// The method.
    pub method: &'a str,
    /// The target as it was sent, query included.
    pub target: &'a str,
    /// The status.
    pub status: u16,
    /// `Cache-Status` in one word: `"hit"`, `"uri-miss"`, `"stale"`, `"bypass"`, …
    pub cache: &'static str,
    /// What decided beyond that, in one word from the closed list of the caching rules.
    pub reason: Option<&'static str>,
    /// From the end of the request's head to the answer's head.
    pub latency: Duration,
    /// Bytes of the answer's body, where known beforehand.
    pub body_bytes: Option<u64>,
    /// The request's name.
    pub request_id: &'a str,
    /// Who asked.
    pub peer: Option<SocketAddr>,
    /// The problem's slug and its internal cause, when it is one.
    pub problem: Option<(&'static str, Option<&'a (dyn Error + 'static)>)>,
}

/// Sees observations. It must be quick and must not block: it runs on the request path.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of one.
    fn observe(&self, observation: &Observation<'_>);
}

/// Sees everything and keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &Observation<'_>) {}
}

/// Several observers, asked in order.
pub struct All(pub Vec<Arc<dyn Observer>>);

impl Observer for All {
    fn observe(&self, observation: &Observation<'_>) {
        for observer in &self.0 {
            observer.observe(observation);
        }
    }
}
