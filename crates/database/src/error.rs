//! What can go wrong with a database, and what of it a caller may read.

use std::path::PathBuf;
use std::sync::Arc;

use kasoku_problem::{Kind, Problem};
use rusqlite::ffi::{self, ErrorCode};

use crate::migrate::MigrationError;

/// Why the database did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// A write contradicts a rule of the schema.
    #[error("{message}")]
    Constraint {
        /// Which rule.
        kind: ConstraintKind,
        /// The table, where SQLite names it.
        table: Option<String>,
        /// The columns, where SQLite names them.
        columns: Vec<String>,
        /// The database's own words.
        message: Arc<str>,
    },
    /// Another process kept the database locked for longer than a statement waits.
    #[error("the database is locked by another process")]
    Busy,
    /// Another process serves this file, and only one may write it.
    #[error("`{}` is already open for writing; stop the other process or open it read-only", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A write to a database that is open for reading only.
    #[error("the database is open for reading only")]
    ReadOnly,
    /// As many jobs wait as may.
    #[error("the database has too much to do")]
    QueueFull,
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// The statement was stopped, or not begun, because its time was over.
    #[error("the statement did not end in time")]
    Deadline,
    /// Nobody waits for the answer any more.
    #[error("the statement was interrupted")]
    Interrupted,
    /// The job's transaction was lost, and nothing of it was kept.
    #[error("the transaction was rolled back")]
    Aborted,
    /// A job panicked; nothing of it was kept.
    #[error("a job panicked: {0}")]
    Panicked(Arc<str>),
    /// There is no room to write.
    #[error("the disk is full")]
    DiskFull,
    /// The file is not a database, or is damaged.
    #[error("the file is damaged or not a database: {0}")]
    Corrupt(Arc<str>),
    /// The file cannot be opened, read or written.
    #[error("{0}")]
    Io(Arc<str>),
    /// A job may not do this, such as change the schema or end its transaction.
    #[error("a job may not do this: {0}")]
    Refused(Arc<str>),
    /// A value or row is larger than a database can hold.
    #[error("a value is too large for the database")]
    TooLarge,
    /// The schema files do not fit the database.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// SQL that the database does not accept.
    #[error("{message}")]
    Sql {
        /// SQLite's extended result code, or the server's SQLSTATE.
        code: Arc<str>,
        /// The database's own words.
        message: Arc<str>,
        /// The byte of the text where it found the mistake.
        offset: Option<usize>,
    },
}

/// The rule that a write contradicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// Another row has the same values.
    Unique,
    /// Another row has the same primary key.
    PrimaryKey,
    /// A row that is referred to does not exist, or one that refers to it does.
    ForeignKey,
    /// A value is missing.
    NotNull,
    /// A condition of the table does not hold.
    Check,
    /// A value is not of the column's type.
    DataType,
    /// A trigger refused it.
    Trigger,
    /// Any other rule.
    Other,
}

impl ConstraintKind {
    /// What PostgreSQL calls it, which is what callers are told whatever the engine (SQLSTATE, class 23 and others).
    fn code(self) -> &'static str {
        match self {
            Self::Unique | Self::PrimaryKey => "23505",
            Self::ForeignKey => "23503",
            Self::NotNull => "23502",
            Self::Check => "23514",
            Self::DataType => "22P02",
            Self::Trigger => "P0001",
            Self::Other => "23000",
        }
    }
}

impl DatabaseError {
    /// The problem that a caller may read: no SQL, no path, and of the columns only those that `shows` allows.
    pub fn problem(self, shows: impl Fn(&str) -> bool) -> Problem {
        let problem = match &self {
            Self::Constraint { kind, columns, .. } => {
                let named: Vec<&str> =
                    columns.iter().map(String::as_str).filter(|column| shows(column)).collect();
                constraint_problem(*kind, &named).code(kind.code())
            }
            Self::Busy | Self::Closed | Self::Aborted | Self::Io(_) => Problem::new(Kind::Unavailable),
            Self::QueueFull => Problem::new(Kind::Overloaded),
            Self::Deadline | Self::Interrupted => Problem::new(Kind::DeadlineExceeded),
            Self::DiskFull => Problem::new(Kind::InsufficientStorage),
            Self::ReadOnly => {
                Problem::new(Kind::Forbidden).code("25006").detail("this database is read-only")
            }
            Self::TooLarge => Problem::new(Kind::Unprocessable).detail("a value is too large to be stored"),
            Self::InUse { .. }
            | Self::Panicked(_)
            | Self::Corrupt(_)
            | Self::Refused(_)
            | Self::Migration(_)
            | Self::Sql { .. } => Problem::new(Kind::Internal),
        };
        problem.cause(self)
    }

    /// The problem of a request that sends nothing to be stored: a value that no column takes is one of its parameters.
    pub fn problem_of_asking(self) -> Problem {
        let Self::Constraint { kind: kind @ ConstraintKind::DataType, .. } = self else { return self.into() };
        let detail = "a value in the request's parameters is not of the type that it is compared with";
        Problem::new(Kind::InvalidParameter).code(kind.code()).detail(detail).cause(self)
    }

    /// How far the connection can be trusted after this error.
    pub(crate) fn severity(&self) -> Severity {
        match self {
            Self::Io(_) | Self::Corrupt(_) => Severity::Broken,
            Self::DiskFull => Severity::Full,
            _ => Severity::Harmless,
        }
    }
}

/// How far a connection can be trusted after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The statement failed and nothing else did.
    Harmless,
    /// There is no room: further writes fail too.
    Full,
    /// What the connection believes about the file may be wrong; it must be opened anew.
    Broken,
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        error.problem(|_| false)
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(code, message) => {
                let message = message.unwrap_or_else(|| code.to_string());
                from_code(code, &message)
            }
            rusqlite::Error::SqlInputError { error, msg, offset, .. } => Self::Sql {
                code: error.extended_code.to_string().into(),
                message: msg.into(),
                offset: usize::try_from(offset).ok(),
            },
            other => Self::Sql {
                code: ffi::SQLITE_MISUSE.to_string().into(),
                message: other.to_string().into(),
                offset: None,
            },
        }
    }
}

fn from_code(code: ffi::Error, message: &str) -> DatabaseError {
    match code.code {
        ErrorCode::ConstraintViolation => constraint(code.extended_code, message),
        ErrorCode::TypeMismatch => DatabaseError::Constraint {
            kind: ConstraintKind::DataType,
            table: None,
            columns: Vec::new(),
            message: message.into(),
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => DatabaseError::Busy,
        ErrorCode::ReadOnly => DatabaseError::ReadOnly,
        ErrorCode::DiskFull => DatabaseError::DiskFull,
        ErrorCode::OperationInterrupted => DatabaseError::Interrupted,
        ErrorCode::OperationAborted => DatabaseError::Aborted,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => DatabaseError::Corrupt(message.into()),
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OutOfMemory => DatabaseError::Io(message.into()),
        ErrorCode::AuthorizationForStatementDenied => DatabaseError::Refused(message.into()),
        ErrorCode::TooBig => DatabaseError::TooLarge,
        _ => DatabaseError::Sql {
            code: code.extended_code.to_string().into(),
            message: message.into(),
            offset: None,
        },
    }
}

/// Reads SQLite's words: `UNIQUE constraint failed: items.slug, items.shop`.
fn constraint(extended: i32, message: &str) -> DatabaseError {
    let kind = match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE => ConstraintKind::Unique,
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => ConstraintKind::PrimaryKey,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ConstraintKind::ForeignKey,
        ffi::SQLITE_CONSTRAINT_NOTNULL => ConstraintKind::NotNull,
        ffi::SQLITE_CONSTRAINT_CHECK => ConstraintKind::Check,
        ffi::SQLITE_CONSTRAINT_DATATYPE => ConstraintKind::DataType,
        ffi::SQLITE_CONSTRAINT_TRIGGER => ConstraintKind::Trigger,
        _ => ConstraintKind::Other,
    };
    let named = match kind {
        ConstraintKind::Unique | ConstraintKind::PrimaryKey | ConstraintKind::NotNull => {
            message.split_once(": ").map(|(_, names)| names)
        }
        ConstraintKind::DataType => message.rsplit_once(" column ").map(|(_, name)| name),
        _ => None,
    };
    let mut table = None;
    let mut columns = Vec::new();
    for name in named.unwrap_or_default().split(", ") {
        if let Some((owner, column)) = name.split_once('.') {
            table = Some(owner.to_owned());
            columns.push(column.to_owned());
        }
    }
    DatabaseError::Constraint { kind, table, columns, message: message.into() }
}

fn constraint_problem(kind: ConstraintKind, columns: &[&str]) -> Problem {
    let listed = columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
    let (kind, plain, named) = match kind {
        ConstraintKind::Unique | ConstraintKind::PrimaryKey => (
            Kind::Conflict,
            "a row with the same key exists already",
            "a row with the same value exists already for",
        ),
        ConstraintKind::ForeignKey => {
            (Kind::Conflict, "a row that this one belongs to, or that belongs to it, stands in the way", "")
        }
        ConstraintKind::NotNull => (Kind::Unprocessable, "a value is missing", "a value is missing for"),
        ConstraintKind::DataType => {
            (Kind::Unprocessable, "a value is not of its column's type", "the value has the wrong type for")
        }
        ConstraintKind::Check | ConstraintKind::Trigger | ConstraintKind::Other => {
            (Kind::Unprocessable, "the values break a rule of the table", "")
        }
    };
    if columns.is_empty() || named.is_empty() {
        return Problem::new(kind).detail(plain);
    }
    Problem::new(kind).detail(format!("{named} {listed}")).member("columns", columns)
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
