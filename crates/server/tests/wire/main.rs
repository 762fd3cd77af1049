//! The listener against real sockets: what is sent byte by byte, and what comes back.

mod admin;
mod drain;
mod exhaustion;
mod http2;
mod limits;
mod malformed;
mod peer;
mod site;
mod timeouts;
mod tls;
