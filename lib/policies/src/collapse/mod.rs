//! Lets one forward answer equal requests that are in flight at the same time.
//!
//! The first request for a key leads a *flight*; those that come while it is in the air wait for the same
//! outcome. The flight goes on while anybody waits for it, whoever began it, and is cancelled when nobody
//! does. It belongs to those that wait: no task is spawned.
//!
//! A flight that began before a change must not answer a request that came after it: that request could have
//! been told of the change already. So a request joins a flight only if nothing that the source depends on
//! has changed since the flight began, and else leads a new one. Where a source cannot say beforehand what it depends
//! on, the same is asked of the answer when it is there.
//!
//! Only requests with a key are collapsed, and only for sources that do not stream.

mod flight;

#[cfg(test)]
mod tests;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Key, Snapshot, Tag};
use kasoku_pipeline::{Failure, Next, Outcome, Policy, Promises, Request, Response};
use kasoku_problem::Kind;

use self::flight::{Boarded, Flights, Share};
use crate::cache::ResponseStore;

/// Knows what has changed and been purged. The store of stored responses does.
pub trait Changes: Send + Sync + 'static {
    /// What a forward that begins now is certain to see.
    fn snapshot(&self) -> Snapshot;

    /// Whether a forward that began with this snapshot may answer a request for this key that comes now:
    /// nothing that it might not have seen has happened since to the key or the tags.
    fn allow(&self, key: &Key, tags: &[Tag], since: Snapshot) -> bool;
}

impl Changes for ResponseStore {
    fn snapshot(&self) -> Snapshot {
        Self::snapshot(self)
    }

    fn allow(&self, key: &Key, tags: &[Tag], since: Snapshot) -> bool {
        self.accepts(key, tags, since)
    }
}

/// Forwards of one route in the air at a time; further requests are forwarded each on its own.
const FLIGHTS_MAX: usize = 65_536;

/// How often a request may join others before it is forwarded on its own.
const ATTEMPTS_MAX: usize = 2;

/// See the module.
pub struct Collapse {
    depends_on: Vec<Tag>,
    changes: Arc<dyn Changes>,
    /// `None` for sources that stream.
    flights: Option<Arc<Flights>>,
}

impl Collapse {
    /// For a route whose source makes these promises.
    pub fn new(promises: &Promises, changes: Arc<dyn Changes>) -> Self {
        Self {
            depends_on: promises.depends_on.clone(),
            changes,
            flights: (!promises.streams).then(|| Arc::new(Flights::new(FLIGHTS_MAX))),
        }
    }

    /// Forwards in the air.
    pub fn in_flight(&self) -> usize {
        self.flights.as_ref().map_or(0, |flights| flights.len())
    }
}

impl Policy for Collapse {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let (Some(flights), Some(key)) = (&self.flights, request.key.clone()) else {
            return next.run(request).await;
        };
        let deadline = request.deadline;
        let mut request = Some(request);
        for _ in 0..ATTEMPTS_MAX {
            let began = self.changes.snapshot();
            let allows = |since, tags: &[Tag]| {
                self.changes.allow(&key, &self.depends_on, since) && self.allows_late(&key, tags, since)
            };
            let lead = || Some((Arc::clone(next), request.take()?));
            let (landed, began) = match flights.board(&key, began, allows, lead) {
                Some(Boarded::Flight(flight, began)) => (flight.await, began),
                Some(Boarded::Answer(response)) => return Ok(marked(response, true)),
                None => break,
            };
            // Only the leader's request has been taken.
            let follows = request.is_some();
            match landed.share(!follows) {
                // What it depends on was purged, perhaps before this request came.
                Share::Answer(response) if follows && !self.allows_late(&key, &response.tags, began) => {}
                Share::Answer(response) => return Ok(marked(response, follows)),
                Share::Failure(failure)
                    if follows && ran_out_of_time(&failure, landed.deadline(), deadline) => {}
                Share::Failure(mut failure) => {
                    failure.cache.collapsed |= follows;
                    return Err(failure);
                }
                Share::Panic(payload) => resume_unwind(payload),
                Share::Gone => break,
            }
        }
        match request {
            Some(request) => next.run(request).await,
            // A leader is always given what its flight brought.
            None => Err(Kind::Internal.into()),
        }
    }
}

impl Collapse {
    /// For sources that cannot say beforehand what their answers depend on: whether nothing has happened to it since.
    fn allows_late(&self, key: &Key, tags: &[Tag], since: Snapshot) -> bool {
        !self.depends_on.is_empty() || tags.is_empty() || self.changes.allow(key, tags, since)
    }
}

fn marked(mut response: Response, follows: bool) -> Response {
    response.cache.collapsed |= follows;
    response
}

/// Whether the flight failed because its leader had less time than this request has.
fn ran_out_of_time(failure: &Failure, leader: Option<Instant>, own: Option<Instant>) -> bool {
    let less_time = match (leader, own) {
        (Some(leader), Some(own)) => leader < own,
        (Some(_), None) => true,
        (None, _) => false,
    };
    less_time && failure.problem.kind() == Kind::DeadlineExceeded
}
