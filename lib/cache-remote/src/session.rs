//! What all parts of one node share: the epoch that it follows, how recently that was proved, and the line.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use kasoku_observe::{Observation, Observer};
use kasoku_units::Clock;
use tokio::sync::{Semaphore, watch};

use crate::entry::Stamp;
use crate::knowledge::Knowledge;
use crate::line::{Away, Line};
use crate::listener::Listener;
use crate::outbox::Outbox;
use crate::scripts::Names;
use crate::settings::Settings;
use crate::stats::Counters;

/// What the node's operations and tasks share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) names: Names,
    pub(crate) node: u64,
    pub(crate) line: Line,
    pub(crate) counters: Counters,
    pub(crate) outbox: Outbox,
    pub(crate) leases: Arc<Semaphore>,
    pub(crate) listener: Arc<dyn Listener>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    session: ArcSwapOption<Session>,
    started: Instant,
    /// When the last proof was asked for, in microseconds since the start; 0 for never.
    proved_us: AtomicU64,
    /// The same, and it stays when the tail is lost.
    heard_us: AtomicU64,
    /// Nothing until the server was reached for the first time, or could not be.
    in_use: watch::Sender<Option<bool>>,
}

/// What a node follows: one epoch, on one run of the server.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) knowledge: Knowledge,
    pub(crate) run: String,
    /// Epoch and run, as the server keeps them.
    pub(crate) name: String,
}

impl Session {
    pub(crate) fn new(knowledge: Knowledge, run: String) -> Self {
        let name = format!("{} {run}", epoch_name(knowledge.epoch()));
        Self { knowledge, run, name }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { epoch: self.knowledge.epoch(), as_of: self.knowledge.applied() }
    }
}

/// A number that nobody else has come upon, from the system's randomness.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// An epoch as it is written on the server.
pub(crate) fn epoch_name(epoch: u64) -> String {
    format!("{epoch:016x}")
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        node: u64,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn Listener>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            names: Names::new(&settings.prefix),
            node,
            line: Line::new(&settings, Arc::clone(&clock)),
            counters: Counters::default(),
            outbox: Outbox::default(),
            leases: Arc::new(Semaphore::new(settings.leases_max)),
            listener,
            observer,
            session: ArcSwapOption::empty(),
            started: clock.now(),
            clock,
            proved_us: AtomicU64::new(0),
            heard_us: AtomicU64::new(0),
            in_use: watch::Sender::new(None),
            settings,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The calendar, for lifetimes that nodes tell each other.
    pub(crate) fn now_ms(&self) -> u64 {
        let since = self.clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// The session, current or not.
    pub(crate) fn session(&self) -> Option<Arc<Session>> {
        self.session.load_full()
    }

    /// The session, if every change of more than a bound ago has been heard of.
    pub(crate) fn current(&self) -> Result<Arc<Session>, Away> {
        let session = self.session().ok_or(Away::NotCurrent)?;
        self.lag().map(|_| session).ok_or(Away::NotCurrent)
    }

    /// Whether a session that was current when something began is so still.
    pub(crate) fn still(&self, session: &Arc<Session>) -> bool {
        self.session.load().as_ref().is_some_and(|now| Arc::ptr_eq(now, session)) && self.lag().is_some()
    }

    /// How long ago it was that nothing had been missed, if that is within the bound.
    pub(crate) fn lag(&self) -> Option<Duration> {
        let proved_us = self.proved_us.load(Ordering::Acquire);
        if proved_us == 0 {
            return None;
        }
        let lag = self.since(proved_us);
        (lag <= self.settings.bound).then_some(lag)
    }

    /// Whether something may have been missed for longer than is allowed. A node that has just started is given that
    /// time, too: it has stored nothing that anybody could have purged before.
    pub(crate) fn is_out_of_touch(&self) -> bool {
        let heard = || self.since(self.heard_us.load(Ordering::Acquire));
        self.settings.strict.is_some_and(|strict| heard() > strict)
    }

    fn since(&self, moment_us: u64) -> Duration {
        self.now().saturating_duration_since(self.started).saturating_sub(Duration::from_micros(moment_us))
    }

    /// Puts another epoch's session in place; nothing is proved about it.
    pub(crate) fn enter(&self, session: Arc<Session>) {
        self.proved_us.store(0, Ordering::Release);
        self.session.store(Some(session));
    }

    /// Lets the next session begin anew, for this one has missed something.
    pub(crate) fn forget(&self) {
        self.proved_us.store(0, Ordering::Release);
        self.session.store(None);
    }

    /// Notes that everything has been applied that was published before `asked`.
    pub(crate) fn prove(&self, asked: Instant) {
        let asked_us = asked.saturating_duration_since(self.started).as_micros();
        let asked_us = u64::try_from(asked_us).unwrap_or(u64::MAX).max(1);
        self.proved_us.store(asked_us, Ordering::Release);
        self.heard_us.store(asked_us, Ordering::Release);
        if self.in_use.send_replace(Some(true)) != Some(true) {
            self.observer.observe(&Observation::SecondTier { in_use: true, reason: "joined" });
        }
    }

    /// Notes that the tail is lost.
    pub(crate) fn lapse(&self, reason: &'static str) {
        self.proved_us.store(0, Ordering::Release);
        if self.in_use.send_replace(Some(false)) != Some(false) {
            self.observer.observe(&Observation::SecondTier { in_use: false, reason });
        }
    }

    /// Waits until it is in use.
    pub(crate) async fn used(&self) {
        // The sender is here, so it cannot have gone.
        let _ = self.in_use.subscribe().wait_for(|in_use| *in_use == Some(true)).await;
    }
}
