//! Logs: a view of observations as lines, for people or for machines.
//!
//! Whatever a caller sent is written as a quoted or JSON string, so that it can neither begin a line of its own
//! nor command a terminal. Nothing here waits for the output.

mod slow;
mod writer;

use std::cell::Cell;
use std::error::Error;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use kasoku_config::{LogFormat, LogSettings};
use kasoku_observe::{Answered, Observation, Observer};
use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Subscriber, debug, error, info, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::metrics::{Gauge, Gauges, SlowBound};
use slow::SlowLines;
use writer::Writer;

/// The target of the access log, to set its level apart.
const ACCESS: &str = "kasoku_access";

/// Bytes of a statement's text on a line.
const SQL_BYTES_MAX: usize = 1_000;

/// Writes observations to the log.
pub struct Logs {
    /// Of 2^32 requests that went well, how many are shown.
    access_share: u64,
    slow: Arc<SlowBound>,
    slow_lines: SlowLines,
    writer: Writer,
}

/// Writes the last lines when it is dropped. To be kept until the process ends.
pub struct LogGuard(Writer);

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A level that is not understood.
    #[error("the log level `{level}` is not understood: {reason}")]
    Level {
        /// As it was given.
        level: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is a log already.
    #[error("logging is set up already")]
    Twice(#[source] SetGlobalDefaultError),
    /// The thread that writes could not be started.
    #[error("the log writer cannot be started")]
    Thread(#[source] io::Error),
}

impl Logs {
    /// Sets logging up for the whole process, to the standard error stream.
    pub(crate) fn install(
        settings: &LogSettings,
        slow: Arc<SlowBound>,
    ) -> Result<(Arc<Self>, LogGuard), LogError> {
        let writer = Writer::start(io::stderr()).map_err(LogError::Thread)?;
        tracing::subscriber::set_global_default(subscriber(settings, writer.clone())?)
            .map_err(LogError::Twice)?;
        let access_share = share(settings.access_share);
        let logs = Self { access_share, slow, slow_lines: SlowLines::default(), writer: writer.clone() };
        Ok((Arc::new(logs), LogGuard(writer)))
    }

    fn answered(&self, answered: &Answered<'_>) {
        if answered.status < 500 && !drawn(self.access_share) {
            return;
        }
        let peer = answered.peer.map(|peer| peer.to_string());
        let (problem, cause) = answered.problem.unzip();
        let cause = cause.flatten().map(causes);
        macro_rules! access {
            ($level:ident) => {
                $level!(
                    target: ACCESS,
                    method = answered.method,
                    uri = answered.target,
                    status = answered.status,
                    latency_ms = answered.latency.as_micros() as f64 / 1_000.0,
                    cache = answered.cache,
                    cache_reason = answered.reason,
                    body_bytes = answered.body_bytes,
                    route = answered.route.map(|route| &*route.pattern),
                    request_id = answered.request_id,
                    peer = peer.as_deref(),
                    problem,
                    cause = cause.as_deref(),
                )
            };
        }
        if answered.status >= 500 { access!(warn) } else { access!(info) }
    }
}

impl Observer for Logs {
    fn observe(&self, observation: &Observation<'_>) {
        match observation {
            Observation::Answered(answered) => self.answered(answered),
            Observation::Shed { route, reason } => {
                debug!(route = &*route.pattern, reason, "a request was shed");
            }
            Observation::Panicked { route, message } => {
                error!(route = &*route.pattern, panic = message, "a request met a defect");
            }
            Observation::Fenced { route } => debug!(route = &*route.pattern, "a fill was fenced off"),
            Observation::Audited { consistent: true, .. } => {}
            Observation::Audited { route, .. } => {
                error!(route = &*route.pattern, "a stored answer differs from what its source answers now");
            }
            Observation::Statement { name, sql, took, rows }
                if self.slow.is_passed(took.as_nanos() as u64) && self.slow_lines.take() =>
            {
                slow(name, sql, *took, *rows);
            }
            Observation::Statement { name, took, rows, .. } => {
                debug!(
                    statement = name,
                    took_ms = took.as_micros() as f64 / 1_000.0,
                    rows,
                    "a statement ran"
                );
            }
            Observation::Committed { writes, took } => {
                debug!(writes, took_ms = took.as_micros() as f64 / 1_000.0, "writes were committed");
            }
            Observation::DatabaseFailed { what, error } => {
                error!(what, cause = &*causes(*error), "the database failed");
            }
            Observation::ConnectionRefused { reason } => debug!(reason, "a connection was refused or cut"),
            Observation::Reloaded { generation } => info!(generation, "a new configuration is in force"),
            Observation::ReloadRefused { diagnostics } => {
                error!("the new configuration was refused; the old one stays in force");
                for line in diagnostics.lines() {
                    error!("{line}");
                }
            }
            Observation::SecondTier { in_use: true, reason } => info!(reason, "the second tier is in use"),
            Observation::SecondTier { reason, .. } => {
                warn!(reason, "the second tier is away; this node is on its own until it is back");
            }
            Observation::OriginServer { server, in_use: true, .. } => {
                info!(server, "a server of an origin can be connected to again");
            }
            Observation::OriginServer { server, error, .. } => {
                let cause = error.map(ToString::to_string).unwrap_or_default();
                warn!(server, cause, "a server of an origin cannot be connected to; others are asked first");
            }
            Observation::Replica { server, unfit: None } => info!(server, "a replica is read from"),
            Observation::Replica { server, unfit } => {
                warn!(server, reason = unfit, "a replica is not read from; the database itself is");
            }
            Observation::IssuerKeys { error: None } => debug!("the issuer's keys were fetched"),
            Observation::IssuerKeys { error: Some(error) } => {
                let cause = error.to_string();
                warn!(cause, "the issuer's keys could not be fetched; those that were had stay in use");
            }
            Observation::Draining { in_flight } => info!(in_flight, "no new requests are taken"),
            _ => {}
        }
    }
}

impl Gauges for Logs {
    fn gauges(&self) -> Vec<Gauge> {
        vec![Gauge {
            name: "log_lines_dropped",
            help: "Log lines dropped, as the output was slow",
            is_total: true,
            of: None,
            value: self.writer.dropped() as f64,
        }]
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// A statement beyond the bound.
fn slow(name: &str, sql: &str, took: Duration, rows: u64) {
    let sql = &sql[..sql.floor_char_boundary(SQL_BYTES_MAX)];
    warn!(statement = name, took_ms = took.as_micros() as f64 / 1_000.0, rows, sql, "a statement was slow");
}

fn subscriber<W>(settings: &LogSettings, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.level)
        .map_err(|error| LogError::Level { level: settings.level.clone(), reason: error.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    Ok(match settings.format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).with_current_span(false).finish()),
    })
}

/// An error and what caused it, on one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _infallible = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn share(of_one: f64) -> u64 {
    (of_one.clamp(0.0, 1.0) * (1_u64 << 32) as f64) as u64
}

/// Draws a lot: true for `share` of 2^32 draws.
fn drawn(share: u64) -> bool {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0) | 1);
    }
    let mut state = STATE.get();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    STATE.set(state);
    (state >> 32) < share
}

#[cfg(test)]
mod tests;
