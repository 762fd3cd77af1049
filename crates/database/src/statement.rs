//! Statements: SQL text under a stable name.

use std::sync::Arc;

/// SQL text under a stable name. Each connection prepares a text once and keeps it; observers know it by name.
///
/// The text must be a function of a route's *shape*: one that contains values would fill the connections'
/// statement caches with texts that are never used again.
#[derive(Debug, Clone)]
pub struct Statement {
    name: Arc<str>,
    sql: Arc<str>,
    rows_most: u64,
    bytes_most: u64,
}

impl Statement {
    /// A statement; parameters are bound by place, `?1` first. Shared texts are not copied.
    pub fn new(name: impl Into<Arc<str>>, sql: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), sql: sql.into(), rows_most: u64::MAX, bytes_most: u64::MAX }
    }

    /// Rows at the most that its reader has use for; where rows are fetched before they are read, no more are kept.
    #[must_use]
    pub fn at_most(self, rows_most: u64) -> Self {
        Self { rows_most, ..self }
    }

    /// Where rows are fetched before they are read, no more are kept once they have so many bytes together, and
    /// [`Rows::is_cut`](crate::Rows::is_cut) says so.
    #[must_use]
    pub fn about_bytes(self, bytes_most: u64) -> Self {
        Self { bytes_most, ..self }
    }

    /// The name that observers know it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    pub(crate) fn shared_sql(&self) -> Arc<str> {
        Arc::clone(&self.sql)
    }

    pub(crate) fn rows_most(&self) -> u64 {
        self.rows_most
    }

    pub(crate) fn bytes_most(&self) -> u64 {
        self.bytes_most
    }
}
