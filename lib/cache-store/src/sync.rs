//! The locks, atomics and hash seeds of the store, in one place.
//!
//! `tests/interleavings` compiles the store's files a second time beside a `sync` module of its own, whose
//! primitives are those of a scheduler that tries many interleavings. So no other file names a lock, an atomic
//! or a seed by itself.

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use foldhash::quality::SeedableRandomState;
pub(crate) use parking_lot::{Mutex, RwLock};

/// A hasher with a secret seed: keys and tags are chosen by callers, who must not be able to choose collisions.
pub(crate) fn secret_hasher() -> SeedableRandomState {
    // Cases expect that certain fills are not refused, which a chance collision of slots would do.
    if cfg!(test) { SeedableRandomState::fixed() } else { SeedableRandomState::random() }
}
