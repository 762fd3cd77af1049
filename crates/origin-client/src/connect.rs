//! From a server's address to a connection that HTTP can be begun on.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::pool::Wanted;
use crate::{ConnectError, Protocol, Server};

/// A connection to a server.
pub(crate) enum Wire {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// What will be spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    Http1,
    Http2,
}

/// Makes connections to one server.
pub(crate) struct Connector {
    server: Server,
    protocol: Protocol,
    /// One that offers what the protocol wants, and one that offers HTTP/1.1 alone.
    tls: Option<(TlsConnector, TlsConnector)>,
}

impl Connector {
    pub(crate) fn new(server: Server, protocol: Protocol, tls: Option<(TlsConnector, TlsConnector)>) -> Self {
        Self { server, protocol, tls }
    }

    /// Connects. The addresses of a name are tried in the order that the system gives them.
    pub(crate) async fn connect(&self, wanted: Wanted) -> Result<(Wire, Spoken), ConnectError> {
        let (host, port) = (self.server.host(), self.server.port());
        let tcp = TcpStream::connect((host, port)).await.map_err(ConnectError::Io)?;
        tcp.set_nodelay(true).map_err(ConnectError::Io)?;
        let Some(tls) = &self.tls else {
            let spoken = if self.protocol == Protocol::Http2 { Spoken::Http2 } else { Spoken::Http1 };
            return Ok((Wire::Plain(tcp), spoken));
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectError::Name)?;
        let tls = if wanted == Wanted::Switchable { &tls.1 } else { &tls.0 };
        let stream = tls.connect(name, tcp).await.map_err(ConnectError::Io)?;
        let spoken = match (stream.get_ref().1.alpn_protocol(), self.protocol) {
            (Some(b"h2"), _) => Spoken::Http2,
            (_, Protocol::Http2) => return Err(ConnectError::Protocol),
            _ => Spoken::Http1,
        };
        Ok((Wire::Secure(Box::new(stream)), spoken))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(context, into),
            Self::Secure(tls) => Pin::new(tls).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Self::Secure(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            // The system takes one piece by itself sooner than a list of one.
            Self::Plain(tcp) => match slices {
                [only] => Pin::new(tcp).poll_write(context, only),
                _ => Pin::new(tcp).poll_write_vectored(context, slices),
            },
            Self::Secure(tls) => Pin::new(tls).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Secure(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Self::Secure(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Self::Secure(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}
