//! The same stories on PostgreSQL, and those that only a server can tell.
//!
//! The modules that are named by their path are those of SQLite, word for word; what differs is the shop they are told in.

mod crashes;
mod isolation;
mod library;
mod others;
mod proof;
mod replicas;
pub(super) mod shop;
mod types;

#[path = "../bad_input.rs"]
mod bad_input;
#[path = "../batches.rs"]
mod batches;
#[path = "../embeds.rs"]
mod embeds;
#[path = "../exports.rs"]
mod exports;
#[path = "../imports.rs"]
mod imports;
#[path = "../lists.rs"]
mod lists;
#[path = "../writes.rs"]
mod writes;
