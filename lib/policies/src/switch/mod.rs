//! Leads around the cache of a route while an operator has switched it off.
//!
//! It stands before `cache`, and knows the source behind it. While it is off, reads go straight to the source: nothing
//! is looked up, collapsed or stored, and `Cache-Status` says `fwd=bypass; detail=switched-off`. What changes things
//! goes the usual way, so that it invalidates what other routes have stored. On, it costs one relaxed load.
//!
//! Whoever switches it off removes what the route has stored, and what is on its way there.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use kasoku_http_caching::reason::Reason;
use kasoku_pipeline::{Next, Outcome, Policy, Request, Source};

/// The switch of one route, held by its pipelines and by who may turn it.
#[derive(Debug, Default)]
pub struct Lever {
    off: AtomicBool,
}

/// See the module.
pub struct Switch {
    lever: Arc<Lever>,
    source: Arc<dyn Source>,
}

impl Lever {
    /// Whether the cache takes part.
    pub fn is_on(&self) -> bool {
        !self.off.load(Ordering::Relaxed)
    }

    /// Turns it. Says whether that changed anything.
    pub fn turn(&self, on: bool) -> bool {
        self.off.swap(!on, Ordering::Relaxed) == on
    }
}

impl Switch {
    /// Leads to this source while the lever is off.
    pub fn new(lever: &Arc<Lever>, source: &Arc<dyn Source>) -> Self {
        Self { lever: Arc::clone(lever), source: Arc::clone(source) }
    }
}

impl Policy for Switch {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        if self.lever.is_on() || !matches!(request.method, Method::GET | Method::HEAD) {
            return next.run(request).await;
        }
        // Boxed, so that it takes no room in requests that go the usual way.
        Box::pin(self.bypass(request)).await
    }
}

impl Switch {
    async fn bypass(&self, request: Request) -> Outcome {
        match self.source.answer(request).await {
            Ok(mut response) => {
                response.cache.reason = Some(Reason::SwitchedOff);
                Ok(response)
            }
            Err(mut failure) => {
                failure.cache.reason = Some(Reason::SwitchedOff);
                Err(failure)
            }
        }
    }
}
