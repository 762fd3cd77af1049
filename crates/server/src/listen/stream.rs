//! The byte streams that connections are served on: TCP, watched, with or without TLS, and with the first bytes
//! put back that were read to tell HTTP/1.1 from HTTP/2.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::pulse::Pulse;

/// What an HTTP/2 connection with prior knowledge begins with (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A TCP stream whose reads and writes are noted in a [`Pulse`]. It stands below TLS, where a slow peer is still
/// seen to take a little.
pub(crate) struct Watched {
    tcp: TcpStream,
    pulse: Arc<Pulse>,
}

/// A stream to serve HTTP on.
pub(crate) enum Stream {
    /// Without TLS; bytes that were read already are read first.
    Plain(Watched, Opening),
    /// With TLS.
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

/// The first bytes of a connection, at most as many as the preface has.
#[derive(Default)]
pub(crate) struct Opening {
    bytes: [u8; PREFACE.len()],
    filled: usize,
    taken: usize,
}

impl Watched {
    pub(crate) fn new(tcp: TcpStream, pulse: Arc<Pulse>) -> Self {
        Self { tcp, pulse }
    }

    /// Reads until the first bytes differ from the preface, or all of it has come. Never reads beyond it.
    pub(crate) async fn detect(mut self) -> io::Result<(Protocol, Stream)> {
        let mut opening = Opening::default();
        loop {
            let read = self.read(&mut opening.bytes[opening.filled..]).await?;
            opening.filled += read;
            let came = &opening.bytes[..opening.filled];
            let protocol = match came == &PREFACE[..came.len()] {
                true if came.len() < PREFACE.len() && read > 0 => continue,
                true if came.len() == PREFACE.len() => Protocol::Http2,
                _ => Protocol::Http1,
            };
            return Ok((protocol, Stream::Plain(self, opening)));
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
        let written = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.pulse.wrote(written.is_ready());
        written
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
        match &mut *self {
            Self::Plain(tcp, opening) => {
                if opening.taken < opening.filled {
                    let rest = &opening.bytes[opening.taken..opening.filled];
                    let part = &rest[..rest.len().min(buffer.remaining())];
                    buffer.put_slice(part);
                    opening.taken += part.len();
                    return Poll::Ready(Ok(()));
                }
                Pin::new(tcp).poll_read(context, buffer)
            }
            Self::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(tcp, _) => Pin::new(tcp).poll_write(context, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(tcp, _) => Pin::new(tcp).poll_write_vectored(context, slices),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp, _) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp, _) => Pin::new(tcp).poll_flush(context),
            Self::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp, _) => Pin::new(tcp).poll_shutdown(context),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}
