//! The order in which a writer announces, commits and publishes a change, and why it is the only one.
//!
//! A writer changes the one row there is. A reader reads it under two keys, one after the other, from the store
//! where it can and from the table where it must; a filler reads it under the second key. Every interleaving is
//! tried. No reader may see the row go back, and no read that begins after the writer has answered may show the
//! older version. Both other orders are shown to break one of the two promises.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use kasoku_coherence::{Change, ChangeSink, Key, KeyBuilder, Position, Sequence, Snapshot, Tag};

use crate::{Fill, Found, Inserted, Store};

const ROW: Tag = Tag(7);

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Reserves a position and applies the change.
    Announce,
    /// New reads of the table see the change.
    Commit,
    /// Snapshots show the position.
    Publish,
}

/// As the database engine does it. The writer answers when the last step is done.
const RIGHT: [Step; 3] = [Step::Announce, Step::Commit, Step::Publish];

/// As a feed would that makes the change and then tells of it.
const TOLD_AFTERWARDS: [Step; 3] = [Step::Commit, Step::Announce, Step::Publish];

/// As if a position were as good as a commit.
const SHOWN_BEFOREHAND: [Step; 3] = [Step::Announce, Step::Publish, Step::Commit];

/// One read under way.
#[derive(Debug, Clone, Copy)]
enum Read {
    /// It was not in the store.
    Missed { floor: u64, snapshot: Snapshot },
    /// The table has been read.
    Done { floor: u64, snapshot: Snapshot, version: u64 },
}

/// Reads keys one after the other; each read takes up to three turns.
#[derive(Debug)]
struct Reader {
    keys: VecDeque<u8>,
    read: Option<Read>,
    latest: u64,
}

struct World {
    sequence: Arc<Sequence>,
    store: Store<Vec<u8>>,
    /// The row's version, as the table has it.
    row: u64,
    steps: VecDeque<Step>,
    position: Option<Position>,
    /// The version that the writer has answered for.
    answered: u64,
    hits: u32,
}

impl World {
    fn new(order: [Step; 3]) -> Self {
        let sequence = Arc::new(Sequence::new());
        let store = Store::new(0, Arc::clone(&sequence));
        Self { sequence, store, row: 0, steps: order.into(), position: None, answered: 0, hits: 0 }
    }

    fn write(&mut self) {
        match self.steps.pop_front() {
            Some(Step::Announce) => {
                let position = self.sequence.reserve();
                self.store.apply(&Change { position, tags: vec![ROW] });
                self.position = Some(position);
            }
            Some(Step::Commit) => self.row = 1,
            Some(Step::Publish) => self.sequence.publish(self.position.expect("it was announced")),
            None => self.answered = 1,
        }
    }

    fn read(&mut self, reader: &mut Reader) -> Result<(), String> {
        let Some(number) = reader.keys.front().copied() else { return Ok(()) };
        let key = key(number);
        reader.read = match reader.read.take() {
            None => match self.store.look_up(&key, Instant::now()) {
                Found::Usable { value, .. } => {
                    self.hits += 1;
                    return reader.see(number, u64::from(value[0]), self.answered);
                }
                Found::Changed | Found::Absent => {
                    Some(Read::Missed { floor: self.answered, snapshot: self.store.snapshot() })
                }
            },
            Some(Read::Missed { floor, snapshot }) => Some(Read::Done { floor, snapshot, version: self.row }),
            Some(Read::Done { floor, snapshot, version }) => {
                let (value, inserted) = (Arc::new(vec![version as u8]), Instant::now());
                let fill = Fill { value, tags: vec![ROW], snapshot, inserted, expires: None };
                assert_ne!(self.store.insert(key, fill), Inserted::TooLarge);
                return reader.see(number, version, floor);
            }
        };
        Ok(())
    }
}

impl Reader {
    fn of(keys: &[u8]) -> Self {
        Self { keys: keys.iter().copied().collect(), read: None, latest: 0 }
    }

    fn see(&mut self, key: u8, version: u64, floor: u64) -> Result<(), String> {
        self.keys.pop_front();
        if version < floor {
            return Err(format!("key {key} shows {version} after {floor} was answered"));
        }
        if version < self.latest {
            return Err(format!("key {key} goes back from {} to {version}", self.latest));
        }
        self.latest = version;
        Ok(())
    }
}

fn key(number: u8) -> Key {
    KeyBuilder::new().part(&[number]).build()
}

/// Writer, reader and filler, and how many turns each has: a step each and the answer; three for each read.
const TURNS: [usize; 3] = [4, 6, 3];

fn run(order: [Step; 3], script: &[usize]) -> Result<u32, String> {
    let mut world = World::new(order);
    let (mut reader, mut filler) = (Reader::of(&[1, 2]), Reader::of(&[2]));
    let mut late = Reader::of(&[1, 2]);
    for actor in script {
        match actor {
            0 => world.write(),
            1 => world.read(&mut reader)?,
            _ => world.read(&mut filler)?,
        }
    }
    // Whatever is stored by now is what everybody will see from now on.
    while !late.keys.is_empty() {
        world.read(&mut late)?;
    }
    Ok(world.hits)
}

fn every_interleaving(order: [Step; 3]) -> Result<(u32, u32), String> {
    let (mut scripts, mut hits) = (0, 0);
    let mut ahead = vec![(TURNS, Vec::new())];
    while let Some((left, script)) = ahead.pop() {
        if left == [0; 3] {
            hits += run(order, &script).map_err(|found| format!("{found} in {order:?}, turns {script:?}"))?;
            scripts += 1;
        }
        for actor in (0..3).filter(|actor| left[*actor] > 0) {
            let (mut left, mut script) = (left, script.clone());
            left[actor] -= 1;
            script.push(actor);
            ahead.push((left, script));
        }
    }
    Ok((scripts, hits))
}

#[test]
fn announced_committed_published_keeps_both_promises() {
    let (scripts, hits) = every_interleaving(RIGHT).unwrap();
    assert_eq!(scripts, 60_060, "13! / (4! 6! 3!)");
    assert!(hits > scripts / 3, "a store that keeps nothing would keep every promise: {hits} hits");
}

#[test]
fn a_change_that_is_told_of_after_its_commit_lets_a_reader_see_the_row_go_back() {
    let found = every_interleaving(TOLD_AFTERWARDS).unwrap_err();
    assert!(found.contains("goes back from 1 to 0"), "{found}");
}

#[test]
fn a_position_that_is_shown_before_the_commit_keeps_an_older_answer_for_good() {
    let found = every_interleaving(SHOWN_BEFOREHAND).unwrap_err();
    assert!(found.contains("shows 0 after 1 was answered"), "{found}");
}
