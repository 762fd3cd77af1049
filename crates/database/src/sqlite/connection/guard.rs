//! What a declared statement may not do: change the schema, the settings or the transaction that it runs in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Refuses such a statement when SQLite compiles it, while it is on. The engine's own statements run without it.
#[derive(Default)]
pub(super) struct Guard(Arc<AtomicBool>);

impl Guard {
    /// Puts the guard on a connection.
    pub(super) fn install(&self, raw: &mut rusqlite::Connection) -> rusqlite::Result<()> {
        let on = Arc::clone(&self.0);
        raw.authorizer(Some(move |context: AuthContext<'_>| {
            if on.load(Ordering::Relaxed) && forbidden(&context.action) {
                return Authorization::Deny;
            }
            Authorization::Allow
        }))
    }

    /// Runs `f` under guard, also when it panics.
    pub(super) fn on<T>(&self, f: impl FnOnce() -> T) -> T {
        struct Off<'g>(&'g AtomicBool);
        impl Drop for Off<'_> {
            fn drop(&mut self) {
                self.0.store(false, Ordering::Relaxed);
            }
        }
        self.0.store(true, Ordering::Relaxed);
        let _off = Off(&self.0);
        f()
    }
}

fn forbidden(action: &AuthAction<'_>) -> bool {
    // Virtual tables ask for these themselves while a statement that uses them is compiled or run: full-text search
    // for the version of the data, R-trees for the size of a page.
    if let AuthAction::Pragma { pragma_name, pragma_value: None } = action {
        return !["data_version", "page_size"].iter().any(|known| known.eq_ignore_ascii_case(pragma_name));
    }
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
