//! Telling the listener what changed, and giving it a position.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kasoku_coherence::{Position, Sequence};
use kasoku_observe::{Observation, Observer};
use parking_lot::RwLock;

use crate::changes::{CommitListener, DataChange};
use crate::error::DatabaseError;

/// Gives positions to changes that have become visible and tells the listener.
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

    /// Tells of changes that are visible to new reads by now.
    pub(crate) fn tell(&self, changes: &[DataChange]) -> Position {
        let position = self.sequence.next();
        if changes.is_empty() {
            return position;
        }
        let listener = self.listener.read().clone();
        if let Some(listener) = listener
            && catch_unwind(AssertUnwindSafe(|| listener.committed(position, changes))).is_err()
        {
            // What it has learnt of this commit is unknown, so everything that it keeps may be old.
            self.failed("invalidate", &DatabaseError::Panicked("the listener to commits".into()));
            let everything = [DataChange::Everything];
            let _panicked_again =
                catch_unwind(AssertUnwindSafe(|| listener.committed(position, &everything)));
        }
        position
    }

    /// Observes a failure that no caller is told of.
    pub(crate) fn failed(&self, what: &'static str, error: &DatabaseError) {
        self.observer.observe(&Observation::DatabaseFailed { what, error });
    }
}
