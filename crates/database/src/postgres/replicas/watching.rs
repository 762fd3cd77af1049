//! Watching over replicas: how far the database itself is, how the replicas are, and saying so when that changes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kasoku_observe::Observation;

use super::replica::{Replica, Unfit};
use super::{Replicas, evidence};
use crate::error::DatabaseError;
use crate::postgres::backoff::Backoff;
use crate::postgres::connect::{Connector, Purpose, Session};
use crate::replica_facts::ReplicaFacts;

impl Replicas {
    /// How each replica is, for operators.
    pub(crate) fn facts(&self) -> Vec<ReplicaFacts> {
        let facts = self.all.iter().map(|replica| ReplicaFacts {
            server: replica.place.to_string(),
            unfit: self.best(replica).err().map(Unfit::word),
            lag: self.lag(replica),
            round_trip: replica.round_trip(),
            connections: replica.slots.iter().filter(|slot| slot.standing.load().is_some()).count(),
            in_flight: replica.in_flight(),
            reads: replica.reads.load(Ordering::Relaxed),
            given_up: replica.given_up.load(Ordering::Relaxed),
        });
        facts.collect()
    }

    /// Reads that no replica was fit for.
    pub(crate) fn passed_over(&self) -> u64 {
        self.passed_over.load(Ordering::Relaxed)
    }

    /// How the fittest connection of a replica is.
    fn best(&self, replica: &Replica) -> Result<(), Unfit> {
        let now = Instant::now();
        let standings = replica.slots.iter().filter_map(|slot| slot.standing.load_full());
        let verdicts = standings.map(|standing| self.judge(&standing, &[None; 2], now));
        verdicts.min().unwrap_or(Err(Unfit::Away))
    }

    fn lag(&self, replica: &Replica) -> Option<Duration> {
        let now = Instant::now();
        let standings = replica.slots.iter().filter_map(|slot| slot.standing.load_full());
        let shown = standings.filter_map(|standing| {
            let evidence = standing.evidence(now, self.settings.poll).ok()?;
            self.tide.lock().shows_until(evidence.mark)
        });
        shown.max().map(|until| until.elapsed())
    }

    /// Asks the database itself where it is, again and again, and says how the replicas are when that changes.
    pub(super) async fn watch_tide(self: Arc<Self>, primary: Connector) {
        let mut backoff = Backoff::new(self.settings.reconnect);
        loop {
            match primary.open(Purpose::Own).await {
                Ok((session, work)) => {
                    let work = tokio::spawn(work);
                    backoff.reset();
                    let error = self.watch_on(&session).await;
                    work.abort();
                    self.teller.failed("ask where the database is", &error);
                }
                Err(error) => self.teller.failed("connect", &error),
            }
            self.tell_changes();
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn watch_on(&self, session: &Session) -> DatabaseError {
        let mut every = tokio::time::interval(self.settings.poll);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let unsettled = self.floors.is_unsettled().then(|| self.floors.losses());
            let asked = Instant::now();
            let said = evidence::of_primary(session.client());
            let evidence = match tokio::time::timeout(self.settings.connect_timeout, said).await {
                Ok(Ok(Some(evidence))) => evidence,
                Ok(Ok(None)) => return DatabaseError::Corrupt("the database has no log".into()),
                Ok(Err(failed)) => return failed.error,
                Err(_) => return DatabaseError::Io("the database server does not answer".into()),
            };
            self.tide.lock().note(asked, evidence.mark);
            *self.system.lock() = Some(evidence.system);
            if let Some(losses) = unsettled {
                self.floors.settle(evidence.mark, losses);
            }
            self.tell_changes();
        }
    }

    fn tell_changes(&self) {
        for replica in &self.all {
            let now = self.best(replica).err();
            let before = std::mem::replace(&mut *replica.told.lock(), now);
            if before != now {
                let reason = now.map(Unfit::word);
                self.teller.observer.observe(&Observation::Replica { server: &replica.place, unfit: reason });
            }
        }
    }
}
