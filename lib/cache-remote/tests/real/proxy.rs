//! Stands between a node and the server, and does to their bytes what networks do.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What happens to what the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It comes late.
    Slow(Duration),
    /// It does not come, and no connection is closed.
    Silent,
    /// Some of its bytes are others.
    Garbled,
    /// An answer that nobody asked for comes before it.
    Shifted,
}

/// A way to the server.
pub(crate) struct Proxy {
    folder: TempDir,
    fault: watch::Sender<Fault>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(crate) fn start(server: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let listener = UnixListener::bind(folder.path().join("proxy.sock")).expect("a socket can be made");
        let fault = watch::Sender::new(Fault::None);
        let accepting = tokio::spawn(accept(listener, server, fault.subscribe()));
        Self { folder, fault, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("proxy.sock").display())
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: UnixListener, server: PathBuf, fault: watch::Receiver<Fault>) {
    let seed = Arc::new(AtomicU64::new(1));
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = UnixStream::connect(&server).await else { continue };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::spawn(asking(from_client, to_server));
        tokio::spawn(answering(from_server, to_client, fault.clone(), Arc::clone(&seed)));
    }
}

async fn asking(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let _ = tokio::io::copy(&mut from, &mut to).await;
}

async fn answering(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut fault: watch::Receiver<Fault>,
    seed: Arc<AtomicU64>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let answer = &mut buffer[..length];
        let now = *fault.borrow();
        match now {
            Fault::None => {}
            Fault::Slow(delay) => sleep(delay).await,
            Fault::Silent => {
                if fault.wait_for(|fault| *fault != Fault::Silent).await.is_err() {
                    return;
                }
            }
            Fault::Garbled => {
                let at = seed.fetch_add(7_919, Ordering::Relaxed) as usize;
                answer[at % length] ^= 1 << (at % 8);
            }
            Fault::Shifted => {
                if to.write_all(b"$-1\r\n").await.is_err() {
                    return;
                }
            }
        }
        if to.write_all(answer).await.is_err() {
            return;
        }
    }
}
