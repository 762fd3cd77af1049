//! A source that reads bodies up to the limit of its route, which may be below that of the server.
//!
//! Origins are sent bodies as they come, and whole files of rows are taken in parts: both have limits of their own.

use kasoku_pipeline::{BoxFuture, Foresight, Outcome, Promises, Request, Source};
use kasoku_problem::Problem;

/// A source, and the size of the bodies that it reads.
pub(crate) struct Bounded<S> {
    pub(crate) source: S,
    pub(crate) body_bytes_max: usize,
}

impl<S: Source> Source for Bounded<S> {
    fn promises(&self) -> &Promises {
        self.source.promises()
    }

    fn answer(&self, mut request: Request) -> BoxFuture<'_, Outcome> {
        request.body.bound(self.body_bytes_max);
        self.source.answer(request)
    }

    fn negotiate(&self, request: &mut Request) -> Result<(), Problem> {
        self.source.negotiate(request)
    }

    fn foresee(&self, request: Request) -> Result<Foresight, Problem> {
        self.source.foresee(request)
    }
}
