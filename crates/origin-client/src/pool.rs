//! The connections to one server: those in use, those kept for later, and when to give up on the server.
//!
//! A permit stands for an HTTP/1.1 connection in use. One that is kept holds none: a new connection is only made when
//! a permit was had and nothing was kept, so that both together never exceed the permits. HTTP/2 connections carry
//! many requests, and there is one for each thread that asks, within the same limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, ThreadId};
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use kasoku_observe::{Observation, Observer};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::attend::{attend, http2 as spoken_http2};
use crate::connect::{Connector, Spoken, Wire};
use crate::lease::{Lease, Many, One};
use crate::upload::Sending;
use crate::{ConnectError, Server};

/// Bytes of an answer's head.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;
/// What is read ahead of an HTTP/1.1 answer.
const BUFFER_BYTES_MAX: usize = 128 << 10;

/// A server may just be starting again. While others are there, it is not asked for this long after a connection to
/// it failed.
const REST: Duration = Duration::from_secs(2);

/// A server closes what it keeps alive when it likes. What cannot be sent twice is only sent on what was used just now.
const SURELY_OPEN: Duration = Duration::from_secs(1);

/// The connections to one server.
pub(crate) struct Pool {
    pub(crate) server: Server,
    connector: Connector,
    connect_timeout: Duration,
    idle_timeout: Duration,
    connections_max: usize,
    permits: Arc<Semaphore>,
    kept: Mutex<Vec<Kept>>,
    shared: Mutex<Vec<Shared>>,
    /// Whether the last connection spoke HTTP/2: then requests wait for one that is being made.
    speaks_http2: AtomicBool,
    connecting: tokio::sync::Mutex<()>,
    number: AtomicU64,
    rests_until: Mutex<Option<Instant>>,
    is_out: AtomicBool,
    observer: Arc<dyn Observer>,
}

/// An HTTP/1.1 connection that nobody uses.
struct Kept {
    number: u64,
    thread: ThreadId,
    since: Instant,
    sender: http1::SendRequest<Sending>,
}

/// An HTTP/2 connection.
struct Shared {
    number: u64,
    thread: ThreadId,
    requests: Arc<AtomicUsize>,
    sender: http2::SendRequest<Sending>,
}

/// How certain a connection must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Any that is open.
    Any,
    /// One that the server has surely not closed meanwhile.
    Sure,
    /// A new one.
    New,
    /// One that can go on in another protocol, as HTTP/2 cannot.
    Switchable,
}

/// Why no connection was had.
pub(crate) enum NoConnection {
    Crowded,
    Failed(ConnectError),
}

impl Pool {
    pub(crate) fn new(
        server: Server,
        connector: Connector,
        (connect_timeout, idle_timeout): (Duration, Duration),
        connections_max: usize,
        observer: &Arc<dyn Observer>,
    ) -> Arc<Self> {
        let connections_max = connections_max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            server,
            connector,
            connect_timeout,
            idle_timeout,
            connections_max,
            permits: Arc::new(Semaphore::new(connections_max)),
            kept: Mutex::default(),
            shared: Mutex::default(),
            speaks_http2: AtomicBool::new(false),
            connecting: tokio::sync::Mutex::default(),
            number: AtomicU64::new(0),
            rests_until: Mutex::default(),
            is_out: AtomicBool::new(false),
            observer: Arc::clone(observer),
        })
    }

    /// Whether a connection failed a moment ago.
    pub(crate) fn rests(&self) -> bool {
        self.rests_until.lock().is_some_and(|until| Instant::now() < until)
    }

    /// A connection to send one request on.
    pub(crate) async fn take(self: &Arc<Self>, wanted: Wanted) -> Result<Lease, NoConnection> {
        if let Some(many) = self.shared(wanted) {
            return Ok(Lease::Many(many));
        }
        let _turn = if self.speaks_http2.load(Relaxed) && wanted != Wanted::Switchable {
            let turn = timeout(self.connect_timeout, self.connecting.lock()).await;
            let turn = turn.map_err(|_| NoConnection::Crowded)?;
            if let Some(many) = self.shared(wanted) {
                return Ok(Lease::Many(many));
            }
            Some(turn)
        } else {
            None
        };
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.permit().await?,
        };
        if let Some(kept) = self.kept(wanted) {
            let pool = Arc::clone(self);
            return Ok(Lease::One(One {
                pool,
                number: kept.number,
                sender: kept.sender,
                permit,
                reused: true,
            }));
        }
        // Boxed, so that requests on kept connections do not carry the room for it.
        let made = timeout(self.connect_timeout, Box::pin(self.connect(permit, wanted))).await;
        let made = made.unwrap_or_else(|_| Err(ConnectError::TimedOut(self.connect_timeout)));
        *self.rests_until.lock() = made.is_err().then(|| Instant::now() + REST);
        self.tell(made.as_ref().err());
        made.map_err(NoConnection::Failed)
    }

    /// Waits for one of the connections that there may be.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, NoConnection> {
        let permit = Box::pin(timeout(self.connect_timeout, Arc::clone(&self.permits).acquire_owned())).await;
        Ok(permit.map_err(|_| NoConnection::Crowded)?.expect("the semaphore is never closed"))
    }

    /// Tells of a server that cannot be connected to any more, or can again.
    fn tell(&self, error: Option<&ConnectError>) {
        if self.is_out.swap(error.is_some(), Relaxed) != error.is_some() {
            let server = self.server.to_string();
            let error = error.map(|error| error as _);
            self.observer.observe(&Observation::OriginServer {
                server: &server,
                in_use: error.is_none(),
                error,
            });
        }
    }

    /// Keeps a connection for the next request.
    pub(crate) fn keep(&self, number: u64, sender: http1::SendRequest<Sending>) {
        let kept = Kept { number, thread: thread::current().id(), since: Instant::now(), sender };
        self.kept.lock().push(kept);
    }

    /// How long a connection is kept without being asked anything.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// The connection that was used last, of this thread if there is one: its task is woken without a detour.
    fn kept(&self, wanted: Wanted) -> Option<Kept> {
        let now = Instant::now();
        let since_max = match wanted {
            Wanted::Any => self.idle_timeout,
            Wanted::Sure | Wanted::Switchable => self.idle_timeout.min(SURELY_OPEN),
            Wanted::New => return None,
        };
        let own = thread::current().id();
        let mut all = self.kept.lock();
        let fits =
            |kept: &Kept| now.saturating_duration_since(kept.since) < since_max && kept.sender.is_ready();
        let found = all
            .iter()
            .rposition(|kept| kept.thread == own && fits(kept))
            .or_else(|| all.iter().rposition(fits));
        found.map(|place| all.remove(place))
    }

    fn shared(&self, wanted: Wanted) -> Option<Many> {
        if wanted == Wanted::Switchable {
            return None;
        }
        let own = thread::current().id();
        let all = self.shared.lock();
        let open = |shared: &&Shared| shared.sender.is_ready();
        let found = all.iter().filter(open).find(|shared| shared.thread == own).or_else(|| {
            let is_full = all.len() >= self.connections_max;
            all.iter().find(open).filter(|_| is_full && wanted != Wanted::New)
        })?;
        Some(Many::new(found.sender.clone(), &found.requests))
    }

    async fn connect(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        wanted: Wanted,
    ) -> Result<Lease, ConnectError> {
        let (wire, spoken) = self.connector.connect(wanted).await?;
        if wanted != Wanted::Switchable {
            self.speaks_http2.store(spoken == Spoken::Http2, Relaxed);
        }
        let number = self.number.fetch_add(1, Relaxed);
        match spoken {
            Spoken::Http1 => {
                let mut http = http1::Builder::new();
                // The number of fields is hyper's own, 100: for any other it allocates room twice for each answer, and
                // fills it.
                http.max_header_size(HEAD_BYTES_MAX).max_buf_size(BUFFER_BYTES_MAX);
                let (sender, connection) =
                    http.handshake(TokioIo::new(wire)).await.map_err(ConnectError::Http)?;
                tokio::spawn(attend(connection.with_upgrades(), Arc::downgrade(self), number));
                Ok(Lease::One(One { pool: Arc::clone(self), number, sender, permit, reused: false }))
            }
            Spoken::Http2 => {
                let (sender, connection) =
                    spoken_http2().handshake(TokioIo::<Wire>::new(wire)).await.map_err(ConnectError::Http)?;
                let requests = Arc::new(AtomicUsize::new(0));
                let many = Many::fresh(sender.clone(), &requests);
                let thread = thread::current().id();
                {
                    let mut all = self.shared.lock();
                    if all.len() < self.connections_max && !all.iter().any(|other| other.thread == thread) {
                        all.push(Shared { number, thread, requests, sender });
                    }
                }
                tokio::spawn(attend(connection, Arc::downgrade(self), number));
                Ok(Lease::Many(many))
            }
        }
    }

    /// Lets go of a connection that nothing was asked on for too long.
    pub(crate) fn tidy(&self, number: u64) {
        let now = Instant::now();
        let too_long = |since: Instant| now.saturating_duration_since(since) >= self.idle_timeout;
        self.kept.lock().retain(|kept| kept.number != number || !too_long(kept.since));
        self.shared
            .lock()
            .retain(|shared| shared.number != number || shared.requests.fetch_and(!Many::USED, Relaxed) > 0);
    }

    pub(crate) fn forget(&self, number: u64) {
        self.kept.lock().retain(|kept| kept.number != number);
        self.shared.lock().retain(|shared| shared.number != number);
    }
}
