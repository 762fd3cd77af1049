//! A connection that goes on in another protocol after a 101 (RFC 9110 §7.8).

use std::any::Any;
use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for T {}

/// The other end of what the caller's connection becomes. Whoever has the caller's connection joins both.
pub struct Upgrade {
    stream: Box<dyn Duplex>,
    silence_max: Duration,
    guards: Vec<Box<dyn Any + Send>>,
}

impl Upgrade {
    /// A stream that is joined with the caller's connection until both have ended, or until neither has said
    /// anything for `silence_max`.
    pub fn new(stream: impl Duplex, silence_max: Duration) -> Self {
        Self { stream: Box::new(stream), silence_max, guards: Vec::new() }
    }

    /// Keeps something, such as a permit, until the end.
    pub fn keep(&mut self, guard: impl Any + Send) {
        self.guards.push(Box::new(guard));
    }

    /// The stream, how long both may be silent, and what is to be dropped at the end.
    pub fn into_parts(self) -> (Box<dyn Duplex>, Duration, impl Send) {
        (self.stream, self.silence_max, self.guards)
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade")
    }
}
