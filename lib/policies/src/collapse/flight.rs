//! Flights: forwards that several requests wait for.

use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use foldhash::quality::RandomState;
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use kasoku_coherence::{Key, Snapshot, Tag};
use kasoku_pipeline::{Body, BoxFuture, Failure, Joining, Next, Request, Response};
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
    stage: Stage,
}

enum Stage {
    /// Nothing has come back.
    InTheAir(WeakShared<BoxFuture<'static, Arc<Landed>>>),
    /// The head has come, and the body is being read. Neither keeps the other's readers.
    Arriving { head: Box<Response>, body: Joining },
}

/// A way to an answer that another request is getting.
pub(super) enum Boarded {
    /// It is in the air, and began with this snapshot.
    Flight(Flight, Snapshot),
    /// Its body is arriving.
    Answer(Response),
}

/// What a flight brought.
pub(super) struct Landed {
    cargo: Mutex<Cargo>,
    deadline: Option<Instant>,
}

enum Cargo {
    Answer(Response),
    Failure(Failure),
    /// It is a stream or for one caller only.
    Personal(Response),
    Panic(Box<dyn Any + Send>),
    /// It was for one, or a panic, and somebody has it.
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
    /// The answer is the leader's alone.
    Gone,
}

impl Flights {
    pub(super) fn new(most: usize) -> Self {
        Self { most, board: Mutex::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.board.lock().flights.len()
    }

    /// Boards the flight for a key if there is one whose snapshot, and as much as is known of what its answer depends
    /// on, is allowed, else begins one with what
    /// `lead` gives. `None` if there is nothing to begin it with, or no room.
    pub(super) fn board<N: Next>(
        self: &Arc<Self>,
        key: &Key,
        began: Snapshot,
        allows: impl Fn(Snapshot, &[Tag]) -> bool,
        lead: impl FnOnce() -> Option<(Arc<N>, Request)>,
    ) -> Option<Boarded> {
        let mut board = self.board.lock();
        // Nothing that waits may be dropped in here: the last one cancels its flight, which takes this lock.
        let listed = board.flights.get(key);
        if let Some(boarded) =
            listed.filter(|listed| allows(listed.began, listed.tags())).and_then(Listed::join)
        {
            return Some(boarded);
        }
        if listed.is_none() && board.flights.len() >= self.most {
            return None;
        }
        let (next, request) = lead()?;
        board.numbers += 1;
        let listing = Listing { flights: Arc::clone(self), key: key.clone(), number: board.numbers };
        let flight = fly(next, request, listing).boxed().shared();
        let stage = Stage::InTheAir(flight.downgrade()?);
        let listed = Listed { number: board.numbers, began, stage };
        board.flights.insert(key.clone(), listed);
        Some(Boarded::Flight(flight, began))
    }
}

impl Listed {
    /// What the answer depends on, as far as it is known.
    fn tags(&self) -> &[Tag] {
        match &self.stage {
            Stage::InTheAir(_) => &[],
            Stage::Arriving { head, .. } => &head.tags,
        }
    }

    fn join(&self) -> Option<Boarded> {
        match &self.stage {
            Stage::InTheAir(flight) => flight.upgrade().map(|flight| Boarded::Flight(flight, self.began)),
            Stage::Arriving { head, body } => {
                let mut response = head.try_clone()?;
                response.body = Body::Shared(body.join()?);
                Some(Boarded::Answer(response))
            }
        }
    }
}

async fn fly<N: Next>(next: Arc<N>, request: Request, listing: Listing) -> Arc<Landed> {
    let deadline = request.deadline;
    // A panic must not strand those that wait, and goes on in the first of them.
    let cargo = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(Ok(response)) if response.is_personal || matches!(response.body, Body::Stream(_)) => {
            Cargo::Personal(response)
        }
        Ok(Ok(response)) => {
            listing.arrive(&response);
            Cargo::Answer(response)
        }
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

impl Listing {
    /// Lets further requests join while the body is being read; what is not a body that many can read has arrived
    /// already.
    fn arrive(self, response: &Response) {
        let Body::Shared(body) = &response.body else { return };
        let mut head = Response::new(response.status, Body::Empty);
        head.headers.clone_from(&response.headers);
        head.tags = Arc::clone(&response.tags);
        (head.snapshot, head.cache) = (response.snapshot, response.cache);
        let stage = Stage::Arriving { head: Box::new(head), body: body.joining() };
        if let Some(listed) = self.flights.board.lock().flights.get_mut(&self.key)
            && listed.number == self.number
        {
            listed.stage = stage;
        }
        body.hold(self);
    }
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

    /// One share of what the flight brought. What is for one caller is the leader's, or nobody's if the leader has
    /// gone.
    pub(super) fn share(&self, leads: bool) -> Share {
        let mut cargo = self.cargo.lock();
        match &*cargo {
            Cargo::Personal(_) if leads => {}
            Cargo::Panic(_) => {}
            Cargo::Personal(_) | Cargo::Gone => return Share::Gone,
            Cargo::Failure(failure) => return Share::Failure(failure.clone()),
            Cargo::Answer(response) => return response.try_clone().map_or(Share::Gone, Share::Answer),
        }
        match std::mem::replace(&mut *cargo, Cargo::Gone) {
            Cargo::Personal(response) | Cargo::Answer(response) => Share::Answer(response),
            Cargo::Failure(failure) => Share::Failure(failure),
            Cargo::Gone => Share::Gone,
            Cargo::Panic(payload) => {
                *cargo = Cargo::Failure(Kind::Internal.into());
                Share::Panic(payload)
            }
        }
    }
}
