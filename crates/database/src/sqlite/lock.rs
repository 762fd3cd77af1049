//! One process writes a file: the others are told so.
//!
//! The lock is on a file of its own. Closing any handle of the database file would drop the locks that SQLite
//! itself holds on it in this process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::DatabaseError;

/// Held for as long as this process may write the database.
#[derive(Debug)]
pub(crate) struct WriteLock(#[expect(dead_code, reason = "the lock lasts as long as the handle")] File);

impl WriteLock {
    /// Takes the lock or says that another process has it.
    pub(crate) fn take(database: &Path) -> Result<Self, DatabaseError> {
        let path = PathBuf::from(format!("{}-lock", database.display()));
        let failed = |error: std::io::Error| {
            DatabaseError::Io(format!("cannot open `{}`: {error}", path.display()).into())
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse { path: database.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
