//! Connections to origins: the only HTTP client of the product.
//!
//! A [`Client`] knows the servers of one origin. It takes a request, finds a connection to one of them (kept alive,
//! or new), and gives the answer's head as soon as it is there and its body as it comes. Whatever can take long has
//! a timeout of its own, and dropping what is awaited ends the work for it. HTTP/1.1 and HTTP/2 are spoken, in clear
//! text or by TLS. This crate must not know the pipeline, routes, or which header fields may pass: what it is given
//! is sent, and what comes back is given.

mod answer;
mod attend;
mod client;
mod connect;
mod error;
mod lease;
mod pool;
mod server;
mod settings;
mod tls;
mod upload;

pub use answer::{Answer, AnswerBody, AnswerError, Switched};
pub use client::Client;
pub use error::{ConnectError, SendError};
pub use server::{Server, ServerError};
pub use settings::{ClientSettings, Protocol};
pub use tls::{CertificateError, ExtraRoots};
pub use upload::{Upload, UploadError};

/// Why a part of a body could not be had.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
