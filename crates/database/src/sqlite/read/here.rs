//! The lane for short reads: they run on the thread that asks, because a hop would cost more than the read.
//!
//! Each thread has a place of its own among the connections and takes another only while that one is in use, so
//! threads that serve do not meet. A connection is opened when its place is used for the first time. One that is
//! read from again and again keeps its view of the database, as [`kept`](super::kept) says.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use kasoku_coherence::Snapshot;
use parking_lot::{Mutex, MutexGuard};

use super::kept::{Kept, Step};
use crate::error::{DatabaseError, Severity};
use crate::span::Span;
use crate::sqlite::connection::{Access, Connection, Place};
use crate::sqlite::upkeep::LOG_PAGES_SOME;
use crate::tell::{Horizon, Teller};

/// Connections for reads on the thread that asks.
pub(crate) struct Here {
    place: Place,
    access: Access,
    teller: Arc<Teller>,
    /// How many pages the log has, where views may be kept at all. Where other processes write, none is.
    log_pages: Option<Arc<AtomicU64>>,
    slots: Box<[Mutex<Option<Slot>>]>,
}

/// A connection, and what it keeps between reads.
struct Slot {
    connection: Connection,
    kept: Kept,
}

impl Here {
    pub(crate) fn new(
        place: Place,
        access: Access,
        most: usize,
        teller: Arc<Teller>,
        log_pages: Option<Arc<AtomicU64>>,
    ) -> Self {
        let slots = (0..most.max(1)).map(|_| Mutex::new(None)).collect();
        Self { place, access, teller, log_pages, slots }
    }

    /// Lends a connection to `f` for this span, with the snapshot of what it shows at the least.
    pub(crate) fn with<T, E: From<DatabaseError>>(
        &self,
        span: Span,
        f: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<(T, Snapshot), E> {
        let mut place = self.free(span.until)?;
        if place.as_ref().is_some_and(|slot| slot.connection.is_outdated()) {
            *place = None;
        }
        if place.is_none() {
            let connection = Connection::open(&self.place, self.access)?;
            *place = Some(Slot { connection, kept: Kept::Nothing(None) });
        }
        let slot = place.as_mut().expect("the slot was filled above");
        // Taken before the view is chosen or begun: see `kept`.
        let horizon = self.teller.horizon();
        let settled = slot.settle(span.now, horizon, self.may_keep());
        slot.connection.stop().at(span.until);
        let result = settled.map_err(E::from).and_then(|()| f(&slot.connection));
        if result.is_err() {
            slot.let_go();
        }
        if slot.connection.take_worst() == Severity::Broken {
            *place = None;
        }
        result.map(|value| (value, horizon.snapshot))
    }

    /// Ends every view that is kept and not in use.
    pub(crate) fn let_go(&self) {
        for place in &self.slots {
            if let Some(slot) = place.try_lock().as_mut().and_then(|place| place.as_mut()) {
                slot.let_go();
            }
        }
    }

    /// Closes every connection; a later read opens one anew.
    pub(crate) fn close(&self) {
        for slot in &self.slots {
            *slot.lock() = None;
        }
    }

    fn may_keep(&self) -> bool {
        self.log_pages.as_ref().is_some_and(|pages| pages.load(Ordering::Relaxed) < LOG_PAGES_SOME)
    }

    fn free(&self, until: Instant) -> Result<MutexGuard<'_, Option<Slot>>, DatabaseError> {
        let home = home() % self.slots.len();
        let (before, from_home) = self.slots.split_at(home);
        if let Some(slot) = from_home.iter().chain(before).find_map(Mutex::try_lock) {
            return Ok(slot);
        }
        self.slots[home].try_lock_until(until).ok_or(DatabaseError::Deadline)
    }
}

impl Slot {
    /// Brings the transaction into the state that a read needs which begins now.
    fn settle(&mut self, now: Instant, horizon: Horizon, may_keep: bool) -> Result<(), DatabaseError> {
        let step = self.kept.step(now, &horizon, may_keep);
        if step == Step::Reuse {
            return Ok(());
        }
        self.let_go();
        self.kept = Kept::Nothing(Some((now, horizon)));
        if step == Step::Begin {
            self.connection.stop().never();
            self.connection.run("BEGIN -- kasoku")?;
            self.kept = Kept::View(now, horizon);
        }
        Ok(())
    }

    /// Ends the view, if one is kept.
    fn let_go(&mut self) {
        if let Kept::View(..) = std::mem::replace(&mut self.kept, Kept::Nothing(None)) {
            self.connection.stop().never();
            // Nothing was written, so there is nothing that an error here could lose; it is remembered as the
            // connection's worst and the connection is replaced if need be.
            let _remembered = self.connection.run("ROLLBACK -- kasoku");
        }
    }
}

/// A small number of the calling thread's own.
fn home() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static HOME: Cell<Option<usize>> = const { Cell::new(None) };
    }
    HOME.with(|home| {
        home.get().unwrap_or_else(|| {
            let number = THREADS.fetch_add(1, Ordering::Relaxed);
            home.set(Some(number));
            number
        })
    })
}
