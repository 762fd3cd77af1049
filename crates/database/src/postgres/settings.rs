//! What a server is connected to with. Every limit of the engine is here.

use std::fmt;
use std::time::Duration;

/// What a server is connected to with.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// Where it is, and who asks: `postgres://user:password@host:port/database?sslmode=…`.
    pub url: String,
    /// No migration and no write.
    pub read_only: bool,
    /// Connections that short reads share, many in flight on each.
    pub shared: usize,
    /// Connections for one user at a time: transactions, loads, and statements that take long.
    pub exclusive: usize,
    /// How many jobs may wait for an exclusive connection; one more is refused.
    pub queue: usize,
    /// How long a job waits for an exclusive connection, and a read for a shared one that is being opened.
    pub wait: Duration,
    /// An exclusive connection that nobody used for this long is closed.
    pub idle: Duration,
    /// A connection that is older is replaced.
    pub lifetime: Duration,
    /// How long it may take to connect.
    pub connect_timeout: Duration,
    /// How often a connection that nobody uses is asked whether it still lives.
    pub health_check: Duration,
    /// Waits between attempts to connect: the first, and the longest.
    pub reconnect: [Duration; 2],
    /// A statement that takes longer is stopped.
    pub statement_timeout: Duration,
    /// How changes by others are learnt.
    pub watch: WatchMode,
    /// How often others' changes are asked for.
    pub poll: Duration,
    /// Answers that depend on others' changes are reused for this long after the last good poll began.
    pub bound: Duration,
}

/// How changes by others are learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchMode {
    /// The tables' triggers are installed, or brought up to date, at the start.
    Install,
    /// The triggers are used where they are installed.
    Installed,
    /// They are not used: a write of this process changes whole tables, others' are not noticed.
    Off,
}

impl PostgresSettings {
    /// Settings for a server at this place.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            read_only: false,
            shared: 4,
            exclusive: 8,
            queue: 1_024,
            wait: Duration::from_secs(2),
            idle: Duration::from_mins(5),
            lifetime: Duration::from_mins(30),
            connect_timeout: Duration::from_secs(5),
            health_check: Duration::from_secs(30),
            reconnect: [Duration::from_millis(100), Duration::from_secs(5)],
            statement_timeout: Duration::from_secs(5),
            watch: WatchMode::Installed,
            poll: Duration::from_millis(25),
            bound: Duration::from_secs(1),
        }
    }
}

impl fmt::Debug for PostgresSettings {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("read_only", &self.read_only)
            .field("shared", &self.shared)
            .field("exclusive", &self.exclusive)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}
