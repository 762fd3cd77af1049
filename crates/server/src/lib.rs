//! Listeners, router, assembly, drain, reload and the admin listener.
//!
//! Here a checked plan becomes a running server. What routes do is decided below; how bytes become requests,
//! who is admitted to a connection, in which order the policies stand and how everything ends is decided here, and
//! nowhere else. This crate must not know the command line, nor read a setting from a file or the environment.

mod admin;
mod app;
mod assemble;
mod bounded;
mod dependencies;
mod drain;
mod explain;
mod forgetful;
mod identity;
mod in_force;
mod landmarks;
mod listen;
mod logs;
mod made_routes;
mod metrics;
mod openapi;
mod proof;
mod purges;
mod reload;
mod router;
mod second_tier;
mod server;
mod serving;
mod signals;
mod sources;
mod stage;
mod storage;
mod switches;
mod tls;
mod vitals;
mod warm;
mod watching;

pub use admin::{
    AdminState, Nodes, Purge, PurgeOrder, Purged, Readiness, RouteCache, Selection, Switches, Turned, Vitals,
};
pub use app::{App, StartError};
pub use drain::{Drain, Standing};
pub use explain::{Explanation, Question, QuestionError, Recorded, RecordedError, explain, field};
pub use listen::{BindError, raise_descriptor_limit};
pub use logs::{LogError, LogGuard, Logs};
pub use metrics::{Gauge, Gauges, Metrics, StatementReport};
pub use openapi::openapi;
pub use proof::{Finding, OfferedIndex, Proof, ProofError, ProvenRoute, SpareIndex, SpareReason, prove};
pub use reload::Load;
pub use router::{HEALTH_PATH, Refusal, Route, Routed, Router, RouterError, Takes};
pub use server::{Addresses, Bound, Drained, Server, Traffic};
pub use serving::{ServeError, Serving};
pub use signals::Signals;
pub use storage::Progress;
pub use tls::{Certificates, TlsError};
pub use watching::tables_to_watch;

#[cfg(test)]
mod tests;
