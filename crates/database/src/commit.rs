//! What a commit is known by, and what a job that ends in one relies on.

use kasoku_coherence::{Landmark, Position};

/// A commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// Its place in the order of this process.
    pub position: Position,
    /// By what other processes can know it, where they can.
    pub landmark: Option<Landmark>,
}

/// What a write job relies on between its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Each of its statements by itself.
    Statements,
    /// Nothing that it read may change until it is committed. It is run again if something did.
    Job,
}

impl Commit {
    pub(crate) fn of<T>((value, position): (T, Position)) -> (T, Self) {
        (value, Self { position, landmark: None })
    }
}

impl Isolation {
    /// Of a job that `decides` by what it reads, or does not.
    pub(crate) fn of(decides: bool) -> Self {
        if decides { Self::Job } else { Self::Statements }
    }
}
