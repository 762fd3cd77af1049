//! What is done around a source: one folder per policy, its `mod.rs` the contract.
//!
//! | policy | what it does | needs of the policies before it |
//! |---|---|---|
//! | [`observe`] | names requests, renders `Cache-Status`, reports every answer | |
//! | [`rescue`] | turns failures and panics into answers, and is the only one that does | the name |
//! | [`admit`] | limits requests in progress and the queue before them | |
//! | [`deadline`] | fixes the instant by which an answer must be there | |
//! | [`identify`] | learns who asks by token or API key, and refuses who may not | the deadline |
//! | [`shape`] | methods, `HEAD`, conditions, coding | |
//! | [`negotiate`] | lets the source choose the form of its answer, and leaves one spelling of it | |
//! | [`promise`] | notes what the caller was told of and has to be shown | |
//! | [`switch`] | leads around the three below it while an operator has switched them off | |
//! | [`cache`] | reuses stored responses ([`Cache`](cache::Cache)), stores new ones ([`Fill`](cache::Fill)) | |
//! | [`rfc9111`] | in the place of `cache`, before origins: reuses what HTTP lets a shared cache reuse | |
//! | [`collapse`] | lets one forward answer equal requests | the key |
//!
//! A policy knows the seam of `kasoku-pipeline` and no source, no socket and no configuration file. The order
//! above is the order they are meant for, outermost first, with `Fill` innermost. With the feature `tower`,
//! on by default, each is also a layer for services of `http` types, and the cache of RFC 9111 is
//! [one layer](tower::HttpCacheLayer) with all that it needs.
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
//!
//! # Guarantees
//!
//! - **What is not in the key is not visible to the source** of a cached route, so that no answer can depend on it. Before
//!   origins, application fields are the exception, and no stored answer may repeat them; see [`rfc9111`].
//! - **A change that was applied is in the next answer**, stored or collapsed, by the
//!   [fence](kasoku_cache_store#guarantees) of the store. Stale answers are old, never changed.
//! - **A caller that goes away costs nobody anything**: a forward goes on while anybody waits for it, and ends with the
//!   last.
//! - **All failures are answers of one form**, and none says more to its caller than a [`Kind`](kasoku_problem::Kind) does.
//!
//! # Costs
//!
//! On one core of an Intel Xeon, through all policies, with a body of 6 KB, the making of the request included
//! (`cargo run --release -p kasoku-policies --example hit_cost`):
//!
//! | what | time | allocations |
//! |---|---|---|
//! | the request alone | 0.2 µs | 4 |
//! | a hit | 1.1 µs | 11 |
//! | a hit, coded | 1.3 µs | 11 |
//! | a hit, not modified | 1.3 µs | 13 |
//! | a hit before an origin ([`rfc9111`]) | 1.4 µs | 14 |
//! | one of a variant | 1.9 µs | 26 |
//! | one of a part | 2.7 µs | 39 |
//!
//! What is stored weighs what it takes: between 1.1 and 1.4 of the bytes that the allocator was asked for are accounted
//! for, which covers its rounding (`cargo nextest run -p kasoku-policies --test weight`). Ten times a budget of answers
//! grow a server by no more than 1.1 of it, for lists, rows, variants, tiny bodies and parts, and for large bodies if the
//! allocator gives memory back at once (`cargo nextest run -p kasoku --test stories memory`). Not in the budget
//! are bodies on their way, which are held while they are read, and for each route the names of 1,024 targets that
//! could not be shared lately (8 KiB) and of at most 4,096 paths whose queries have a canonical form.
//!
//! # Limits
//!
//! Each has a constant or a rule beside it: bodies that are stored ([`body_bytes_max`](cache::CacheRules)), variants of a
//! target ([`variants_max`](rfc9111::HttpCacheRules)), requests and their queue ([`admit`]), forwards in the air (65,536 a
//! route), refreshes in the background (64 a route). Streams of declared routes are neither collapsed nor stored.

pub mod admit;
pub mod cache;
pub mod coding;
pub mod collapse;
pub mod deadline;
pub mod identify;
pub mod loops;
pub mod negotiate;
pub mod observe;
pub mod promise;
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
