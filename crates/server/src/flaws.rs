//! What is made worse on purpose, so that tests can see whether they would notice. The product has no flaws.
//!
//! A checker that never found anything may be blind. So the whole server can be run, in tests of this crate, with a
//! store whose fence is broken and with sources that take long.

use std::sync::Arc;

use kasoku_cache_store::{Fence, Store};
use kasoku_coherence::Sequence;
use kasoku_config::Plan;
use kasoku_pipeline::Source;
use kasoku_policies::cache::ResponseStore;

/// How the parts differ from those of the product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flaws {
    /// The fence of the stores.
    pub(crate) fence: Fence,
    /// What is put around each source.
    pub(crate) around: fn(Arc<dyn Source>) -> Arc<dyn Source>,
}

impl Flaws {
    /// Not at all.
    pub(crate) fn none() -> Self {
        Self { fence: Fence::Whole, around: |source| source }
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
