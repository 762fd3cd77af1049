//! The fence under every interleaving that chance comes upon: real [`Knowledge`] on several nodes, a modelled server
//! that loses, trims and restores, and fills and look-ups that are cut into steps between which anything may happen.
//!
//! What must hold: no answer shows less of a key than a purge of it that the node had applied, or that had been
//! published before the node last emptied itself, when the answer was asked for. The same walk finds each of several
//! planted mistakes, so it would find them if they were made.

use std::collections::HashMap;
use std::sync::Arc;

use kasoku_coherence::{Key, KeyBuilder, Tag};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::entry::Stamp;
use crate::knowledge::{Judgement, Knowledge};
use crate::message::{Message, Mode, Reach};

const NODES: usize = 3;
const KEYS: usize = 2;

/// A mistake that is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// A fill is stamped after it has read.
    LateStamp,
    /// A node that begins anew believes that it knows everything that was ever said.
    NoFloor,
    /// Entries of other epochs are judged by their positions.
    AnyEpoch,
    /// A restart does not turn the epoch.
    SameEpoch,
    /// The first tier's snapshot is taken when the second has answered.
    LateSnapshot,
    /// The listener hears of a message before the fence does.
    ListenerFirst,
    /// A node that has missed something keeps its memory.
    NoGap,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    what: u8,
    node: usize,
    key: usize,
}

/// An entry: the version of its value, and its stamp.
type Stored = (u64, Stamp);

#[derive(Debug, Clone, Default)]
struct Server {
    epoch: u64,
    /// Position of the first message that is kept; the first of an epoch is at 1 and says nothing.
    first: u64,
    messages: Vec<Said>,
    entries: HashMap<usize, Stored>,
}

/// A message: which key, and which version was written before it; nothing at the beginning of an epoch.
type Said = Option<(usize, u64)>;

#[derive(Default)]
struct Node {
    knowledge: Option<Arc<Knowledge>>,
    /// Entries of the first tier, the position of the last purge of each key, and the position of now.
    memory: HashMap<usize, u64>,
    purged: [u64; KEYS],
    clock: u64,
    /// What answers must show.
    required: [u64; KEYS],
    fill: Option<Fill>,
    look: Option<Look>,
    /// A message that is known to the fence or the listener, and not to the other yet.
    halfway: Option<(u64, (usize, u64))>,
}

struct Fill {
    key: usize,
    stamp: Option<Stamp>,
    snapshot: u64,
    version: Option<u64>,
}

struct Look {
    key: usize,
    session: Arc<Knowledge>,
    snapshot: u64,
    required: u64,
    fetched: Fetched,
    judged: Option<u64>,
}

#[derive(Clone, Copy)]
enum Fetched {
    NotYet,
    Entry(Option<Stored>),
}

struct World {
    mistake: Mistake,
    server: Server,
    saved: Server,
    epochs: u64,
    written: [u64; KEYS],
    /// The last version that a purge was published for.
    published: [u64; KEYS],
    nodes: [Node; NODES],
}

impl World {
    fn new(mistake: Mistake) -> Self {
        let server = Server { epoch: 1, first: 1, messages: vec![None], entries: HashMap::new() };
        let nodes = std::array::from_fn(|_| Node::default());
        let saved = server.clone();
        Self { mistake, server, saved, epochs: 1, written: [1; KEYS], published: [0; KEYS], nodes }
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let Step { what, node, key } = step;
        match what {
            0..3 => self.write(key),
            3..9 => self.hear(node),
            9..11 => self.join(node),
            11..19 => self.fill(node, key),
            19..29 => return self.look(node, key),
            29 => self.server.trim(),
            30 => self.saved = self.server.clone(),
            31 => self.restart(),
            _ => return self.read_memory(node, key),
        }
        Ok(())
    }

    /// A write becomes visible and is published.
    fn write(&mut self, key: usize) {
        self.written[key] += 1;
        self.published[key] = self.written[key];
        self.server.messages.push(Some((key, self.written[key])));
    }

    fn turn(&mut self) {
        self.epochs += 1;
        let entries = std::mem::take(&mut self.server.entries);
        self.server = Server { epoch: self.epochs, first: 1, messages: vec![None], entries };
    }

    /// The server comes back with what it last saved.
    fn restart(&mut self) {
        self.server = self.saved.clone();
        if self.mistake != Mistake::SameEpoch {
            self.turn();
        }
    }

    /// A node begins with what the stream holds.
    fn join(&mut self, node: usize) {
        let server = &self.server;
        let node = &mut self.nodes[node];
        node.halfway = None;
        if let Some(known) = &node.knowledge {
            let applied = known.applied();
            let fits = server.first <= applied + 1 && applied <= server.last();
            if known.epoch() == server.epoch && fits {
                return;
            }
        }
        let floor = if self.mistake == Mistake::NoFloor { 0 } else { server.first - 1 };
        let knowledge = Knowledge::new(server.epoch, floor, 1 << 10);
        for (position, said) in (server.first..).zip(&server.messages) {
            if let Some((key, _)) = said {
                knowledge.remember(position, &purge(*key));
            }
            knowledge.advance(position);
        }
        node.knowledge = Some(Arc::new(knowledge));
        if self.mistake != Mistake::NoGap {
            (0..KEYS).for_each(|key| node.purge(key));
        }
        node.required = self.published;
    }

    /// A node hears half a message more: first the fence, then the listener.
    fn hear(&mut self, node: usize) {
        let server = &self.server;
        let node = &mut self.nodes[node];
        let Some(knowledge) = node.knowledge.clone().filter(|known| known.epoch() == server.epoch) else {
            return;
        };
        let fence_first = self.mistake != Mistake::ListenerFirst;
        if let Some((position, (key, version))) = node.halfway.take() {
            if fence_first {
                node.purge(key);
            } else {
                knowledge.remember(position, &purge(key));
            }
            node.required[key] = node.required[key].max(version);
            knowledge.advance(position);
            return;
        }
        let position = knowledge.applied() + 1;
        if position < server.first || position > server.last() {
            return;
        }
        let Some((key, version)) = server.messages[(position - server.first) as usize] else { return };
        if fence_first {
            knowledge.remember(position, &purge(key));
        } else {
            node.purge(key);
        }
        node.halfway = Some((position, (key, version)));
    }

    /// A fill goes a step on: stamp, read, store, keep.
    fn fill(&mut self, node: usize, key: usize) {
        let late = self.mistake == Mistake::LateStamp;
        let node = &mut self.nodes[node];
        let stamp =
            node.knowledge.as_ref().map(|known| Stamp { epoch: known.epoch(), as_of: known.applied() });
        let Some(fill) = &mut node.fill else {
            node.fill = Some(Fill { key, stamp, snapshot: node.clock, version: None });
            return;
        };
        let Some(version) = fill.version else {
            fill.version = Some(self.written[fill.key]);
            return;
        };
        let stamp = if late { stamp } else { fill.stamp };
        if let Some(stamp) = stamp {
            self.server.store(fill.key, (version, stamp));
        }
        let (key, snapshot) = (fill.key, fill.snapshot);
        node.keep(key, version, snapshot);
        node.fill = None;
    }

    /// A look-up goes a step on: snapshot, fetch, judge, keep.
    fn look(&mut self, node: usize, key: usize) -> Result<(), TestCaseError> {
        let mistake = self.mistake;
        let node = &mut self.nodes[node];
        let Some(look) = &mut node.look else {
            let Some(session) = node.knowledge.clone() else { return Ok(()) };
            let (snapshot, required) = (node.clock, node.required[key]);
            node.look =
                Some(Look { key, session, snapshot, required, fetched: Fetched::NotYet, judged: None });
            return Ok(());
        };
        let Fetched::Entry(fetched) = look.fetched else {
            // A connection belongs to one run of the server, which the tail has seen.
            look.fetched = Fetched::Entry(self.server.entries.get(&look.key).copied());
            return Ok(());
        };
        if let Some(version) = look.judged {
            let (key, snapshot) = (look.key, look.snapshot);
            let snapshot = if mistake == Mistake::LateSnapshot { node.clock } else { snapshot };
            node.keep(key, version, snapshot);
            node.look = None;
            return Ok(());
        }
        let look = node.look.take().expect("it was there");
        let still = node.knowledge.as_ref().is_some_and(|known| Arc::ptr_eq(known, &look.session));
        let (Some((version, stamp)), true) = (fetched, still) else { return Ok(()) };
        if stamp.epoch != look.session.epoch() && mistake != Mistake::AnyEpoch {
            return Ok(());
        }
        if look.session.judge(&name(look.key), &[Tag(look.key as u64)], stamp.as_of) == Judgement::Changed {
            return Ok(());
        }
        prop_assert!(version >= look.required, "the second tier showed {version} of {}", look.required);
        node.look = Some(Look { judged: Some(version), ..look });
        Ok(())
    }

    fn read_memory(&mut self, node: usize, key: usize) -> Result<(), TestCaseError> {
        let node = &self.nodes[node];
        let Some(version) = node.memory.get(&key) else { return Ok(()) };
        prop_assert!(
            *version >= node.required[key],
            "the first tier showed {version} of {}",
            node.required[key]
        );
        Ok(())
    }
}

impl Server {
    fn last(&self) -> u64 {
        self.first + self.messages.len() as u64 - 1
    }

    /// Keeps the last message alone.
    fn trim(&mut self) {
        let last = self.last();
        self.messages.drain(..self.messages.len() - 1);
        self.first = last;
    }

    fn store(&mut self, key: usize, (version, stamp): Stored) {
        let there = self.entries.get(&key).filter(|(_, there)| there.epoch == self.epoch);
        if stamp.epoch == self.epoch && there.is_none_or(|(_, there)| there.as_of <= stamp.as_of) {
            self.entries.insert(key, (version, stamp));
        }
    }
}

impl Node {
    fn keep(&mut self, key: usize, version: u64, snapshot: u64) {
        if self.purged[key] <= snapshot {
            self.memory.insert(key, version);
        }
    }

    fn purge(&mut self, key: usize) {
        self.clock += 1;
        self.purged[key] = self.clock;
        self.memory.remove(&key);
    }
}

fn name(key: usize) -> Key {
    KeyBuilder::new().part(&[key as u8]).build()
}

fn purge(key: usize) -> Message {
    Message { reach: Reach::Tags(vec![Tag(key as u64)]), mode: Mode::Hard, sender: 0 }
}

fn walks() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..35_u8, 0..NODES, 0..KEYS).prop_map(|(what, node, key)| Step { what, node, key });
    vec(step, 0..300)
}

/// Walks so often; says whether any walk came upon an answer that shows too little.
fn finds(mistake: Mistake, walks_max: u32) -> Option<String> {
    let config = Config { cases: walks_max, failure_persistence: None, ..Config::default() };
    let walked = TestRunner::new(config).run(&walks(), |steps| {
        let mut world = World::new(mistake);
        (0..NODES).for_each(|node| world.join(node));
        steps.into_iter().try_for_each(|step| world.step(step))
    });
    walked.err().map(|error| error.to_string())
}

#[test]
fn no_interleaving_brings_back_what_was_purged() {
    assert_eq!(finds(Mistake::None, 4_000), None);
}

#[test]
fn every_planted_mistake_is_found() {
    let mistakes = [
        Mistake::LateStamp,
        Mistake::NoFloor,
        Mistake::AnyEpoch,
        Mistake::SameEpoch,
        Mistake::LateSnapshot,
        Mistake::ListenerFirst,
        Mistake::NoGap,
    ];
    for mistake in mistakes {
        assert!(finds(mistake, 20_000).is_some(), "{mistake:?} was not found");
    }
}
