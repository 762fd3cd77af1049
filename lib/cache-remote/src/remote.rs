//! The second tier as its callers see it: look-ups, stamps and stores.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kasoku_coherence::Key;
use kasoku_observe::Observer;
use kasoku_units::Clock;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::connection;
use crate::entry::{self, Entry, Fill, Refusal, Stamp};
use crate::knowledge::Judgement;
use crate::lease::Lease;
use crate::line::{self, Away};
use crate::listener::Listener;
use crate::session::{Session, Shared, random};
use crate::settings::{Misconfigured, Settings};
use crate::stats::Stats;
use crate::writer::{self, Pending, Writer};
use crate::{publish, tail};

/// The second tier of a cache: entries, purges and leases that nodes share through a server.
///
/// It is shared as an `Arc`; every method takes `&self`. The [crate's page](crate) says what it promises. Its tasks
/// end when it is dropped.
pub struct Remote {
    pub(crate) shared: Arc<Shared>,
    writer: Writer,
    tasks: Vec<JoinHandle<()>>,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An entry that shows every message that this node has heard of.
    Usable(Entry),
    /// There is no entry.
    Absent,
    /// There is one that may not be used.
    Refused(Refusal),
    /// The second tier could not be asked, or did not answer in time.
    Away(Away),
}

impl Remote {
    /// Begins to follow a server. It need not be there: it is looked for as long as this exists. Must be called
    /// within a tokio runtime.
    pub fn open(
        settings: Settings,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn Listener>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Misconfigured> {
        let client = settings.check()?;
        let node = random();
        let shared = Arc::new(Shared::new(settings, node, clock, listener, observer));
        let (writer, write) = writer::start(&shared);
        let follow = {
            let (shared, client) = (Arc::clone(&shared), client.clone());
            async move { tail::follow(&shared, &client).await }
        };
        let keep = {
            let shared = Arc::clone(&shared);
            async move { line::keep(&shared.line, &client, &shared.settings, &shared.counters).await }
        };
        let send = {
            let shared = Arc::clone(&shared);
            async move { publish::send(&shared).await }
        };
        let tasks = vec![tokio::spawn(follow), tokio::spawn(keep), tokio::spawn(send), tokio::spawn(write)];
        Ok(Self { shared, writer, tasks })
    }

    /// This node's name among the others, new with each start.
    pub fn node(&self) -> u64 {
        self.shared.node
    }

    /// Waits until the second tier is in use; says whether it came to that in time.
    pub async fn ready(&self, within: Duration) -> bool {
        let ready = async {
            loop {
                self.shared.used().await;
                if self.is_current() && !self.shared.line.is_open() {
                    return;
                }
                tokio::time::sleep(self.shared.settings.tick() / 10).await;
            }
        };
        timeout(within, ready).await.is_ok()
    }

    /// Whether it is certain that every message of more than a bound ago has been applied. While it is not, what
    /// the first tier keeps may have been purged elsewhere, and the second is not read.
    pub fn is_current(&self) -> bool {
        self.lag().is_some()
    }

    /// The proof behind [`is_current`](Self::is_current): everything published before so long ago has been applied.
    pub fn lag(&self) -> Option<Duration> {
        self.shared.lag()
    }

    /// Whether the last proof is older than [`Settings::strict`] allows. It never is where nothing is said.
    pub fn is_out_of_touch(&self) -> bool {
        self.shared.is_out_of_touch()
    }

    /// When a look-up that begins now gives up. A request that asks several times hands the same deadline to all, so
    /// that it waits for one budget in all.
    pub fn deadline(&self) -> Instant {
        self.shared.now() + self.shared.settings.budget
    }

    /// What a fill that begins now is certain to see. Take it **before** reading. `None` while no epoch is known:
    /// what is read then is not stored here.
    pub fn stamp(&self) -> Option<Stamp> {
        self.shared.session().map(|session| session.stamp())
    }

    /// Looks a key up, until the deadline at most.
    pub async fn get(&self, key: &Key, deadline: Instant) -> Found {
        let found = self.shared.get(key, deadline).await;
        self.shared.count(&found);
        found
    }

    /// Stores an entry behind the caller's back; drop what it returns, or wait for the verdict. With a lease, only if
    /// nobody has been given a newer one for the key; the lease ends with it.
    pub fn store(&self, key: Key, fill: Fill, lease: Option<Lease>) -> Pending {
        self.writer.store(key, fill, lease)
    }

    /// What it did.
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats(self.shared.outbox.len() as u64)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for Remote {
    /// Says how it stands, and nothing of where it is, for the address may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Remote").field("lag", &self.lag()).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn count(&self, found: &Found) {
        match found {
            Found::Usable(_) => self.counters.hits.add_one(),
            Found::Absent => self.counters.absent.add_one(),
            Found::Refused(refusal) => self.counters.refusal(*refusal),
            Found::Away(away) => self.counters.away(*away),
        }
    }

    async fn get(&self, key: &Key, deadline: Instant) -> Found {
        let session = match self.current() {
            Ok(session) => session,
            Err(away) => return Found::Away(away),
        };
        let mut command = redis::cmd("GET");
        command.arg(self.names.entry(key));
        let answer = match self.line.ask(&session.run, &command, deadline).await {
            Ok(answer) => answer,
            Err(away) => return Found::Away(away),
        };
        match connection::bytes(answer) {
            Ok(bytes) => self.judge(&session, key, bytes),
            Err(_) => Found::Away(self.line.garbled()),
        }
    }

    /// Whether what the server holds for a key may be used.
    pub(crate) fn judge(&self, session: &Arc<Session>, key: &Key, bytes: Option<Bytes>) -> Found {
        let Some(bytes) = bytes else { return Found::Absent };
        let entry = match self.read(session, key, &bytes) {
            Ok(entry) => entry,
            Err(refusal) => return Found::Refused(refusal),
        };
        // What was heard of meanwhile has been judged; what could not be heard of has not.
        if self.still(session) { Found::Usable(entry) } else { Found::Away(Away::NotCurrent) }
    }

    fn read(&self, session: &Session, key: &Key, bytes: &Bytes) -> Result<Entry, Refusal> {
        let read = entry::decode(key, bytes, self.settings.value_bytes_max)?;
        let now_ms = self.now_ms();
        let (remaining, age) = (read.remaining(now_ms)?, read.age(now_ms));
        if read.stamp.epoch != session.knowledge.epoch() {
            return Err(Refusal::OtherEpoch);
        }
        let stamp = read.stamp;
        let value = read.payload.value()?;
        // Last, so that it sees whatever was applied while the entry was fetched and unpacked.
        match session.knowledge.judge(key, &read.tags, stamp.as_of) {
            Judgement::Changed => Err(Refusal::Changed),
            Judgement::Usable { softened } => {
                Ok(Entry { value, tags: read.tags, stamp, softened, age, remaining })
            }
        }
    }
}
