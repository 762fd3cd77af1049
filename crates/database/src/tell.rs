//! Telling the listener what changed, and giving it a position.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kasoku_coherence::{Position, Sequence};
use kasoku_observe::{Observation, Observer};
use parking_lot::RwLock;

use crate::changes::{CommitListener, DataChange};
use crate::error::DatabaseError;

/// A change that the listener knows of and snapshots do not show yet.
pub(crate) struct Announced<'t> {
    sequence: &'t Sequence,
    position: Position,
}

impl Announced<'_> {
    pub(crate) fn position(&self) -> Position {
        self.position
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        self.sequence.publish(self.position);
    }
}

/// Gives positions to changes and tells the listener.
pub(crate) struct Teller {
    pub(crate) sequence: Arc<Sequence>,
    pub(crate) observer: Arc<dyn Observer>,
    listener: RwLock<Option<Arc<dyn CommitListener>>>,
}

impl Teller {
    pub(crate) fn new(sequence: Arc<Sequence>, observer: Arc<dyn Observer>) -> Self {
        Self { sequence, observer, listener: RwLock::new(None) }
    }

    /// Replaces the listener.
    pub(crate) fn listen(&self, listener: Arc<dyn CommitListener>) {
        *self.listener.write() = Some(listener);
    }

    /// Tells of changes that are about to become visible. Their position is published when what is returned is
    /// dropped, whether or not they came about.
    pub(crate) fn announce(&self, changes: &[DataChange]) -> Announced<'_> {
        let announced = Announced { sequence: &self.sequence, position: self.sequence.reserve() };
        self.inform(announced.position, changes);
        announced
    }

    /// Tells of changes that are visible to new reads by now.
    pub(crate) fn tell(&self, changes: &[DataChange]) {
        self.inform(self.sequence.next(), changes);
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
