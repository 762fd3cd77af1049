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
use kasoku_http_caching::byteranges::Piece;
use kasoku_http_caching::range::Span;
use tokio::task::JoinHandle;

/// Bytes read at once.
const READ_BYTES: u64 = 64 << 10;

/// A body of parts of one file.
pub(crate) struct FileBody {
    state: State,
    pieces: VecDeque<Piece>,
    left: u64,
}

enum State {
    Idle(File),
    Reading(JoinHandle<(File, io::Result<Bytes>)>),
    Over,
}

impl FileBody {
    pub(crate) fn new(file: File, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: VecDeque<_> = pieces.into_iter().collect();
        let left = pieces.iter().map(Piece::length).sum();
        Self { state: State::Idle(file), pieces, left }
    }

    /// Takes as much of the slice that is to be sent as is read at once.
    fn next_read(&mut self, span: Span) -> Span {
        let read = Span { first: span.first, last: span.last.min(span.first + READ_BYTES - 1) };
        if read.last < span.last {
            self.pieces.push_front(Piece::Slice(Span { first: read.last + 1, last: span.last }));
        }
        read
    }

    fn sent(&mut self, bytes: Bytes) -> Frame<Bytes> {
        self.left -= bytes.len() as u64;
        Frame::data(bytes)
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
                State::Idle(file) => match self.pieces.pop_front() {
                    None => return Poll::Ready(None),
                    Some(Piece::Text(text)) => {
                        self.state = State::Idle(file);
                        return Poll::Ready(Some(Ok(self.sent(text))));
                    }
                    Some(Piece::Slice(span)) => {
                        let span = self.next_read(span);
                        self.state = State::Reading(tokio::task::spawn_blocking(move || {
                            let bytes = read(&file, span);
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

fn read(file: &File, span: Span) -> io::Result<Bytes> {
    let mut bytes = vec![0; span.length() as usize];
    match file.read_exact_at(&mut bytes, span.first) {
        Ok(()) => Ok(bytes.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(io::Error::new(error.kind(), "the file became shorter while it was sent"))
        }
        Err(error) => Err(error),
    }
}
