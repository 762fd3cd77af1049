//! The public listener: sockets in, requests to the router, answers out.
//!
//! One task accepts, one thread per core serves. It knows HTTP's framing and its limits, and nothing of what
//! routes do.

mod accept;
mod body;
mod connection;
mod drive;
mod pulse;
mod screen;
mod serve;
mod stream;
mod tunnel;
mod worker;

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

pub(crate) use accept::{Room, accept};
pub(crate) use connection::Protocols;
pub(crate) use serve::{Chosen, Connection, Shared, choose, upgrade};
pub(crate) use worker::{Workers, Workshop};

/// Connections that the system completes before they are accepted.
const BACKLOG: i32 = 4_096;

/// Why a listener could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error("cannot listen on {address}: the address is in use by another process")]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// Ports below 1024 are privileged.
    #[error("cannot listen on {address}: not permitted; ports below 1024 need a privilege")]
    NotPermitted {
        /// The address.
        address: SocketAddr,
    },
    /// No interface of this machine has it.
    #[error("cannot listen on {address}: this machine does not have the address")]
    NotHere {
        /// The address.
        address: SocketAddr,
    },
    /// Anything else.
    #[error("cannot listen on {address}: {error}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The admin listener without a token would be open to the network.
    #[error("the admin listener on {address} needs a token, because the address is not a loopback one")]
    AdminOpen {
        /// The address.
        address: SocketAddr,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
}

/// Binds a listening socket. An address whose last owner ended a moment ago can be bound again at once.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let bound = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    bound().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        io::ErrorKind::PermissionDenied => BindError::NotPermitted { address },
        io::ErrorKind::AddrNotAvailable => BindError::NotHere { address },
        _ => BindError::Other { address, error },
    })
}

/// Allows this process as many descriptors as the system lets it have: each connection takes one.
pub fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If the system refuses, the old limit stays, and accepting pauses when it is reached.
    let _refused = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
