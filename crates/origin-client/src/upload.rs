//! A request's body on its way to a server: watched, so that it is known who keeps whom waiting, and held back while
//! the server has not asked for it (RFC 9110 §10.1.1).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::{Sleep, sleep};

use crate::BoxError;

/// How long a server may think about whether it wants a body; then it is sent without having been asked for.
const PONDER: Duration = Duration::from_secs(1);

/// A request's body, as parts that come.
pub type Upload = UnsyncBoxBody<Bytes, BoxError>;

/// Why a body was not sent to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// The server answered before it asked for the body.
    #[error("the answer came before the body was asked for")]
    Unwanted,
}

/// What is known of a body that is being sent.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Parts that were taken, so that one standstill can be told from the next.
    parts: AtomicU64,
    /// Whether the server would take more, and the caller has not sent it.
    awaits_caller: AtomicBool,
    failed: AtomicBool,
    /// Whether the server is still to be asked for its consent.
    held: AtomicBool,
    unwanted: AtomicBool,
    waker: AtomicWaker,
}

/// A body that is being sent.
pub(crate) struct Sending {
    body: Upload,
    progress: Option<Arc<Progress>>,
    pondering: Option<Pin<Box<Sleep>>>,
}

impl Progress {
    /// Of a body that waits for the server's consent.
    pub(crate) fn held() -> Self {
        Self { held: AtomicBool::new(true), ..Self::default() }
    }

    /// The server wants the body.
    pub(crate) fn wanted(&self) {
        self.held.store(false, Relaxed);
        self.waker.wake();
    }

    /// There is an answer: a body that is still held back is never sent.
    pub(crate) fn answered(&self) {
        if self.held.load(Relaxed) {
            self.unwanted.store(true, Relaxed);
            self.waker.wake();
        }
    }

    /// A number that changes as long as the server is not the one that keeps others waiting.
    pub(crate) fn mark(&self) -> u64 {
        if self.awaits_caller.load(Relaxed) {
            self.parts.fetch_add(1, Relaxed);
        }
        self.parts.load(Relaxed)
    }

    /// Whether the body could not be had to its end.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Relaxed)
    }
}

impl Sending {
    pub(crate) fn new(body: Upload, progress: Option<Arc<Progress>>) -> Self {
        let is_held = progress.as_ref().is_some_and(|progress| progress.held.load(Relaxed));
        Self { body, progress, pondering: is_held.then(|| Box::pin(sleep(PONDER))) }
    }

    /// Is ready when the body may be sent.
    fn poll_consent(&mut self, context: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        let (Some(pondering), Some(progress)) = (&mut self.pondering, &self.progress) else {
            return Poll::Ready(Ok(()));
        };
        progress.waker.register(context.waker());
        if progress.unwanted.load(Relaxed) {
            return Poll::Ready(Err(UploadError::Unwanted));
        }
        if progress.held.load(Relaxed) {
            ready!(pondering.as_mut().poll(context));
            progress.held.store(false, Relaxed);
        }
        self.pondering = None;
        Poll::Ready(Ok(()))
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Err(unwanted) = ready!(self.poll_consent(context)) {
            return Poll::Ready(Some(Err(unwanted.into())));
        }
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Some(progress) = &self.progress {
            progress.awaits_caller.store(frame.is_pending(), Relaxed);
            match &frame {
                Poll::Ready(Some(Err(_))) => progress.failed.store(true, Relaxed),
                Poll::Ready(_) => drop(progress.parts.fetch_add(1, Relaxed)),
                Poll::Pending => {}
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
