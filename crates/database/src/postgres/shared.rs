//! The lane of short reads: a few connections, many statements in flight on each.
//!
//! A connection that answers one statement after the other does not wait between them for who asks, so a few carry
//! more than many that are checked out and given back. They are opened anew when they end, and replaced when they are
//! old.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout_at;

use super::background::Background;
use super::backoff::Backoff;
use super::connect::{Connector, Purpose, Session};
use super::settings::PostgresSettings;
use crate::error::DatabaseError;
use crate::tell::Teller;

/// Connections that are shared.
pub(crate) struct Shared {
    slots: Arc<[Slot]>,
    opened: Arc<Notify>,
    wait: Duration,
}

/// The place of one connection.
#[derive(Default)]
struct Slot {
    session: ArcSwapOption<Session>,
    in_flight: AtomicUsize,
    /// Why there is none.
    refused: Mutex<Option<DatabaseError>>,
}

/// A connection in use.
pub(crate) struct Lent<'s> {
    slot: &'s Slot,
    pub(crate) session: Arc<Session>,
}

impl Shared {
    /// Begins to connect.
    pub(crate) fn start(
        background: &Background,
        connector: &Connector,
        settings: &Arc<PostgresSettings>,
        teller: &Arc<Teller>,
    ) -> Self {
        let slots: Arc<[Slot]> = (0..settings.shared.max(1)).map(|_| Slot::default()).collect();
        let opened = Arc::new(Notify::new());
        let keeper = Keeper {
            connector: connector.clone(),
            settings: Arc::clone(settings),
            teller: Arc::clone(teller),
            slots: Arc::clone(&slots),
            opened: Arc::clone(&opened),
        };
        let keeper = Arc::new(keeper);
        for place in 0..keeper.slots.len() {
            background.spawn(Arc::clone(&keeper).keep(place));
        }
        Self { slots, opened, wait: settings.wait }
    }

    /// The connection with the least to do. If there is none, waits for one, but not for long.
    pub(crate) async fn session(&self, until: Instant) -> Result<Lent<'_>, DatabaseError> {
        if let Some(lent) = self.least() {
            return Ok(lent);
        }
        let wait_until = until.min(Instant::now() + self.wait);
        loop {
            let opened = self.opened.notified();
            if let Some(lent) = self.least() {
                return Ok(lent);
            }
            if timeout_at(wait_until.into(), opened).await.is_err() {
                let refused = self.slots.iter().find_map(|slot| slot.refused.lock().clone());
                return Err(refused.unwrap_or(DatabaseError::Deadline));
            }
        }
    }

    fn least(&self) -> Option<Lent<'_>> {
        let open = self.slots.iter().filter_map(|slot| {
            let session = slot.session.load_full().filter(|session| !session.is_closed())?;
            Some((slot.in_flight.load(Ordering::Relaxed), slot, session))
        });
        let (_, slot, session) = open.min_by_key(|(in_flight, ..)| *in_flight)?;
        slot.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Lent { slot, session })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.slot.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Keeps every slot filled.
struct Keeper {
    connector: Connector,
    settings: Arc<PostgresSettings>,
    teller: Arc<Teller>,
    slots: Arc<[Slot]>,
    opened: Arc<Notify>,
}

impl Keeper {
    async fn keep(self: Arc<Self>, place: usize) {
        let slot = &self.slots[place];
        let mut backoff = Backoff::new(self.settings.reconnect);
        loop {
            match self.connector.open(Purpose::Read).await {
                Ok((session, work)) => {
                    let work = tokio::spawn(work);
                    let session = Arc::new(session);
                    slot.session.store(Some(Arc::clone(&session)));
                    *slot.refused.lock() = None;
                    self.opened.notify_waiters();
                    self.attend(&session, place, work).await;
                    if session.opened.elapsed() > backoff.most() {
                        backoff.reset();
                    }
                    // What is in flight on it is finished: it ends when its last user lets go of it.
                    slot.session.compare_and_swap(&session, None);
                }
                Err(error) => {
                    self.teller.failed("connect", &error);
                    *slot.refused.lock() = Some(error);
                }
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Returns when the connection has ended, does not answer, or is old enough to be replaced.
    async fn attend(&self, session: &Session, place: usize, work: tokio::task::JoinHandle<()>) {
        // Not all at once, when all were opened at once.
        let share = 1.0 + place as f64 / self.slots.len() as f64 / 4.0;
        let old = tokio::time::sleep(self.settings.lifetime.mul_f64(share));
        let mut check = tokio::time::interval(self.settings.health_check);
        tokio::pin!(work, old);
        loop {
            tokio::select! {
                _ended = &mut work => return,
                () = &mut old => return,
                _ = check.tick() => {
                    let answers = session.client().check_connection();
                    if !matches!(tokio::time::timeout(self.settings.connect_timeout, answers).await, Ok(Ok(()))) {
                        return;
                    }
                }
            }
        }
    }
}
