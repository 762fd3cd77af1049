//! Refreshes in the background, while a stale answer is served (RFC 5861 §3).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use kasoku_observe::Observation;
use kasoku_pipeline::{Next, Request};
use tokio::sync::Semaphore;

use super::StoredResponse;
use crate::Surroundings;
use crate::rescue::panic_message;

/// Refreshes of one route at a time; a stale hit that finds no place leaves it to the next one.
const REFRESHES_MAX: usize = 64;

/// For requests that had no deadline of their own.
const LIMIT_DEFAULT: Duration = Duration::from_secs(30);

/// Refreshes what one route has stored.
pub(crate) struct Refresher {
    surroundings: Surroundings,
    places: Arc<Semaphore>,
}

impl Refresher {
    pub(crate) fn new(surroundings: &Surroundings) -> Self {
        Self { surroundings: surroundings.clone(), places: Arc::new(Semaphore::new(REFRESHES_MAX)) }
    }

    /// Runs the request behind the caller's back, at most once at a time for each stored response, and with
    /// as much time as the caller had in the beginning.
    pub(crate) fn refresh<N: Next>(&self, mut request: Request, stored: &Arc<StoredResponse>, next: &Arc<N>) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let Some(claim) = stored.claim_refresh() else { return };
        let limit = renew_deadline(&mut request, &self.surroundings);
        let (next, surroundings) = (Arc::clone(next), self.surroundings.clone());
        tokio::spawn(async move {
            let _held = (place, claim);
            let work = AssertUnwindSafe(async {
                if let Ok(response) = next.run(request).await {
                    // What is stored as it is read has to be read.
                    response.into_fields().body.drain().await;
                }
            });
            let work = work.catch_unwind();
            // A refresh that fails or runs out of time leaves the stale response to its rules.
            if let Ok(Err(payload)) = tokio::time::timeout(limit, work).await {
                let route = &surroundings.route;
                surroundings.observe(&Observation::Panicked { route, message: panic_message(&*payload) });
            }
        });
    }
}

/// Gives a request that runs again the time that it had at first. Returns how much that is.
pub(crate) fn renew_deadline(request: &mut Request, surroundings: &Surroundings) -> Duration {
    let now = surroundings.clock.now();
    let limit = match (request.arrived, request.deadline) {
        (Some(arrived), Some(deadline)) => deadline.saturating_duration_since(arrived),
        (None, Some(deadline)) => deadline.saturating_duration_since(now),
        (_, None) => LIMIT_DEFAULT,
    };
    request.arrived = Some(now);
    request.deadline = now.checked_add(limit);
    limit
}
