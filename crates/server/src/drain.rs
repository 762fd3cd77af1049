//! How a server ends: it says so, takes nothing new, and waits for what is in flight.
//!
//! [`Standing`] is what the health checks answer, [`Drain`] what connections listen to, [`InFlight`] what is
//! waited for. This module closes nothing itself; the listeners do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::listen::Connection;

/// Whether requests are wanted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They are.
    Serving,
    /// An operator asked load balancers to send them elsewhere; those that come are answered.
    Held,
    /// The server is about to end.
    Draining,
}

/// The state that all connections of a server share until its end.
#[derive(Debug, Default)]
pub struct Drain {
    held: AtomicBool,
    draining: AtomicBool,
    begun: Notify,
}

/// How many connections and requests one worker has at hand.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Tally {
    pub(crate) connections: AtomicUsize,
    /// Counted by the worker's own thread alone.
    pub(crate) requests: AtomicUsize,
    pub(crate) resting: AtomicUsize,
}

/// A request that is being answered.
pub(crate) struct InFlight(Arc<Connection>);

/// A connection that has let go of its buffers.
pub(crate) struct AtRest<'a>(&'a Tally);

/// A connection that is open.
pub(crate) struct Open(Arc<Tally>);

impl Drain {
    /// What the health checks say.
    pub fn standing(&self) -> Standing {
        if self.is_draining() {
            Standing::Draining
        } else if self.held.load(Relaxed) {
            Standing::Held
        } else {
            Standing::Serving
        }
    }

    /// An operator holds the server back, or lets it serve again.
    pub fn hold(&self, held: bool) {
        self.held.store(held, Relaxed);
    }

    /// Begins the end; there is no way back.
    pub(crate) fn begin(&self) {
        self.draining.store(true, Relaxed);
        self.begun.notify_waiters();
    }

    /// Whether the end has begun.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Is woken when the end begins. Made before [`Self::is_draining`] is asked, it misses nothing.
    pub(crate) fn begun(&self) -> Notified<'_> {
        self.begun.notified()
    }

    /// Waits for the beginning of the end.
    pub(crate) async fn wait(&self) {
        let begun = self.begun();
        if !self.is_draining() {
            begun.await;
        }
    }
}

impl Standing {
    /// One word for answers and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Serving => "ok",
            Self::Held => "held",
            Self::Draining => "draining",
        }
    }
}

impl InFlight {
    pub(crate) fn begin(connection: Arc<Connection>) -> Self {
        let requests = &connection.tally.requests;
        requests.store(requests.load(Relaxed) + 1, Relaxed);
        connection.pulse.begin();
        Self(connection)
    }

    /// The connection that it came by.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.pulse.finish();
        let requests = &self.0.tally.requests;
        requests.store(requests.load(Relaxed) - 1, Relaxed);
    }
}

impl<'a> AtRest<'a> {
    pub(crate) fn new(tally: &'a Tally) -> Self {
        tally.resting.fetch_add(1, Relaxed);
        Self(tally)
    }
}

impl Drop for AtRest<'_> {
    fn drop(&mut self) {
        self.0.resting.fetch_sub(1, Relaxed);
    }
}

impl Open {
    pub(crate) fn new(tally: &Arc<Tally>) -> Self {
        tally.connections.fetch_add(1, Relaxed);
        Self(Arc::clone(tally))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}
