//! What the parts of the server stand on, where that is not the world itself.
//!
//! The product is served on the system's clock, with whole fences and with sources that answer. `kasoku explain`
//! rehearses on a clock that it moves itself, with sources that tell what they would do. And a checker that never found
//! anything may be blind: so tests of this crate run the whole server with a store whose fence is broken and with
//! sources that take long.

use std::sync::Arc;

use kasoku_cache_store::{Fence, Store};
use kasoku_coherence::Sequence;
use kasoku_config::Plan;
use kasoku_pipeline::Source;
use kasoku_policies::cache::ResponseStore;
use kasoku_units::{Clock, SystemClock};

/// Puts something around a source.
pub(crate) type Around = Arc<dyn Fn(Arc<dyn Source>) -> Arc<dyn Source> + Send + Sync>;

/// How the parts differ from those of the product.
#[derive(Clone)]
pub(crate) struct Stage {
    /// The fence of the stores.
    pub(crate) fence: Fence,
    /// What is put around each source.
    pub(crate) around: Around,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether a new configuration keeps what it can of the one before.
    pub(crate) keeping: Keeping,
}

/// What a new configuration does with the routes and the store of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Routes that are equal stay as they are, with all that is stored for them.
    EqualRoutes,
    /// Everything is made anew.
    Nothing,
}

impl Stage {
    /// The world itself.
    pub(crate) fn world() -> Self {
        Self {
            fence: Fence::Whole,
            around: Arc::new(|source| source),
            clock: Arc::new(SystemClock),
            keeping: Keeping::EqualRoutes,
        }
    }

    /// A store for the answers of a plan.
    pub(crate) fn store(&self, plan: &Plan, sequence: &Arc<Sequence>) -> Arc<ResponseStore> {
        Arc::new(Store::with_fence(plan.cache.memory_bytes, Arc::clone(sequence), self.fence))
    }

    /// The source as it is served.
    pub(crate) fn source(&self, source: Arc<dyn Source>) -> Arc<dyn Source> {
        (self.around)(source)
    }
}
