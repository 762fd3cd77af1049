//! A body that arrives once and is read by many, each from its beginning, as it comes.
//!
//! There is no task behind it: whoever reads and finds nothing new asks the source, and wakes all others when there
//! is more. So the fastest reader sets the pace, a reader that leaves costs nobody anything, and with the last one
//! the source is dropped, which cancels it.
//!
//! Up to a limit everything is kept, for readers to come and for whoever wants the whole at the end. Beyond the
//! limit nobody can join any more, what all have read is let go, and the fastest waits for the slowest. What is kept
//! counts for the budget of all bodies in flight, and that can end the keeping earlier.

mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;

use self::state::{End, Place, State};
use crate::in_flight::{Holds, Mark, WINDOW_BYTES};
use crate::{BodyError, InFlight};

/// Called once with the whole body, when all of it is there and the limit was kept. It is in memory of its own, of
/// exactly its size, to be kept as it is.
pub type OnWhole = Box<dyn FnOnce(Bytes) + Send>;

/// One reader of a body that others may read too. A clone begins at the beginning, whatever this one has read.
pub struct SharedBody {
    inner: Arc<Inner>,
    reader: usize,
}

/// A way to join the readers of a body, as long as there are any.
#[derive(Clone)]
pub struct Joining(Weak<Inner>);

struct Inner {
    state: Mutex<State>,
    readers: Arc<Readers>,
    bytes_told: Option<u64>,
    in_flight: Arc<InFlight>,
    mark: Arc<Mark>,
    itself: Weak<Inner>,
}

/// Who is to be woken when something comes.
#[derive(Default)]
struct Readers(Mutex<Vec<Option<Waker>>>);

impl Wake for Readers {
    fn wake(self: Arc<Self>) {
        let waiting: Vec<_> = self.0.lock().iter_mut().filter_map(Option::take).collect();
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl SharedBody {
    /// Shares a body. What is at most `bytes_max` long is given to `on_whole` when the last of it has come, unless it
    /// had to give up for others in flight.
    pub fn new<B>(source: B, bytes_max: u64, in_flight: &Arc<InFlight>, on_whole: OnWhole) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        use http_body_util::BodyExt;
        let bytes_told = source.size_hint().exact();
        let state = State::new(source.map_err(Into::into).boxed_unsync(), bytes_max, on_whole);
        let readers = Arc::new(Readers(Mutex::new(vec![None])));
        let inner = Arc::new_cyclic(|itself| Inner {
            state: Mutex::new(state),
            readers,
            bytes_told,
            in_flight: Arc::clone(in_flight),
            mark: Arc::default(),
            itself: Weak::clone(itself),
        });
        Self { inner, reader: 0 }
    }

    /// Keeps something until the body has ended or nobody reads it any more.
    pub fn hold(&self, thing: impl Send + 'static) {
        let mut state = self.inner.state.lock();
        if state.end.is_none() {
            state.held = Some(Box::new(thing));
        }
    }

    /// A way for others to join later.
    pub fn joining(&self) -> Joining {
        Joining(Arc::downgrade(&self.inner))
    }

    /// Another reader from the beginning; `None` if the beginning has been let go.
    pub fn try_clone(&self) -> Option<Self> {
        join(&self.inner)
    }

    /// How many bytes there will be, if that is known.
    pub fn len(&self) -> Option<u64> {
        self.inner.bytes_told
    }

    /// Whether nothing will come.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

impl Joining {
    /// A reader from the beginning, if somebody still reads and the beginning is still there.
    pub fn join(&self) -> Option<SharedBody> {
        join(&self.0.upgrade()?)
    }
}

fn join(inner: &Arc<Inner>) -> Option<SharedBody> {
    let mut state = inner.state.lock();
    if state.lets_go() || matches!(state.end, Some(End::Broken(_))) {
        return None;
    }
    let vacant = state.places.iter().position(Option::is_none);
    let reader = vacant.unwrap_or_else(|| {
        state.places.push(None);
        state.places.len() - 1
    });
    state.places[reader] = Some(Place::default());
    let mut wakers = inner.readers.0.lock();
    if wakers.len() <= reader {
        wakers.resize(reader + 1, None);
    }
    drop(wakers);
    drop(state);
    Some(SharedBody { inner: Arc::clone(inner), reader })
}

impl Inner {
    /// Counts what is held now.
    fn account(&self, state: &mut State) {
        let now = state.held_bytes;
        let before = std::mem::replace(&mut state.counted_bytes, now);
        if now == before {
            return;
        }
        self.in_flight.count(before, now);
        if now > WINDOW_BYTES && !std::mem::replace(&mut state.is_listed, true) {
            let itself: Weak<dyn Holds> = Weak::clone(&self.itself) as _;
            self.in_flight.list(self.number(), &self.mark, itself);
        }
    }

    fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl Holds for Inner {
    fn give_up(&self) {
        let mut state = self.state.lock();
        let on_whole = state.give_up();
        self.account(&mut state);
        drop(state);
        // It may hold locks and rights of its own.
        drop(on_whole);
        Arc::clone(&self.readers).wake();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        self.in_flight.count(state.counted_bytes, 0);
        if state.is_listed {
            self.in_flight.strike(self.number());
        }
    }
}

impl HttpBody for SharedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let inner = &self.inner;
        let mut state = inner.state.lock();
        loop {
            if let Poll::Ready(piece) = state.next(self.reader) {
                // Beyond the limit, the fastest may have been waiting for this reader.
                if state.lets_go() {
                    state.let_go();
                    inner.account(&mut state);
                    drop(state);
                    Arc::clone(&inner.readers).wake();
                }
                return Poll::Ready(piece);
            }
            inner.readers.0.lock()[self.reader] = Some(context.waker().clone());
            let waker = Waker::from(Arc::clone(&inner.readers));
            let ending = ready!(state.advance(&mut Context::from_waker(&waker)));
            inner.in_flight.touch(&inner.mark);
            inner.account(&mut state);
            drop(state);
            inner.in_flight.settle();
            waker.wake();
            if let Some(ending) = ending {
                ending.carry_out();
            }
            state = inner.state.lock();
        }
    }

    fn is_end_stream(&self) -> bool {
        let state = self.inner.state.lock();
        let read_all = |place: &Place| place.next_chunk - state.let_go == state.chunks.len();
        match (&state.end, &state.places[self.reader]) {
            (Some(End::Whole(trailers)), Some(place)) => {
                read_all(place) && (trailers.is_none() || place.is_done)
            }
            (None, Some(_)) => self.inner.bytes_told == Some(0),
            _ => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.bytes_told.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for SharedBody {
    fn drop(&mut self) {
        let mut state = self.inner.state.lock();
        state.places[self.reader] = None;
        if state.places.iter().all(Option::is_none) {
            // What is held may take locks of its own when it goes.
            let rest = (state.source.take(), state.held.take(), state.on_whole.take());
            if state.end.is_none() {
                state.end = Some(End::Broken("nobody waited for it".into()));
            }
            drop(state);
            drop(rest);
            return;
        }
        drop(state);
        self.inner.readers.0.lock()[self.reader] = None;
        // It may have been the one that was to ask for more, or the one that others waited for.
        Arc::clone(&self.inner.readers).wake();
    }
}

impl fmt::Debug for SharedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedBody({:?} bytes)", self.inner.bytes_told)
    }
}

impl fmt::Debug for Joining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Joining")
    }
}
