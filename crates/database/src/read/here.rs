//! The lane for short reads: they run on the thread that asks, because a hop would cost more than the read.
//!
//! Each thread has a place of its own among the connections and takes another only while that one is in use, so
//! threads that serve do not meet. A connection is opened when its place is used for the first time.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};

use crate::connection::{Access, Connection, Place};
use crate::error::{DatabaseError, Severity};

/// Connections for reads on the thread that asks.
pub(crate) struct Here {
    place: Place,
    access: Access,
    slots: Box<[Mutex<Option<Connection>>]>,
}

impl Here {
    pub(crate) fn new(place: Place, access: Access, most: usize) -> Self {
        let slots = (0..most.max(1)).map(|_| Mutex::new(None)).collect();
        Self { place, access, slots }
    }

    /// Lends a connection to `f` until the given instant.
    pub(crate) fn with<T, E: From<DatabaseError>>(
        &self,
        until: Instant,
        f: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut slot = self.free(until)?;
        if slot.is_none() {
            *slot = Some(Connection::open(&self.place, self.access)?);
        }
        let connection = slot.as_ref().expect("the slot was filled above");
        connection.stop().at(until);
        let result = f(connection);
        if connection.take_worst() == Severity::Broken {
            *slot = None;
        }
        result
    }

    /// Closes every connection; a later read opens one anew.
    pub(crate) fn close(&self) {
        for slot in &self.slots {
            *slot.lock() = None;
        }
    }

    fn free(&self, until: Instant) -> Result<MutexGuard<'_, Option<Connection>>, DatabaseError> {
        let home = home() % self.slots.len();
        let (before, from_home) = self.slots.split_at(home);
        if let Some(slot) = from_home.iter().chain(before).find_map(Mutex::try_lock) {
            return Ok(slot);
        }
        self.slots[home].try_lock_until(until).ok_or(DatabaseError::Deadline)
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
