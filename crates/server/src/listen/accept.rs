//! The accept loop: takes a connection when there is room for one, and hands it on.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use kasoku_observe::{Observation, Observer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::worker::{Accepted, Workers};
use crate::drain::Drain;

/// How long accepting pauses when the system has no descriptor left. Retrying at once would only burn the core
/// that could finish a request and free one.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Room for a number of connections.
pub(crate) struct Room {
    permits: Arc<Semaphore>,
    connections_max: u32,
}

impl Room {
    pub(crate) fn new(connections_max: usize) -> Self {
        let connections_max = u32::try_from(connections_max).unwrap_or(u32::MAX >> 3).min(u32::MAX >> 3);
        Self { permits: Arc::new(Semaphore::new(connections_max as usize)), connections_max }
    }

    /// Waits until no connection is left.
    pub(crate) async fn empty(&self) {
        let all = self.permits.acquire_many(self.connections_max).await;
        all.expect("the semaphore is never closed").forget();
    }
}

/// Accepts until the drain begins, then what the system had accepted on our behalf before the listener closes:
/// whoever got through to us is answered.
pub(crate) async fn accept(
    listener: TcpListener,
    room: &Room,
    workers: &Workers,
    drain: &Drain,
    observer: &dyn Observer,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let permit = tokio::select! {
            biased;
            () = drain.wait() => break,
            permit = Arc::clone(&room.permits).acquire_owned() => permit.expect("the semaphore is never closed"),
        };
        let accepted = tokio::select! {
            biased;
            () = drain.wait() => break,
            accepted = listener.accept() => accepted.and_then(|(tcp, peer)| Ok((tcp.into_std()?, peer))),
        };
        match accepted {
            Ok((tcp, peer)) => hand(workers, tcp, peer, permit, observer),
            Err(error) if is_exhausted(&error) => {
                observer.observe(&Observation::ConnectionRefused { reason: "no-descriptor" });
                sleep(EXHAUSTED_PAUSE).await;
            }
            // The peer was gone before it was accepted.
            Err(_) => {}
        }
    }
    let listener = listener.into_std()?;
    while let Ok(permit) = Arc::clone(&room.permits).try_acquire_owned() {
        match listener.accept() {
            Ok((tcp, peer)) if tcp.set_nonblocking(true).is_ok() => {
                hand(workers, tcp, peer, permit, observer);
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Ok(())
}

fn hand(
    workers: &Workers,
    tcp: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
    observer: &dyn Observer,
) {
    // Answers are written whole; waiting to fill a segment would only delay them. A socket that refuses is gone.
    if tcp.set_nodelay(true).is_ok() {
        workers.hand(Accepted { tcp, peer, permit }, observer);
    }
}

/// No descriptor, or no memory for one, in this process or in the system.
fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error.raw_os_error().is_some_and(|code| exhausted.iter().any(|errno| errno.raw_os_error() == code))
}
