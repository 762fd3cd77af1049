//! Both tiers of a cache as one: values in memory, and entries, purges and leases that nodes share through Redis or
//! Valkey.
//!
//! It joins [`Store`](kasoku_cache_store::Store) and [`Remote`](kasoku_cache_remote::Remote) in the order that their
//! guarantees ask for, so that a service needs to say only what a value is, how long it holds, what it depends on and
//! how to make it. It knows neither HTTP nor any source.
//!
//! # What it promises
//!
//! - **A change is not outlived.** When [`changed`](Tiers::changed) has returned, no look-up on this node that begins
//!   later finds what was made before the change; and if it says that all nodes were reached, none on any of them.
//!   What is being made meanwhile is given to who asked for it and kept nowhere. No clock takes part in it.
//! - **A node that may have missed something knows it.** It empties its memory when messages may be lost, and uses
//!   what it has only up to [an age](Rules::alone) while it cannot hear of changes.
//! - **Stale values do not wait, and changed ones are not stale.** Beyond its lifetime a value is given at once for as
//!   long as [`stale`](Rules::stale) says, while one task makes it anew. One that a change has reached is not.
//! - **A value is made once among all nodes, mostly**: by who gets the lease for its key, while the others wait until
//!   their deadline. Without the second tier, everybody who finds nothing makes it.
//! - **The second tier is never needed.** If it is slow or away, values are made and kept here alone.
//!
//! # What it costs
//!
//! A hit in memory is a look-up of the store and a reading of the clock: less than half a microsecond. What is not there
//! costs one round trip before it is made (61 µs to a server on the same machine), and none is waited for after it. The
//! [store](kasoku_cache_store#costs) and the [second tier](kasoku_cache_remote#what-it-costs) say how that was measured.
//! Memory is bounded by the budget of the store, 1 MiB for what changed last, and what waits to be written there, at
//! most 32 MiB; see [`Settings`](kasoku_cache_remote::Settings).
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//!
//! use bytes::Bytes;
//! use kasoku_cache_remote::{Misconfigured, Settings};
//! use kasoku_cache_store::Weigh;
//! use kasoku_cache_tiers::{Made, Portable, Rules, Tiers};
//! use kasoku_coherence::{KeyBuilder, Tag};
//!
//! struct Text(String);
//!
//! impl Weigh for Text {
//!     fn bytes(&self) -> u64 {
//!         self.0.bytes()
//!     }
//! }
//!
//! impl Portable for Text {
//!     fn to_bytes(&self) -> Bytes {
//!         Bytes::copy_from_slice(self.0.as_bytes())
//!     }
//!     fn from_bytes(bytes: &Bytes) -> Option<Self> {
//!         Some(Self(String::from_utf8(bytes.to_vec()).ok()?))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Misconfigured> {
//! let rules = Rules { fresh: Duration::from_mins(1), stale: Duration::from_mins(5), alone: Duration::from_secs(10) };
//! let tiers = Tiers::open(64 << 20, rules, Settings::new("redis://127.0.0.1/"))?;
//! let key = KeyBuilder::new().part(b"item").part(b"7").build();
//!
//! let deadline = Instant::now() + Duration::from_secs(1);
//! let make = || async { Ok::<_, Misconfigured>(Made { value: Text("seven".into()), tags: vec![Tag::named("items/7")] }) };
//! let got = tiers.get(&key, deadline, make).await?;
//! println!("{}, found in {:?}", got.value.0, got.found_in);
//!
//! // A write: make it visible, then say what has changed, and only then answer.
//! tiers.changed(vec![Tag::named("items/7")], Duration::from_millis(50)).await;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/two_tiers.rs` runs two nodes over one server.
//!
//! # Limits
//!
//! Those of both tiers: an entry may weigh an eighth of the budget, and its bytes may be as many as
//! [`value_bytes_max`](kasoku_cache_remote::Settings::value_bytes_max) to be shared. At most 64 values are made
//! anew in the background at the same time; a stale one that finds no place is given until somebody does. A value that
//! cannot be made is not remembered.

mod hearing;
mod refreshes;
mod tiers;
mod value;

pub use hearing::purge;
pub use tiers::Tiers;
pub use value::{FoundIn, Got, Made, Portable, Rules};
