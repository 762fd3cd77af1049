//! A request's body: within its limit, and with a memory of why it failed.

use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use kasoku_pipeline::{Body, BodyError};
use kasoku_problem::{Kind, Problem};

/// Why a body failed, for the answer.
#[derive(Debug, Default)]
pub(crate) struct Fate(OnceLock<Problem>);

/// A body that may have so many bytes.
pub(crate) struct Bounded {
    body: Body,
    left: u64,
    bytes_max: u64,
    fate: Arc<Fate>,
}

/// The body had more bytes than it may have.
#[derive(Debug, thiserror::Error)]
#[error("the body is larger than it may be")]
struct TooLarge;

impl Fate {
    /// The problem, if there was one.
    pub(crate) fn take(&self) -> Option<Problem> {
        self.0.get().cloned()
    }
}

impl Bounded {
    /// Refuses a body that is known to be too large at once.
    pub(crate) fn new(body: Body, bytes_max: u64) -> Result<(Self, Arc<Fate>), Problem> {
        if body.size_hint().lower() > bytes_max {
            return Err(too_large(bytes_max));
        }
        let fate = Arc::new(Fate::default());
        Ok((Self { body, left: bytes_max, bytes_max, fate: Arc::clone(&fate) }, fate))
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let (problem, error) = match frame {
            Some(Err(error)) => (failed(&error), error),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
                if let Some(left) = self.left.checked_sub(length) {
                    self.left = left;
                    return Poll::Ready(Some(Ok(frame)));
                }
                (too_large(self.bytes_max), TooLarge.into())
            }
            None => return Poll::Ready(None),
        };
        // The first one counts.
        let _later = self.fate.0.set(problem);
        Poll::Ready(Some(Err(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn too_large(bytes_max: u64) -> Problem {
    Problem::new(Kind::BodyTooLarge)
        .detail(format!("the body may have at most {bytes_max} bytes"))
        .member("bytes_max", bytes_max)
}

/// As the body says it: a caller that stopped sending, or one that broke off.
fn failed(error: &BodyError) -> Problem {
    let text = error.to_string();
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let problem = match kind {
        Some(ErrorKind::TimedOut) => {
            Problem::new(Kind::RequestTimeout).detail("the rest of the body did not come")
        }
        _ => Problem::new(Kind::InvalidBody).detail("the body ended before its end"),
    };
    problem.cause(std::io::Error::other(text))
}
