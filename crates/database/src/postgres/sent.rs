//! Requests that are sent before those ahead of them have been answered.
//!
//! The server answers one after the other, so that a round trip is paid once for all of them.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// A request that has been sent.
pub(super) struct Sent<F: Future> {
    work: Pin<Box<F>>,
    answer: Option<F::Output>,
}

impl<F: Future> Sent<F> {
    /// Sends a request. The driver does so when the request is first polled, unless it waits for something before.
    pub(super) async fn new(work: F) -> Self {
        let mut work = Box::pin(work);
        let polled = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        let answer = match polled {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        };
        Self { work, answer }
    }

    /// Waits for its answer.
    pub(super) async fn answer(self) -> F::Output {
        match self.answer {
            Some(answer) => answer,
            None => self.work.await,
        }
    }
}
