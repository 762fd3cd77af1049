//! Schema files: numbered, applied once each, in order, and never changed afterwards.
//!
//! Here is what both engines share: which files remain to be applied, and what can be wrong with them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A schema file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The file's name without its folder: what the database remembers it by.
    pub name: String,
    /// Its text.
    pub sql: String,
}

/// Why the schema files do not fit the database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A file is not what was applied.
    #[error("`{file}` was changed after it was applied; put it back and write the change into a new file")]
    Changed {
        /// The file.
        file: String,
    },
    /// A file that was applied is gone.
    #[error("`{file}` was applied to this database, but is missing from the schema folder")]
    Missing {
        /// The file.
        file: String,
    },
    /// A new file comes before one that was applied.
    #[error(
        "`{file}` is new, but comes before `{applied}`, which was applied already; give it a higher number"
    )]
    OutOfOrder {
        /// The new file.
        file: String,
        /// The applied file that it comes before.
        applied: String,
    },
    /// Two files have one name.
    #[error("there are two files called `{file}`")]
    Twice {
        /// Their name.
        file: String,
    },
    /// The database does not accept the text.
    #[error("`{file}`{}: {message}", at(*line, *column))]
    Failed {
        /// The file.
        file: String,
        /// The line of the mistake, from 1; 0 where it is not known.
        line: usize,
        /// The column of the mistake, in characters, from 1; 0 where it is not known.
        column: usize,
        /// The database's own words.
        message: String,
    },
    /// Rows refer to rows that do not exist any more.
    #[error("`{file}` leaves rows in `{table}` that refer to rows which do not exist")]
    BrokenReferences {
        /// The file.
        file: String,
        /// The table with such rows.
        table: String,
    },
}

/// A file that was applied, as a database remembers it.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) name: String,
    pub(crate) checksum: String,
}

/// Refuses files of which two have one name.
pub(crate) fn check_names(files: &[Migration]) -> Result<(), MigrationError> {
    for (place, file) in files.iter().enumerate() {
        if files[..place].iter().any(|other| other.name == file.name) {
            return Err(MigrationError::Twice { file: file.name.clone() });
        }
    }
    Ok(())
}

/// The files that remain to be applied, if those that were are still what they were, and come first.
pub(crate) fn remaining<'f>(
    files: &'f [Migration],
    applied: &[Applied],
) -> Result<&'f [Migration], MigrationError> {
    for (place, known) in applied.iter().enumerate() {
        match files.get(place) {
            Some(file) if file.name == known.name => {
                if checksum(&file.sql) != known.checksum {
                    return Err(MigrationError::Changed { file: known.name.clone() });
                }
            }
            Some(file) if files.iter().any(|other| other.name == known.name) => {
                let (file, applied) = (file.name.clone(), known.name.clone());
                return Err(MigrationError::OutOfOrder { file, applied });
            }
            _ => return Err(MigrationError::Missing { file: known.name.clone() }),
        }
    }
    Ok(&files[applied.len()..])
}

/// Ends of lines do not count, so that a checkout on another system is the same file.
pub(crate) fn checksum(sql: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(sql.replace("\r\n", "\n").as_bytes()) {
        write!(text, "{byte:02x}").expect("a string takes all text");
    }
    text
}

/// The line and column of what comes after this text.
pub(crate) fn place_of(before: &str) -> (usize, usize) {
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

fn at(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(", line {line}, column {column}") }
}
