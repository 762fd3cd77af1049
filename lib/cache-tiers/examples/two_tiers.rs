//! Two nodes of a service with a table of prices, over one Redis: `cargo run -p kasoku-cache-tiers --example two_tiers --
//! redis://127.0.0.1/`.
//!
//! The nodes share the server and the table, as two processes would. What one has read the other does not read again,
//! and what one writes neither answers any more.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kasoku_cache_remote::{Misconfigured, Published, Settings};
use kasoku_cache_store::Weigh;
use kasoku_cache_tiers::{FoundIn, Made, Portable, Rules, Tiers};
use kasoku_coherence::{Key, KeyBuilder, Tag, TagBuilder};

/// What a node keeps of an item.
#[derive(Debug)]
pub(crate) struct Price(pub(crate) u64);

impl Weigh for Price {
    fn bytes(&self) -> u64 {
        size_of::<Self>() as u64
    }
}

impl Portable for Price {
    fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0.to_be_bytes())
    }

    fn from_bytes(bytes: &Bytes) -> Option<Self> {
        Some(Self(u64::from_be_bytes(bytes.as_ref().try_into().ok()?)))
    }
}

/// What is slow in real life.
pub(crate) type Table = Arc<Mutex<HashMap<u64, u64>>>;

/// One node.
pub(crate) struct Prices {
    table: Table,
    tiers: Tiers<Price>,
}

impl Prices {
    /// A node, as soon as it uses the server.
    pub(crate) async fn open(url: &str, table: &Table) -> Result<Self, Misconfigured> {
        let rules = Rules {
            fresh: Duration::from_mins(1),
            stale: Duration::from_mins(10),
            alone: Duration::from_secs(5),
        };
        let tiers = Tiers::open(16 << 20, rules, Settings { prefix: "prices".into(), ..Settings::new(url) })?;
        // It would work without, on its own.
        tiers.remote().ready(Duration::from_secs(5)).await;
        Ok(Self { table: Arc::clone(table), tiers })
    }

    /// The price of an item, and where it was found.
    pub(crate) async fn read(&self, item: u64) -> (u64, FoundIn) {
        let table = Arc::clone(&self.table);
        let make = move || {
            let price = table.lock().expect("no panic under the lock").get(&item).copied().unwrap_or(0);
            async move { Ok::<_, Infallible>(Made { value: Price(price), tags: vec![tag(item)] }) }
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        let Ok(got) = self.tiers.get(&key(item), deadline, make).await;
        (got.value.0, got.found_in)
    }

    /// Sets a price. Its writer may be answered when this has returned; it says what other nodes know by then.
    pub(crate) async fn write(&self, item: u64, price: u64) -> Published {
        self.table.lock().expect("no panic under the lock").insert(item, price);
        self.tiers.changed(vec![tag(item)], Duration::from_secs(1)).await
    }
}

fn key(item: u64) -> Key {
    KeyBuilder::new().part(b"price").part(&item.to_be_bytes()).build()
}

fn tag(item: u64) -> Tag {
    TagBuilder::new("price").part(&item.to_be_bytes()).build()
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
async fn main() -> Result<(), Misconfigured> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1/".into());
    let table = Table::default();
    let (one, other) = (Prices::open(&url, &table).await?, Prices::open(&url, &table).await?);
    println!("a write at one: {:?}", one.write(7, 100).await);
    println!("one reads:      {:?}", one.read(7).await);
    println!("one again:      {:?}", one.read(7).await);
    println!("the other:      {:?}", other.read(7).await);
    println!("a write there:  {:?}", other.write(7, 120).await);
    println!("one reads:      {:?}", one.read(7).await);
    println!("the other:      {:?}", other.read(7).await);
    Ok(())
}
