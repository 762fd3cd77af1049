//! Bodies in both directions.

use std::fmt;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kasoku_problem::{Kind, Problem};

use crate::SharedBody;

/// Why a body ended before its end.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// An answer's body.
#[derive(Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// All of it, in memory.
    Full(Bytes),
    /// Parts as they come.
    Stream(UnsyncBoxBody<Bytes, BodyError>),
    /// Parts as they come, which others may read too.
    Shared(SharedBody),
}

impl Body {
    /// A body from parts as they come.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        Self::Stream(body.map_err(Into::into).boxed_unsync())
    }

    /// All bytes, if they are in memory.
    pub fn bytes(&self) -> Option<&Bytes> {
        static NOTHING: Bytes = Bytes::new();
        match self {
            Self::Empty => Some(&NOTHING),
            Self::Full(bytes) => Some(bytes),
            Self::Stream(_) | Self::Shared(_) => None,
        }
    }

    /// The same body once more from its beginning, if that can be had.
    pub fn try_clone(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Full(bytes) => Some(Self::Full(bytes.clone())),
            Self::Stream(_) => None,
            Self::Shared(shared) => shared.try_clone().map(Self::Shared),
        }
    }

    /// Reads it to its end, or to where it breaks off, for those who want to have read it and not to have it.
    pub async fn drain(mut self) {
        while let Some(Ok(_)) = self.frame().await {}
    }

    /// How many bytes there are, if that is known.
    #[expect(clippy::len_without_is_empty, reason = "whether a stream is empty is not known before its end")]
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Full(bytes) => Some(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint().exact(),
            Self::Shared(shared) => shared.len(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Full(bytes.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Full(Bytes::from_static(text.as_bytes()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Stream(stream) => Pin::new(stream).poll_frame(context),
            Self::Shared(shared) => Pin::new(shared).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_empty(),
            Self::Stream(stream) => stream.is_end_stream(),
            Self::Shared(shared) => shared.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint(),
            Self::Shared(shared) => shared.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len() {
            Some(length) => write!(f, "Body({length} bytes)"),
            None => f.write_str("Body(stream)"),
        }
    }
}

/// A request's body, with the most that will be read of it.
pub struct RequestBody {
    body: Body,
    bytes_max: usize,
}

impl RequestBody {
    /// No body.
    pub fn empty() -> Self {
        Self { body: Body::Empty, bytes_max: 0 }
    }

    /// A body of which at most `bytes_max` are read.
    pub fn new(body: Body, bytes_max: usize) -> Self {
        Self { body, bytes_max }
    }

    /// Replaces the limit by another.
    pub fn bound(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Whether there is certainly nothing in it.
    pub fn is_empty(&self) -> bool {
        self.body.is_end_stream()
    }

    /// All of it, if it is in memory.
    pub fn bytes(&self) -> Option<&Bytes> {
        self.body.bytes()
    }

    /// How many bytes it has, if that is known.
    pub fn len(&self) -> Option<u64> {
        self.body.len()
    }

    /// The body as a stream, its limit no longer watched.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Reads all of it: 413 beyond the limit, 408 if the caller stopped sending (its stream fails with an
    /// [`io::Error`](std::io::Error) that says `TimedOut`), 400 if it broke off.
    pub async fn read(self) -> Result<Bytes, Problem> {
        let too_large = || {
            Problem::new(Kind::BodyTooLarge)
                .detail(format!("the body may have at most {} bytes", self.bytes_max))
                .member("bytes_max", self.bytes_max)
        };
        if self.body.size_hint().lower() > self.bytes_max as u64 {
            return Err(too_large());
        }
        match Limited::new(self.body, self.bytes_max).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
            Err(error) => {
                let problem = match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                    Some(ErrorKind::TimedOut) => {
                        Problem::new(Kind::RequestTimeout).detail("the rest of the body did not come")
                    }
                    _ => Problem::new(Kind::InvalidBody).detail("the body ended before its end"),
                };
                Err(problem.cause(std::io::Error::other(error)))
            }
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body.fmt(f)
    }
}
