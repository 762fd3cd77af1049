//! Sheds load: a limit on requests in progress, and a bounded queue before it.
//!
//! A request that finds neither a place nor room in the queue is refused at once with 503 and `Retry-After`,
//! before any work is done for it. A place is held until the answer is there; if its body is a stream, until
//! the stream has ended or was dropped, because the source works for it until then; likewise if the connection goes
//! on in another protocol. Callers that go away
//! while they wait give their room in the queue back.

mod held;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kasoku_observe::Observation;
use kasoku_pipeline::{Body, Next, Outcome, Policy, Request, Response};
use kasoku_problem::{Kind, Problem};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Surroundings;

/// How much a route takes on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmitRules {
    /// Requests in progress at the most.
    pub concurrent: u32,
    /// Requests that may wait for their turn; one more is refused with 503.
    pub queue: u32,
    /// How long one may wait, and no longer than its deadline.
    pub wait: Duration,
}

/// See the module.
pub struct Admit {
    rules: AdmitRules,
    surroundings: Surroundings,
    places: Arc<Semaphore>,
    waiting: AtomicU32,
}

impl Admit {
    /// For the requests of one route.
    pub fn new(rules: AdmitRules, surroundings: &Surroundings) -> Self {
        let places = (rules.concurrent as usize).min(Semaphore::MAX_PERMITS);
        Self {
            rules,
            surroundings: surroundings.clone(),
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicU32::new(0),
        }
    }

    /// Requests in progress, streams included.
    pub fn in_progress(&self) -> u32 {
        self.rules.concurrent.saturating_sub(self.places.available_permits() as u32)
    }

    /// Requests that wait for their turn.
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Policy for Admit {
    async fn around<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let place = if let Ok(place) = self.places.try_acquire() {
            place
        } else {
            request.seen = None;
            Box::pin(self.wait(request.deadline)).await?
        };
        let mut response = next.run(request).await?;
        if matches!(response.body, Body::Stream(_)) || response.upgrade.is_some() {
            self.keep(place, &mut response);
        }
        Ok(response)
    }
}

impl Admit {
    /// Lets what outlives the answer's head hold the place.
    fn keep(&self, place: SemaphorePermit<'_>, response: &mut Response) {
        place.forget();
        let place = Place(Arc::clone(&self.places));
        if let Some(upgrade) = &mut response.upgrade {
            upgrade.keep(place);
        } else if let Body::Stream(stream) = std::mem::take(&mut response.body) {
            response.body = Body::stream(held::HeldBody::new(stream, place));
        }
    }

    async fn wait(&self, deadline: Option<Instant>) -> Result<SemaphorePermit<'_>, Problem> {
        let Some(_room) = Room::take(&self.waiting, self.rules.queue) else {
            return Err(self.shed("queue-full"));
        };
        let left = deadline.map(|at| at.saturating_duration_since(self.surroundings.clock.now()));
        let wait = left.unwrap_or(Duration::MAX).min(self.rules.wait);
        match tokio::time::timeout(wait, self.places.acquire()).await {
            Ok(place) => Ok(place.expect("the semaphore is never closed")),
            Err(_) => Err(self.shed("waited-too-long")),
        }
    }

    fn shed(&self, reason: &'static str) -> Problem {
        self.surroundings.observe(&Observation::Shed { route: &self.surroundings.route, reason });
        Problem::new(Kind::Overloaded).detail("too many requests are in progress")
    }
}

/// A place that is held beyond the answer's head, given back when dropped.
struct Place(Arc<Semaphore>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// Room for one in the queue, given back when dropped.
struct Room<'a>(&'a AtomicU32);

impl<'a> Room<'a> {
    fn take(waiting: &'a AtomicU32, most: u32) -> Option<Self> {
        let one_more = |now: u32| (now < most).then_some(now + 1);
        waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok().map(|_| Self(waiting))
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
