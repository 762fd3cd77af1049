//! Rows that a server has sent.
//!
//! They are fetched before they are read: a reader that took its time would hold up everyone whose statements share
//! the connection.

use tokio_postgres::Row;

/// Rows, and how many of them were read.
pub(crate) struct Fetched {
    rows: Vec<Row>,
    width: usize,
    read: usize,
    is_cut: bool,
}

impl Fetched {
    pub(crate) fn new(rows: Vec<Row>, width: usize) -> Self {
        Self { rows, width, read: 0, is_cut: false }
    }

    /// The same rows, of which there were more.
    pub(crate) fn cut(self) -> Self {
        Self { is_cut: true, ..self }
    }

    /// Whether there were more rows.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Option<&Row> {
        let row = self.rows.get(self.read)?;
        self.read += 1;
        Some(row)
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    /// How many columns each row has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// How many rows were read.
    pub(crate) fn seen(&self) -> u64 {
        self.read as u64
    }
}
