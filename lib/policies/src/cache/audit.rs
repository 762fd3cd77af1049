//! Re-reads a share of the hits and compares: is what was served what the source would have said?
//!
//! A fresh read may see a change that the store has not been told of yet, because a change is visible before
//! it is applied and applied before its writer is told. So a difference alone proves nothing. It is a
//! violation if the stored response is *still* called usable after a time in which the change must have been
//! applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use kasoku_cache_store::Found;
use kasoku_coherence::Key;
use kasoku_observe::Observation;
use kasoku_pipeline::{Next, Outcome, Request};
use kasoku_problem::Fault;
use tokio::sync::Semaphore;

use super::refresh::renew_deadline;
use super::{ResponseStore, StoredResponse};
use crate::Surroundings;

/// Audits of one route at a time; a hit that finds no place is not audited.
const AUDITS_MAX: usize = 4;

/// After this a change that a read has seen must have been applied.
const APPLIED_WITHIN: Duration = Duration::from_secs(1);

/// Audits one route.
pub(super) struct Auditor {
    every: u64,
    hits: AtomicU64,
    places: Arc<Semaphore>,
    store: Arc<ResponseStore>,
    surroundings: Surroundings,
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Same,
    Different,
    /// The source failed, or did not say what it saw.
    Inconclusive,
}

impl Auditor {
    /// `None` for a share of nothing.
    pub(super) fn new(share: f64, store: &Arc<ResponseStore>, surroundings: &Surroundings) -> Option<Self> {
        (share > 0.0).then(|| Self {
            every: (1.0 / share.min(1.0)).round() as u64,
            hits: AtomicU64::new(0),
            places: Arc::new(Semaphore::new(AUDITS_MAX)),
            store: Arc::clone(store),
            surroundings: surroundings.clone(),
        })
    }

    /// Counts a hit; whether it is one of those to be audited.
    pub(super) fn is_due(&self) -> bool {
        self.hits.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every)
    }

    /// Audits in the background. The request has no key, so that it is neither collapsed with others nor
    /// stored.
    pub(super) fn audit<N: Next>(
        &self,
        mut request: Request,
        key: Key,
        stored: Arc<StoredResponse>,
        next: &Arc<N>,
    ) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let limit = renew_deadline(&mut request, &self.surroundings);
        let (next, store, surroundings) =
            (Arc::clone(next), Arc::clone(&self.store), self.surroundings.clone());
        tokio::spawn(async move {
            let _place = place;
            let work = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind();
            let Ok(Ok(fresh)) = tokio::time::timeout(limit, work).await else { return };
            let consistent = match compare(&stored, &fresh) {
                Comparison::Same => true,
                Comparison::Different => {
                    tokio::time::sleep(APPLIED_WITHIN).await;
                    // What has left the store meanwhile, for whatever reason, proves nothing.
                    if !is_usable(&store, &key, &stored, &surroundings) {
                        return;
                    }
                    false
                }
                Comparison::Inconclusive => return,
            };
            surroundings.observe(&Observation::Audited { route: &surroundings.route, consistent });
        });
    }
}

fn compare(stored: &StoredResponse, fresh: &Outcome) -> Comparison {
    let same = match fresh {
        Ok(fresh) => match (fresh.body.bytes(), fresh.snapshot) {
            (Some(body), Some(_)) => fresh.status == stored.status() && body == stored.body(),
            _ => return Comparison::Inconclusive,
        },
        // What is not there any more differs from what is stored; a source in trouble says nothing.
        Err(failure) if failure.problem.kind().fault() == Fault::Caller => false,
        Err(_) => return Comparison::Inconclusive,
    };
    if same { Comparison::Same } else { Comparison::Different }
}

fn is_usable(
    store: &ResponseStore,
    key: &Key,
    stored: &Arc<StoredResponse>,
    surroundings: &Surroundings,
) -> bool {
    match store.look_up(key, surroundings.clock.now()) {
        Found::Usable { value, .. } => Arc::ptr_eq(&value, stored),
        Found::Changed | Found::Absent => false,
    }
}
