//! Bodies between hyper and the pipeline: requests that must keep coming, answers that are accounted for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use kasoku_pipeline::{Body, BodyError};
use tokio::time::{Instant, Sleep, sleep_until};

use super::pulse::Pulse;
use crate::drain::InFlight;

/// A request's body that fails when nothing of it comes for too long.
pub(crate) struct Arriving {
    body: Incoming,
    timeout: Duration,
    /// Armed while a part is awaited.
    timer: Option<Pin<Box<Sleep>>>,
    /// The connection is not idle while this lives.
    pulse: Arc<Pulse>,
}

/// An answer's body. While it lives, its request counts as in flight.
pub(crate) struct Leaving {
    body: Body,
    /// Set where bytes may wait for the peer's window long after they were handed over.
    window: Option<Arc<Pulse>>,
    _in_flight: InFlight,
}

/// A part of an answer's body, counted until it has left.
pub(crate) struct Part {
    bytes: Bytes,
    window: Option<Arc<Pulse>>,
}

/// The caller sent nothing of its body for too long.
#[derive(Debug, thiserror::Error)]
#[error("nothing of the body came for {0:?}")]
struct BodyTimeout(Duration);

impl Arriving {
    pub(crate) fn new(body: Incoming, timeout: Duration, pulse: &Arc<Pulse>) -> Self {
        pulse.hold();
        Self { body, timeout, timer: None, pulse: Arc::clone(pulse) }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.pulse.let_go();
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + timeout)));
        ready!(timer.as_mut().poll(context));
        let error = io::Error::new(io::ErrorKind::TimedOut, BodyTimeout(timeout));
        Poll::Ready(Some(Err(Box::new(error))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Leaving {
    pub(crate) fn new(body: Body, window: Option<Arc<Pulse>>, in_flight: InFlight) -> Self {
        Self { body, window, _in_flight: in_flight }
    }
}

impl HttpBody for Leaving {
    type Data = Part;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Part>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(
            frame.map(|frame| {
                frame.map(|frame| frame.map_data(|bytes| Part::new(bytes, self.window.as_ref())))
            }),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Part {
    fn new(bytes: Bytes, window: Option<&Arc<Pulse>>) -> Self {
        if let Some(pulse) = window {
            pulse.queued(bytes.len() as u64);
        }
        Self { bytes, window: window.cloned() }
    }
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if let Some(pulse) = &self.window {
            pulse.left(count as u64);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(pulse) = &self.window {
            pulse.forgotten(self.bytes.len() as u64);
        }
    }
}
