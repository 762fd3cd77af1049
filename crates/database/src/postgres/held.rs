//! A connection of one user, who waits for each of its statements.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};

use super::connect::{Connector, Failed, Purpose, Session};
use super::error::Meaning;
use super::sent::Sent;
use super::tls::Tls;
use crate::error::DatabaseError;

/// How long the server may take to hear that it is to stop.
const CANCEL_PATIENCE: Duration = Duration::from_secs(1);

/// A connection, held by the thread that drives it.
pub(crate) struct Held {
    drive: Drive,
    pub(crate) session: Session,
    tls: Tls,
    lost: AtomicBool,
    /// Whether something was committed that may have changed the session.
    changed: AtomicBool,
}

/// Who drives a connection.
enum Drive {
    /// Whoever waits for it.
    Here(Runtime),
    /// Another thread.
    Elsewhere(Handle),
}

impl Held {
    /// Connects, and lets another thread drive the connection. Such a one can be used where a runtime runs already.
    pub(crate) fn open_elsewhere(handle: &Handle, connector: &Connector) -> Result<Self, DatabaseError> {
        let drive = Drive::Elsewhere(handle.clone());
        let (session, work) = drive.wait(connector.open(Purpose::Own))?;
        handle.spawn(work);
        Ok(Self {
            drive,
            session,
            tls: connector.tls(),
            lost: AtomicBool::default(),
            changed: AtomicBool::default(),
        })
    }

    /// Connects, and drives the connection on this thread.
    pub(crate) fn open(connector: &Connector, purpose: Purpose) -> Result<Self, DatabaseError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| DatabaseError::Io(error.to_string().into()))?;
        let (session, work) = runtime.block_on(connector.open(purpose))?;
        runtime.spawn(work);
        Ok(Self {
            drive: Drive::Here(runtime),
            session,
            tls: connector.tls(),
            lost: AtomicBool::default(),
            changed: AtomicBool::default(),
        })
    }

    /// Waits for something that the connection does.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.drive.wait(work)
    }

    /// Runs text that is not a declared statement.
    pub(crate) fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        let ran = self.wait(self.session.client().batch_execute(sql));
        ran.map_err(|error| self.failed(Failed::of(&error)))
    }

    /// Sends text without waiting for its answer, which is read and dropped when the connection is next used.
    pub(crate) fn send(&self, sql: &str) {
        self.wait(async {
            let sent = Sent::new(self.session.client().batch_execute(sql)).await;
            // The task of the connection writes it to the socket.
            tokio::task::yield_now().await;
            drop(sent);
        });
    }

    /// Asks something of the engine's own, without parameters.
    pub(crate) fn query(&self, sql: &str) -> Result<Vec<tokio_postgres::Row>, Failed> {
        self.wait(self.session.client().query(sql, &[])).map_err(|error| Failed::of(&error))
    }

    /// As [`Self::failed`], of the driver's own error.
    pub(crate) fn broken(&self, error: &tokio_postgres::Error) -> DatabaseError {
        self.failed(Failed::of(error))
    }

    /// Takes note of what an error means for the connection.
    pub(crate) fn failed(&self, failed: Failed) -> DatabaseError {
        if failed.meaning == Meaning::Lost {
            self.give_up();
        }
        failed.error
    }

    /// Asks the server to stop what it does on this connection.
    pub(crate) fn cancel(&self) {
        let token = self.session.client().cancel_token();
        let asked = token.cancel_query(self.tls.clone());
        // Whether it heard or not, the connection is given up, and the server has a limit of its own.
        let _heard = self.wait(async { tokio::time::timeout(CANCEL_PATIENCE, asked).await });
    }

    /// Lets nobody use the connection again.
    pub(crate) fn give_up(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Whether nobody may use it any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed) || self.session.is_closed()
    }

    /// Notes that something was committed, which may have changed the session.
    pub(crate) fn note_commit(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Whether something was committed since this was last asked.
    pub(crate) fn take_commit(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed)
    }

    /// Whether the server still answers on it; asks.
    pub(super) fn answers(&self, patience: Duration) -> bool {
        let asked = self.session.client().check_connection();
        // A timer is made on the runtime that it belongs to.
        self.wait(async { matches!(tokio::time::timeout(patience, asked).await, Ok(Ok(()))) })
    }
}

impl Drive {
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        match self {
            Self::Here(runtime) => runtime.block_on(work),
            Self::Elsewhere(handle) => {
                // Timers are made on the runtime that the context names.
                let _context = handle.enter();
                pollster::block_on(work)
            }
        }
    }
}
