//! Which database engine an app is served from, and with which settings of it.

use std::path::Path;

/// What a database is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineSettings {
    /// A file, or one in memory, for tests and trials.
    Sqlite(kasoku_database::Settings),
    /// A server.
    Postgres(Box<kasoku_database::PostgresSettings>),
}

impl EngineSettings {
    /// Whether it is opened for reading only.
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Sqlite(settings) => settings.read_only,
            Self::Postgres(settings) => settings.read_only,
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(settings) => settings.path.as_deref(),
            Self::Postgres(_) => None,
        }
    }

    /// Where the server is, if it is one: host and name of the database, without user and password.
    pub fn server(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(settings) => Some(settings.place()),
        }
    }
}
