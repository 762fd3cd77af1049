//! A bounded, in-memory store of values that knows when what they were read from has changed.
//!
//! It is for services that answer from a slow source and want to keep the answers, without ever serving one that
//! a change has made wrong. It keeps its budget in true bytes, keeps what is used often through a scan of what is
//! not, finds an entry in well under a microsecond, and has the **fence**: *an entry is usable exactly when its
//! snapshot shows every change to each of its tags.*
//!
//! - A fill notes a [`Snapshot`](kasoku_coherence::Snapshot) **before** it reads, and names the
//!   [`Tag`](kasoku_coherence::Tag)s of what it read.
//! - A writer, when its change is visible to new reads and before it says so to anybody, draws a position and
//!   [applies](kasoku_coherence::ChangeSink::apply) the change.
//! - When `apply` has returned, no look-up that begins later finds a value that was read before the change, and no
//!   fill that is still under way can bring such a value back. No clock takes part.
//!
//! The store is an engine without I/O: time comes as an argument, and what *fresh* means is its caller's rule. It
//! knows neither HTTP nor any runtime, and never waits for anything but its own short locks.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//!
//! use kasoku_cache_store::{Fill, Found, Inserted, Purge, Store};
//! use kasoku_coherence::{Change, ChangeSink, KeyBuilder, Sequence, Tag};
//!
//! let sequence = Arc::new(Sequence::new());
//! let store: Store<String> = Store::new(64 << 20, Arc::clone(&sequence));
//! let key = KeyBuilder::new().part(b"GET").part(b"/items/7").build();
//! let now = Instant::now();
//!
//! // A miss: note the snapshot, read, and store.
//! let snapshot = store.snapshot();
//! let value = Arc::new(String::from("seven"));
//! let tags = vec![Tag::named("items"), Tag::named("items/7")];
//! let fill = Fill { value, tags, snapshot, inserted: now, expires: None };
//! assert_eq!(store.insert(key.clone(), fill.clone()), Inserted::Stored);
//! assert!(matches!(store.look_up(&key, now), Found::Usable { hits: 1, .. }));
//!
//! // A write: make it visible, draw its position, apply it, and only then answer.
//! store.apply(&Change { position: sequence.next(), tags: vec![Tag::named("items/7")] });
//! assert!(matches!(store.look_up(&key, now), Found::Changed));
//!
//! // What was read before the write cannot come back.
//! assert_eq!(store.insert(key.clone(), fill.clone()), Inserted::Fenced);
//!
//! // What was read after it can, until an operator purges it.
//! let fill = Fill { snapshot: store.snapshot(), ..fill };
//! assert_eq!(store.insert(key.clone(), fill), Inserted::Stored);
//! assert_eq!(store.purge_prefix(1, b"/items", Purge::Soft), 1);
//! assert!(matches!(store.look_up(&key, now), Found::Usable { softened: Some(_), .. }));
//! ```
//!
//! `examples/read_through.rs` puts it behind a plain service; `kasoku-cache-tiers` joins it with a second tier that
//! several nodes share.
//!
//! # Guarantees
//!
//! - **The fence**: as above, for every interleaving of fills, changes, purges and evictions. A purge is a change: what
//!   began before it is not stored after it.
//! - **The budget**: keys, values, tags and bookkeeping by the books never weigh more, and they weigh what they take,
//!   provided that [`Weigh`] says so. What is only being made, and values that somebody still holds after their
//!   eviction, are not counted.
//! - **Nobody waits for I/O or for a value to be made**: there is none in here, and no lock outlives a call.
//!
//! # Costs
//!
//! On one core of an Intel Xeon, with 100,000 entries of 1 KB and three tags each
//! (`cargo run --release -p kasoku-cache-store --example cost`):
//!
//! | operation | time |
//! |---|---|
//! | a look-up that finds, in no order | 340 ns |
//! | a look-up that finds nothing | 21 ns |
//! | a fill that replaces an entry | 1.4 µs |
//! | a change of one tag, however many entries have it | 45 ns |
//!
//! [`purge_prefix`](Store::purge_prefix), [`purge_where`](Store::purge_where) and the lists for operators walk through
//! all keys.
//!
//! Beside the books there is the allocator. After ten times a budget of 256 MiB, each alone
//! (`cargo run --release -p kasoku-cache-store --example memory -- 256 NAME`), the process had grown by 1.06 of it with
//! `tiny values`, 1.05 with tiny values with tags `of their own`, 0.98 with `lists` and 1.02 with `a bit` of everything.
//! With `large` values, which go through at half a gibibyte a second, it was 1.22, for mimalloc gives back what
//! is freed only after a second; told to do so at once (`MIMALLOC_PURGE_DELAY=0`) it was 1.05.
//!
//! # Limits
//!
//! One entry may weigh an eighth of the budget. Remembered changes share 65,536 slots (fewer below 16 MiB): a fill
//! whose tag shares a slot with a change that it does not show is refused although it might have been kept, which
//! matters only to fills that take long beside very many writes. Eviction does not weigh what a value cost to make.

mod admin;
mod entry;
mod eviction;
mod ghost;
mod index;
mod limits;
mod nodes;
mod purge;
mod stats;
mod store;
mod sync;
mod tags;
mod weight;

#[cfg(test)]
mod tests;

pub use entry::{Fill, Found, Inserted, Reweighed};
pub use purge::Purge;
pub use stats::{Hot, Stats};
#[doc(hidden)]
pub use store::Fence;
pub use store::Store;
pub use weight::Weigh;
