//! Statements: SQL text under a stable name.

use std::sync::Arc;

/// SQL text under a stable name. Each connection prepares a text once and keeps it; observers know it by name.
///
/// The text must be a function of a route's *shape*: one that contains values would fill the connections'
/// statement caches with texts that are never used again.
#[derive(Debug, Clone)]
pub struct Statement(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Box<str>,
    sql: Box<str>,
}

impl Statement {
    /// A statement; parameters are bound by place, `?1` first.
    pub fn new(name: &str, sql: &str) -> Self {
        Self(Arc::new(Inner { name: name.into(), sql: sql.trim().into() }))
    }

    /// The name that observers know it by.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The text.
    pub fn sql(&self) -> &str {
        &self.0.sql
    }
}
