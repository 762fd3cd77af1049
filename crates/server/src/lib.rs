//! Listeners, router, assembly, drain and the admin listener.
//!
//! Here a checked plan becomes a running server. What routes do is decided below; how bytes become requests,
//! who is admitted to a connection and how everything ends is decided here, and nowhere else.

mod admin;
mod drain;
mod listen;
mod logs;
mod metrics;
mod router;
mod server;
mod signals;
mod tls;

pub use admin::{AdminState, Purge, PurgeOrder, Readiness, Selection, Vitals};
pub use drain::{Drain, Standing};
pub use listen::{BindError, raise_descriptor_limit};
pub use logs::{LogError, LogGuard, Logs};
pub use metrics::{Gauge, Gauges, Metrics};
pub use router::{HEALTH_PATH, Refusal, Route, Routed, Router, RouterError};
pub use server::{Addresses, Bound, Drained, Server, Traffic};
pub use signals::Signals;
pub use tls::{Certificates, TlsError};
