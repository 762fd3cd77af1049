//! The connection that requests use, and its breaker.
//!
//! The breaker *is* the absence of a connection: a few failures in a row, or one lost connection, take it away, and
//! then an operation costs a load of a pointer. A task of its own makes the next connection and asks it something
//! before it is put in place (which is what others call half-open), so that no request pays for trying. What waited
//! on the old connection ends by its own budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use kasoku_units::Clock;
use redis::{Client, Cmd, Value};
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;

use crate::connection::{Connection, Trouble};
use crate::scripts::Script;
use crate::settings::Settings;
use crate::stats::Counters;

/// Why the second tier was not asked, or did not answer. None of it is the caller's fault; go on without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Away {
    /// It is not certain that every change has been heard of.
    NotCurrent,
    /// The breaker is open.
    Open,
    /// As many operations or leases as may be are in progress.
    Busy,
    /// It did not answer within the budget.
    TimedOut,
    /// It failed, refused or answered nonsense.
    Failed,
}

/// The connection that requests use.
pub(crate) struct Line {
    live: ArcSwapOption<Live>,
    failures_max: u32,
    in_flight: Semaphore,
    clock: Arc<dyn Clock>,
    broken: Notify,
}

/// A connection in use.
#[derive(Debug)]
struct Live {
    connection: Connection,
    /// In a row.
    failures: AtomicU32,
}

/// Timers are late by up to so much, which is taken from what they are set to.
const TIMERS_LATE: Duration = Duration::from_millis(2);

impl Line {
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            live: ArcSwapOption::empty(),
            failures_max: settings.failures_max,
            in_flight: Semaphore::new(settings.in_flight_max),
            clock,
            broken: Notify::new(),
        }
    }

    /// Sends a command to a certain run of the server.
    pub(crate) async fn ask(&self, run: &str, command: &Cmd, deadline: Instant) -> Result<Value, Away> {
        let live = self.live(run)?;
        let _permit = self.in_flight.try_acquire().map_err(|_| Away::Busy)?;
        let within = self.left(deadline);
        let answer = live.connection.ask(command, within).await;
        self.judge(&live, answer)
    }

    /// Runs a script on a certain run of the server; nothing if the epoch is another.
    pub(crate) async fn numbers(
        &self,
        run: &str,
        script: Script,
        names: &[&str],
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<Option<[u64; 2]>, Away> {
        let live = self.live(run)?;
        let _permit = self.in_flight.try_acquire().map_err(|_| Away::Busy)?;
        let within = self.left(deadline);
        let answer = live.connection.numbers(script, names, arguments, within).await;
        self.judge(&live, answer)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.live.load().is_none()
    }

    /// Notes that an answer made no sense.
    pub(crate) fn garbled(&self) -> Away {
        self.break_off();
        Away::Failed
    }

    /// How long to wait.
    fn left(&self, deadline: Instant) -> Duration {
        let left = deadline.saturating_duration_since(self.clock.now());
        left.saturating_sub((left / 4).min(TIMERS_LATE))
    }

    fn live(&self, run: &str) -> Result<Arc<Live>, Away> {
        let live = self.live.load_full().ok_or(Away::Open)?;
        if live.connection.run() == run {
            return Ok(live);
        }
        // The caller's run is the one that the tail follows, so this connection leads elsewhere or into the past.
        self.break_off();
        Err(Away::NotCurrent)
    }

    fn judge<T>(&self, live: &Arc<Live>, answer: Result<T, Trouble>) -> Result<T, Away> {
        let trouble = match answer {
            Ok(answer) => {
                live.failures.store(0, Ordering::Relaxed);
                return Ok(answer);
            }
            Err(trouble) => trouble,
        };
        // What the server refuses it has at least heard; a full one is still worth reading.
        if trouble == Trouble::Refused {
            return Err(Away::Failed);
        }
        let failures = live.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if trouble != Trouble::Timeout || failures >= self.failures_max {
            let current = self.live.load();
            if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, live)) {
                self.break_off();
            }
        }
        Err(if trouble == Trouble::Timeout { Away::TimedOut } else { Away::Failed })
    }

    /// Puts a connection in place and stays with it until it breaks. Asks it something now and then, so that a
    /// connection that is lost while nobody uses it is not found out by a request.
    async fn watch(&self, live: Arc<Live>, settings: &Settings) {
        self.live.store(Some(Arc::clone(&live)));
        let asking = async {
            loop {
                sleep(settings.tick()).await;
                let answer = live.connection.ask(&redis::cmd("PING"), settings.budget).await;
                let _ = self.judge(&live, answer);
            }
        };
        tokio::select! {
            () = self.broken.notified() => {}
            () = asking => {}
        }
    }

    fn break_off(&self) {
        self.live.store(None);
        self.broken.notify_one();
    }
}

/// Keeps a connection in place as long as there is a server.
pub(crate) async fn keep(line: &Line, client: &Client, settings: &Settings, counters: &Counters) {
    loop {
        if let Ok(connection) = probe(client, settings).await {
            let live = Live { connection, failures: AtomicU32::new(0) };
            line.watch(Arc::new(live), settings).await;
            counters.opened.add_one();
        }
        sleep(settings.probe).await;
    }
}

/// A connection that answers within the budget, once everything is set up.
async fn probe(client: &Client, settings: &Settings) -> Result<Connection, Trouble> {
    let connection = Connection::open(client, settings.connect).await?;
    connection.ask(&redis::cmd("PING"), settings.budget).await?;
    Ok(connection)
}
