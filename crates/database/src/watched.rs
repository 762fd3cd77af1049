//! How changes by others are learnt, and of which tables.

/// How changes by others are learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchMode {
    /// The tables' triggers are installed, or brought up to date, at the start.
    Install,
    /// The triggers are used where they are installed.
    Installed,
    /// They are not used. On a server a write of this process changes whole tables then, and others' are not noticed; in
    /// a file any write by others changes everything.
    Off,
}

/// A table whose changes are written down, and the columns that rows are told by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The table.
    pub table: String,
    /// The columns.
    pub columns: Vec<String>,
}
