//! The byte streams that connections are served on: TCP, watched, with or without TLS, and with the first bytes
//! put back that were read to tell HTTP/1.1 from HTTP/2.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::pulse::Pulse;

/// What an HTTP/2 connection with prior knowledge begins with (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A head and a body that are no longer than this together are copied into one piece: the system takes a short piece
/// sooner than two.
const TOGETHER_BYTES_MAX: usize = 2_048;

/// A TCP stream whose reads and writes are noted in a [`Pulse`]. It stands below TLS, where a slow peer is still
/// seen to take a little.
pub(crate) struct Watched {
    tcp: TcpStream,
    pulse: Arc<Pulse>,
}

/// A stream to serve HTTP on.
pub(crate) struct Stream {
    /// Bytes that were read already, to be read first.
    opening: Bytes,
    transport: Transport,
}

enum Transport {
    Plain(Watched),
    Tls(Box<TlsStream<Watched>>),
}

/// The protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.0 and HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Watched {
    pub(crate) fn new(tcp: TcpStream, pulse: Arc<Pulse>) -> Self {
        Self { tcp, pulse }
    }

    /// Reads until the first bytes differ from the preface, or all of it has come. Never reads beyond it.
    pub(crate) async fn detect(mut self) -> io::Result<(Protocol, Stream)> {
        let mut opening = [0; PREFACE.len()];
        let mut filled = 0;
        let protocol = loop {
            let read = self.read(&mut opening[filled..]).await?;
            filled += read;
            if opening[..filled] != PREFACE[..filled] || read == 0 {
                break Protocol::Http1;
            }
            if filled == PREFACE.len() {
                break Protocol::Http2;
            }
        };
        let opening = Bytes::copy_from_slice(&opening[..filled]);
        Ok((protocol, Stream { opening, transport: Transport::Plain(self) }))
    }
}

impl Stream {
    pub(crate) fn tls(stream: TlsStream<Watched>) -> Self {
        Self { opening: Bytes::new(), transport: Transport::Tls(Box::new(stream)) }
    }

    /// Puts bytes back that were read and not used.
    pub(crate) fn put_back(&mut self, bytes: Bytes) {
        debug_assert!(self.opening.is_empty(), "what was put back before has been read");
        self.opening = bytes;
    }

    /// Is ready when there is something to read, be it the end; takes no more room than a few bytes meanwhile.
    pub(crate) fn poll_wake(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.opening.is_empty() {
            let mut few = [MaybeUninit::uninit(); PREFACE.len()];
            let mut few = ReadBuf::uninit(&mut few);
            // An error is met again by whoever reads next.
            let _met_again = ready!(self.transport.read(context, &mut few));
            self.opening = Bytes::copy_from_slice(few.filled());
        }
        Poll::Ready(())
    }
}

impl Transport {
    fn read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(context, buffer))?;
        if buffer.capacity() > before {
            self.pulse.read(buffer.filled().len() - before);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.pulse.wrote(written.is_ready());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).fold(0, usize::saturating_add);
        if length > TOGETHER_BYTES_MAX {
            let written = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
            self.pulse.wrote(written.is_ready());
            return written;
        }
        let mut together = [MaybeUninit::uninit(); TOGETHER_BYTES_MAX];
        let mut together = ReadBuf::uninit(&mut together);
        for slice in slices {
            together.put_slice(slice);
        }
        self.poll_write(context, together.filled())
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.opening.is_empty() {
            return self.transport.read(context, buffer);
        }
        let length = self.opening.len().min(buffer.remaining());
        buffer.put_slice(&self.opening.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Transport::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_write_vectored(context, slices),
            Transport::Tls(tls) => Pin::new(tls).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(tcp) => tcp.is_write_vectored(),
            Transport::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Transport::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Transport::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}
