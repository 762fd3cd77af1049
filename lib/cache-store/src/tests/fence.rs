//! The fence, against a model, over interleavings of fills, writers, purges and look-ups.
//!
//! A *script* says whose turn it is. Fills begin, read and insert; writers commit, draw a position and apply; a
//! purge and a look-up are done in one turn. The model is a table with a version for each tag. It knows which
//! versions have been applied, and when each fill began, and so what a look-up must no longer find.
//!
//! The same checker is run against stores whose fence is broken in two ways, and has to notice.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Change, ChangeSink, Key, KeyBuilder, Position, Sequence, Snapshot, Tag};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::store::Fence;
use crate::{Fill, Found, Inserted, Purge, Store, Weigh};

const TAGS: usize = 3;
const KEYS: u8 = 2;

#[derive(Debug, Clone, Copy)]
enum Turn {
    /// The next step of a fill. It begins with this key and these tags if it is not under way.
    Fill {
        number: usize,
        key: u8,
        tags: u8,
    },
    /// The next step of a writer. It begins with these tags if it is not under way.
    Writer {
        number: usize,
        tags: u8,
    },
    Purge {
        what: What,
        mode: Purge,
    },
    LookUp {
        key: u8,
    },
}

#[derive(Debug, Clone, Copy)]
enum What {
    Key(u8),
    Prefix(u8),
    Tag(u8),
    Everything,
}

/// What was read, and what the model knows about it.
#[derive(Debug)]
struct Answer {
    key: u8,
    tags: u8,
    versions: [u64; TAGS],
    /// The turn in which the fill began.
    begun: usize,
}

impl Weigh for Answer {
    fn bytes(&self) -> u64 {
        size_of::<Self>() as u64
    }
}

#[derive(Debug)]
enum FillState {
    Begun { key: u8, tags: u8, snapshot: Snapshot, begun: usize },
    Read { answer: Answer, snapshot: Snapshot },
}

#[derive(Debug)]
enum WriterState {
    Committed { tags: u8, versions: [u64; TAGS] },
    Drawn { tags: u8, versions: [u64; TAGS], position: Position },
}

struct World {
    sequence: Arc<Sequence>,
    store: Store<Answer>,
    turn: usize,
    table: [u64; TAGS],
    applied: [u64; TAGS],
    fills: [Option<FillState>; 3],
    writers: [Option<WriterState>; 3],
    purges: Vec<(usize, What, Purge)>,
    /// Fills that were stored.
    stored: u32,
}

impl World {
    fn new(fence: Fence) -> Self {
        let sequence = Arc::new(Sequence::new());
        Self {
            store: Store::with_fence(0, Arc::clone(&sequence), fence),
            sequence,
            turn: 0,
            table: [0; TAGS],
            applied: [0; TAGS],
            fills: [None, None, None],
            writers: [None, None, None],
            purges: Vec::new(),
            stored: 0,
        }
    }

    fn take(&mut self, turn: Turn) -> Result<(), String> {
        self.turn += 1;
        match turn {
            Turn::Fill { number, key, tags } => self.fill(number, key, tags),
            Turn::Writer { number, tags } => {
                self.write(number, tags);
                Ok(())
            }
            Turn::Purge { what, mode } => {
                self.purge(what, mode);
                Ok(())
            }
            Turn::LookUp { key } => self.look_up(key).map(drop),
        }
    }

    fn fill(&mut self, number: usize, key: u8, tags: u8) -> Result<(), String> {
        let next = match self.fills[number].take() {
            None => FillState::Begun { key, tags, snapshot: self.store.snapshot(), begun: self.turn },
            Some(FillState::Begun { key, tags, snapshot, begun }) => {
                FillState::Read { answer: Answer { key, tags, versions: self.table, begun }, snapshot }
            }
            Some(FillState::Read { answer, snapshot }) => return self.insert(answer, snapshot),
        };
        self.fills[number] = Some(next);
        Ok(())
    }

    fn insert(&mut self, answer: Answer, snapshot: Snapshot) -> Result<(), String> {
        let (number, begun) = (answer.key, answer.begun);
        let (tags, value, now) = (named(answer.tags), Arc::new(answer), Instant::now());
        let fill = Fill { value, tags, snapshot, inserted: now, expires: None };
        if self.store.insert(key(number), fill) == Inserted::Stored {
            self.stored += 1;
            // A store that hides everything would keep every promise above; this one shows what it has taken.
            let found = self.look_up(number)?;
            if found != Some(begun) {
                return Err(format!("stored what began in turn {begun}, found {found:?}"));
            }
        }
        Ok(())
    }

    fn write(&mut self, number: usize, tags: u8) {
        self.writers[number] = match self.writers[number].take() {
            None => {
                each(tags).for_each(|tag| self.table[tag] += 1);
                Some(WriterState::Committed { tags, versions: self.table })
            }
            Some(WriterState::Committed { tags, versions }) => {
                Some(WriterState::Drawn { tags, versions, position: self.sequence.next() })
            }
            Some(WriterState::Drawn { tags, versions, position }) => {
                self.store.apply(&Change { position, tags: named(tags) });
                each(tags).for_each(|tag| self.applied[tag] = self.applied[tag].max(versions[tag]));
                None
            }
        };
    }

    fn purge(&mut self, what: What, mode: Purge) {
        match what {
            What::Key(number) => self.store.purge_key(&key(number), mode),
            What::Prefix(number) => self.store.purge_prefix(1, &[number], mode),
            What::Tag(tag) => self.store.purge_tag(Tag(u64::from(tag)), mode),
            What::Everything => self.store.purge_all(mode),
        };
        self.purges.push((self.turn, what, mode));
    }

    /// Looks a key up and says in which turn the fill of what was found began.
    fn look_up(&self, number: u8) -> Result<Option<usize>, String> {
        let Found::Usable { value, softened, .. } = self.store.look_up(&key(number), Instant::now()) else {
            return Ok(None);
        };
        if value.key != number {
            return Err(format!("looked up {number}, found {}", value.key));
        }
        for tag in each(value.tags) {
            if value.versions[tag] < self.applied[tag] {
                return Err(format!("{value:?} is older than version {} of tag {tag}", self.applied[tag]));
            }
        }
        for (turn, what, mode) in &self.purges {
            let matches = match *what {
                What::Key(key) | What::Prefix(key) => key == number,
                What::Tag(tag) => value.tags & 1 << tag != 0,
                What::Everything => true,
            };
            if matches && value.begun < *turn && (*mode == Purge::Hard || softened.is_none()) {
                return Err(format!("{value:?} survived the purge of {what:?} in turn {turn}"));
            }
        }
        Ok(Some(value.begun))
    }
}

fn key(number: u8) -> Key {
    KeyBuilder::new().part(b"k").part(&[number]).build()
}

fn each(tags: u8) -> impl Iterator<Item = usize> {
    (0..TAGS).filter(move |tag| tags & 1 << tag != 0)
}

fn named(tags: u8) -> Vec<Tag> {
    each(tags).map(|tag| Tag(tag as u64)).collect()
}

fn run(fence: Fence, script: &[Turn]) -> Result<u32, String> {
    let mut world = World::new(fence);
    for (number, turn) in script.iter().enumerate() {
        world.take(*turn).map_err(|violation| format!("turn {number}: {violation}\n{script:?}"))?;
    }
    Ok(world.stored)
}

fn turn() -> impl Strategy<Value = Turn> {
    let tags = 0..1_u8 << TAGS;
    let what = prop_oneof![
        (0..KEYS).prop_map(What::Key),
        (0..KEYS).prop_map(What::Prefix),
        (0..TAGS as u8).prop_map(What::Tag),
        Just(What::Everything),
    ];
    let mode = prop_oneof![Just(Purge::Soft), Just(Purge::Hard)];
    prop_oneof![
        6 => (0..3_usize, 0..KEYS, tags.clone()).prop_map(|(number, key, tags)| Turn::Fill { number, key, tags }),
        6 => (0..3_usize, tags).prop_map(|(number, tags)| Turn::Writer { number, tags }),
        1 => (what, mode).prop_map(|(what, mode)| Turn::Purge { what, mode }),
        3 => (0..KEYS).prop_map(|key| Turn::LookUp { key }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_look_up_finds_what_was_read_before_an_applied_change_or_a_purge(script in vec(turn(), 1..80)) {
        prop_assert_eq!(run(Fence::Whole, &script).err(), None);
    }
}

/// Runs every interleaving of the actors' turns, each actor's own in order, with a look-up after every turn.
fn every_interleaving(fence: Fence, actors: &[Vec<Turn>]) -> Result<(u32, u32), String> {
    let turns: usize = actors.iter().map(Vec::len).sum();
    let (mut scripts, mut stored) = (0, 0);
    let mut ahead = VecDeque::from([(vec![0_usize; actors.len()], Vec::new())]);
    while let Some((done, script)) = ahead.pop_back() {
        if script.len() == turns * 2 {
            stored += run(fence, &script)?;
            scripts += 1;
            continue;
        }
        for (actor, own) in actors.iter().enumerate().filter(|(actor, own)| done[*actor] < own.len()) {
            let (mut done, mut script) = (done.clone(), script.clone());
            script.extend([own[done[actor]], Turn::LookUp { key: 0 }]);
            done[actor] += 1;
            ahead.push_back((done, script));
        }
    }
    Ok((scripts, stored))
}

/// Two fills of one key that depend on both tags, and two writers that change one tag each.
fn two_fills_and_two_writers() -> Vec<Vec<Turn>> {
    let fill = |number| vec![Turn::Fill { number, key: 0, tags: 0b11 }; 3];
    let writer = |number, tags| vec![Turn::Writer { number, tags }; 3];
    vec![fill(0), fill(1), writer(0, 0b01), writer(1, 0b10)]
}

#[test]
fn every_interleaving_of_two_fills_a_writer_and_a_purge_keeps_the_promise() {
    let fill = |number| vec![Turn::Fill { number, key: 0, tags: 0b11 }; 3];
    let writer = vec![Turn::Writer { number: 0, tags: 0b01 }; 3];
    for mode in [Purge::Soft, Purge::Hard] {
        for what in [What::Key(0), What::Prefix(0), What::Tag(1), What::Everything] {
            let purge = vec![Turn::Purge { what, mode }];
            let (scripts, stored) =
                every_interleaving(Fence::Whole, &[fill(0), fill(1), writer.clone(), purge]).unwrap();
            assert_eq!(scripts, 16_800, "10! / (3! 3! 3! 1!)");
            assert!(stored > 0);
        }
    }
}

#[test]
fn every_interleaving_of_two_fills_and_two_writers_keeps_the_promise() {
    let (scripts, stored) = every_interleaving(Fence::Whole, &two_fills_and_two_writers()).unwrap();
    assert_eq!(scripts, 369_600, "12! / (3! 3! 3! 3!)");
    assert!(stored > scripts / 10, "only {stored} fills were stored in {scripts} interleavings");
}

#[test]
fn the_checker_notices_a_store_that_forgets_what_changed_while_a_fill_was_made() {
    let violation = every_interleaving(Fence::Forgetful, &two_fills_and_two_writers()).unwrap_err();
    assert!(violation.contains("is older than version"), "{violation}");
}

#[test]
fn the_checker_notices_a_store_without_a_fence() {
    let violation = every_interleaving(Fence::Down, &two_fills_and_two_writers()).unwrap_err();
    assert!(violation.contains("is older than version"), "{violation}");
}
