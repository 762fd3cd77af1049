//! What a write job may not do: change the schema, the settings or the transaction that it shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::connection::Connection;
use crate::error::DatabaseError;

/// Refuses at compile time of a statement what a job may not do, while a job runs.
#[derive(Clone, Default)]
pub(super) struct Guard(Arc<AtomicBool>);

impl Guard {
    /// Puts the guard on a connection.
    pub(super) fn install(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        let on = Arc::clone(&self.0);
        connection.raw_mut().authorizer(Some(move |context: AuthContext<'_>| {
            if on.load(Ordering::Relaxed) && forbidden(&context.action) {
                return Authorization::Deny;
            }
            Authorization::Allow
        }))?;
        Ok(())
    }

    /// Runs `f` under guard, also when it panics.
    pub(super) fn on<T>(&self, f: impl FnOnce() -> T) -> T {
        self.set(true, f)
    }

    /// Runs `f`, which is the engine's own, without it.
    pub(super) fn lifted<T>(&self, f: impl FnOnce() -> T) -> T {
        self.set(false, f)
    }

    fn set<T>(&self, on: bool, f: impl FnOnce() -> T) -> T {
        struct Restore<'g>(&'g AtomicBool, bool);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.store(self.1, Ordering::Relaxed);
            }
        }
        let _restore = Restore(&self.0, self.0.swap(on, Ordering::Relaxed));
        f()
    }
}

fn forbidden(action: &AuthAction<'_>) -> bool {
    !matches!(
        action,
        AuthAction::Select
            | AuthAction::Read { .. }
            | AuthAction::Insert { .. }
            | AuthAction::Update { .. }
            | AuthAction::Delete { .. }
            | AuthAction::Function { .. }
            | AuthAction::Recursive
    )
}
