//! Reads from replicas: only from one that shows what the read must show, and is not too old.
//!
//! A replica replays the log of the database. It shows what was committed before the place that it has replayed, so
//! a read needs a replica that has come to the place behind the last change of what the read depends on. That
//! place is known for what this process has committed and for what its feed has told; what neither of them knows of yet
//! may be missing for as long as the feed's bound, and no longer than a replica may lag. What the replica's own
//! snapshots say is of no use: they show transactions as over that are still running on the database.
//!
//! A change is replayed a moment before it is visible on the database itself. So a read is asked again of the
//! database if a change of what it depends on has begun meanwhile: nobody sees the new state and then the old one.

mod evidence;
mod replica;
mod tide;
mod watching;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kasoku_coherence::{Floor, Floors, Lease, Mark, Position, Snapshot};
use kasoku_observe::Observation;
use kasoku_sql_plan::Value;
use parking_lot::Mutex;

use super::background::Background;
use super::connect::{Answer, Connector, Purpose};
use super::exclusive::Exclusive;
use super::held::Held;
use super::settings::{PostgresSettings, ReplicaChoice};
use crate::error::DatabaseError;
use crate::needs::{Newness, ReadNeeds};
use crate::statement::Statement;
use crate::tell::Teller;
use evidence::Said;
use replica::{Replica, Slot, Standing, Unfit};
use tide::Tide;

/// How often who waits for a replica looks whether it is still fit.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// All replicas of a database.
pub(crate) struct Replicas {
    settings: Arc<PostgresSettings>,
    teller: Arc<Teller>,
    all: Vec<Arc<Replica>>,
    pub(super) floors: Arc<Floors>,
    /// How the changes of others are learnt; `None` where they are not.
    lease: Option<Arc<Lease>>,
    tide: Mutex<Tide>,
    /// Which cluster the database is of.
    system: Mutex<Option<Box<str>>>,
    turn: AtomicUsize,
    /// Reads that no replica was fit for.
    passed_over: AtomicU64,
}

/// What a read asks of a replica.
pub(super) struct Ask<'n> {
    needs: &'n ReadNeeds,
    last: Position,
    marks: [Option<Mark>; 2],
}

/// A connection to a replica in use.
pub(super) struct Chosen<'r> {
    pub(super) replica: &'r Arc<Replica>,
    slot: &'r Slot,
    standing: Arc<Standing>,
}

impl Drop for Chosen<'_> {
    fn drop(&mut self) {
        self.slot.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Replicas {
    /// Begins to connect; `None` if there are none.
    pub(super) fn start(
        background: &Background,
        primary: &Connector,
        settings: &Arc<PostgresSettings>,
        teller: &Arc<Teller>,
        (floors, lease): (&Arc<Floors>, Option<Arc<Lease>>),
    ) -> Result<Option<Arc<Self>>, DatabaseError> {
        if settings.replicas.is_empty() {
            return Ok(None);
        }
        let mut all = Vec::with_capacity(settings.replicas.len());
        for url in settings.replicas.iter() {
            let own = Arc::new(PostgresSettings { read_only: true, ..settings.elsewhere(url) });
            let connector = Connector::new(&own)?;
            let exclusive = Exclusive::start(&connector, &own, teller, Purpose::Read)?;
            all.push((Arc::new(Replica::new(own.place(), own.shared, exclusive)), connector));
        }
        let replicas = Arc::new(Self {
            settings: Arc::clone(settings),
            teller: Arc::clone(teller),
            all: all.iter().map(|(replica, _)| Arc::clone(replica)).collect(),
            floors: Arc::clone(floors),
            lease,
            tide: Mutex::new(Tide::new(settings.replica_lag)),
            system: Mutex::new(None),
            turn: AtomicUsize::new(0),
            passed_over: AtomicU64::new(0),
        });
        for (replica, connector) in all {
            for place in 0..replica.slots.len() {
                let (replicas, replica) = (Arc::clone(&replicas), Arc::clone(&replica));
                background.spawn(replica::keep(replicas, replica, connector.clone(), place));
            }
        }
        background.spawn(Arc::clone(&replicas).watch_tide(primary.clone()));
        Ok(Some(replicas))
    }

    /// What a read with this snapshot asks of a replica; `None` if only the database itself will do.
    pub(super) fn ask<'n>(&self, needs: &'n ReadNeeds, snapshot: Snapshot) -> Option<Ask<'n>> {
        let Newness::Shows { tags, landmark } = &needs.newness else { return None };
        let unheard = self.lease.as_ref().is_some_and(|lease| !lease.holds(Instant::now()));
        let last = self.floors.last(tags);
        match self.floors.floor(last, snapshot) {
            Floor::At(mark) if !unheard => {
                Some(Ask { needs, last, marks: [Some(mark), landmark.map(|landmark| landmark.mark)] })
            }
            _ => {
                self.passed_over.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// A connection to a replica that is fit for this.
    pub(super) fn choose(&self, ask: &Ask<'_>) -> Option<Chosen<'_>> {
        let now = Instant::now();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.all.len();
        let fit = (0..count).flat_map(|step| {
            let place = (turn + step) % count;
            let replica = &self.all[place];
            let order = match self.settings.replica_choice {
                ReplicaChoice::LeastLoaded => 0,
                ReplicaChoice::Nearest => replica.round_trip().as_nanos(),
                ReplicaChoice::RoundRobin => step as u128,
            };
            replica.slots.iter().filter_map(move |slot| {
                let standing = slot.standing.load_full()?;
                self.judge(&standing, &ask.marks, now).ok()?;
                Some(((order, slot.in_flight.load(Ordering::Relaxed)), replica, slot, standing))
            })
        });
        let Some((_, replica, slot, standing)) = fit.min_by_key(|(order, ..)| *order) else {
            self.passed_over.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        slot.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Chosen { replica, slot, standing })
    }

    /// Runs a statement on a replica that is fit for it; `None` if there is none, or if it turned out not to be.
    pub(super) async fn fetch(
        &self,
        statement: &Statement,
        params: &[Value],
        ask: &Ask<'_>,
    ) -> Option<Answer> {
        let chosen = self.choose(ask)?;
        let began = Instant::now();
        let fetched = tokio::select! {
            biased;
            fetched = chosen.standing.session.run(statement, params) => fetched.ok(),
            () = self.unfit(&chosen) => None,
        };
        let rows = fetched.as_ref().map_or(0, |answer| answer.rows.count());
        let (name, sql) = (statement.name(), statement.sql());
        let observation = Observation::Statement { name, sql, took: began.elapsed(), rows };
        self.teller.observer.observe(&observation);
        self.counted(&chosen, ask, fetched)
    }

    /// Does something on a connection of its own to a replica that is fit for it; `None` if there is none, if it
    /// turned out not to be, or if it failed there.
    pub(super) async fn run_alone<T, E>(
        self: &Arc<Self>,
        ask: &Ask<'_>,
        until: Instant,
        job: impl FnOnce(&Held, &AtomicBool) -> Result<T, E> + Send + 'static,
    ) -> Option<T>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let chosen = self.choose(ask)?;
        let (replicas, marks) = (Arc::clone(self), ask.marks);
        let job = move |held: &Held, abandoned: &AtomicBool| -> Result<Option<T>, E> {
            if replicas.is_fit(held, &marks) { job(held, abandoned).map(Some) } else { Ok(None) }
        };
        let read = tokio::select! {
            biased;
            read = chosen.replica.exclusive.run(until, job) => read.ok().flatten(),
            () = self.unfit(&chosen) => None,
        };
        self.counted(&chosen, ask, read)
    }

    /// What a replica has read, unless a change has begun meanwhile that it may or may not show.
    pub(super) fn counted<T>(&self, chosen: &Chosen<'_>, ask: &Ask<'_>, read: Option<T>) -> Option<T> {
        let Newness::Shows { tags, .. } = &ask.needs.newness else { return None };
        let read = read.filter(|_| self.floors.last(tags) == ask.last);
        let counter = if read.is_some() { &chosen.replica.reads } else { &chosen.replica.given_up };
        counter.fetch_add(1, Ordering::Relaxed);
        read
    }

    /// Whether a replica is fit for this on a connection of its own. Asks it.
    pub(super) fn is_fit(&self, held: &Held, marks: &[Option<Mark>; 2]) -> bool {
        match held.wait(evidence::of_replica(held.session.client())) {
            Ok(Said::Follows(evidence)) => self.weigh(&evidence, marks, Instant::now()).is_ok(),
            Ok(Said::Alone) | Err(_) => false,
        }
    }

    /// Returns when a replica is not fit any more for what it was chosen for: it does not answer.
    pub(super) async fn unfit(&self, chosen: &Chosen<'_>) {
        loop {
            tokio::time::sleep(LOOK_EVERY.min(self.settings.replica_lag)).await;
            if self.judge(&chosen.standing, &[None; 2], Instant::now()).is_err() {
                return;
            }
        }
    }

    /// Everything that was done on this connection to the database itself must be shown from now on.
    pub(super) fn settle(&self, held: &Held) -> Result<(), DatabaseError> {
        let losses = self.floors.losses();
        let asked = held.wait(evidence::of_primary(held.session.client()));
        if let Some(evidence) = asked.map_err(|failed| held.failed(failed))? {
            self.floors.settle(evidence.mark, losses);
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        for replica in &self.all {
            replica.exclusive.close();
        }
    }

    fn judge(&self, standing: &Standing, marks: &[Option<Mark>; 2], now: Instant) -> Result<(), Unfit> {
        self.weigh(&standing.evidence(now, self.settings.poll)?, marks, now)
    }

    fn weigh(
        &self,
        evidence: &evidence::Evidence,
        marks: &[Option<Mark>; 2],
        now: Instant,
    ) -> Result<(), Unfit> {
        if self.system.lock().as_ref().is_some_and(|system| *system != evidence.system) {
            return Err(Unfit::Strange);
        }
        let shows_until = self.tide.lock().shows_until(evidence.mark).ok_or(Unfit::Lagging)?;
        if now.saturating_duration_since(shows_until) > self.settings.replica_lag {
            return Err(Unfit::Lagging);
        }
        if marks.iter().flatten().all(|mark| evidence.mark.reaches(*mark)) {
            Ok(())
        } else {
            Err(Unfit::Behind)
        }
    }
}
