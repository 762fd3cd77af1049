//! What tests share: the running binary, apps in temporary folders, and a client.
//!
//! Tests of the whole product talk to the real binary over real sockets. Nothing here reaches into it.

mod app;
mod client;
mod process;
pub mod truth;

pub use app::TempApp;
pub use client::{Answer, Client};
pub use process::{Kasoku, Start};
