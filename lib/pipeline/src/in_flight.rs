//! One budget for what is held of bodies on their way, whatever route they belong to.
//!
//! A body that many may read is held from its beginning, so that others can join and the whole can be stored; and a
//! stored body that was removed lives on in those that still send it. Both are memory that slow callers decide about,
//! so it is counted here. Beyond the budget the body that has rested longest gives up first: nobody joins it any more,
//! it is not stored, and from then on no more of it is held than its slowest reader needs to go on. So nothing fails,
//! and its origin waits for its callers.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;

/// What each body may hold in any case, so that it can go on.
pub(crate) const WINDOW_BYTES: u64 = 64 << 10;

/// Bodies in flight may take so much where nothing is said.
const USUAL_BYTES: u64 = 64 << 20;

/// Bodies that have left the store and are looked at each time one more does.
const LOOKS: usize = 8;

/// See the module.
pub struct InFlight {
    most: AtomicU64,
    held: AtomicU64,
    turns: AtomicU64,
    passed_on: AtomicU64,
    bodies: Mutex<HashMap<usize, Listed>>,
    left: Mutex<Left>,
}

/// A body that holds something, and can do with less.
pub(crate) trait Holds: Send + Sync {
    /// Holds no more from now on than it must.
    fn give_up(&self);
}

/// When a body was last heard of.
#[derive(Debug, Default)]
pub(crate) struct Mark {
    turn: AtomicU64,
    has_given_up: AtomicBool,
}

struct Listed {
    mark: Arc<Mark>,
    body: Weak<dyn Holds>,
}

/// Bodies that have left the store while somebody was sending them.
#[derive(Default)]
struct Left {
    bodies: Vec<Bytes>,
    next: usize,
}

impl InFlight {
    /// A budget of so many bytes.
    pub fn new(most: u64) -> Self {
        Self {
            most: AtomicU64::new(most),
            held: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            passed_on: AtomicU64::new(0),
            bodies: Mutex::default(),
            left: Mutex::default(),
        }
    }

    /// Changes the budget. What is held beyond it is given up as bodies go on.
    pub fn set_most(&self, most: u64) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// The bytes that may be held.
    pub fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }

    /// The bytes that are held.
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// How many bodies have given up.
    pub fn passed_on(&self) -> u64 {
        self.passed_on.load(Ordering::Relaxed)
    }

    /// Whether more is held than may be and nobody can give it up, so that large bodies are better not held at all.
    pub fn is_exhausted(&self) -> bool {
        self.is_beyond() && {
            self.settle();
            self.is_beyond()
        }
    }

    /// Takes in a stored body that has left its store. It counts as long as anybody else has it; small ones do not.
    pub fn leave(&self, body: &Bytes) {
        if (body.len() as u64) < WINDOW_BYTES || body.is_unique() {
            return;
        }
        self.held.fetch_add(body.len() as u64, Ordering::Relaxed);
        let mut left = self.left.lock();
        left.bodies.push(body.clone());
        let gone = left.look(LOOKS);
        drop(left);
        self.free(&gone);
    }

    /// Counts what a body holds, after what it held before.
    pub(crate) fn count(&self, before: u64, now: u64) {
        if now >= before {
            self.held.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.held.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// Notes that a body goes on.
    pub(crate) fn touch(&self, mark: &Mark) {
        mark.turn.store(self.turns.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Lists a body as one that could hold less, under a number that no other has while it is listed.
    pub(crate) fn list(&self, number: usize, mark: &Arc<Mark>, body: Weak<dyn Holds>) {
        self.bodies.lock().insert(number, Listed { mark: Arc::clone(mark), body });
    }

    /// Takes a body off the list.
    pub(crate) fn strike(&self, number: usize) {
        let listed = self.bodies.lock().remove(&number);
        drop(listed);
    }

    /// Lets bodies give up until what is held is within the budget, those first that have rested longest. To be called
    /// without the lock of any body.
    pub(crate) fn settle(&self) {
        if self.is_beyond() {
            let gone = self.left.lock().look(usize::MAX);
            self.free(&gone);
        }
        while self.is_beyond() {
            let Some(body) = self.longest_at_rest() else { return };
            if let Some(body) = body.upgrade() {
                self.passed_on.fetch_add(1, Ordering::Relaxed);
                body.give_up();
            }
        }
    }

    fn is_beyond(&self) -> bool {
        self.held() > self.most()
    }

    fn longest_at_rest(&self) -> Option<Weak<dyn Holds>> {
        let bodies = self.bodies.lock();
        let able = bodies.values().filter(|listed| !listed.mark.has_given_up.load(Ordering::Relaxed));
        let found = able.min_by_key(|listed| listed.mark.turn.load(Ordering::Relaxed))?;
        found.mark.has_given_up.store(true, Ordering::Relaxed);
        Some(Weak::clone(&found.body))
    }

    fn free(&self, gone: &[Bytes]) {
        let bytes = gone.iter().map(|body| body.len() as u64).sum();
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Left {
    /// Looks at so many, taking turns, and takes out those that nobody else has any more.
    fn look(&mut self, most: usize) -> Vec<Bytes> {
        let mut gone = Vec::new();
        for _ in 0..most.min(self.bodies.len()) {
            if self.next >= self.bodies.len() {
                self.next = 0;
            }
            if self.bodies[self.next].is_unique() {
                gone.push(self.bodies.swap_remove(self.next));
            } else {
                self.next += 1;
            }
        }
        gone
    }
}

impl Default for InFlight {
    fn default() -> Self {
        Self::new(USUAL_BYTES)
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight")
            .field("held", &self.held())
            .field("most", &self.most())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 2 * WINDOW_BYTES as usize;

    #[test]
    fn a_body_that_has_left_its_store_counts_while_somebody_sends_it() {
        let in_flight = InFlight::new(LARGE as u64);
        let body = Bytes::from(vec![0; LARGE]);
        in_flight.leave(&body);
        assert_eq!(in_flight.held(), 0, "nobody else has it");
        let sent = [body.clone(), body.slice(1..2)];
        in_flight.leave(&body);
        drop(body);
        assert_eq!(in_flight.held(), LARGE as u64);
        assert!(!in_flight.is_exhausted(), "it is just within the budget");
        let other = Bytes::from(vec![0; LARGE]);
        let other_sent = other.clone();
        in_flight.leave(&other);
        drop(other);
        assert!(in_flight.is_exhausted(), "nobody can give up what is being sent");
        drop(sent);
        assert!(!in_flight.is_exhausted());
        assert_eq!(in_flight.held(), LARGE as u64);
        drop(other_sent);
        let small = Bytes::from(vec![0; 10]);
        let _sent = small.clone();
        in_flight.leave(&small);
        assert_eq!(in_flight.held(), LARGE as u64, "small ones do not count, and are not looked at");
        in_flight.set_most(0);
        assert!(!in_flight.is_exhausted());
        assert_eq!(in_flight.held(), 0);
    }
}
