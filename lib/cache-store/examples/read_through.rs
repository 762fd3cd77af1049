//! A plain service with a table of prices: `read` answers from the store or from the table, `write` changes the
//! table and tells the store. Nothing else is needed for a read after a write to be right.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use kasoku_cache_store::{Fill, Found, Store};
use kasoku_coherence::{Change, ChangeSink, Key, KeyBuilder, Sequence, Tag, TagBuilder};

/// The service: a source that is slow in real life, and the store before it.
struct Prices {
    table: RwLock<HashMap<u32, u32>>,
    sequence: Arc<Sequence>,
    store: Store<String>,
}

impl Prices {
    fn read(&self, item: u32, now: Instant) -> (Arc<String>, &'static str) {
        let key = key(item);
        if let Found::Usable { value, softened: None, .. } = self.store.look_up(&key, now) {
            return (value, "from the store");
        }
        // The snapshot comes before the read: whatever changes from here on, the store will notice.
        let snapshot = self.store.snapshot();
        let price = self.table.read().expect("no panic under the lock").get(&item).copied().unwrap_or(0);
        let value = Arc::new(format!("item {item} costs {price}"));
        let expires = Some(now + Duration::from_mins(1));
        let fill =
            Fill { value: Arc::clone(&value), tags: vec![tag(item)], snapshot, inserted: now, expires };
        // Whether it is stored or refused, it is the answer to this question.
        self.store.insert(key, fill);
        (value, "from the table")
    }

    fn write(&self, item: u32, price: u32) {
        self.table.write().expect("no panic under the lock").insert(item, price);
        // The change is visible to new reads now. Its writer may be answered when `apply` has returned.
        self.store.apply(&Change { position: self.sequence.next(), tags: vec![tag(item)] });
    }
}

fn key(item: u32) -> Key {
    KeyBuilder::new().part(b"price").part(&item.to_le_bytes()).build()
}

fn tag(item: u32) -> Tag {
    TagBuilder::new("price").part(&item.to_le_bytes()).build()
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() {
    let sequence = Arc::new(Sequence::new());
    let store = Store::new(16 << 20, Arc::clone(&sequence));
    let prices = Prices { table: RwLock::default(), sequence, store };
    let now = Instant::now();
    prices.write(7, 100);
    for step in ["first", "again"] {
        println!("{step}: {:?}", prices.read(7, now));
    }
    prices.write(7, 120);
    println!("after a write: {:?}", prices.read(7, now));
    println!("{:?}", prices.store.stats());
}
