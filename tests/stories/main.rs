//! Whole-product stories: the real binary, real sockets, a real database.
//!
//! Each module is one subject; each test starts what it needs and leaves nothing behind.

#![expect(
    clippy::duplicate_mod,
    reason = "some stories are told on both engines, each of which has its own shop"
)]

mod bad_input;
mod batches;
mod cache_safety;
mod catalog;
mod coherence;
mod conformance;
mod control;
mod data;
mod differential;
mod durability;
mod embeds;
mod ending;
mod explain;
mod exports;
mod files;
mod grammar;
mod hostile;
mod identity;
mod imports;
mod library;
mod limits;
mod lists;
mod malformed;
mod memory;
mod metrics;
mod nodes;
mod openapi;
mod operating;
mod origins;
mod others;
mod postgres;
mod prompts;
mod proof;
mod protocols;
mod purge_race;
mod reloading;
mod shop;
mod slow;
mod stale;
mod stampede;
mod warm;
mod writes;
