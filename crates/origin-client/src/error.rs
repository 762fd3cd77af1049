//! Why there is no answer, and whether anything was sent.

use std::io;
use std::time::Duration;

/// Why a request has no answer. Each names the server, for the operator.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No server could be connected to. Nothing was sent.
    #[error("{server} cannot be reached")]
    Unreachable {
        /// The last one that was tried.
        server: String,
        /// Why.
        #[source]
        error: ConnectError,
    },
    /// All connections are in use, and none became free in time. Nothing was sent.
    #[error("all connections to {server} are in use")]
    Crowded {
        /// The last one that was tried.
        server: String,
    },
    /// The answer did not begin in time.
    #[error("{server} did not begin to answer within {timeout:?}")]
    Silent {
        /// Who was asked.
        server: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// The connection ended before the answer began, or what came is no answer.
    #[error("{server} gave no sound answer")]
    Broken {
        /// Who was asked.
        server: String,
        /// What came instead.
        #[source]
        error: hyper::Error,
    },
    /// The request's own body could not be had to its end.
    #[error("the request's body ended before its end")]
    Upload,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It took too long.
    #[error("no connection within {0:?}")]
    TimedOut(Duration),
    /// The name, the network, or TLS.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// The host is no name that a certificate can be for.
    #[error("the host cannot be in a certificate")]
    Name,
    /// TLS agreed on no protocol that is to be spoken.
    #[error("the server does not speak HTTP/2")]
    Protocol,
    /// HTTP could not be begun.
    #[error("HTTP could not be begun")]
    Http(#[source] hyper::Error),
}

impl ConnectError {
    /// Whether time ran out, by whoever's count.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::TimedOut(_) => true,
            Self::Io(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }
}
