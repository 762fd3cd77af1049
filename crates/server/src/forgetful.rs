//! Listens to commits on behalf of stores for which what they change cannot be named: all that they hold goes.

use std::sync::{Arc, Weak};

use kasoku_cache_store::Purge;
use kasoku_coherence::Position;
use kasoku_database::{CommitListener, DataChange};
use kasoku_policies::cache::ResponseStore;
use kasoku_source_data::ChangeTagger;

/// Tells the tagger of commits, and empties stores for which they cannot be named.
pub(crate) struct Forgetful {
    pub(crate) next: Option<Arc<ChangeTagger>>,
    pub(crate) stores: Vec<Weak<ResponseStore>>,
}

impl CommitListener for Forgetful {
    fn changed(&self, position: Position, changes: &[DataChange]) {
        self.stores.iter().for_each(forget);
        if let Some(next) = &self.next {
            next.changed(position, changes);
        }
    }
}

/// Empties a store, if it is still there.
pub(crate) fn forget(store: &Weak<ResponseStore>) {
    if let Some(store) = store.upgrade() {
        store.purge_all(Purge::Hard);
    }
}
