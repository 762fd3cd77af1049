//! What things weigh in bytes, bookkeeping and the allocator's rounding included.
//!
//! A budget is only worth its name if the process stays within it, so an entry is charged for all that keeps it:
//! key, value, reference counts, its place in the index and in the eviction queues, and its references to tags.
//! The allocator's part is an estimate on the safe side, calibrated by `examples/memory.rs`.

use kasoku_coherence::Key;

use crate::entry::Entry;
use crate::eviction::NODE_BYTES;

/// Two counters before the content of every `Arc`.
pub(crate) const ARC_BYTES: u64 = 16;

/// A table of pointers keeps a byte of control and eight of pointer a slot; just after growing it is 7/16 full.
pub(crate) const TABLE_SLOT_BYTES: u64 = 21;

/// Entries leave in another order than they came, and the allocator's pages are never quite full for it. It comes to
/// about one in this many bytes.
pub(crate) const FRAGMENTATION_PART: u64 = 16;

/// Says how many bytes a value keeps in memory.
pub trait Weigh {
    /// Bytes of the value itself (`size_of`) and of everything that it owns on the heap, as they were asked from
    /// the allocator; the store adds the allocator's rounding and its own bookkeeping. It is called under the
    /// store's lock and should cost no more than adding up lengths.
    fn bytes(&self) -> u64;
}

impl Weigh for Vec<u8> {
    fn bytes(&self) -> u64 {
        size_of::<Self>() as u64 + self.capacity() as u64
    }
}

impl Weigh for Box<[u8]> {
    fn bytes(&self) -> u64 {
        size_of::<Self>() as u64 + self.len() as u64
    }
}

impl Weigh for String {
    fn bytes(&self) -> u64 {
        size_of::<Self>() as u64 + self.capacity() as u64
    }
}

/// What an allocator spends on a block: the request rounded up to a size class, of which there are four between
/// two powers of two (multiples of 16 bytes at first, and never more than 64 KiB apart).
pub(crate) fn allocated(bytes: u64) -> u64 {
    if bytes == 0 {
        return 0;
    }
    let step = ((bytes - 1) | 63).ilog2().saturating_sub(2).clamp(4, 16);
    bytes.checked_next_multiple_of(1 << step).unwrap_or(u64::MAX)
}

/// What an entry costs as long as it is stored, its tags' cells apart.
pub(crate) fn entry<V: Weigh>(key: &Key, value: &V, tags: usize) -> u64 {
    let record = allocated(ARC_BYTES + size_of::<Entry<V>>() as u64);
    let key = allocated(ARC_BYTES + key.bytes().len() as u64);
    let value = allocated(ARC_BYTES.saturating_add(value.bytes()));
    let references = allocated(tags as u64 * size_of::<usize>() as u64);
    let blocks = value.saturating_add(record + key + references);
    blocks.saturating_add(blocks / FRAGMENTATION_PART + NODE_BYTES + TABLE_SLOT_BYTES)
}
