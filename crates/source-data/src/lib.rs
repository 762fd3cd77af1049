//! Answers from tables and queries.
//!
//! A [source](kasoku_pipeline::Source) here turns a request into a plan, runs it, and writes the rows as JSON. It
//! says what the answer depends on and which snapshot it was read from; whether that is cached is not its
//! business. This crate must not know the cache, the listener or the configuration file.

mod body;
mod caller;
mod changes;
mod current;
mod explain;
mod foresight;
mod idempotency;
mod lanes;
mod link;
mod list;
mod location;
mod media;
mod nested;
mod position;
mod prefer;
mod query;
mod range;
mod render;
mod table;
mod transfer;
mod write;

pub use changes::{ChangeTagger, watched_tables};
pub use idempotency::idempotency_schema;
pub use lanes::Engine;
pub use position::POSITION;
pub use query::QuerySource;
pub use table::{KEY_PARAM, ListSource, RowSource, table_sources};
pub use transfer::{ExportRules, ImportFormat, ImportRules, TransferFormat, TransferRules, TransferSource};
pub use write::{BatchRules, BatchSource};
