//! Telling the listener what changed, and giving it a position.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kasoku_coherence::{Position, Sequence, Snapshot};
use kasoku_observe::{Observation, Observer};
use parking_lot::RwLock;

use crate::changes::{CommitListener, DataChange};
use crate::error::DatabaseError;

/// A change that the listener knows of and snapshots do not show yet.
pub(crate) struct Announced<'t> {
    teller: &'t Teller,
    position: Position,
}

impl Announced<'_> {
    pub(crate) fn position(&self) -> Position {
        self.position
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        // Counted before it is published: see `Horizon`.
        self.teller.count();
        self.teller.sequence.publish(self.position);
    }
}

/// What a read that begins now has to see at the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Horizon {
    /// All changes up to this position. Taken before the commits are counted.
    pub(crate) snapshot: Snapshot,
    /// So many commits of this database, those of other processes included as they are noticed. A commit is counted
    /// once it is visible, before its position is published and before it is answered.
    pub(crate) commits: u64,
}

/// Gives positions to changes and tells the listener.
pub(crate) struct Teller {
    pub(crate) sequence: Arc<Sequence>,
    pub(crate) observer: Arc<dyn Observer>,
    commits: AtomicU64,
    listener: RwLock<Option<Arc<dyn CommitListener>>>,
}

impl Teller {
    pub(crate) fn new(sequence: Arc<Sequence>, observer: Arc<dyn Observer>) -> Self {
        Self { sequence, observer, commits: AtomicU64::new(0), listener: RwLock::new(None) }
    }

    /// Replaces the listener.
    pub(crate) fn listen(&self, listener: Arc<dyn CommitListener>) {
        *self.listener.write() = Some(listener);
    }

    /// Tells of changes that are about to become visible. Their position is published when what is returned is
    /// dropped, whether or not they came about.
    pub(crate) fn announce(&self, changes: &[DataChange]) -> Announced<'_> {
        let announced = Announced { teller: self, position: self.sequence.reserve() };
        self.inform(announced.position, changes);
        announced
    }

    /// Tells of changes that are visible to new reads by now.
    pub(crate) fn tell(&self, changes: &[DataChange]) {
        self.count();
        self.inform(self.sequence.next(), changes);
    }

    /// What a read that begins now has to see.
    pub(crate) fn horizon(&self) -> Horizon {
        let snapshot = self.sequence.snapshot();
        Horizon { snapshot, commits: self.commits.load(Ordering::Acquire) }
    }

    fn count(&self) {
        self.commits.fetch_add(1, Ordering::AcqRel);
    }

    fn inform(&self, position: Position, changes: &[DataChange]) {
        if changes.is_empty() {
            return;
        }
        let listener = self.listener.read().clone();
        if let Some(listener) = listener
            && catch_unwind(AssertUnwindSafe(|| listener.changed(position, changes))).is_err()
        {
            // What it has learnt of this commit is unknown, so everything that it keeps may be old.
            self.failed("invalidate", &DatabaseError::Panicked("the listener to commits".into()));
            let everything = [DataChange::Everything];
            let _panicked_again = catch_unwind(AssertUnwindSafe(|| listener.changed(position, &everything)));
        }
    }

    /// Observes a failure that no caller is told of.
    pub(crate) fn failed(&self, what: &'static str, error: &DatabaseError) {
        self.observer.observe(&Observation::DatabaseFailed { what, error });
    }
}
