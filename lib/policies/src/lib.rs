//! What is done around a source: one folder per policy, its `mod.rs` the contract.
//!
//! | policy | what it does | needs of the policies before it |
//! |---|---|---|
//! | [`observe`] | names requests, renders `Cache-Status`, reports every answer | |
//! | [`rescue`] | turns failures and panics into answers, and is the only one that does | the name |
//! | [`admit`] | limits requests in progress and the queue before them | |
//! | [`deadline`] | fixes the instant by which an answer must be there | |
//! | [`shape`] | methods, `HEAD`, conditions, coding | |
//! | [`switch`] | leads around the three below it while an operator has switched them off | |
//! | [`cache`] | reuses stored responses ([`Cache`](cache::Cache)), stores new ones ([`Fill`](cache::Fill)) | |
//! | [`collapse`] | lets one forward answer equal requests | the key |
//!
//! A policy knows the seam of `kasoku-pipeline` and no source, no socket and no configuration file. The order
//! above is the order they are meant for, outermost first, with `Fill` innermost. With the feature `tower`,
//! on by default, each is also a layer for services of `http` types.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use kasoku_coherence::{Sequence, Tag};
//! use kasoku_pipeline::{Body, BoxFuture, Outcome, Promises, Request, Response, Source, Stack, first};
//! use kasoku_policies::cache::{Cache, CacheRules, Fill, ResponseStore};
//! use kasoku_policies::{Surroundings, collapse::Collapse, observe::Observe, rescue::Rescue};
//!
//! struct Items(Promises, Arc<Sequence>);
//!
//! impl Source for Items {
//!     fn promises(&self) -> &Promises {
//!         &self.0
//!     }
//!     fn answer(&self, _: Request) -> BoxFuture<'_, Outcome> {
//!         Box::pin(async {
//!             let snapshot = self.1.snapshot(); // before reading
//!             let mut response = Response::ok(Body::from("three items"));
//!             (response.tags, response.snapshot) = (Arc::new([Tag::named("items")]), Some(snapshot));
//!             Ok(response)
//!         })
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let promises = Promises {
//!     methods: vec![http::Method::GET],
//!     depends_on: vec![Tag::named("items")],
//!     ..Promises::none()
//! };
//! let rules = CacheRules {
//!     fresh: Duration::from_secs(30),
//!     stale_while_revalidate: Duration::from_secs(30),
//!     stale_if_error: Duration::from_secs(600),
//!     client: Duration::ZERO,
//!     body_bytes_max: 1 << 20,
//! };
//! let sequence = Arc::new(Sequence::new());
//! let store = Arc::new(ResponseStore::new(64 << 20, Arc::clone(&sequence)));
//! let around = Surroundings::quiet(0, "/items");
//! let pipeline = first(Observe::new(&around))
//!     .then(Rescue::new(&around))
//!     .then(Cache::new(rules, &promises, &store, &around))
//!     .then(Collapse::new(&promises, Arc::clone(&store) as _))
//!     .then(Fill::new(rules, &store, &around))
//!     .finally(Arc::new(Items(promises, sequence)));
//! for verdict in ["MISS", "HIT"] {
//!     let response = pipeline.run(Request::get("/items")).await.unwrap();
//!     assert_eq!(response.headers["x-cache"], verdict);
//! }
//! # });
//! ```

pub mod admit;
pub mod cache;
pub mod coding;
pub mod collapse;
pub mod deadline;
pub mod observe;
pub mod rescue;
pub mod rfc9111;
pub mod shape;
pub mod switch;
#[cfg(feature = "tower")]
pub mod tower;

mod surroundings;

#[cfg(test)]
mod doubles;

pub use surroundings::Surroundings;
