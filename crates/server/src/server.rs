//! The server as a whole: bound first, so that whatever is wrong with an address is told before anything starts;
//! then run until it is told to end.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arc_swap::ArcSwap;
use kasoku_config::{AdminSettings, Secret, ServerSettings};
use kasoku_observe::{Observation, Observer};
use tokio::time::timeout;

use crate::admin::{self, AdminState};
use crate::drain::{Drain, Tally};
use crate::listen::{self, BindError, Protocols, Room, Shared, Workers, Workshop};
use crate::router::Router;
use crate::tls::Certificates;

/// See [`Server::bind`].
pub struct Server;

/// A server whose sockets are bound: the system already takes connections for it.
pub struct Bound {
    public: TcpListener,
    admin: Option<(TcpListener, AdminState, Option<Secret>)>,
    certificates: Option<Arc<Certificates>>,
    shared: Arc<Shared>,
    tallies: Vec<Arc<Tally>>,
    observer: Arc<dyn Observer>,
    drain_time: Duration,
    addresses: Addresses,
}

/// Where a server really listens: with the ports that the system chose for those that were 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The public listener.
    pub public: SocketAddr,
    /// The admin listener.
    pub admin: Option<SocketAddr>,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Requests that were still in progress when the time for them was over.
    pub abandoned: usize,
}

/// A view of what is in progress, for gauges.
#[derive(Clone)]
pub struct Traffic {
    tallies: Vec<Arc<Tally>>,
    drain: Arc<Drain>,
}

impl Server {
    /// Binds the public and the admin listener.
    pub fn bind(
        settings: &ServerSettings,
        admin: &AdminSettings,
        router: Arc<ArcSwap<Router>>,
        state: AdminState,
        observer: Arc<dyn Observer>,
    ) -> Result<Bound, BindError> {
        let certificates = settings.listen.tls.as_ref().map(Certificates::load).transpose()?;
        let public = listen::bind(settings.listen.address)?;
        let admin = match admin.address {
            Some(address) if admin.token.is_none() && !address.ip().is_loopback() => {
                return Err(BindError::AdminOpen { address });
            }
            Some(address) => Some((listen::bind(address)?, state, admin.token.clone())),
            None => None,
        };
        let addresses = Addresses {
            public: local(&public, settings.listen.address)?,
            admin: admin
                .as_ref()
                .map(|(listener, ..)| local(listener, settings.listen.address))
                .transpose()?,
        };
        let shared = Shared { router, limits: settings.limits, drain: Arc::new(Drain::default()) };
        Ok(Bound {
            public,
            admin,
            certificates,
            shared: Arc::new(shared),
            tallies: (0..settings.threads.max(1)).map(|_| Arc::default()).collect(),
            observer,
            drain_time: settings.drain,
            addresses,
        })
    }
}

impl Bound {
    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What is in progress, for gauges and health checks.
    pub fn traffic(&self) -> Traffic {
        Traffic { tallies: self.tallies.clone(), drain: Arc::clone(&self.shared.drain) }
    }

    /// The TLS certificate in force, to read it again on demand.
    pub fn certificates(&self) -> Option<Arc<Certificates>> {
        self.certificates.clone()
    }

    /// Serves until `shutdown` completes, then ends decently. Needs a runtime with I/O and time around it, for
    /// accepting, the admin listener and what `shutdown` does; requests are served by threads of their own.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<Drained> {
        let drain = Arc::clone(&self.shared.drain);
        let traffic = self.traffic();
        let workshop = Workshop {
            protocols: Arc::new(Protocols::new(&self.shared.limits)),
            tls: self.certificates.as_ref().map(Certificates::acceptor),
            observer: Arc::clone(&self.observer),
            shared: self.shared,
        };
        let room = Room::new(workshop.shared.limits.connections_max);
        let workers = Workers::start(&self.tallies, &workshop)?;
        let admin = self.admin.map(|(listener, state, token)| {
            tokio::spawn(admin::serve(
                listener,
                state,
                token,
                traffic.clone(),
                Arc::clone(&workshop.shared.router),
            ))
        });
        let renewal =
            self.certificates.map(|certificates| tokio::spawn(async move { certificates.follow().await }));
        let end = async {
            shutdown.await;
            drain.begin();
            self.observer.observe(&Observation::Draining { in_flight: traffic.requests() });
        };
        let (accepted, ()) =
            tokio::join!(listen::accept(self.public, &room, &workers, &drain, &*self.observer), end);
        let abandoned = match timeout(self.drain_time, room.empty()).await {
            Ok(()) => 0,
            Err(_) => traffic.requests(),
        };
        workers.end();
        for task in admin.into_iter().chain(renewal) {
            task.abort();
        }
        accepted.map(|()| Drained { abandoned })
    }
}

impl Traffic {
    /// None at all.
    #[cfg(test)]
    pub(crate) fn none(drain: Arc<Drain>) -> Self {
        Self { tallies: Vec::new(), drain }
    }

    /// Requests that are being answered.
    pub fn requests(&self) -> usize {
        self.tallies.iter().map(|tally| tally.requests.load(Relaxed)).sum()
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.tallies.iter().map(|tally| tally.connections.load(Relaxed)).sum()
    }

    /// Connections that are open, and have had nothing to do for a while.
    pub fn resting(&self) -> usize {
        self.tallies.iter().map(|tally| tally.resting.load(Relaxed)).sum()
    }

    /// Whether requests are wanted, and the operator's switch for it.
    pub fn drain(&self) -> &Drain {
        &self.drain
    }
}

fn local(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, BindError> {
    listener.local_addr().map_err(|error| BindError::Other { address: asked, error })
}
