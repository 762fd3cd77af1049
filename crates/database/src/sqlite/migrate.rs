//! Schema files on SQLite: each in a transaction of its own, references checked at its end.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::error::DatabaseError;
use crate::migrate::{Applied, Migration, MigrationError, check_names, checksum, place_of, remaining};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _kasoku_migration (place INTEGER PRIMARY KEY, name TEXT NOT NULL \
                     UNIQUE, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)";

/// Applies what was not applied yet, each file in a transaction of its own.
pub(crate) fn apply(raw: &mut rusqlite::Connection, files: &[Migration]) -> Result<usize, DatabaseError> {
    check_names(files)?;
    if files.is_empty() {
        // A database that is served as it is, whoever made it.
        return Ok(0);
    }
    raw.execute_batch(TABLE)?;
    let applied = files.len() - remaining(files, &applied(raw)?)?.len();
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

fn applied(raw: &rusqlite::Connection) -> Result<Vec<Applied>, DatabaseError> {
    let mut statement = raw.prepare("SELECT name, checksum FROM _kasoku_migration ORDER BY place")?;
    let rows = statement.query_map([], |row| Ok(Applied { name: row.get(0)?, checksum: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
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
