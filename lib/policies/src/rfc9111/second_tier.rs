//! What is shared with other nodes: a second tier that entries come from and go to.
//!
//! The policy knows only this much of it. Whatever it does takes a bounded time of its own, and none of it can fail:
//! a second tier that is not there finds nothing and keeps nothing.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kasoku_coherence::{Key, Tag};
use kasoku_pipeline::BoxFuture;

/// A second tier. Its names for keys are the same on every node.
pub trait SecondTier: Send + Sync + 'static {
    /// Looks for an entry that is accepted. If there is none, whoever asks first may fill it, and the others wait,
    /// until the deadline.
    fn look_up<'a>(
        &'a self,
        key: &'a Key,
        accepts: Accepts<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, LookedUp>;

    /// The right to store what is read from now on, without a look-up.
    fn ticket(&self) -> Option<Box<dyn Ticket>>;

    /// Whether other nodes may have purged what is stored here without this one having heard of it, for longer than is
    /// allowed. What is stored is then used only as one uses what is stale.
    fn is_out_of_touch(&self) -> bool {
        false
    }

    /// Tells all nodes that what depends on these tags, or everything, is gone. Waits a short while for them.
    fn purge(&self, what: Gone) -> BoxFuture<'_, ()>;
}

/// Whether an entry is what is looked for.
pub type Accepts<'a> = &'a (dyn Fn(&Shared) -> bool + Send + Sync);

/// An entry that another node has stored.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The value.
    pub value: Bytes,
    /// How old it is.
    pub age: Duration,
    /// A soft purge has reached it.
    pub softened: bool,
}

/// What came of a look-up.
pub enum LookedUp {
    /// An entry that is accepted.
    Found(Shared),
    /// There is none; it is to be filled here.
    Fill(Box<dyn Ticket>),
    /// There is none, and nothing is to be stored.
    Away,
}

/// The right to store an entry. It knows what purges the entry will show.
pub trait Ticket: Send {
    /// Stores it.
    fn store(self: Box<Self>, key: Key, value: Bytes, tags: &[Tag], age: Duration, lifetime: Duration);
}

/// What is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// What depends on one of these.
    Tags(Vec<Tag>),
    /// Everything.
    Everything,
}
