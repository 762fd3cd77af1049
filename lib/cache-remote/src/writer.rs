//! Stores and releases, written behind the callers' backs.
//!
//! A bounded queue of jobs and of bytes; what does not fit is dropped and counted. Nothing here is waited for by a
//! request, so a write may take longer than a look-up.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kasoku_coherence::Key;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::entry::{self, Fill};
use crate::lease::Lease;
use crate::line::Away;
use crate::scripts::Script;
use crate::session::Shared;

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stored {
    /// Other nodes find it.
    Stored,
    /// Its lease is not the newest for the key any more.
    Superseded,
    /// What is there shows more changes.
    Older,
    /// The epoch has turned since it was stamped.
    OtherEpoch,
    /// It is too large, or has no lifetime.
    Unfit,
    /// There was no room in the queue.
    Dropped,
    /// The server could not be asked, or did not do it.
    Away(Away),
}

/// A store under way. Dropping it changes nothing.
#[derive(Debug)]
pub struct Pending(Result<Stored, oneshot::Receiver<Stored>>);

/// Where jobs are put.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Job>,
    bytes: Arc<Semaphore>,
}

/// An entry that is to be stored.
struct Job {
    key: Key,
    fill: Fill,
    lease: Option<Lease>,
    verdict: oneshot::Sender<Stored>,
    _bytes: OwnedSemaphorePermit,
}

/// Stores that are in progress at the same moment.
const WRITES_AT_ONCE: usize = 16;

/// How long one may take.
const WRITE: Duration = Duration::from_millis(500);

/// Larger values are compressed on a thread of their own.
const COMPRESS_APART_BYTES: usize = 128 << 10;

/// A queue, and the work on it.
pub(crate) fn start(shared: &Arc<Shared>) -> (Writer, impl Future<Output = ()> + Send + use<>) {
    let settings = &shared.settings;
    let (queue, jobs) = mpsc::channel(settings.queue_max);
    let bytes = Arc::new(Semaphore::new(settings.queue_bytes_max));
    let writer = Writer { shared: Arc::clone(shared), queue, bytes };
    let shared = Arc::clone(shared);
    let jobs = stream::unfold(jobs, |mut jobs| async move { jobs.recv().await.map(|job| (job, jobs)) });
    let work = jobs.for_each_concurrent(WRITES_AT_ONCE, move |job| {
        let shared = Arc::clone(&shared);
        async move { write(&shared, job).await }
    });
    (writer, work)
}

impl Writer {
    pub(crate) fn store(&self, key: Key, fill: Fill, lease: Option<Lease>) -> Pending {
        let settings = &self.shared.settings;
        let refuse = |verdict| {
            self.shared.count_stored(verdict);
            Pending(Ok(verdict))
        };
        if fill.value.len() > settings.value_bytes_max || fill.lifetime < Duration::from_millis(1) {
            return refuse(Stored::Unfit);
        }
        if self.shared.line.is_open() {
            return refuse(Stored::Away(Away::Open));
        }
        let bytes = fill.value.len() + fill.tags.len() * 8 + key.bytes().len();
        let Ok(bytes) = Arc::clone(&self.bytes).try_acquire_many_owned(bytes as u32) else {
            return refuse(Stored::Dropped);
        };
        let (verdict, receiver) = oneshot::channel();
        match self.queue.try_send(Job { key, fill, lease, verdict, _bytes: bytes }) {
            Ok(()) => Pending(Err(receiver)),
            Err(_) => refuse(Stored::Dropped),
        }
    }
}

impl Future for Pending {
    type Output = Stored;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Stored> {
        match &mut self.get_mut().0 {
            Ok(verdict) => Poll::Ready(*verdict),
            Err(receiver) => {
                Pin::new(receiver).poll(context).map(|verdict| verdict.unwrap_or(Stored::Dropped))
            }
        }
    }
}

async fn write(shared: &Shared, job: Job) {
    let Job { key, fill, lease, verdict, _bytes } = job;
    let stored = match &lease {
        Some(lease) if !lease.may_be_newest() => Stored::Superseded,
        _ => {
            put(shared, key, fill, lease.as_ref().map_or(0, Lease::token)).await.unwrap_or_else(Stored::Away)
        }
    };
    if let (Some(lease), Stored::Stored) = (lease, stored) {
        lease.ended();
    }
    shared.count_stored(stored);
    let _ = verdict.send(stored);
}

async fn put(shared: &Shared, key: Key, fill: Fill, token: u64) -> Result<Stored, Away> {
    let session = shared.session().ok_or(Away::NotCurrent)?;
    if fill.stamp.epoch != session.knowledge.epoch() {
        return Ok(Stored::OtherEpoch);
    }
    let names = &shared.names;
    let (entry_name, lease_name, newest_name) = (names.entry(&key), names.lease(&key), names.newest(&key));
    let (as_of, lifetime) = (fill.stamp.as_of.to_string(), fill.lifetime.as_millis().to_string());
    let (compress_from, now_ms) = (shared.settings.compress_from_bytes, shared.now_ms());
    let bytes = if fill.value.len() > COMPRESS_APART_BYTES {
        let encode = move || entry::encode(&key, &fill, token, now_ms, compress_from);
        spawn_blocking(encode).await.map_err(|_| Away::Failed)?
    } else {
        entry::encode(&key, &fill, token, now_ms, compress_from)
    };
    let keys = [&entry_name, &lease_name, &newest_name, &names.epoch].map(String::as_str);
    let token = token.to_string();
    let texts = [&session.name, &token, &as_of, &lifetime].map(String::as_bytes);
    let arguments = [&texts[..], &[&bytes]].concat();
    let deadline = shared.now() + WRITE;
    let answer = shared.line.numbers(&session.run, Script::Store, &keys, &arguments, deadline).await?;
    match answer.map(|[verdict, _]| verdict) {
        Some(0) => Ok(Stored::Stored),
        Some(1) => Ok(Stored::Superseded),
        Some(2) => Ok(Stored::Older),
        Some(_) => Err(shared.line.garbled()),
        None => Ok(Stored::OtherEpoch),
    }
}

impl Shared {
    fn count_stored(&self, stored: Stored) {
        match stored {
            Stored::Stored => self.counters.stored.add_one(),
            Stored::Superseded | Stored::Older | Stored::OtherEpoch | Stored::Unfit => {
                self.counters.refused.add_one();
            }
            Stored::Dropped | Stored::Away(_) => self.counters.dropped.add_one(),
        }
    }
}
