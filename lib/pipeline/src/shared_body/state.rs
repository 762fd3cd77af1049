//! What has come of a body, what was let go, and where its readers are.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use http_body_util::combinators::UnsyncBoxBody;

use super::OnWhole;
use crate::BodyError;
use crate::in_flight::WINDOW_BYTES;

/// Shorter pieces are copied together into blocks: what they came in may be much larger than they are.
const PIECE_BYTES_MIN: usize = 64 << 10;

/// Blocks grow with what has come.
const BLOCK_BYTES_MIN: usize = 4 << 10;

/// What a piece costs beside its bytes.
const PIECE_OVERHEAD_BYTES: u64 = 64;

pub(super) struct State {
    pub(super) source: Option<Parts>,
    /// What has come, less what was let go at the front.
    pub(super) chunks: VecDeque<Bytes>,
    pub(super) let_go: usize,
    pub(super) bytes: u64,
    bytes_max: u64,
    /// No more is held than the slowest reader needs.
    has_given_up: bool,
    /// What the chunks keep in memory, and what was last told of it to the budget.
    pub(super) held_bytes: u64,
    pub(super) counted_bytes: u64,
    pub(super) is_listed: bool,
    /// The rest of the block that short pieces are copied into.
    block: BytesMut,
    pub(super) end: Option<End>,
    pub(super) on_whole: Option<OnWhole>,
    /// Kept until the end, or until nobody reads.
    pub(super) held: Option<Held>,
    pub(super) places: Vec<Option<Place>>,
}

/// Where a reader is.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) next_chunk: usize,
    pub(super) is_done: bool,
}

#[derive(Clone)]
pub(super) enum End {
    Whole(Option<HeaderMap>),
    Broken(Arc<str>),
}

/// What is left to do when a body has ended, without its lock: others may come in by locks of their own.
pub(super) struct Ending {
    pub(super) whole: Option<(OnWhole, Bytes)>,
    _source: Option<Parts>,
    _held: Option<Held>,
}

pub(super) type Parts = UnsyncBoxBody<Bytes, BodyError>;
pub(super) type Held = Box<dyn std::any::Any + Send>;

impl Ending {
    pub(super) fn carry_out(self) {
        if let Some((on_whole, whole)) = self.whole {
            on_whole(whole);
        }
    }
}

/// The source broke off; those who read learn why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BrokenOff(Arc<str>);

impl State {
    pub(super) fn new(source: Parts, bytes_max: u64, on_whole: OnWhole) -> Self {
        Self {
            source: Some(source),
            chunks: VecDeque::new(),
            let_go: 0,
            bytes: 0,
            bytes_max,
            has_given_up: false,
            held_bytes: 0,
            counted_bytes: 0,
            is_listed: false,
            block: BytesMut::new(),
            end: None,
            on_whole: Some(on_whole),
            held: None,
            places: vec![Some(Place::default())],
        }
    }

    /// Whether what all have read is let go.
    pub(super) fn lets_go(&self) -> bool {
        self.has_given_up || self.bytes > self.bytes_max
    }

    /// Holds no more from now on than the slowest reader needs. What wanted the whole is handed out, to be dropped
    /// without the lock.
    pub(super) fn give_up(&mut self) -> Option<OnWhole> {
        self.has_given_up = true;
        let on_whole = self.on_whole.take();
        self.let_go();
        on_whole
    }

    /// The next piece for a reader, if it is there, or that there is none.
    pub(super) fn next(&mut self, reader: usize) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let place = self.places[reader].as_mut().expect("a reader has its place until it is dropped");
        if let Some(chunk) = self.chunks.get(place.next_chunk - self.let_go) {
            place.next_chunk += 1;
            return Poll::Ready(Some(Ok(Frame::data(chunk.clone()))));
        }
        let Some(end) = self.end.clone() else { return Poll::Pending };
        if std::mem::replace(&mut place.is_done, true) {
            return Poll::Ready(None);
        }
        Poll::Ready(match end {
            End::Whole(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            End::Broken(reason) => Some(Err(BrokenOff(reason).into())),
        })
    }

    /// Lets go of what all have read, once the limit is passed. Whether there is room for more.
    pub(super) fn let_go(&mut self) -> bool {
        if !self.lets_go() {
            return true;
        }
        self.on_whole = None;
        let slowest = self.places.iter().flatten().map(|place| place.next_chunk).min().unwrap_or_default();
        for chunk in self.chunks.drain(..slowest - self.let_go) {
            self.held_bytes -= chunk.len() as u64 + PIECE_OVERHEAD_BYTES;
        }
        self.let_go = slowest;
        let kept = self.held_bytes - self.chunks.len() as u64 * PIECE_OVERHEAD_BYTES;
        kept <= if self.has_given_up { WINDOW_BYTES } else { self.bytes_max }
    }

    /// Keeps a piece.
    fn push(&mut self, mut piece: Bytes, is_last: bool) {
        self.bytes += piece.len() as u64;
        if !is_last && piece.len() < PIECE_BYTES_MIN && !self.lets_go() {
            if self.block.capacity() < piece.len() {
                let usual = (self.bytes as usize).clamp(BLOCK_BYTES_MIN, PIECE_BYTES_MIN);
                self.block = BytesMut::with_capacity(usual.max(piece.len()));
            }
            self.block.extend_from_slice(&piece);
            piece = self.block.split().freeze();
        }
        self.held_bytes += piece.len() as u64 + PIECE_OVERHEAD_BYTES;
        self.chunks.push_back(piece);
    }

    /// Asks the source for more.
    pub(super) fn advance(&mut self, context: &mut Context<'_>) -> Poll<Option<Ending>> {
        if !self.let_go() {
            return Poll::Pending;
        }
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        let end = match ready!(Pin::new(&mut *source).poll_frame(context)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => {
                    // Whoever was told a length stops reading when it is reached, and never asks for the end.
                    let is_last = source.is_end_stream();
                    self.push(chunk, is_last);
                    if !is_last {
                        return Poll::Ready(None);
                    }
                    End::Whole(None)
                }
                Err(frame) => End::Whole(frame.into_trailers().ok()),
            },
            Some(Err(error)) => End::Broken(error.to_string().into()),
            None => End::Whole(None),
        };
        let is_kept = matches!(end, End::Whole(_)) && !self.lets_go();
        let ending = Ending {
            whole: self.on_whole.take().filter(|_| is_kept).map(|on_whole| (on_whole, self.whole())),
            _source: self.source.take(),
            _held: self.held.take(),
        };
        self.end = Some(end);
        self.block = BytesMut::new();
        Poll::Ready(Some(ending))
    }

    pub(super) fn whole(&self) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.bytes as usize);
        for chunk in &self.chunks {
            whole.extend_from_slice(chunk);
        }
        whole.freeze()
    }
}
