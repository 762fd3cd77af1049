//! Why a file could not be read as tables, in words for the person who gave it.

use std::io;
use std::path::PathBuf;

use kasoku_database::DatabaseError;

/// What is accepted, as every refusal says it.
pub const ACCEPTED: &str = "accepted are .csv and .tsv, .json (an array of objects, or an object of such arrays), \
    .ndjson and .jsonl, each also as .gz, and SQLite databases of any name";

/// Why a file could not be recognised, read or imported.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a file of rows.
    #[error("{} {why}; {ACCEPTED}", path.display())]
    NotRecognised {
        /// The file.
        path: PathBuf,
        /// What it is instead, as a clause.
        why: String,
    },
    /// A row of the file is not what its format demands.
    #[error("{}:{line}: {what}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Where the row begins, counted from 1.
        line: u64,
        /// What is wrong and what to do.
        what: String,
    },
    /// Well-formed, but there is no table in it.
    #[error("{}: {what}", path.display())]
    NoTable {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        what: String,
    },
    /// The file was written to between the two times it was read.
    #[error("{} changed while it was being read; try again when it is complete", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// There is a file already where the database should go.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The folder of a new app holds something already.
    #[error("{} is not empty; name a folder that is empty or does not exist", path.display())]
    FolderInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The database refused.
    #[error("{}: {source}", path.display())]
    Database {
        /// The database's file.
        path: PathBuf,
        /// What it said.
        source: DatabaseError,
    },
}
