//! What operators ask a store: its numbers, and its hottest keys.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use kasoku_coherence::Key;

use crate::stats::{Hot, Stats};
use crate::store::Store;
use crate::weight::Weigh;

/// So many keys at most are listed, whatever is asked for.
const HOTTEST_MAX: usize = 10_000;

impl<V: Weigh + Send + Sync + 'static> Store<V> {
    /// What it holds and did. Adds up the counters of all shards; look-ups go on meanwhile.
    pub fn stats(&self) -> Stats {
        let ledger = self.ledger.lock();
        let mut stats = Stats {
            entries: ledger.queues.len() as u64,
            tags: self.tags.live(),
            bytes: self.bytes(&ledger),
            budget_bytes: self.limits.budget_bytes,
            inserted: ledger.fills.inserted,
            fenced: ledger.fills.fenced,
            too_large: ledger.fills.too_large,
            older: ledger.fills.older,
            evicted: ledger.fills.evicted,
            ..Stats::default()
        };
        drop(ledger);
        for shard in self.index.shards() {
            stats.hits += shard.lookups.hits.get();
            stats.changed += shard.lookups.changed.get();
            stats.absent += shard.lookups.absent.get();
            stats.expired += shard.lookups.expired.get();
        }
        stats
    }

    /// The keys that were found most often, hottest first; at most 10,000, and none that was never found. Walks
    /// through all entries, a shard at a time, and keeps no more than it returns.
    pub fn hottest(&self, keys: usize) -> Vec<Hot> {
        let keys = keys.min(HOTTEST_MAX);
        let mut hottest = BinaryHeap::with_capacity(keys + 1);
        for shard in self.index.shards() {
            for entry in shard.table.read().iter() {
                let hits = entry.hits();
                let coolest = hottest.peek().map_or(0, |Reverse(Ranked { hits, .. })| *hits);
                if hits == 0 || hottest.len() == keys && hits <= coolest {
                    continue;
                }
                hottest.push(Reverse(Ranked { hits, key: entry.key.clone() }));
                if hottest.len() > keys {
                    hottest.pop();
                }
            }
        }
        let ranked = hottest.into_sorted_vec().into_iter();
        ranked.map(|Reverse(Ranked { hits, key })| Hot { key, hits }).collect()
    }
}

/// Ordered by hits, and among equals by key, so that lists are the same each time.
#[derive(Debug, PartialEq, Eq)]
struct Ranked {
    hits: u32,
    key: Key,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.hits.cmp(&other.hits).then_with(|| other.key.bytes().cmp(self.key.bytes()))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
