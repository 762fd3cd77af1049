//! Leases: one fill of a key among all nodes.
//!
//! A lease is a key on the server that lives as long as its holder renews it, and a token that is larger than
//! every one given out for the key before. Coherence does not need leases, for the fence refuses what is old by
//! itself; they spare the source work. So whatever goes wrong with one costs a fill too many, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kasoku_coherence::Key;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::connection;
use crate::entry::{Entry, HEAD_BYTES};
use crate::line::Away;
use crate::remote::{Found, Remote};
use crate::scripts::Script;
use crate::session::{Session, Shared, epoch_name};

/// What an attempt at a lease led to.
#[derive(Debug)]
pub enum Leased {
    /// Fill, and store with it.
    Won(Lease),
    /// Somebody else fills.
    Held {
        /// When that is over, unless it is renewed.
        until: Instant,
    },
    /// It could not be found out; fill without.
    Away(Away),
}

/// What waiting for somebody else's fill led to.
#[derive(Debug)]
pub enum Waited {
    /// The fill is there.
    Found(Entry),
    /// Whoever filled ended without storing what was waited for: fill, and store with this.
    Won(Lease),
    /// The deadline came first.
    TimedOut,
    /// The second tier fell away; fill without.
    Away(Away),
}

/// The right to fill a key, renewed as long as it lives and given back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    held: Arc<Held>,
    renewal: JoinHandle<()>,
    ended: bool,
}

struct Held {
    shared: Arc<Shared>,
    session: Arc<Session>,
    key: Key,
    token: u64,
    taken: Instant,
    /// When the server last confirmed it, in milliseconds since it was taken.
    confirmed_ms: AtomicU64,
    lost: AtomicBool,
    _permit: OwnedSemaphorePermit,
}

/// How long the server remembers the newest token of a key after it was last confirmed.
const TOKEN_MEMORY: Duration = Duration::from_mins(10);

/// Any entry may be there when a lease is given, or none.
const WHATEVER: &[u8] = b"*";

/// Between two looks at somebody else's fill, doubled each time.
const LOOK_AGAIN_MIN: Duration = Duration::from_millis(2);
const LOOK_AGAIN_MAX: Duration = Duration::from_millis(25);

impl Remote {
    /// Tries to become the one that fills a key, until the deadline at most. Somebody's fill may have come to its end
    /// since the caller looked; [`wait`](Self::wait) looks and tries in one.
    pub async fn lease(&self, key: &Key, deadline: Instant) -> Leased {
        let leased = try_lease(&self.shared, key, WHATEVER, deadline).await;
        if let Leased::Away(away) = &leased {
            self.shared.counters.away(*away);
        }
        leased
    }

    /// Looks for an entry that `accepts`; gets the lease if nobody has it, and nothing was stored since the look; or
    /// waits for the one or the other, until the caller's deadline. Each look takes no longer than the budget. Of
    /// all who call it for a key that is not there, one fills.
    pub async fn wait(&self, key: &Key, accepts: impl Fn(&Entry) -> bool, deadline: Instant) -> Waited {
        let mut pause = LOOK_AGAIN_MIN;
        loop {
            match self.look(key, &accepts, deadline).await {
                Look::Over(waited) => return waited,
                // Many waiters at once have to take turns.
                Look::Away(Away::Busy) | Look::Again => {}
                Look::Away(away) => {
                    self.shared.counters.away(away);
                    return Waited::Away(away);
                }
            }
            let now = self.shared.now();
            if now >= deadline {
                return Waited::TimedOut;
            }
            sleep(pause.min(deadline - now)).await;
            pause = (pause * 2).min(LOOK_AGAIN_MAX);
        }
    }

    async fn look(&self, key: &Key, accepts: impl Fn(&Entry) -> bool, deadline: Instant) -> Look {
        let shared = &self.shared;
        let session = match shared.current() {
            Ok(session) => session,
            Err(away) => return Look::Away(away),
        };
        let mut command = redis::cmd("MGET");
        command.arg(shared.names.entry(key)).arg(shared.names.lease(key));
        let answer = match shared.line.ask(&session.run, &command, self.deadline()).await {
            Ok(answer) => answer,
            Err(away) => return Look::Away(away),
        };
        let Some([entry, lease]) = both(answer) else { return Look::Away(shared.line.garbled()) };
        let seen = entry.as_ref().map_or_else(Bytes::new, |entry| entry.slice(..entry.len().min(HEAD_BYTES)));
        if let Found::Usable(entry) = shared.judge(&session, key, entry)
            && accepts(&entry)
        {
            shared.counters.hits.add_one();
            return Look::Over(Waited::Found(entry));
        }
        if lease.is_some() || shared.now() >= deadline {
            return Look::Again;
        }
        match try_lease(shared, key, &seen, self.deadline()).await {
            Leased::Won(lease) => Look::Over(Waited::Won(lease)),
            Leased::Held { .. } => Look::Again,
            Leased::Away(away) => Look::Away(away),
        }
    }
}

/// What one look at somebody else's fill showed.
enum Look {
    Over(Waited),
    Again,
    Away(Away),
}

/// The entry and the lease, as far as they are there.
fn both(answer: redis::Value) -> Option<[Option<Bytes>; 2]> {
    let redis::Value::Array(answer) = answer else { return None };
    let [entry, lease] = <[redis::Value; 2]>::try_from(answer).ok()?;
    Some([connection::bytes(entry).ok()?, connection::bytes(lease).ok()?])
}

/// Tries to get a lease, if the entry is still the one that was seen.
async fn try_lease(shared: &Arc<Shared>, key: &Key, seen: &[u8], deadline: Instant) -> Leased {
    ask_lease(shared, key, seen, deadline).await.unwrap_or_else(Leased::Away)
}

async fn ask_lease(shared: &Arc<Shared>, key: &Key, seen: &[u8], deadline: Instant) -> Result<Leased, Away> {
    let session = shared.current()?;
    let permit = Arc::clone(&shared.leases).try_acquire_owned().map_err(|_| Away::Busy)?;
    let names = &shared.names;
    let (lease, newest, entry) = (names.lease(key), names.newest(key), names.entry(key));
    let keys = [lease.as_str(), &newest, &names.tokens, &names.epoch, &entry];
    let lifetime = shared.settings.lease.as_millis().to_string();
    let memory = (TOKEN_MEMORY * 2).as_millis().to_string();
    let arguments = [session.name.as_bytes(), lifetime.as_bytes(), memory.as_bytes(), seen];
    let taken = shared.now();
    let answer = shared.line.numbers(&session.run, Script::Lease, &keys, &arguments, deadline).await?;
    let [token, held_ms] = answer.ok_or(Away::NotCurrent)?;
    if token == 0 {
        let held = Duration::from_millis(held_ms).min(shared.settings.lease);
        return Ok(Leased::Held { until: shared.now() + held });
    }
    let held = Arc::new(Held {
        shared: Arc::clone(shared),
        session,
        key: key.clone(),
        token,
        taken,
        confirmed_ms: AtomicU64::new(0),
        lost: AtomicBool::new(false),
        _permit: permit,
    });
    let renewal = tokio::spawn({
        let held = Arc::clone(&held);
        async move { held.renew().await }
    });
    Ok(Leased::Won(Lease { held, renewal, ended: false }))
}

impl Lease {
    /// Larger than that of every lease for the key before it.
    pub fn token(&self) -> u64 {
        self.held.token
    }

    /// Whether somebody else has, or may have, been given the key meanwhile.
    pub fn is_lost(&self) -> bool {
        self.held.lost.load(Ordering::Acquire)
    }

    /// Whether the server can still tell that a newer token was given out.
    pub(crate) fn may_be_newest(&self) -> bool {
        let confirmed = Duration::from_millis(self.held.confirmed_ms.load(Ordering::Acquire));
        self.held.age() < confirmed + TOKEN_MEMORY
    }

    /// The server has ended it.
    pub(crate) fn ended(mut self) {
        self.ended = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
        if self.ended {
            return;
        }
        // At the end of the runtime there is nobody to do it, and the server forgets the lease by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let held = Arc::clone(&self.held);
            runtime.spawn(async move { held.release().await });
        }
    }
}

impl Held {
    fn age(&self) -> Duration {
        self.shared.now().saturating_duration_since(self.taken)
    }

    async fn renew(&self) {
        loop {
            sleep(self.shared.settings.lease / 3).await;
            let lifetime = self.shared.settings.lease.as_millis().to_string();
            let memory = (TOKEN_MEMORY * 2).as_millis().to_string();
            let lease = self.shared.names.lease(&self.key);
            let newest = self.shared.names.newest(&self.key);
            let asked = self.age();
            let answer = self.tell(Script::Renew, &[&lease, &newest], &[&lifetime, &memory]).await;
            match answer {
                Ok(true) => {
                    let asked_ms = u64::try_from(asked.as_millis()).unwrap_or(u64::MAX);
                    self.confirmed_ms.store(asked_ms, Ordering::Release);
                }
                Ok(false) => {
                    self.lost.store(true, Ordering::Release);
                    return;
                }
                // It is tried again as long as the lease may live.
                Err(_) => {}
            }
        }
    }

    async fn release(&self) {
        let lease = self.shared.names.lease(&self.key);
        // A lease that cannot be given back ends by itself.
        let _ = self.tell(Script::Release, &[&lease], &[]).await;
    }

    /// Says something about the own lease; answers whether it was the own.
    async fn tell(&self, script: Script, keys: &[&str], more: &[&str]) -> Result<bool, Away> {
        let own = format!("{} {}", epoch_name(self.session.knowledge.epoch()), self.token);
        let mut arguments = vec![own.as_bytes()];
        arguments.extend(more.iter().map(|argument| argument.as_bytes()));
        let deadline = self.shared.now() + self.shared.settings.lease / 3;
        let answer = self.shared.line.numbers(&self.session.run, script, keys, &arguments, deadline).await?;
        Ok(answer == Some([1, 0]))
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Held").field("token", &self.token).finish_non_exhaustive()
    }
}
