//! What has come of a body, what was let go, and where its readers are.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use http_body_util::combinators::UnsyncBoxBody;

use super::OnWhole;
use crate::BodyError;

pub(super) struct State {
    pub(super) source: Option<Parts>,
    /// What has come, less what was let go at the front.
    pub(super) chunks: Vec<Bytes>,
    pub(super) let_go: usize,
    pub(super) bytes: u64,
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
    pub(super) fn is_beyond(&self, bytes_max: u64) -> bool {
        self.bytes > bytes_max
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
    pub(super) fn let_go(&mut self, bytes_max: u64) -> bool {
        if !self.is_beyond(bytes_max) {
            return true;
        }
        self.on_whole = None;
        let slowest = self.places.iter().flatten().map(|place| place.next_chunk).min().unwrap_or_default();
        self.chunks.drain(..slowest - self.let_go);
        self.let_go = slowest;
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>() <= bytes_max
    }

    /// Asks the source for more.
    pub(super) fn advance(&mut self, context: &mut Context<'_>, bytes_max: u64) -> Poll<Option<Ending>> {
        if !self.let_go(bytes_max) {
            return Poll::Pending;
        }
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        let end = match ready!(Pin::new(&mut *source).poll_frame(context)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => {
                    self.bytes += chunk.len() as u64;
                    self.chunks.push(chunk);
                    // Whoever was told a length stops reading when it is reached, and never asks for the end.
                    if !source.is_end_stream() {
                        return Poll::Ready(None);
                    }
                    End::Whole(None)
                }
                Err(frame) => End::Whole(frame.into_trailers().ok()),
            },
            Some(Err(error)) => End::Broken(error.to_string().into()),
            None => End::Whole(None),
        };
        let is_kept = matches!(end, End::Whole(_)) && !self.is_beyond(bytes_max);
        let ending = Ending {
            whole: self.on_whole.take().filter(|_| is_kept).map(|on_whole| (on_whole, self.whole())),
            _source: self.source.take(),
            _held: self.held.take(),
        };
        self.end = Some(end);
        Poll::Ready(Some(ending))
    }

    pub(super) fn whole(&self) -> Bytes {
        match &*self.chunks {
            [] => Bytes::new(),
            // It may be a small part of what was read.
            [only] => Bytes::copy_from_slice(only),
            chunks => {
                let mut whole = BytesMut::with_capacity(self.bytes as usize);
                for chunk in chunks {
                    whole.extend_from_slice(chunk);
                }
                whole.freeze()
            }
        }
    }
}
