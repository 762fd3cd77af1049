//! A body that holds a place until it has ended.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use kasoku_pipeline::BodyError;

use super::Place;

/// A stream and the place that it takes.
pub(super) struct HeldBody {
    stream: UnsyncBoxBody<Bytes, BodyError>,
    place: Option<Place>,
}

impl HeldBody {
    pub(super) fn new(stream: UnsyncBoxBody<Bytes, BodyError>, place: Place) -> Self {
        Self { stream, place: Some(place) }
    }
}

impl Body for HeldBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = Pin::new(&mut self.stream).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            // Whoever reads it may keep the body around for a while after its end.
            self.place = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.stream.size_hint()
    }
}
