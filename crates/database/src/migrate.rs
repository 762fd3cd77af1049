//! Schema files: numbered, applied once each, in order, and never changed afterwards.

use std::fmt::Write as _;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use sha2::{Digest, Sha256};

use crate::error::DatabaseError;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _kasoku_migration (place INTEGER PRIMARY KEY, name TEXT NOT NULL \
                     UNIQUE, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)";

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
    /// SQLite does not accept the text.
    #[error("`{file}`{}: {message}", at(*line, *column))]
    Failed {
        /// The file.
        file: String,
        /// The line of the mistake, from 1; 0 where it is not known.
        line: usize,
        /// The column of the mistake, in characters, from 1; 0 where it is not known.
        column: usize,
        /// SQLite's own words.
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

/// Applies what was not applied yet, each file in a transaction of its own.
pub(crate) fn apply(raw: &mut rusqlite::Connection, files: &[Migration]) -> Result<usize, DatabaseError> {
    for (place, file) in files.iter().enumerate() {
        if files[..place].iter().any(|other| other.name == file.name) {
            return Err(MigrationError::Twice { file: file.name.clone() }.into());
        }
    }
    if files.is_empty() {
        // A database that is served as it is, whoever made it.
        return Ok(0);
    }
    raw.execute_batch(TABLE)?;
    let applied = check_applied(raw, files)?;
    // A table that is rebuilt is dropped, which would delete the rows that refer to it if references were enforced
    // meanwhile (https://sqlite.org/lang_altertable.html, section 7). They are checked at the end of each file.
    let enforced: bool = raw.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?;
    raw.execute_batch("PRAGMA foreign_keys = OFF")?;
    let result =
        files.iter().enumerate().skip(applied).try_for_each(|(place, file)| apply_one(raw, place, file));
    if enforced {
        raw.execute_batch("PRAGMA foreign_keys = ON")?;
    }
    result?;
    Ok(files.len() - applied)
}

fn check_applied(raw: &rusqlite::Connection, files: &[Migration]) -> Result<usize, DatabaseError> {
    let mut statement = raw.prepare("SELECT name, checksum FROM _kasoku_migration ORDER BY place")?;
    let applied = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    for (place, (name, sum)) in applied.iter().enumerate() {
        match files.get(place) {
            Some(file) if file.name == *name => {
                if checksum(&file.sql) != *sum {
                    return Err(MigrationError::Changed { file: name.clone() }.into());
                }
            }
            Some(file) if files.iter().any(|other| other.name == *name) => {
                let (file, applied) = (file.name.clone(), name.clone());
                return Err(MigrationError::OutOfOrder { file, applied }.into());
            }
            _ => return Err(MigrationError::Missing { file: name.clone() }.into()),
        }
    }
    Ok(applied.len())
}

fn apply_one(raw: &mut rusqlite::Connection, place: usize, file: &Migration) -> Result<(), DatabaseError> {
    if let Some(end) = file.sql.find('\0') {
        let (line, column) = place_of(&file.sql[..end]);
        let message = "a NUL character, where SQLite would stop reading".to_owned();
        return Err(MigrationError::Failed { file: file.name.clone(), line, column, message }.into());
    }
    let broken_before = broken_references(raw)?;
    raw.execute_batch("BEGIN IMMEDIATE")?;
    raw.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Transaction { .. } | AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }))?;
    let ran = raw.execute_batch(&file.sql).map_err(|error| failed(file, error));
    raw.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    let result = ran.and_then(|()| {
        if let Some(table) = broken_references(raw)?.into_iter().find(|table| !broken_before.contains(table))
        {
            return Err(MigrationError::BrokenReferences { file: file.name.clone(), table }.into());
        }
        let remember = "INSERT INTO _kasoku_migration (place, name, checksum, applied_at) \
                        VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))";
        raw.execute(remember, (place as i64 + 1, &file.name, checksum(&file.sql)))?;
        Ok(raw.execute_batch("COMMIT")?)
    });
    if result.is_err() && !raw.is_autocommit() {
        raw.execute_batch("ROLLBACK")?;
    }
    result
}

/// Tables with rows that refer to nothing.
fn broken_references(raw: &rusqlite::Connection) -> Result<Vec<String>, DatabaseError> {
    let mut statement = raw.prepare("SELECT DISTINCT \"table\" FROM pragma_foreign_key_check")?;
    let tables = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    Ok(tables)
}

/// Ends of lines do not count, so that a checkout on another system is the same file.
fn checksum(sql: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(sql.replace("\r\n", "\n").as_bytes()) {
        write!(text, "{byte:02x}").expect("a string takes all text");
    }
    text
}

fn failed(file: &Migration, error: rusqlite::Error) -> DatabaseError {
    let (mut line, mut column) = (0, 0);
    let message = match error {
        rusqlite::Error::SqlInputError { msg, sql, offset, .. } => {
            // The text that SQLite was given is the rest of the file, from the statement with the mistake on.
            let before = file.sql.len().saturating_sub(sql.len()) + usize::try_from(offset).unwrap_or(0);
            let read = file.sql.get(..before).unwrap_or_default();
            (line, column) = place_of(read);
            msg
        }
        rusqlite::Error::SqliteFailure(code, message)
            if code.code == rusqlite::ErrorCode::AuthorizationForStatementDenied =>
        {
            let refused =
                "a schema file runs in a transaction; it may not begin or end one, or attach a database";
            message.map_or_else(|| refused.to_owned(), |said| format!("{refused} ({said})"))
        }
        other => other.to_string(),
    };
    MigrationError::Failed { file: file.name.clone(), line, column, message }.into()
}

/// The line and column of what comes after this text.
fn place_of(before: &str) -> (usize, usize) {
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

fn at(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(", line {line}, column {column}") }
}
