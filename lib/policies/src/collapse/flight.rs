//! Flights: forwards that several requests wait for.

use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use foldhash::quality::RandomState;
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use kasoku_coherence::{Key, Snapshot};
use kasoku_pipeline::{BoxFuture, Failure, Next, Request, Response};
use kasoku_problem::Kind;
use parking_lot::Mutex;

/// A forward in the air; every clone is somebody who waits for it.
pub(super) type Flight = Shared<BoxFuture<'static, Arc<Landed>>>;

/// The flights of one route. They are referred to weakly: a flight lives in those that wait for it.
pub(super) struct Flights {
    most: usize,
    board: Mutex<Board>,
}

#[derive(Default)]
struct Board {
    flights: HashMap<Key, Listed, RandomState>,
    numbers: u64,
}

struct Listed {
    number: u64,
    began: Snapshot,
    flight: WeakShared<BoxFuture<'static, Arc<Landed>>>,
}

/// What a flight brought.
pub(super) struct Landed {
    cargo: Mutex<Cargo>,
    deadline: Option<Instant>,
}

enum Cargo {
    Answer(Response),
    Failure(Failure),
    Stream(Response),
    Panic(Box<dyn Any + Send>),
    /// It was a stream or a panic, and somebody has it.
    Gone,
}

/// What one of those that waited gets.
pub(super) enum Share {
    /// An answer.
    Answer(Response),
    /// A failure.
    Failure(Failure),
    /// The forward panicked; the first to land goes on with it, so that it is reported once.
    Panic(Box<dyn Any + Send>),
    /// The answer is a stream, and that is the leader's.
    Gone,
}

impl Flights {
    pub(super) fn new(most: usize) -> Self {
        Self { most, board: Mutex::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.board.lock().flights.len()
    }

    /// Boards the flight for a key if there is one whose snapshot is allowed, else begins one with what
    /// `lead` gives. `None` if there is nothing to begin it with, or no room.
    pub(super) fn board<N: Next>(
        self: &Arc<Self>,
        key: &Key,
        began: Snapshot,
        allows: impl Fn(Snapshot) -> bool,
        lead: impl FnOnce() -> Option<(Arc<N>, Request)>,
    ) -> Option<Flight> {
        let mut board = self.board.lock();
        // Nothing that waits may be dropped in here: the last one cancels its flight, which takes this lock.
        let listed = board.flights.get(key);
        if let Some(flight) = listed.filter(|listed| allows(listed.began)).and_then(|l| l.flight.upgrade()) {
            return Some(flight);
        }
        if listed.is_none() && board.flights.len() >= self.most {
            return None;
        }
        let (next, request) = lead()?;
        board.numbers += 1;
        let listing = Listing { flights: Arc::clone(self), key: key.clone(), number: board.numbers };
        let flight = fly(next, request, listing).boxed().shared();
        let listed = Listed { number: board.numbers, began, flight: flight.downgrade()? };
        board.flights.insert(key.clone(), listed);
        Some(flight)
    }
}

async fn fly<N: Next>(next: Arc<N>, request: Request, listing: Listing) -> Arc<Landed> {
    let _listing = listing;
    let deadline = request.deadline;
    // A panic must not strand those that wait, and goes on in the first of them.
    let cargo = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(Ok(response)) if response.body.bytes().is_none() => Cargo::Stream(response),
        Ok(Ok(response)) => Cargo::Answer(response),
        Ok(Err(failure)) => Cargo::Failure(failure),
        Err(payload) => Cargo::Panic(payload),
    };
    Arc::new(Landed { cargo: Mutex::new(cargo), deadline })
}

/// A flight's place on the board, cleared when the flight has landed or was cancelled.
struct Listing {
    flights: Arc<Flights>,
    key: Key,
    number: u64,
}

impl Drop for Listing {
    fn drop(&mut self) {
        let mut board = self.flights.board.lock();
        // A later flight may have taken the place.
        if board.flights.get(&self.key).is_some_and(|listed| listed.number == self.number) {
            board.flights.remove(&self.key);
        }
        if board.flights.is_empty() && board.flights.capacity() > 1_024 {
            board.flights.shrink_to(64);
        }
    }
}

impl Landed {
    /// The leader's deadline, which the forward had to keep.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// One share of what the flight brought. A stream cannot be shared: it is the leader's, or nobody's if
    /// the leader has gone.
    pub(super) fn share(&self, leads: bool) -> Share {
        let mut cargo = self.cargo.lock();
        match &*cargo {
            Cargo::Stream(_) if leads => {}
            Cargo::Panic(_) => {}
            Cargo::Stream(_) | Cargo::Gone => return Share::Gone,
            Cargo::Failure(failure) => return Share::Failure(failure.clone()),
            Cargo::Answer(response) => return response.try_clone().map_or(Share::Gone, Share::Answer),
        }
        match std::mem::replace(&mut *cargo, Cargo::Gone) {
            Cargo::Stream(response) | Cargo::Answer(response) => Share::Answer(response),
            Cargo::Failure(failure) => Share::Failure(failure),
            Cargo::Gone => Share::Gone,
            Cargo::Panic(payload) => {
                *cargo = Cargo::Failure(Kind::Internal.into());
                Share::Panic(payload)
            }
        }
    }
}
