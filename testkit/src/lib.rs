//! What tests share: the running binary, apps in temporary folders, clients, and other readers of the same files.
//!
//! Tests of the whole product talk to the real binary over real sockets. Nothing here reaches into it.

mod app;
mod client;
mod connector;
mod identity;
mod origin;
mod peer;
mod port;
mod postgres;
mod process;
mod redis;
mod sqlite;
pub mod tokens;
pub mod truth;

pub use app::TempApp;
pub use client::{Answer, Client, was_refused};
pub use identity::Identity;
pub use origin::{Exchange, RecordingOrigin};
pub use peer::Peer;
pub use port::free_port;
pub use postgres::{Postgres, PostgresDatabase};
pub use process::{Kasoku, Start};
pub use redis::Redis;
pub use sqlite::{assert_sound, sqlite};
