//! One replica: its connections, and how far it was when it was last asked on each.
//!
//! What a replica has replayed is known for each connection by itself. A server that crashed and came back may have
//! gone back behind what it had shown before; its connections end with it, and so does what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

use super::Replicas;
use super::evidence::{self, Evidence, Said};
use crate::postgres::backoff::Backoff;
use crate::postgres::connect::{Connector, Purpose, Session};
use crate::postgres::exclusive::Exclusive;

/// How much a new round trip counts beside those before it.
const NEW_SHARE: u64 = 8;

/// One replica.
pub(crate) struct Replica {
    /// Where it is, for people.
    pub(super) place: Box<str>,
    pub(super) slots: Box<[Slot]>,
    /// For several statements at one moment, and for those that take long.
    pub(super) exclusive: Exclusive,
    /// Nanoseconds that a question and its answer take; 0 is not known.
    round_trip_ns: AtomicU64,
    /// Reads that it answered, and those that had to be asked again elsewhere.
    pub(super) reads: AtomicU64,
    pub(super) given_up: AtomicU64,
    /// What was last said about it.
    pub(super) told: Mutex<Option<Unfit>>,
}

/// The place of one connection.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) standing: ArcSwapOption<Standing>,
    pub(super) in_flight: AtomicUsize,
}

/// A connection, and what was said on it.
pub(super) struct Standing {
    pub(super) session: Session,
    /// What was said last, to a question of this time.
    said: Mutex<(Instant, Said)>,
}

/// One that says nothing for longer is not asked anything else.
const SILENT_MOST: Duration = Duration::from_secs(1);

/// Why a replica cannot be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unfit {
    /// It has not replayed what the read must show.
    Behind,
    /// It is older than is allowed.
    Lagging,
    /// It follows nobody: it was promoted, or never was a replica.
    Alone,
    /// It is a copy of another database.
    Strange,
    /// It does not answer.
    Silent,
    /// There is no connection to it.
    Away,
}

impl Unfit {
    /// One word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Behind => "behind",
            Self::Lagging => "lagging",
            Self::Alone => "no-standby",
            Self::Strange => "another-database",
            Self::Silent => "silent",
            Self::Away => "away",
        }
    }
}

impl Standing {
    /// What it follows and how far it is.
    pub(super) fn evidence(&self, now: Instant, poll: Duration) -> Result<Evidence, Unfit> {
        if self.session.is_closed() {
            return Err(Unfit::Away);
        }
        let said = self.said.lock();
        match &*said {
            (asked, _) if now.saturating_duration_since(*asked) > SILENT_MOST.max(poll * 3) => {
                Err(Unfit::Silent)
            }
            (_, Said::Follows(evidence)) => Ok(evidence.clone()),
            (_, Said::Alone) => Err(Unfit::Alone),
        }
    }
}

impl Replica {
    pub(super) fn new(place: String, connections: usize, exclusive: Exclusive) -> Self {
        Self {
            place: place.into(),
            slots: (0..connections.max(1)).map(|_| Slot::default()).collect(),
            exclusive,
            round_trip_ns: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            told: Mutex::new(Some(Unfit::Away)),
        }
    }

    /// How long a question and its answer take.
    pub(super) fn round_trip(&self) -> Duration {
        Duration::from_nanos(self.round_trip_ns.load(Ordering::Relaxed))
    }

    /// Statements that it works on.
    pub(super) fn in_flight(&self) -> usize {
        self.slots.iter().map(|slot| slot.in_flight.load(Ordering::Relaxed)).sum()
    }

    fn took(&self, took: Duration) {
        let new = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1);
        let known = self.round_trip_ns.load(Ordering::Relaxed);
        let mixed = if known == 0 { new } else { (known * (NEW_SHARE - 1)).saturating_add(new) / NEW_SHARE };
        self.round_trip_ns.store(mixed, Ordering::Relaxed);
    }
}

/// Keeps one slot of a replica filled, and asks again and again how far the replica is.
pub(super) async fn keep(replicas: Arc<Replicas>, replica: Arc<Replica>, connector: Connector, place: usize) {
    let slot = &replica.slots[place];
    let mut backoff = Backoff::new(replicas.settings.reconnect);
    loop {
        match connector.open(Purpose::Read).await {
            Ok((session, work)) => {
                let work = tokio::spawn(work);
                let opened = session.opened;
                ask_on(&replicas, &replica, slot, session).await;
                slot.standing.store(None);
                work.abort();
                if opened.elapsed() > backoff.most() {
                    backoff.reset();
                }
            }
            Err(error) => replicas.teller.failed("connect to a replica", &error),
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// Asks until the connection has ended, does not answer, or is old enough to be replaced.
async fn ask_on(replicas: &Replicas, replica: &Replica, slot: &Slot, session: Session) {
    let settings = &replicas.settings;
    let (opened, mut session) = (session.opened, Some(session));
    let mut every = tokio::time::interval(settings.poll);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut standing: Option<Arc<Standing>> = None;
    loop {
        every.tick().await;
        let known = standing.as_deref().map(|standing| &standing.session);
        let Some(asking) = known.or(session.as_ref()) else { return };
        let began = Instant::now();
        let asked = evidence::of_replica(asking.client());
        let Ok(Ok(said)) = tokio::time::timeout(settings.connect_timeout, asked).await else { return };
        replica.took(began.elapsed());
        match (&standing, session.take()) {
            (Some(standing), _) => *standing.said.lock() = (began, said),
            (None, Some(session)) => {
                let new = Arc::new(Standing { session, said: Mutex::new((began, said)) });
                slot.standing.store(Some(Arc::clone(&new)));
                standing = Some(new);
            }
            (None, None) => return,
        }
        if opened.elapsed() > settings.lifetime {
            return;
        }
    }
}
