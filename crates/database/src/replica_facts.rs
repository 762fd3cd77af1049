//! How a replica is, for operators.

use std::time::Duration;

/// How a replica is at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaFacts {
    /// Host, port and database.
    pub server: String,
    /// Why it is not read from, in one word from a closed list; `None` if it is.
    pub unfit: Option<&'static str>,
    /// What it shows is not older than this; `None` if that is not known.
    pub lag: Option<Duration>,
    /// How long a question and its answer take; zero if that is not known.
    pub round_trip: Duration,
    /// Connections for short reads.
    pub connections: usize,
    /// Statements in flight on these.
    pub in_flight: usize,
    /// Reads that it has answered.
    pub reads: u64,
    /// Reads that it was asked for and the database itself had to answer.
    pub given_up: u64,
}
