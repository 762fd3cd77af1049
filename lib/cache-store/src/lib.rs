//! The bounded store: weights, eviction, tags and the fence.

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

pub use entry::{Fill, Found, Inserted, Reweighed};
pub use purge::Purge;
pub use stats::{Hot, Stats};
#[doc(hidden)]
pub use store::Fence;
pub use store::Store;
pub use weight::Weigh;
