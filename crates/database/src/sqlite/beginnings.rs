//! What is done before a file is served: its schema, a folder for one that is private, how many may read in place.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::error::DatabaseError;
use crate::migrate::Migration;
use crate::sqlite::connection::{Access, Connection, Place};
use crate::sqlite::watch::{Feed, Watch};
use crate::sqlite::write::WriteQueue;
use crate::sqlite::{migrate, upkeep};
use crate::tell::Teller;

/// Begins to look for others' changes where the triggers are in place.
pub(super) fn begin_feed(
    place: &Place,
    access: Access,
    shared: (&Arc<Watch>, &Arc<Teller>),
    (poll, queue): (Duration, Option<&WriteQueue>),
) -> Result<Option<Feed>, DatabaseError> {
    let let_go = queue.map(WriteQueue::letting_go);
    shared.0.is_on().then(|| Feed::start(place, access, shared, poll, let_go)).transpose()
}

/// Brings the schema up to date.
pub(super) fn prepare(place: &Place, migrations: &[Migration]) -> Result<(), DatabaseError> {
    let mut connection = Connection::open(place, Access::Write)?;
    migrate::apply(connection.raw_mut(), migrations)?;
    upkeep::optimize_all(&connection)
}

/// A database in memory that several connections share would lock whole tables against each other, so a private
/// one is a file too, which need not survive.
pub(super) fn private_folder() -> Result<TempDir, DatabaseError> {
    tempfile::Builder::new()
        .prefix("kasoku-")
        .tempdir()
        .map_err(|error| DatabaseError::Io(format!("cannot make a private database: {error}").into()))
}

/// Enough that threads that serve do not meet, and threads that block find one too.
pub(super) fn here_most() -> usize {
    let cores = std::thread::available_parallelism().map_or(4, std::num::NonZeroUsize::get);
    (cores * 2).clamp(4, 64)
}
