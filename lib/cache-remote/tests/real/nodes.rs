//! Nodes for tests: a second tier each, and what its first tier was told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use kasoku_cache_remote::{Fill, Found, Listener, Message, Mode, Published, Reach, Remote, Settings};
use kasoku_coherence::{Key, KeyBuilder, Tag};
use kasoku_observe::Silent;
use kasoku_units::SystemClock;

/// A machine that runs other tests as well must not make an answer late.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a first tier was told.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<(Vec<Message>, u64)>);

impl Listener for Told {
    fn apply(&self, message: &Message) {
        self.0.lock().expect("no panic meanwhile").0.push(message.clone());
    }

    fn gap(&self) {
        self.0.lock().expect("no panic meanwhile").1 += 1;
    }
}

impl Told {
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.0.lock().expect("no panic meanwhile").0.clone()
    }

    pub(crate) fn gaps(&self) -> u64 {
        self.0.lock().expect("no panic meanwhile").1
    }
}

/// Settings with patience.
pub(crate) fn patient(url: &str) -> Settings {
    let bound = Duration::from_secs(2);
    Settings { budget: PATIENCE, connect: PATIENCE, bound, ..Settings::new(url) }
}

/// A node that is in use.
pub(crate) async fn node(settings: Settings) -> (Remote, Arc<Told>) {
    let told = Arc::new(Told::default());
    let remote = Remote::open(settings, Arc::new(SystemClock), told.clone(), Arc::new(Silent))
        .expect("the settings are sound");
    assert!(remote.ready(PATIENCE).await, "the second tier did not come into use");
    (remote, told)
}

pub(crate) fn key(name: &str) -> Key {
    KeyBuilder::new().part(b"GET").part(name.as_bytes()).build()
}

/// A fill that begins now.
pub(crate) fn fill(remote: &Remote, value: &str, tags: &[u64]) -> Fill {
    Fill {
        value: Bytes::copy_from_slice(value.as_bytes()),
        tags: tags.iter().copied().map(Tag).collect(),
        stamp: remote.stamp().expect("it has joined"),
        age: Duration::ZERO,
        lifetime: Duration::from_mins(1),
    }
}

/// What a look-up finds, in a word or the value.
pub(crate) async fn look(remote: &Remote, name: &str) -> String {
    match remote.get(&key(name), remote.deadline()).await {
        Found::Usable(entry) => {
            let value = String::from_utf8(entry.value.to_vec()).expect("it is text");
            if entry.softened { format!("{value}, softened") } else { value }
        }
        Found::Absent => String::from("absent"),
        Found::Refused(refusal) => format!("{refusal:?}"),
        Found::Away(away) => format!("{away:?}"),
    }
}

/// Waits for something that happens by itself.
pub(crate) async fn until(what: &str, happened: impl Fn() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "it did not come to pass that {what}");
}

/// Purges, and insists that all nodes have heard of it.
pub(crate) async fn purge(remote: &Remote, reach: Reach, mode: Mode) {
    let published = remote.publish(reach, mode, PATIENCE).await;
    assert!(matches!(published, Published::Reached { nodes, of, .. } if nodes == of), "{published:?}");
}
