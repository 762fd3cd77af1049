//! Look-ups through both tiers, and changes to both.
//!
//! The order of steps is what the guarantees rest on. Before the second tier is asked, the store's snapshot is noted,
//! and what is found there is inserted with it: a message that comes in between either refuses the insertion or finds
//! the entry. Before a value is made, both the snapshot and the stamp are noted, so that neither tier takes it for
//! newer than a change that it may not show. A change is applied here before it is told, and applied once more when it
//! has its place among all nodes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kasoku_cache_remote::{
    Entry, Fill as Share, Lease, Misconfigured, Mode, Published, Reach, Remote, Settings, Waited,
};
use kasoku_cache_store::{Fill, Found, Store};
use kasoku_coherence::{Key, Sequence, Snapshot, Tag};
use kasoku_observe::{Observer, Silent};
use kasoku_units::{Clock, SystemClock};

use crate::hearing::{Hearing, purge};
use crate::refreshes::Refreshes;
use crate::value::{FoundIn, Got, Made, Portable, Rules};

/// How long a value may take to be made anew in the background.
const REFRESH_WITHIN: Duration = Duration::from_secs(30);

/// Both tiers as one. Clones are the same cache; the [crate's page](crate) says what it promises.
pub struct Tiers<V>(Arc<Inner<V>>);

struct Inner<V> {
    rules: Rules,
    store: Arc<Store<V>>,
    remote: Remote,
    clock: Arc<dyn Clock>,
    refreshes: Arc<Refreshes>,
}

impl<V> Clone for Tiers<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: Portable> Tiers<V> {
    /// Opens both, with so many bytes of memory for the first. The server need not be there. Must be called within a
    /// tokio runtime.
    pub fn open(budget_bytes: u64, rules: Rules, settings: Settings) -> Result<Self, Misconfigured> {
        Self::watched(budget_bytes, rules, settings, Arc::new(SystemClock), Arc::new(Silent))
    }

    /// As [`open`](Self::open), with a clock, and an observer that is told when the second tier comes and goes.
    pub fn watched(
        budget_bytes: u64,
        rules: Rules,
        settings: Settings,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Misconfigured> {
        let store = Arc::new(Store::new(budget_bytes, Arc::new(Sequence::new())));
        let hearing = Arc::new(Hearing(Arc::clone(&store)));
        let remote = Remote::open(settings, Arc::clone(&clock), hearing, observer)?;
        Ok(Self(Arc::new(Inner { rules, store, remote, clock, refreshes: Arc::default() })))
    }

    /// The value for a key: from memory, from another node, or made by `make`, which may be called once now or once in
    /// the background. It is waited for somebody else's making until the deadline, and no longer; the making itself
    /// takes as long as it takes. Everything that the value depends on must be among its tags, and what a
    /// key stands for must be in the key.
    pub async fn get<E, M, F>(&self, key: &Key, deadline: Instant, make: M) -> Result<Got<V>, E>
    where
        M: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Made<V>, E>> + Send,
        E: Send + 'static,
    {
        match self.0.look_up(key) {
            Some(got) if got.found_in == FoundIn::Stale => {
                self.refresh(key, make);
                Ok(got)
            }
            Some(got) => Ok(got),
            None => self.0.renew(key, deadline, &make).await,
        }
    }

    /// Tells all nodes what has changed. Call it when the change is visible to whoever makes values, and before its
    /// writer is answered. Waits at most so long for the other nodes; this one has applied it in any case.
    pub async fn changed(&self, tags: Vec<Tag>, within: Duration) -> Published {
        self.purge(Reach::Tags(tags), Mode::Hard, within).await
    }

    /// Purges on all nodes, as [`changed`](Self::changed) does. What is purged softly is stale.
    pub async fn purge(&self, reach: Reach, mode: Mode, within: Duration) -> Published {
        purge(&self.0.store, &reach, mode);
        self.0.remote.publish(reach, mode, within).await
    }

    /// The first tier: for its figures.
    pub fn store(&self) -> &Store<V> {
        &self.0.store
    }

    /// The second tier: for its figures, and to wait until it is in use.
    pub fn remote(&self) -> &Remote {
        &self.0.remote
    }

    fn refresh<E, M, F>(&self, key: &Key, make: M)
    where
        M: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Made<V>, E>> + Send,
        E: Send + 'static,
    {
        let Some(claim) = self.0.refreshes.claim(key) else { return };
        let (inner, key) = (Arc::clone(&self.0), key.clone());
        tokio::spawn(async move {
            let _claim = claim;
            let deadline = inner.clock.now() + REFRESH_WITHIN;
            // What fails or takes too long leaves the stale value to its rules.
            drop(tokio::time::timeout(REFRESH_WITHIN, inner.renew(&key, deadline, &make)).await);
        });
    }
}

impl<V: Portable> Inner<V> {
    /// What is in memory, if it may be used.
    fn look_up(&self, key: &Key) -> Option<Got<V>> {
        let now = self.clock.now();
        let Found::Usable { value, inserted, softened, .. } = self.store.look_up(key, now) else {
            return None;
        };
        let age = now.saturating_duration_since(inserted);
        let is_fresh = softened.is_none() && age < self.rules.fresh;
        let may_have_missed = age >= self.rules.alone && !self.remote.is_current();
        let is_usable = age < self.rules.kept() && !may_have_missed;
        let found_in = if is_fresh { FoundIn::Memory } else { FoundIn::Stale };
        is_usable.then_some(Got { value, age, found_in })
    }

    /// Another node's value, or a new one.
    async fn renew<E, M, F>(&self, key: &Key, deadline: Instant, make: &M) -> Result<Got<V>, E>
    where
        M: Fn() -> F + Sync,
        F: Future<Output = Result<Made<V>, E>> + Send,
    {
        let snapshot = self.store.snapshot();
        let accepts = |entry: &Entry| !entry.softened && entry.age < self.rules.fresh;
        let lease = match self.remote.wait(key, accepts, deadline).await {
            Waited::Found(entry) => match V::from_bytes(&entry.value) {
                Some(value) => return Ok(self.adopt(key, value, entry, snapshot)),
                None => None,
            },
            Waited::Won(lease) => Some(lease),
            Waited::TimedOut | Waited::Away(_) => None,
        };
        self.make(key, lease, make).await
    }

    /// Keeps here what another node has made.
    fn adopt(&self, key: &Key, value: V, entry: Entry, snapshot: Snapshot) -> Got<V> {
        let (value, now) = (Arc::new(value), self.clock.now());
        let inserted = now.checked_sub(entry.age).unwrap_or(now);
        self.keep(key, &value, entry.tags, snapshot, inserted);
        Got { value, age: entry.age, found_in: FoundIn::OtherNode }
    }

    async fn make<E, M, F>(&self, key: &Key, lease: Option<Lease>, make: &M) -> Result<Got<V>, E>
    where
        M: Fn() -> F + Sync,
        F: Future<Output = Result<Made<V>, E>> + Send,
    {
        let (stamp, snapshot, began) = (self.remote.stamp(), self.store.snapshot(), self.clock.now());
        let Made { value, tags } = make().await?;
        let value = Arc::new(value);
        self.keep(key, &value, tags.clone(), snapshot, began);
        let age = self.clock.now().saturating_duration_since(began);
        if let Some(stamp) = stamp {
            let share = Share { value: value.to_bytes(), tags, stamp, age, lifetime: self.rules.kept() };
            drop(self.remote.store(key.clone(), share, lease));
        }
        Ok(Got { value, age, found_in: FoundIn::Source })
    }

    /// Whether it is stored or refused, it is the answer to the question that it was made for.
    fn keep(&self, key: &Key, value: &Arc<V>, tags: Vec<Tag>, snapshot: Snapshot, inserted: Instant) {
        let expires = inserted.checked_add(self.rules.kept());
        self.store.insert(key.clone(), Fill { value: Arc::clone(value), tags, snapshot, inserted, expires });
    }
}
