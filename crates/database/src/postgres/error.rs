//! What a server says went wrong, in the words of this crate.

use tokio_postgres::error::{DbError, SqlState};

use crate::error::{ConstraintKind, DatabaseError};

/// What an error means for the connection and for the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The statement failed, and nothing else did.
    Statement,
    /// A prepared statement does not fit its tables any more; prepared anew it may.
    Outdated,
    /// Others were in the way; the whole job may be tried again.
    Conflict,
    /// The connection is gone.
    Lost,
}

pub(crate) fn meaning(error: &tokio_postgres::Error) -> Meaning {
    let Some(said) = error.as_db_error() else { return Meaning::Lost };
    let code = said.code();
    if *code == SqlState::FEATURE_NOT_SUPPORTED && said.message().contains("cached plan") {
        Meaning::Outdated
    } else if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        Meaning::Conflict
    } else if ends_the_connection(code) {
        Meaning::Lost
    } else {
        Meaning::Statement
    }
}

pub(crate) fn translate(error: &tokio_postgres::Error) -> DatabaseError {
    match error.as_db_error() {
        Some(said) => of_server(said),
        None => DatabaseError::Io(in_full(error).into()),
    }
}

fn ends_the_connection(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::DATABASE_DROPPED,
            SqlState::TOO_MANY_CONNECTIONS,
        ]
        .contains(code)
}

fn of_server(said: &DbError) -> DatabaseError {
    let code = said.code();
    let message: std::sync::Arc<str> = said.message().into();
    if code.code().starts_with("23") {
        return constraint(said);
    }
    if *code == SqlState::QUERY_CANCELED {
        return DatabaseError::Deadline;
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return DatabaseError::ReadOnly;
    }
    if *code == SqlState::DISK_FULL {
        return DatabaseError::DiskFull;
    }
    if *code == SqlState::PROGRAM_LIMIT_EXCEEDED {
        return DatabaseError::TooLarge;
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE || meaning_is_conflict(code) {
        return DatabaseError::Busy;
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return DatabaseError::Refused(message);
    }
    if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
        return DatabaseError::Corrupt(message);
    }
    if ends_the_connection(code) {
        return DatabaseError::Io(format!("{message} ({})", code.code()).into());
    }
    // Class 22, data exceptions: a value that no column of this type can hold.
    if code.code().starts_with("22") {
        let columns = said.column().map(str::to_owned).into_iter().collect();
        return DatabaseError::Constraint { kind: ConstraintKind::DataType, table: None, columns, message };
    }
    let pooled = *code == SqlState::INVALID_SQL_STATEMENT_NAME || *code == SqlState::DUPLICATE_PSTATEMENT;
    let message = if pooled {
        format!("{message}; a pooler that gives each transaction another connection stands in between").into()
    } else {
        message
    };
    let offset = match said.position() {
        Some(tokio_postgres::error::ErrorPosition::Original(place)) => Some(*place as usize - 1),
        _ => None,
    };
    DatabaseError::Sql { code: code.code().into(), message, offset }
}

fn meaning_is_conflict(code: &SqlState) -> bool {
    *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
}

fn constraint(said: &DbError) -> DatabaseError {
    let code = said.code();
    let kind = if *code == SqlState::UNIQUE_VIOLATION || *code == SqlState::EXCLUSION_VIOLATION {
        ConstraintKind::Unique
    } else if *code == SqlState::FOREIGN_KEY_VIOLATION || *code == SqlState::RESTRICT_VIOLATION {
        ConstraintKind::ForeignKey
    } else if *code == SqlState::NOT_NULL_VIOLATION {
        ConstraintKind::NotNull
    } else if *code == SqlState::CHECK_VIOLATION {
        ConstraintKind::Check
    } else {
        ConstraintKind::Other
    };
    let mut columns: Vec<String> = said.column().map(str::to_owned).into_iter().collect();
    if columns.is_empty() {
        columns = key_columns(said.detail().unwrap_or_default());
    }
    let table = said.table().map(str::to_owned);
    DatabaseError::Constraint { kind, table, columns, message: said.message().into() }
}

/// The columns in `Key (shop, slug)=(1, a) already exists.`; of an index on expressions, what can be read as names.
fn key_columns(detail: &str) -> Vec<String> {
    let Some((names, _)) = detail.strip_prefix("Key (").and_then(|rest| rest.split_once(")=")) else {
        return Vec::new();
    };
    let plain = |name: &str| name.trim().trim_matches('"').to_owned();
    names.split(',').map(plain).filter(|name| !name.contains(['(', ')'])).collect()
}

/// The error with what is behind it; the driver's own words are often no more than "db error".
fn in_full(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_key_are_read_from_the_servers_detail() {
        let check = |detail, expected: &[&str]| assert_eq!(key_columns(detail), expected, "{detail}");
        check("Key (slug)=(a) already exists.", &["slug"]);
        check("Key (shop, \"Name\")=(1, b) already exists.", &["shop", "Name"]);
        check("Key (lower(name))=(a) already exists.", &[]);
        check("Failing row contains (1, null).", &[]);
    }
}
