//! Notes what a request's caller was told of and has to be shown.
//!
//! Who has written was told where that write is; who brings the telling along gets nothing older. What is stored shows
//! it once its feed has come so far; until then `cache` hands the request on, and its source reads where it is shown.

use std::sync::Arc;

use http::HeaderMap;
use kasoku_coherence::Landmark;
use kasoku_pipeline::{Next, Outcome, Policy, Request};

/// Knows what callers were promised: a change that they made is in every answer that they get from then on.
pub trait Promised: Send + Sync + 'static {
    /// What this request's caller was told of and what is stored may not show; the latest of several.
    fn owed(&self, headers: &HeaderMap) -> Option<Landmark>;
}

/// See the module.
pub struct Promise {
    promised: Arc<dyn Promised>,
}

impl Promise {
    /// By these promises.
    pub fn new(promised: Arc<dyn Promised>) -> Self {
        Self { promised }
    }
}

impl Policy for Promise {
    async fn around<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        request.owed = self.promised.owed(&request.headers);
        next.run(request).await
    }
}
