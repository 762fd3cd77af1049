//! What a budget of bytes allows.

use crate::eviction::Queues;
use crate::sync::AtomicU64;

/// A store cannot work in less.
const BUDGET_BYTES_MIN: u64 = 64 << 10;

/// Remembered changes have at most so many slots, and fewer when the budget is small.
const SLOTS_MAX: u64 = 65_536;
const BUDGET_BYTES_A_SLOT: u64 = 256;

/// Shards spread locks; more than this bring nothing.
const SHARDS_MAX: u64 = 64;
const BUDGET_BYTES_A_SHARD: u64 = 64 << 10;

/// A shard of the index and one of the tags, empty.
const SHARD_BYTES: u64 = 256 + 64;

/// One entry may take this part of the budget.
const ENTRY_PART: u64 = 8;

/// What a budget of bytes allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) budget_bytes: u64,
    pub(crate) entry_bytes_max: u64,
    pub(crate) slots: usize,
    pub(crate) shards: usize,
    /// What is in use before anything is stored.
    pub(crate) fixed_bytes: u64,
}

impl Limits {
    pub(crate) fn new<V>(budget_bytes: u64) -> Self {
        let budget_bytes = budget_bytes.max(BUDGET_BYTES_MIN);
        let slots = (budget_bytes / BUDGET_BYTES_A_SLOT).min(SLOTS_MAX).next_power_of_two();
        let shards = (budget_bytes / BUDGET_BYTES_A_SHARD).min(SHARDS_MAX).next_power_of_two();
        let slots_bytes = slots * size_of::<AtomicU64>() as u64;
        Self {
            budget_bytes,
            entry_bytes_max: budget_bytes / ENTRY_PART,
            slots: slots as usize,
            shards: shards as usize,
            fixed_bytes: slots_bytes + shards * SHARD_BYTES + Queues::<V>::fixed_bytes(budget_bytes),
        }
    }
}
