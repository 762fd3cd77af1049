//! What a client is told: where the servers are, and how long anything may take.

use std::time::Duration;

use crate::{ExtraRoots, Server};

/// Everything that a client is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// The servers, one at the least. All of them answer alike.
    pub servers: Vec<Server>,
    /// What is spoken with them.
    pub protocol: Protocol,
    /// For a connection with all that belongs to it: name, TCP, TLS. Also how long a request waits for one to become
    /// free.
    pub connect_timeout: Duration,
    /// From the last part of the request that the server took to the head of its answer.
    pub first_byte_timeout: Duration,
    /// Between two parts of an answer's body.
    pub between_bytes_timeout: Duration,
    /// A connection that nothing was asked on for this long is closed.
    pub idle_timeout: Duration,
    /// Connections to each server, at the most.
    pub connections_max: usize,
    /// Certificates that are trusted besides the well-known ones.
    pub extra_roots: ExtraRoots,
}

/// What is spoken with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// HTTP/1.1 in clear text; over TLS what is agreed on there.
    #[default]
    Negotiated,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, which in clear text nothing announces (RFC 9113 §3.3).
    Http2,
}

impl Protocol {
    /// What is offered in a TLS handshake (RFC 7301).
    pub(crate) fn offers(self) -> &'static [&'static [u8]] {
        match self {
            Self::Negotiated => &[b"h2", b"http/1.1"],
            Self::Http1 => &[b"http/1.1"],
            Self::Http2 => &[b"h2"],
        }
    }
}
