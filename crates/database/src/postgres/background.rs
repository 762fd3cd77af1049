//! The thread that drives what nobody waits on: shared connections, the feed, the engine's own connection.

use std::future::Future;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::error::DatabaseError;

/// A thread with a runtime. What was spawned on it ends when it is closed.
pub(crate) struct Background {
    handle: Handle,
    closing: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Background {
    pub(crate) fn start() -> Result<Self, DatabaseError> {
        let failed = |error: std::io::Error| DatabaseError::Io(error.to_string().into());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (closing, mut closed) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name("kasoku-postgres".into())
            .spawn(move || {
                // An error says that nobody is left who could close it, which is as good.
                runtime.block_on(async { drop(closed.wait_for(|closed| *closed).await) });
            })
            .map_err(failed)?;
        Ok(Self { handle, closing, thread: Mutex::new(Some(thread)) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Does this until it ends or the thread is closed.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(work);
    }

    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
        if let Some(thread) = self.thread.lock().take() {
            // A task that panics ends alone; the thread has nothing left to tell.
            let _ended = thread.join();
        }
    }
}
