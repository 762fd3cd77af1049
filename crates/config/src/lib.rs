//! Text to written settings, written settings to checked plan; the only reader of files and of the environment.
//!
//! Three floors: written settings are what the file says, a [`Plan`] is what it means, and between them
//! stands the check, whose every finding names file, line, column and key. This crate starts nothing and serves
//! nothing.

mod plan;
mod secret;

pub use plan::{
    AdminSettings, CacheSettings, ConnectionLimits, DatabaseSettings, ListenSettings, LogFormat, LogSettings,
    Plan, RoutePlan, SeedSettings, ServerSettings, SourcePlan, TlsSettings,
};
pub use secret::Secret;
