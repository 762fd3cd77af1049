//! How the second tier is reached, and every limit that it keeps.

use std::fmt;
use std::time::Duration;

/// Where the server is, and what may be spent on it. All nodes that share a `prefix` must have equal settings.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// `redis://[user:password@]host[:port][/database]`, or `redis+unix:///path`.
    pub url: String,
    /// The beginning of every name that is used on the server; two caches with different ones do not meet.
    pub prefix: String,
    /// The most that a look-up, or an attempt at a lease, waits for the server.
    pub budget: Duration,
    /// How old the last proof may be that every change has been heard of; beyond it nothing is read.
    pub bound: Duration,
    /// How old the last proof may be before callers take what they have stored themselves for doubtful, too; `None` for
    /// never. More than `bound`.
    pub strict: Option<Duration>,
    /// How long making a connection may take.
    pub connect: Duration,
    /// The time between two attempts to reach a server that does not answer.
    pub probe: Duration,
    /// So many failures in a row close the connection and open the breaker; a lost connection opens it at once.
    pub failures_max: u32,
    /// How long a lease outlives its last renewal.
    pub lease: Duration,
    /// How long a node counts as alive after its last report. More than `bound`, so that a node that is not counted
    /// any more has ceased to serve before.
    pub node_lifetime: Duration,
    /// Operations of this node that may wait for the server at the same moment; more are not begun.
    pub in_flight_max: usize,
    /// Stores that may wait to be written; more are dropped and counted.
    pub queue_max: usize,
    /// Bytes that may wait to be written.
    pub queue_bytes_max: usize,
    /// Leases that this node may hold at the same moment.
    pub leases_max: usize,
    /// The largest value that is stored. Answers share a connection, and a large one keeps others waiting.
    pub value_bytes_max: usize,
    /// Values from this size on are compressed.
    pub compress_from_bytes: usize,
    /// About so many messages are kept on the server; a node that has missed more empties its store.
    pub messages_max: u32,
    /// Slots for what changed last, a power of two; more of them refuse fewer entries by chance. Each takes 16 bytes.
    pub slots: usize,
}

impl Settings {
    /// The defaults, for a server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: String::from("kasoku"),
            budget: Duration::from_millis(25),
            bound: Duration::from_secs(1),
            strict: None,
            connect: Duration::from_secs(1),
            probe: Duration::from_millis(100),
            failures_max: 3,
            lease: Duration::from_secs(2),
            node_lifetime: Duration::from_secs(3),
            in_flight_max: 256,
            queue_max: 1_024,
            queue_bytes_max: 32 << 20,
            leases_max: 1_024,
            value_bytes_max: 1 << 20,
            compress_from_bytes: 4 << 10,
            messages_max: 100_000,
            slots: 65_536,
        }
    }

    /// How often the tail proves that it is current.
    pub(crate) fn tick(&self) -> Duration {
        self.bound / 4
    }
}

/// Why no second tier can be made from settings.
#[derive(Debug, thiserror::Error)]
pub enum Misconfigured {
    /// The address cannot be understood.
    #[error("the address of the second tier cannot be used")]
    Url(#[source] redis::RedisError),
    /// A limit contradicts another or is zero.
    #[error("`{0}` of the second tier is out of range")]
    OutOfRange(&'static str),
}

impl Settings {
    /// Whether a second tier can be made from these. The server is not asked.
    pub fn verify(&self) -> Result<(), Misconfigured> {
        self.check().map(drop)
    }

    /// What is said here can be kept.
    pub(crate) fn check(&self) -> Result<redis::Client, Misconfigured> {
        let positive = [
            ("budget", !self.budget.is_zero()),
            ("bound", self.bound >= Duration::from_millis(40)),
            ("strict", self.strict.is_none_or(|strict| strict > self.bound)),
            ("connect", !self.connect.is_zero()),
            ("probe", !self.probe.is_zero()),
            ("failures_max", self.failures_max > 0),
            ("lease", self.lease >= Duration::from_millis(30)),
            ("node_lifetime", self.node_lifetime > self.bound),
            ("in_flight_max", self.in_flight_max > 0),
            ("queue_max", self.queue_max > 0),
            ("queue_bytes_max", u32::try_from(self.queue_bytes_max).is_ok()),
            ("leases_max", self.leases_max > 0),
            ("value_bytes_max", self.value_bytes_max <= 256 << 20),
            ("messages_max", self.messages_max >= 1_024),
            ("slots", self.slots.is_power_of_two()),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, kept)| !kept) {
            return Err(Misconfigured::OutOfRange(name));
        }
        redis::Client::open(self.url.as_str()).map_err(Misconfigured::Url)
    }
}

impl fmt::Debug for Settings {
    /// The address may have a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
