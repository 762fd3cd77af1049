//! What is kept, for how long, and where it was found.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kasoku_cache_store::Weigh;
use kasoku_coherence::Tag;

/// A value that can be kept in memory and sent to other nodes.
pub trait Portable: Weigh + Send + Sync + Sized + 'static {
    /// As bytes, for other nodes, which may run other versions of the program.
    fn to_bytes(&self) -> Bytes;

    /// What another node has sent; `None` if it is not understood, and then it is made here. The bytes may be a part of
    /// something larger: copy what is kept of them.
    fn from_bytes(bytes: &Bytes) -> Option<Self>;
}

/// How long values are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// So long a value is fresh, unless a change reaches it.
    pub fresh: Duration,
    /// So long after that it is given while it is made anew.
    pub stale: Duration,
    /// So old a value in memory may be while this node cannot hear of changes by others. Zero asks the source until
    /// it can; more means that others' changes may go unnoticed for so long.
    pub alone: Duration,
}

impl Rules {
    /// How long a value is kept.
    pub(crate) fn kept(&self) -> Duration {
        self.fresh.saturating_add(self.stale)
    }
}

/// A value that was made now.
#[derive(Debug, Clone)]
pub struct Made<V> {
    /// The value.
    pub value: V,
    /// Everything that it depends on.
    pub tags: Vec<Tag>,
}

/// A value that was asked for.
#[derive(Debug)]
pub struct Got<V> {
    /// The value, shared with the store.
    pub value: Arc<V>,
    /// How old it is.
    pub age: Duration,
    /// Where it was found.
    pub found_in: FoundIn,
}

/// Where a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundIn {
    /// In memory, fresh.
    Memory,
    /// In memory, stale; it is being made anew.
    Stale,
    /// Another node has made it.
    OtherNode,
    /// It was made for this request.
    Source,
}
