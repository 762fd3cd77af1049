//! Rows that wait, outside of memory, until all of them have come.
//!
//! A transaction is not opened before the last row is there: a caller who sends slowly would hold it, and with it the one
//! writer of SQLite, for as long as it pleases.

use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use kasoku_sql_plan::LoadRow;
use tempfile::SpooledTempFile;

use super::rows::Numbered;

/// Rows that need no more than this stay in memory.
const MEMORY_BYTES: usize = 1 << 20;

/// Rows in a file that has no name and is gone with this.
pub(super) struct Spool {
    file: BufWriter<SpooledTempFile>,
    record: Vec<u8>,
}

impl Spool {
    /// In this folder, or where the system has such files.
    pub(super) fn within(folder: Option<&Path>) -> Self {
        let file = match folder {
            Some(folder) => tempfile::spooled_tempfile_in(MEMORY_BYTES, folder),
            None => tempfile::spooled_tempfile(MEMORY_BYTES),
        };
        Self { file: BufWriter::with_capacity(64 << 10, file), record: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &Numbered<LoadRow>) -> io::Result<()> {
        self.record.clear();
        row.what.write(&mut self.record);
        let length = u32::try_from(self.record.len()).map_err(io::Error::other)?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(&row.row.to_le_bytes())?;
        self.file.write_all(&row.line.to_le_bytes())?;
        self.file.write_all(&self.record)
    }

    /// Reads them from the first on; can be done more than once.
    pub(super) fn rows(&mut self) -> io::Result<Rows<'_>> {
        self.file.flush()?;
        let file = self.file.get_mut();
        file.rewind()?;
        Ok(Rows { file: BufReader::with_capacity(64 << 10, file), record: Vec::new() })
    }
}

/// Rows that are read again.
pub(super) struct Rows<'s> {
    file: BufReader<&'s mut SpooledTempFile>,
    record: Vec<u8>,
}

impl Rows<'_> {
    /// The next rows, as many at the most.
    pub(super) fn next(&mut self, most: usize) -> io::Result<Vec<Numbered<LoadRow>>> {
        let mut rows = Vec::with_capacity(most);
        while rows.len() < most {
            let mut length = [0; 4];
            // Between two rows the file may end.
            if self.file.read(&mut length[..1])? == 0 {
                break;
            }
            self.file.read_exact(&mut length[1..])?;
            let (row, line) = (self.number()?, self.number()?);
            self.record.resize(u32::from_le_bytes(length) as usize, 0);
            self.file.read_exact(&mut self.record)?;
            let what = LoadRow::read(&self.record).ok_or(io::ErrorKind::InvalidData)?;
            rows.push(Numbered { row, line, what });
        }
        Ok(rows)
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}
