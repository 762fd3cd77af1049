//! What a commit changed, as its listener learns it.

use std::sync::Arc;

use kasoku_coherence::Position;
use kasoku_sql_plan::Value;

/// Rows of one table that one commit may report one by one; beyond it the whole table counts as changed.
pub const ROWS_REPORTED_MAX: usize = 10_000;

/// Bytes of values that one commit may report for one table; beyond it the whole table counts as changed.
pub const BYTES_REPORTED_MAX: usize = 16 << 20;

/// A table whose changes are to be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedTable {
    /// Its name; not a view.
    pub table: String,
    /// The columns whose values are reported, in this order. None reports only that a row changed.
    pub columns: Vec<String>,
}

/// Something that a commit changed.
#[derive(Debug, Clone, PartialEq)]
pub enum DataChange {
    /// One row of a watched table.
    Row(RowChange),
    /// Any rows of this table: there were too many to name.
    Table(Arc<str>),
    /// Anything at all: another process wrote the file, or the connection was lost in between.
    Everything,
}

/// A row, before and after. A key that changes, a REPLACE and a cascade are reported like any other change.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// The table.
    pub table: Arc<str>,
    /// The watched columns before; `None` for a row that did not exist.
    pub old: Option<Box<[Value]>>,
    /// The watched columns after; `None` for a row that no longer exists.
    pub new: Option<Box<[Value]>>,
}

/// Learns what changes.
///
/// The writer's thread calls it before its COMMIT, with a position that no snapshot shows until the COMMIT is over
/// and before any of its jobs is answered; what it does delays the commit. Changes by others are told when they are
/// noticed. It may be told of changes that do not come about (a COMMIT that fails, a statement that failed midway
/// inside a job that went on), never the other way round.
pub trait CommitListener: Send + Sync + 'static {
    /// Takes note of the changes of one commit.
    fn changed(&self, position: Position, changes: &[DataChange]);
}
