//! Stands in for the store's own `sync`: primitives whose every use is a point where the scheduler may switch.

pub(crate) use shuttle::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use shuttle::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

use foldhash::quality::SeedableRandomState;

/// A mutex that does not speak of poison: a panic ends the whole run.
#[derive(Debug)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

/// A lock of the same kind for many readers.
#[derive(Debug)]
pub(crate) struct RwLock<T>(shuttle::sync::RwLock<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(content: T) -> Self {
        Self(shuttle::sync::Mutex::new(content))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

impl<T> RwLock<T> {
    pub(crate) fn new(content: T) -> Self {
        Self(shuttle::sync::RwLock::new(content))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap()
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap()
    }
}

/// The same seed each time, so that a schedule that failed can be run again.
pub(crate) fn secret_hasher() -> SeedableRandomState {
    SeedableRandomState::fixed()
}
