//! Which entry goes when room is needed: S3-FIFO, by bytes.
//!
//! Yang, Zhang, Qiu, Yue, Rashmi: *FIFO queues are all you need for cache eviction*, SOSP 2023. New entries enter
//! a small queue, a tenth of the bytes; those that were found at least twice by its end move to the main queue,
//! the others leave, and only a fingerprint stays in the ghost. What returns while its fingerprint is there enters
//! the main queue at once. At the end of the main queue an entry that was found meanwhile goes round again. So a
//! scan passes through the small queue and leaves the main one alone, and a hit moves nothing: it only counts.
//!
//! Cost does not count here: what a value was worth making is not known to the store, and bytes are, so large and
//! small entries leave by the same rule.
//!
//! All of this is behind the ledger's lock. An entry knows its place, so that it can be taken out of the middle.

use std::sync::Arc;

use crate::entry::{Entry, NOWHERE};
use crate::ghost::Ghost;
use crate::nodes::Nodes;

/// What one entry costs here.
pub(crate) const NODE_BYTES: u64 = 32;

/// Hits that count at the end of a queue; more are forgotten.
const CREDIT_MAX: u32 = 3;

/// Hits that an entry needs to leave the small queue for the main one.
const CREDIT_FOR_MAIN: u32 = 2;

/// Entries that one eviction may send round before it takes the next whatever its credit, so that an eviction
/// after a long time of hits only does not walk through everything.
const SECOND_CHANCES_MAX: u32 = 128;

/// The small queue's part of all bytes: one in this many.
const SMALL_PART: u64 = 10;

/// The queues of all stored entries.
#[derive(Debug)]
pub(crate) struct Queues<V> {
    nodes: Nodes<Node<V>>,
    small: List,
    main: List,
    ghost: Ghost,
    small_bytes_target: u64,
}

#[derive(Debug)]
struct Node<V> {
    entry: Arc<Entry<V>>,
    bytes: u64,
    older: u32,
    newer: u32,
    /// Hits that have been counted already.
    spent: u32,
    queue: Queue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queue {
    Small,
    Main,
}

#[derive(Debug)]
struct List {
    oldest: u32,
    newest: u32,
    bytes: u64,
}

impl<V> Queues<V> {
    pub(crate) fn new(budget_bytes: u64) -> Self {
        const { assert!(size_of::<Node<V>>() as u64 == NODE_BYTES) };
        Self {
            nodes: Nodes::new(),
            small: List::new(),
            main: List::new(),
            ghost: Ghost::new(budget_bytes),
            small_bytes_target: budget_bytes / SMALL_PART,
        }
    }

    /// What is allocated at once, whatever is stored.
    pub(crate) fn fixed_bytes(budget_bytes: u64) -> u64 {
        Ghost::fixed_bytes(budget_bytes) + Nodes::<Node<V>>::SLACK_BYTES
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What all entries weigh.
    pub(crate) fn bytes(&self) -> u64 {
        self.small.bytes + self.main.bytes
    }

    /// Takes in a new entry.
    pub(crate) fn push(&mut self, entry: Arc<Entry<V>>, bytes: u64) {
        let known = self.ghost.forget(entry.hash, self.nodes.len());
        let queue = if known { Queue::Main } else { Queue::Small };
        let spent = entry.hits();
        let place = self.nodes.len() as u32;
        self.nodes.push(Node { entry, bytes, older: NOWHERE, newer: NOWHERE, spent, queue });
        self.link(place, queue);
    }

    /// Puts an entry into the place of the one that it replaces.
    pub(crate) fn replace(&mut self, place: u32, entry: Arc<Entry<V>>, bytes: u64) {
        self.reweigh(place, bytes);
        let node = self.nodes.get_mut(place);
        entry.set_place(place);
        node.entry.set_place(NOWHERE);
        node.entry = entry;
    }

    /// Changes what an entry weighs.
    pub(crate) fn reweigh(&mut self, place: u32, bytes: u64) {
        let node = self.nodes.get_mut(place);
        let (queue, before) = (node.queue, std::mem::replace(&mut node.bytes, bytes));
        let list = self.list(queue);
        list.bytes = list.bytes - before + bytes;
    }

    /// What the entry at a place was last weighed at.
    pub(crate) fn weight(&self, place: u32) -> u64 {
        self.nodes.get(place).bytes
    }

    /// Takes an entry out. If it was in use its successor will not have to prove itself again.
    pub(crate) fn remove(&mut self, place: u32) -> Arc<Entry<V>> {
        let node = self.nodes.get(place);
        if node.queue == Queue::Main || node.credit() > 0 {
            self.ghost.remember(node.entry.hash, self.nodes.len());
        }
        self.take(place)
    }

    /// Takes out the entry to be evicted now, if there is any. Entries that nobody can use any more go first as
    /// soon as they are met.
    pub(crate) fn evict(&mut self, unusable: impl Fn(&Entry<V>) -> bool) -> Option<Arc<Entry<V>>> {
        let mut second_chances = 0;
        loop {
            let from_small = self.small.bytes > self.small_bytes_target || self.main.oldest == NOWHERE;
            let place = if from_small { self.small.oldest } else { self.main.oldest };
            if place == NOWHERE {
                return None;
            }
            let node = self.nodes.get(place);
            let credit = node.credit();
            let spared = if from_small { credit >= CREDIT_FOR_MAIN } else { credit > 0 };
            if spared && second_chances < SECOND_CHANCES_MAX && !unusable(&node.entry) {
                second_chances += 1;
                self.go_round(place, if from_small { 0 } else { credit - 1 });
                continue;
            }
            if from_small {
                self.ghost.remember(node.entry.hash, self.nodes.len());
            }
            return Some(self.take(place));
        }
    }

    /// Moves an entry to the newest end of the main queue with what is left of its credit.
    fn go_round(&mut self, place: u32, credit: u32) {
        self.unlink(place);
        let node = self.nodes.get_mut(place);
        node.queue = Queue::Main;
        node.spent = node.entry.hits().wrapping_sub(credit);
        self.link(place, Queue::Main);
    }

    /// Takes a node out; the last one fills its place.
    fn take(&mut self, place: u32) -> Arc<Entry<V>> {
        self.unlink(place);
        let node = self.nodes.swap_remove(place);
        node.entry.set_place(NOWHERE);
        if (place as usize) < self.nodes.len() {
            self.announce(place);
        }
        node.entry
    }

    /// Tells the neighbours of a moved node, and its entry, where it is now.
    fn announce(&mut self, place: u32) {
        let node = self.nodes.get(place);
        let (older, newer, queue) = (node.older, node.newer, node.queue);
        node.entry.set_place(place);
        self.join(queue, older, place);
        self.join(queue, place, newer);
    }

    fn link(&mut self, place: u32, queue: Queue) {
        let bytes = self.nodes.get(place).bytes;
        let list = self.list(queue);
        list.bytes += bytes;
        let newest = list.newest;
        self.join(queue, newest, place);
        self.join(queue, place, NOWHERE);
        self.nodes.get(place).entry.set_place(place);
    }

    fn unlink(&mut self, place: u32) {
        let node = self.nodes.get(place);
        let (older, newer, queue, bytes) = (node.older, node.newer, node.queue, node.bytes);
        self.list(queue).bytes -= bytes;
        self.join(queue, older, newer);
    }

    /// Makes two places neighbours; nowhere stands for the end of the queue.
    fn join(&mut self, queue: Queue, older: u32, newer: u32) {
        match older {
            NOWHERE => self.list(queue).oldest = newer,
            _ => self.nodes.get_mut(older).newer = newer,
        }
        match newer {
            NOWHERE => self.list(queue).newest = older,
            _ => self.nodes.get_mut(newer).older = older,
        }
    }

    fn list(&mut self, queue: Queue) -> &mut List {
        match queue {
            Queue::Small => &mut self.small,
            Queue::Main => &mut self.main,
        }
    }
}

impl<V> Node<V> {
    fn credit(&self) -> u32 {
        self.entry.hits().wrapping_sub(self.spent).min(CREDIT_MAX)
    }
}

impl List {
    fn new() -> Self {
        Self { oldest: NOWHERE, newest: NOWHERE, bytes: 0 }
    }
}

#[cfg(test)]
impl<V> Queues<V> {
    /// Walks both queues and checks that they hold every node once, in both directions, at its weight.
    pub(crate) fn audit(&self) {
        let mut walked = 0;
        for (list, queue) in [(&self.small, Queue::Small), (&self.main, Queue::Main)] {
            let (mut place, mut older, mut bytes) = (list.oldest, NOWHERE, 0);
            while place != NOWHERE {
                let node = self.nodes.get(place);
                assert_eq!((node.queue, node.older, node.entry.place()), (queue, older, place));
                bytes += node.bytes;
                walked += 1;
                (older, place) = (place, node.newer);
            }
            assert_eq!((list.newest, list.bytes), (older, bytes));
        }
        assert_eq!(walked, self.nodes.len());
    }
}
