//! The second tier of a cache: entries, purges and leases that several nodes share through Redis or Valkey.
//!
//! It is for services of several processes that each keep answers in memory and want to fill them once, and to purge
//! them everywhere. Keys, tags and bytes go in and out; it knows neither HTTP nor the first tier, which only has to
//! [listen](Listener).
//!
//! # What it promises
//!
//! - **No entry comes back after a purge.** A fill takes a [`Stamp`] before it reads. Purges and changes have one order
//!   for all nodes; an entry is refused if any of them reaches it and is later than its stamp. So no late store, slow
//!   node or old copy of the server's memory can undo a purge that a node has heard of.
//! - **A node knows what it may have missed.** It [is current](Remote::is_current) only while it can prove that it has
//!   applied every message that was published more than a bound ago (1 s by default, measured by its own monotonic
//!   clock). When messages may be missing, for the stream was trimmed or the server restarted, failed over or was
//!   emptied, a new epoch begins: older entries are not used, and the first tier is told to
//!   [empty itself](Listener::gap).
//! - **A purge can be waited for.** [`Published::Reached`] with as many nodes as there are means that no node serves,
//!   as current, what the purge reached.
//! - **It cannot fail, only be away.** Look-ups end within a budget (25 ms by default). After a few failures in a row
//!   nothing is asked any more until a probe succeeds. Writes are dropped rather than waited for. Whatever the server
//!   answers, what is given out was stored under that key, whole, by a node of this epoch.
//! - **One fill per key among all nodes, mostly**: a [`Lease`] with a fencing token. It spares work; nothing above
//!   depends on it.
//!
//! # What it costs
//!
//! With the server on the same machine, two cores for all, values of 1 KB, and the default settings
//! (`cargo run --release -p kasoku-cache-remote --example faults`):
//!
//! | what | p50 | p99 |
//! |---|---|---|
//! | a hit | 61 µs | 125 µs |
//! | a purge that two nodes have applied | 240 µs | 2.5 ms |
//! | a look-up while the server hangs, four of them until nothing is asked any more | 24 ms | 24 ms |
//! | a look-up after that | 0.3 µs | 0.4 µs |
//!
//! A server that answers again is used after 50 ms, one that was restarted after 90 ms. Memory: 16 bytes for each of the
//! 65,536 slots, and what waits to be written, at most 32 MiB. A node keeps two connections, and sends a few small
//! commands a second while nobody asks.
//!
//! # What it does not
//!
//! The server is one primary (with replicas, if a failover comes with a new run); it must not be partitioned into two
//! that both take writes. Redis Cluster and TLS are not spoken. The server must be Redis 7 or Valkey, and must not be
//! told to evict keys without lifetimes (`volatile-*` or `noeviction`): otherwise it may evict the stream, which is
//! noticed as a new epoch and costs all entries.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use kasoku_cache_remote::{Fill, Found, Listener, Leased, Message, Mode, Published, Reach, Remote, Settings};
//! use kasoku_coherence::{KeyBuilder, Tag};
//! use kasoku_observe::Silent;
//! use kasoku_units::SystemClock;
//!
//! /// What is kept in memory; see `Listener` for what it must do.
//! struct Memory;
//!
//! impl Listener for Memory {
//!     fn apply(&self, message: &Message) {}
//!     fn gap(&self) {}
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), kasoku_cache_remote::Misconfigured> {
//! let settings = Settings::new("redis://127.0.0.1/");
//! let remote = Arc::new(Remote::open(settings, Arc::new(SystemClock), Arc::new(Memory), Arc::new(Silent))?);
//! let key = KeyBuilder::new().part(b"GET").part(b"/items/7").build();
//!
//! // A request makes one deadline, for all that it asks.
//! let deadline = remote.deadline();
//! if let Found::Usable(entry) = remote.get(&key, deadline).await {
//!     println!("{} bytes, {:?} old", entry.value.len(), entry.age);
//! } else {
//!     let lease = match remote.lease(&key, deadline).await {
//!         Leased::Won(lease) => Some(lease),
//!         // Somebody else fills: `remote.wait` waits for it. Away: fill without.
//!         Leased::Held { .. } | Leased::Away(_) => None,
//!     };
//!     // The stamp, then the read.
//!     if let Some(stamp) = remote.stamp() {
//!         let value = "seven".into();
//!         let tags = vec![Tag::named("items/7")];
//!         let lifetime = Duration::from_mins(10);
//!         drop(remote.store(key, Fill { value, tags, stamp, age: Duration::ZERO, lifetime }, lease));
//!     }
//! }
//!
//! // A write: make it visible, apply it to the own memory, tell the others, and only then answer.
//! let reach = Reach::Tags(vec![Tag::named("items/7")]);
//! match remote.publish(reach, Mode::Hard, Duration::from_millis(50)).await {
//!     Published::Reached { nodes, of, .. } if nodes == of => println!("nobody serves the old one"),
//!     Published::Reached { .. } => println!("nobody serves it for longer than the bound"),
//!     Published::Waiting => println!("others serve it until this can be published, and the bound"),
//! }
//! # Ok(())
//! # }
//! ```

mod connection;
mod entry;
mod knowledge;
mod lease;
mod line;
mod listener;
mod message;
mod outbox;
mod publish;
mod remote;
mod scripts;
mod session;
mod settings;
#[cfg(test)]
mod simulation;
mod stats;
mod tail;
mod writer;

pub use entry::{Entry, Fill, Refusal, Stamp};
pub use lease::{Lease, Leased, Waited};
pub use line::Away;
pub use listener::Listener;
pub use message::{Message, Mode, Reach};
pub use publish::Published;
pub use remote::{Found, Remote};
pub use settings::{Misconfigured, Settings};
pub use stats::Stats;
pub use writer::{Pending, Stored};
