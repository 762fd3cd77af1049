//! Signals: SIGTERM and SIGINT end the server decently, a second one at once; SIGHUP asks for a reload.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code after a second signal: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: i32 = 130;

/// The signals that a server listens to.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Begins to listen. From here on, the system's own handling of these signals is off.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the first signal to end, calling `reload` at each SIGHUP before it. Afterwards a second signal
    /// ends the process at once, without waiting for anything.
    pub async fn until_end(mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.hang_up.recv() => reload(),
            }
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            std::process::exit(INTERRUPTED);
        });
    }
}
