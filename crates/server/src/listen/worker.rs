//! Threads that serve: each with its own single-threaded runtime, so that a request is never moved between cores.
//!
//! Connections are handed to the thread that has the fewest. What a request starts with `tokio::spawn` stays on
//! its thread; what blocks belongs on other threads.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;

use kasoku_observe::{Observation, Observer};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::connection::{Protocols, run};
use super::drive::Ended;
use super::serve::Shared;
use crate::drain::{Open, Tally};

/// Connections that may wait for one thread to look up.
const HANDED_MAX: usize = 1_024;

/// Threads that one serving thread may have for work that blocks, such as compressing and reading files.
const BLOCKING_MAX: usize = 32;

/// A connection on its way to the thread that will serve it.
pub(crate) struct Accepted {
    pub(crate) tcp: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) permit: OwnedSemaphorePermit,
}

/// A connection that was counted for the thread it was handed to.
struct Handed(Accepted, Open);

/// What the threads of a listener share.
#[derive(Clone)]
pub(crate) struct Workshop {
    pub(crate) shared: Arc<Shared>,
    pub(crate) protocols: Arc<Protocols>,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) observer: Arc<dyn Observer>,
}

/// The threads of a listener.
pub(crate) struct Workers {
    threads: Vec<Worker>,
    /// Dropped to end all of them, whatever they still have at hand.
    end: watch::Sender<()>,
}

struct Worker {
    inbox: mpsc::Sender<Handed>,
    tally: Arc<Tally>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Starts threads, one for each of the given tallies.
    pub(crate) fn start(tallies: &[Arc<Tally>], workshop: &Workshop) -> io::Result<Self> {
        let (end, ended) = watch::channel(());
        let threads = tallies
            .iter()
            .enumerate()
            .map(|(number, tally)| {
                let (inbox, connections) = mpsc::channel(HANDED_MAX);
                let (workshop, own_tally, ended) = (workshop.clone(), Arc::clone(tally), ended.clone());
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .max_blocking_threads(BLOCKING_MAX)
                    .build()?;
                let thread =
                    std::thread::Builder::new().name(format!("serve-{number}")).spawn(move || {
                        runtime.block_on(work(connections, &workshop, &own_tally, ended));
                        runtime.shutdown_background();
                    })?;
                Ok(Worker { inbox, tally: Arc::clone(tally), thread })
            })
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Self { threads, end })
    }

    /// Hands a connection to the thread that has the fewest. One that no thread can take is closed.
    pub(crate) fn hand(&self, accepted: Accepted, observer: &dyn Observer) {
        let least = self.threads.iter().min_by_key(|worker| worker.tally.connections.load(Relaxed));
        let Some(worker) = least else { return };
        if worker.inbox.try_send(Handed(accepted, Open::new(&worker.tally))).is_err() {
            observer.observe(&Observation::ConnectionRefused { reason: "busy" });
        }
    }

    /// Ends the threads. Connections that are still open are closed.
    pub(crate) fn end(self) {
        drop(self.end);
        for worker in self.threads {
            drop(worker.inbox);
            if worker.thread.join().is_err() {
                tracing::error!("a serving thread panicked");
            }
        }
    }
}

/// One thread's life: takes connections until it is told to end.
async fn work(
    mut inbox: mpsc::Receiver<Handed>,
    workshop: &Workshop,
    tally: &Arc<Tally>,
    mut ended: watch::Receiver<()>,
) {
    loop {
        let handed = tokio::select! {
            handed = inbox.recv() => handed,
            _ = ended.changed() => None,
        };
        match handed {
            Some(handed) => drop(tokio::spawn(attend(handed, workshop.clone(), Arc::clone(tally)))),
            None => return,
        }
    }
}

/// One connection's life, with its traces in the observer.
async fn attend(handed: Handed, workshop: Workshop, tally: Arc<Tally>) {
    let Handed(Accepted { tcp, peer, permit: _permit }, _open) = handed;
    let Workshop { shared, protocols, tls, observer } = workshop;
    let Ok(tcp) = tokio::net::TcpStream::from_std(tcp) else {
        return observer.observe(&Observation::ConnectionRefused { reason: "no-descriptor" });
    };
    observer.observe(&Observation::ConnectionOpened);
    let reason = match run(tcp, peer, tls, shared, protocols, tally).await {
        Ended::Done | Ended::Broken | Ended::Resting | Ended::Woken => None,
        Ended::Malformed => Some("malformed"),
        Ended::Cut(cut) => Some(cut.reason()),
        Ended::Unopened(reason) => Some(reason),
    };
    if let Some(reason) = reason {
        observer.observe(&Observation::ConnectionRefused { reason });
    }
    observer.observe(&Observation::ConnectionClosed);
}
