//! Sends parts of a file, read piece by piece as the caller takes them.
//!
//! One piece is in memory at a time, and none is read before the last was taken, so a slow caller costs a handle
//! and a piece. Lengths were fixed when the file was opened: a file that has become shorter ends the answer with an
//! error, so that what arrived cannot look complete; what was added to it meanwhile is not sent.

use std::collections::VecDeque;
use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::range::Span;

/// Bytes read at once.
const PIECE_BYTES: u64 = 64 << 10;

/// What comes next in a body.
#[derive(Debug)]
pub(crate) enum Part {
    /// These bytes, such as the head of a part.
    Text(Bytes),
    /// These bytes of the file.
    Slice(Span),
}

/// A body of parts of one file.
pub(crate) struct FileBody {
    state: State,
    parts: VecDeque<Part>,
    left: u64,
}

enum State {
    Idle(File),
    Reading(JoinHandle<(File, io::Result<Bytes>)>),
    Over,
}

impl FileBody {
    pub(crate) fn new(file: File, parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: VecDeque<_> = parts.into_iter().collect();
        let left = parts.iter().map(Part::length).sum();
        Self { state: State::Idle(file), parts, left }
    }

    /// Takes the next piece of the slice that is to be sent.
    fn next_piece(&mut self, span: Span) -> Span {
        let piece = Span { first: span.first, last: span.last.min(span.first + PIECE_BYTES - 1) };
        if piece.last < span.last {
            self.parts.push_front(Part::Slice(Span { first: piece.last + 1, last: span.last }));
        }
        piece
    }

    fn sent(&mut self, bytes: Bytes) -> Frame<Bytes> {
        self.left -= bytes.len() as u64;
        Frame::data(bytes)
    }
}

impl Part {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Slice(span) => span.length(),
        }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Idle(file) => match self.parts.pop_front() {
                    None => return Poll::Ready(None),
                    Some(Part::Text(text)) => {
                        self.state = State::Idle(file);
                        return Poll::Ready(Some(Ok(self.sent(text))));
                    }
                    Some(Part::Slice(span)) => {
                        let piece = self.next_piece(span);
                        self.state = State::Reading(tokio::task::spawn_blocking(move || {
                            let bytes = read(&file, piece);
                            (file, bytes)
                        }));
                    }
                },
                State::Reading(mut reading) => {
                    let Poll::Ready(result) = Pin::new(&mut reading).poll(context) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    let (file, bytes) = result.map_err(io::Error::other)?;
                    let bytes = bytes?;
                    self.state = State::Idle(file);
                    return Poll::Ready(Some(Ok(self.sent(bytes))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn read(file: &File, piece: Span) -> io::Result<Bytes> {
    let mut bytes = vec![0; piece.length() as usize];
    match file.read_exact_at(&mut bytes, piece.first) {
        Ok(()) => Ok(bytes.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(io::Error::new(error.kind(), "the file became shorter while it was sent"))
        }
        Err(error) => Err(error),
    }
}
