//! Lets the source choose the form of its answer before the answer is looked up.
//!
//! A caller can ask for one form in many words: `Accept` alone has a hundred spellings of "anything". Were a key made
//! of what was sent, each would be stored for itself. So the source reads the fields by which it chooses and leaves one
//! spelling of each choice in the request, and `cache`, `collapse` and the source itself see only that. What it cannot
//! answer in is refused here, whatever is stored.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use kasoku_pipeline::{Next, Outcome, Policy, Request, Source};

/// See the module.
pub struct Negotiate {
    source: Arc<dyn Source>,
}

impl Negotiate {
    /// With this source.
    pub fn new(source: &Arc<dyn Source>) -> Self {
        Self { source: Arc::clone(source) }
    }
}

impl Policy for Negotiate {
    async fn around<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        self.source.negotiate(&mut request)?;
        next.run(request).await
    }
}
