//! Text to written settings, written settings to checked plan; the only reader of files and of the environment.
//!
//! Three floors: written settings are what the file says, a [`Plan`] is what it means, and between them
//! stands the check, whose every finding names file, line, column and key. This crate starts nothing and serves
//! nothing.

mod check;
mod describe;
mod diagnostic;
mod engine;
mod environment;
mod identity_plan;
mod later;
mod load;
mod plan;
mod reference;
mod schema;
mod secret;
#[cfg(test)]
mod tests;
mod text_file;
mod tree;
mod written;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity, SourceText};
pub use engine::EngineSettings;
pub use environment::{Environment, ProcessEnvironment};
pub use identity_plan::{IdentitySettings, KeysFrom, TokenSettings};
pub use load::{FILE_NAME, Loaded, Overrides, load, load_text};
pub use plan::{
    AdminSettings, CachePlan, CacheSettings, ConnectionLimits, DatabaseSettings, HotSettings, ListenSettings,
    LogFormat, LogSettings, Plan, RoutePlan, SeedSettings, ServerSettings, SourcePlan, TlsSettings,
    WarmSettings, WarmTarget,
};
pub use reference::reference;
pub use schema::schema;
pub use secret::Secret;
