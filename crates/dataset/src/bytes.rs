//! Opens a file of rows as a stream of decompressed bytes, metered on both sides.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use crate::error::DatasetError;
use crate::input::{Compression, Input};

/// Bytes of a single row, at the most. What is longer is almost always a quote that is never closed.
pub(crate) const ROW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes that are read at once.
pub(crate) const BLOCK_BYTES: usize = 128 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What has passed through a stream so far.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Bytes of the file, compressed as they are.
    file_bytes: Cell<u64>,
    /// Decompressed bytes since the last row was complete.
    row_bytes: Cell<usize>,
}

impl Meter {
    /// Bytes of the file that were read.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file_bytes.get()
    }

    /// Says that a row is complete.
    pub(crate) fn row_complete(&self) {
        self.row_bytes.set(0);
    }
}

/// Opens a file. Without a limit on rows the stream would let a reader collect the whole file for one of them.
pub(crate) fn open(input: &Input, meter: &Rc<Meter>) -> Result<Box<dyn Read>, DatasetError> {
    let file_error = |source| DatasetError::File { path: input.path.clone(), source };
    let file = File::open(&input.path).map_err(file_error)?;
    let file = Counted { inner: file, meter: Rc::clone(meter) };
    let bytes: Box<dyn Read> = match input.compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(MultiGzDecoder::new(file)),
    };
    let bytes = without_byte_order_mark(bytes).map_err(file_error)?;
    Ok(Box::new(Bounded { inner: bytes, meter: Rc::clone(meter) }))
}

/// Whether a stream ended because of a row without end.
pub(crate) fn is_row_too_long(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<RowTooLong>)
}

fn without_byte_order_mark(mut bytes: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut first = Vec::with_capacity(BYTE_ORDER_MARK.len());
    bytes.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut first)?;
    if first == BYTE_ORDER_MARK {
        first.clear();
    }
    Ok(Box::new(io::Cursor::new(first).chain(bytes)))
}

struct Counted {
    inner: File,
    meter: Rc<Meter>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.file_bytes.set(self.meter.file_bytes.get() + count as u64);
        Ok(count)
    }
}

struct Bounded {
    inner: Box<dyn Read>,
    meter: Rc<Meter>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.meter.row_bytes.get() > ROW_BYTES_MAX {
            return Err(io::Error::other(RowTooLong));
        }
        let count = self.inner.read(buffer)?;
        self.meter.row_bytes.set(self.meter.row_bytes.get() + count);
        Ok(count)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a row of more than {} MiB", ROW_BYTES_MAX >> 20)]
struct RowTooLong;
