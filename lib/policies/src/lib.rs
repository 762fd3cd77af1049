//! What is done around a source: one folder per policy, its `mod.rs` the contract.
//!
//! | policy | what it does | needs of the policies before it |
//! |---|---|---|
//! | [`observe`] | names requests, renders `Cache-Status`, reports every answer | |
//! | [`rescue`] | turns failures and panics into answers, and is the only one that does | the name |
//! | [`admit`] | limits requests in progress and the queue before them | |
//! | [`deadline`] | fixes the instant by which an answer must be there | |
//! | [`shape`] | methods, `HEAD`, conditions, coding | |
//! | [`cache`] | reuses stored responses ([`Cache`](cache::Cache)), stores new ones ([`Fill`](cache::Fill)) | |
//! | [`collapse`] | lets one forward answer equal requests | the key |
//!
//! A policy knows the seam of `kasoku-pipeline` and no source, no socket and no configuration file. The order
//! above is the order they are meant for, outermost first, with `Fill` innermost; it is written down in one
//! place of the assembly, not here. With the feature `tower`
//! (on by default) each is also a layer for services of `http` types.

pub mod admit;
pub mod cache;
pub mod coding;
pub mod collapse;
pub mod deadline;
pub mod entity_tag;
pub mod observe;
pub mod rescue;
pub mod shape;
#[cfg(feature = "tower")]
pub mod tower;

mod surroundings;

#[cfg(test)]
mod doubles;

pub use surroundings::Surroundings;
