//! Fingerprints of what was evicted lately.
//!
//! A table without chains, each place of which holds the last fingerprint that fell on it. It uses as many places
//! as there are entries, rounded up to a power of two, so that it remembers about as many evictions as there are
//! entries; that is the size at which S3-FIFO's ghost works. A wrong or a lost fingerprint costs an entry a
//! better or a worse start and nothing else.

/// Bytes of budget for each place: entries much smaller than this are remembered for a shorter time.
const BUDGET_BYTES_A_PLACE: u64 = 1024;

/// Fingerprints of what was evicted lately; zero is none.
#[derive(Debug)]
pub(crate) struct Ghost(Box<[u32]>);

impl Ghost {
    pub(crate) fn new(budget_bytes: u64) -> Self {
        Self(vec![0; Self::places(budget_bytes)].into())
    }

    pub(crate) fn fixed_bytes(budget_bytes: u64) -> u64 {
        Self::places(budget_bytes) as u64 * size_of::<u32>() as u64
    }

    pub(crate) fn remember(&mut self, hash: u64, entries: usize) {
        let place = self.place(hash, entries);
        self.0[place] = fingerprint(hash);
    }

    /// Whether it was remembered; it no longer is.
    pub(crate) fn forget(&mut self, hash: u64, entries: usize) -> bool {
        let place = self.place(hash, entries);
        let known = self.0[place] == fingerprint(hash);
        if known {
            self.0[place] = 0;
        }
        known
    }

    fn places(budget_bytes: u64) -> usize {
        (budget_bytes / BUDGET_BYTES_A_PLACE).clamp(16, 1 << 24).next_power_of_two() as usize
    }

    fn place(&self, hash: u64, entries: usize) -> usize {
        let used = entries.next_power_of_two().clamp(16, self.0.len());
        (hash >> 8) as usize & (used - 1)
    }
}

fn fingerprint(hash: u64) -> u32 {
    (hash >> 32) as u32 | 1
}
