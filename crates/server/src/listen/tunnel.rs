//! A connection after a 101: bytes in both directions, which are no longer HTTP.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use kasoku_pipeline::{Duplex, Upgrade};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::time::timeout;

use super::drive::{Ended, Stage};
use super::stream::Stream;
use crate::drain::InFlight;

/// Bytes that are held in each direction.
const BUFFER_BYTES: usize = 16 << 10;

/// Two streams, joined. While it lives, its request counts as in flight: a drain waits for it, as long as it waits.
pub(super) struct Tunnel {
    copying: Pin<Box<dyn Future<Output = ()> + Send>>,
    _in_flight: InFlight,
}

/// A stream that counts its reads and writes. All bytes of a tunnel pass it, whichever way they go.
struct Counted {
    stream: Box<dyn Duplex>,
    moves: Arc<AtomicU64>,
}

impl Tunnel {
    pub(super) fn new(caller: Stream, upgrade: Upgrade, in_flight: InFlight) -> Self {
        Self { copying: Box::pin(join(caller, upgrade)), _in_flight: in_flight }
    }
}

impl Stage for Tunnel {
    const WAITS_FOR_REQUESTS: bool = true;
    const RESTS: bool = false;

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        self.copying.as_mut().poll(context).map(|()| Ended::Done)
    }

    /// Nobody here can tell the two sides that they should part.
    fn wind_up(&mut self) {}
}

/// Copies until both sides have ended, one has failed, or neither has said anything for too long.
async fn join(mut caller: Stream, upgrade: Upgrade) {
    let (stream, silence_max, _guards) = upgrade.into_parts();
    let moves = Arc::new(AtomicU64::new(0));
    let mut other = Counted { stream, moves: Arc::clone(&moves) };
    let mut copying =
        pin!(copy_bidirectional_with_sizes(&mut caller, &mut other, BUFFER_BYTES, BUFFER_BYTES));
    let mut seen = 0;
    while timeout(silence_max, copying.as_mut()).await.is_err() {
        let now = moves.load(Relaxed);
        if now == seen {
            return;
        }
        seen = now;
    }
}

impl Counted {
    fn count<T>(&self, moved: &Poll<T>) {
        if moved.is_ready() {
            self.moves.fetch_add(1, Relaxed);
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut *self.stream).poll_read(context, into);
        self.count(&read);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.stream).poll_write(context, bytes);
        self.count(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(context)
    }
}
