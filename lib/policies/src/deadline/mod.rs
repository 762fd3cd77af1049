//! Fixes the instant by which a request must be answered.
//!
//! Everything further in sees the instant in [`Request::deadline`](kasoku_pipeline::RequestFields::deadline)
//! and may give up earlier. At the instant the work is dropped, which cancels it unless others wait for it
//! too, and the answer is 504. What is bounded is the time to the answer's head: a stream may take longer, at
//! the pace of its reader.

#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use kasoku_pipeline::{Failure, Next, Outcome, Policy, Request};
use kasoku_problem::{Kind, Problem};
use kasoku_units::Clock;

use crate::Surroundings;

/// See the module.
pub struct Deadline {
    limit: Duration,
    clock: Arc<dyn Clock>,
}

impl Deadline {
    /// Answers are due `limit` after the request has arrived.
    pub fn new(limit: Duration, surroundings: &Surroundings) -> Self {
        Self { limit, clock: Arc::clone(&surroundings.clock) }
    }
}

impl Policy for Deadline {
    async fn around<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let now = request.seen.unwrap_or_else(|| self.clock.now());
        let arrived = request.arrived.unwrap_or(now);
        let own = arrived.checked_add(self.limit);
        request.deadline = match (request.deadline, own) {
            (Some(earlier), Some(own)) => Some(earlier.min(own)),
            (earlier, own) => earlier.or(own),
        };
        let Some(deadline) = request.deadline else {
            return Box::pin(next.run(request)).await;
        };
        // It may have been spent in the queue before this policy: then no work is begun.
        if deadline <= now {
            return Err(self.exceeded());
        }
        let mut work = pin!(next.run(request));
        // An answer that is there at once, such as a cache hit, never pays for a timer.
        if let Poll::Ready(outcome) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            return outcome;
        }
        // Boxed, so that the timer takes no room in requests that never need one.
        let limited = tokio::time::timeout(deadline.saturating_duration_since(now), work);
        match Box::pin(limited).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.exceeded()),
        }
    }
}

impl Deadline {
    fn exceeded(&self) -> Failure {
        let limit_ms = self.limit.as_millis() as u64;
        Problem::new(Kind::DeadlineExceeded)
            .detail("the answer was not there in time")
            .member("limit_ms", limit_ms)
            .into()
    }
}
