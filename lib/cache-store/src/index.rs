//! Finds entries by key: sharded, so that look-ups on many cores rarely meet.
//!
//! Look-ups take a shard's read lock for as long as they judge the entry. Whoever changes a shard holds the
//! ledger's lock as well, so two changes never race.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;
use kasoku_coherence::Key;

use crate::entry::Entry;
use crate::stats::Lookups;
use crate::sync::{RwLock, secret_hasher};

/// All stored entries by key.
#[derive(Debug)]
pub(crate) struct Index<V> {
    hasher: SeedableRandomState,
    shards: Box<[Shard<V>]>,
}

/// A part of the entries, on cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Shard<V> {
    pub(crate) table: RwLock<HashTable<Arc<Entry<V>>>>,
    pub(crate) lookups: Lookups,
}

impl<V> Index<V> {
    /// The number of shards is a power of two.
    pub(crate) fn new(shards: usize) -> Self {
        let shard = || Shard { table: RwLock::new(HashTable::new()), lookups: Lookups::default() };
        Self { hasher: secret_hasher(), shards: (0..shards).map(|_| shard()).collect() }
    }

    pub(crate) fn hash(&self, key: &Key) -> u64 {
        self.hash_bytes(key.bytes())
    }

    /// The hash of the key with these bytes.
    pub(crate) fn hash_bytes(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    pub(crate) fn shard(&self, hash: u64) -> &Shard<V> {
        &self.shards[(hash >> 48) as usize & (self.shards.len() - 1)]
    }

    pub(crate) fn shards(&self) -> &[Shard<V>] {
        &self.shards
    }

    pub(crate) fn find(&self, hash: u64, key: &Key) -> Option<Arc<Entry<V>>> {
        self.shard(hash).table.read().find(hash, |entry| entry.key == *key).cloned()
    }

    /// Lets look-ups see an entry, instead of the one that it replaces if there is one.
    pub(crate) fn put(&self, entry: Arc<Entry<V>>) {
        let mut table = self.shard(entry.hash).table.write();
        match table.entry(entry.hash, |other| other.key == entry.key, |other| other.hash) {
            hashbrown::hash_table::Entry::Occupied(mut occupied) => *occupied.get_mut() = entry,
            hashbrown::hash_table::Entry::Vacant(vacant) => drop(vacant.insert(entry)),
        }
    }

    /// Hides an entry from look-ups.
    pub(crate) fn remove(&self, entry: &Arc<Entry<V>>) {
        let mut table = self.shard(entry.hash).table.write();
        if let Ok(found) = table.find_entry(entry.hash, |other| Arc::ptr_eq(other, entry)) {
            found.remove();
        }
        if table.capacity() > 64 && table.len() * 4 < table.capacity() {
            let half_full = table.len() * 2;
            table.shrink_to(half_full, |entry| entry.hash);
        }
    }
}
