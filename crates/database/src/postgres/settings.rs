//! What a server is connected to with. Every limit of the engine is here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::config::Host;

use super::tls;
use crate::error::DatabaseError;
use crate::long::LongSettings;
use crate::watched::WatchMode;

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
    /// From when on a statement counts as long, and for how long that is remembered.
    pub long: LongSettings,
    /// How changes by others are learnt.
    pub watch: WatchMode,
    /// How often others' changes are asked for.
    pub poll: Duration,
    /// Answers that depend on others' changes are reused for this long after the last good poll began.
    pub bound: Duration,
    /// Standbys of it that may be read from, each as a URL.
    pub replicas: Arc<[String]>,
    /// Which of them a read is sent to.
    pub replica_choice: ReplicaChoice,
    /// One that is further behind is not read from.
    pub replica_lag: Duration,
}

/// Which replica a read is sent to, of those that are fit for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaChoice {
    /// The one with the fewest statements in flight on a connection.
    LeastLoaded,
    /// The one that answers soonest.
    Nearest,
    /// One after the other.
    RoundRobin,
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
            long: LongSettings::ON_SERVER,
            watch: WatchMode::Installed,
            poll: Duration::from_millis(25),
            bound: Duration::from_secs(1),
            replicas: Arc::default(),
            replica_choice: ReplicaChoice::LeastLoaded,
            replica_lag: Duration::from_secs(1),
        }
    }
}

impl PostgresSettings {
    /// Whether the URL can be used; nothing is connected to.
    pub fn check(&self) -> Result<(), DatabaseError> {
        tls::read(&self.url).map(|_| ())
    }

    /// The same, of a server at another place.
    #[must_use]
    pub fn elsewhere(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// Where the server is and what the database is called, without user and password.
    pub fn place(&self) -> String {
        let Ok((config, _)) = tls::read(&self.url) else { return "a server".to_owned() };
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        });
        let ports = config.get_ports();
        let port = |place: usize| ports.get(place).or(ports.first()).copied().unwrap_or(5432);
        let hosts: Vec<String> =
            hosts.enumerate().map(|(place, host)| format!("{host}:{}", port(place))).collect();
        let name = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
        format!("{}/{name}", hosts.join(","))
    }

    /// The password in the URL, as it is written there, for whoever must not show it.
    pub fn password(&self) -> Option<String> {
        let (_, behind) = self.url.split_once("://")?;
        let authority = behind.split(['/', '?']).next()?;
        let in_authority = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        let in_query = || {
            let (_, query) = behind.split_once('?')?;
            query.split('&').find_map(|pair| pair.strip_prefix("password="))
        };
        let found = in_authority.map(|(_, password)| password).or_else(in_query);
        found.filter(|password| !password.is_empty()).map(str::to_owned)
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
