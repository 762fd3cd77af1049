//! A bounded queue between those who ask and the threads that work.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::error::DatabaseError;

/// A bounded queue. Adding never waits: a full queue refuses.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    most: usize,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

/// What [`Queue::take`] came back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// There is work.
    Some,
    /// There was none for the time given.
    Idle,
    /// The queue is closed, and all its work was taken.
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            state: Mutex::new(State { items: VecDeque::new(), closed: false }),
            filled: Condvar::new(),
            most: most.max(1),
        }
    }

    /// Adds an item, or refuses it.
    pub(crate) fn add(&self, item: T) -> Result<(), DatabaseError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(DatabaseError::Closed);
        }
        if state.items.len() >= self.most {
            return Err(DatabaseError::QueueFull);
        }
        state.items.push_back(item);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Moves up to `most` items to `into`, waiting for the first.
    pub(crate) fn take(&self, most: usize, wait: Option<Duration>, into: &mut Vec<T>) -> Taken {
        let mut state = self.state.lock();
        while state.items.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            match wait {
                None => self.filled.wait(&mut state),
                Some(wait) => {
                    if self.filled.wait_for(&mut state, wait).timed_out() && state.items.is_empty() {
                        return if state.closed { Taken::Closed } else { Taken::Idle };
                    }
                }
            }
        }
        let count = state.items.len().min(most);
        into.extend(state.items.drain(..count));
        Taken::Some
    }

    /// Refuses further items; those that wait are still worked on.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
    }
}
