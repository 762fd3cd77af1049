//! Applies what nodes tell each other to the store of this one.

use std::sync::Arc;

use kasoku_cache_remote::{Listener, Message, Mode, Reach};
use kasoku_cache_store::{Purge, Store, Weigh};

/// See the module. It applies what this node sent, too: an entry may have come back from the second tier between the
/// purge here and its place in the order of all nodes.
pub(crate) struct Hearing<V>(pub(crate) Arc<Store<V>>);

impl<V: Weigh + Send + Sync + 'static> Listener for Hearing<V> {
    fn apply(&self, message: &Message) {
        purge(&self.0, &message.reach, message.mode);
    }

    fn gap(&self) {
        self.0.purge_all(Purge::Hard);
    }
}

/// Purges what a message reaches from a store.
pub fn purge<V: Weigh + Send + Sync + 'static>(store: &Store<V>, reach: &Reach, mode: Mode) {
    let mode = match mode {
        Mode::Soft => Purge::Soft,
        Mode::Hard => Purge::Hard,
    };
    match reach {
        Reach::Tags(tags) => {
            for tag in tags {
                store.purge_tag(*tag, mode);
            }
        }
        Reach::Key(key) => drop(store.purge_key(key, mode)),
        Reach::Prefix { part, prefix } => drop(store.purge_prefix(*part as usize, prefix, mode)),
        Reach::Everything => drop(store.purge_all(mode)),
    }
}
