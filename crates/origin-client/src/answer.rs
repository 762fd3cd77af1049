//! What comes back: a head at once, a body as it comes, or a connection that speaks something else from now on.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::lease::Lease;

/// An answer, its body still to come.
pub struct Answer {
    /// Status and header fields, as the server sent them.
    pub head: Parts,
    /// The body.
    pub body: AnswerBody,
    /// The connection, if the answer is a 101.
    pub switched: Option<Switched>,
}

/// An answer's body. It ends in an error unless all of it has come.
pub struct AnswerBody {
    body: Incoming,
    timeout: Duration,
    /// Armed while a part is awaited.
    timer: Option<Pin<Box<Sleep>>>,
    lease: Option<Lease>,
}

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The server sent nothing more.
    #[error("nothing more of the answer came for {0:?}")]
    Stalled(Duration),
    /// The connection ended, or what came breaks the rules.
    #[error("the answer broke off")]
    Broken(#[source] hyper::Error),
}

/// A connection after a 101: bytes in both directions.
pub struct Switched {
    stream: TokioIo<Upgraded>,
    /// The connection still counts.
    _lease: Lease,
}

impl AnswerBody {
    pub(crate) fn new(body: Incoming, timeout: Duration, lease: Lease) -> Self {
        let mut whole = Self { body, timeout, timer: None, lease: Some(lease) };
        whole.check_end();
        whole
    }

    fn empty(timeout: Duration, body: Incoming) -> Self {
        Self { body, timeout, timer: None, lease: None }
    }

    fn check_end(&mut self) {
        if self.body.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}

impl Answer {
    pub(crate) fn whole(head: Parts, body: Incoming, timeout: Duration, lease: Lease) -> Self {
        Self { head, body: AnswerBody::new(body, timeout, lease), switched: None }
    }

    pub(crate) fn switched(
        (head, body): (Parts, Incoming),
        timeout: Duration,
        stream: Upgraded,
        lease: Lease,
    ) -> Self {
        let switched = Some(Switched { stream: TokioIo::new(stream), _lease: lease });
        Self { head, body: AnswerBody::empty(timeout, body), switched }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.timer = None;
            if let Some(Err(_)) = &frame {
                self.lease = None;
            }
            if frame.is_none()
                && let Some(lease) = self.lease.take()
            {
                lease.give_back();
            }
            self.check_end();
            return Poll::Ready(frame.map(|frame| frame.map_err(AnswerError::Broken)));
        }
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + timeout)));
        ready!(timer.as_mut().poll(context));
        self.lease = None;
        Poll::Ready(Some(Err(AnswerError::Stalled(timeout))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl AsyncRead for Switched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Switched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
