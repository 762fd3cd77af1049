//! A source that asks nobody: it tells what the real one would do, and answers as a script says.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use kasoku_coherence::{Sequence, Tag};
use kasoku_http_caching::pseudonym::Pseudonym;
use kasoku_pipeline::{Body, BodyError, BoxFuture, Foresight, Outcome, Promises, Request, Response, Source};
use kasoku_problem::{Kind, Problem};
use kasoku_source_origin::received;
use parking_lot::Mutex;

use super::question::Recorded;

/// What the stand-ins of a rehearsal share.
#[derive(Default)]
pub(super) struct Script {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: Answers,
    asked: Vec<Asked>,
}

/// How sources answer.
#[derive(Debug, Clone, Default)]
pub(super) enum Answers {
    /// With something, of which nothing is known.
    #[default]
    Anything,
    /// With this, part by part as it comes from a connection.
    Streamed(Recorded),
    /// With this, in one piece.
    Whole(Recorded),
    /// They cannot be reached.
    Nothing,
}

/// A request that came as far as its source.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) foresight: Foresight,
    pub(super) promises: Promises,
}

/// See the module.
pub(super) struct StandIn {
    pub(super) real: Arc<dyn Source>,
    pub(super) script: Arc<Script>,
}

impl Script {
    /// Has sources answer so from now on.
    pub(super) fn set(&self, answers: Answers) {
        self.state.lock().answers = answers;
    }

    /// What came since it was last asked.
    pub(super) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().asked)
    }
}

impl Source for StandIn {
    fn promises(&self) -> &Promises {
        self.real.promises()
    }

    fn negotiate(&self, request: &mut Request) -> Result<(), Problem> {
        self.real.negotiate(request)
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let kept = request.again();
            let method = request.method.clone();
            let foresight = self.real.foresee(request)?;
            let asked = Asked {
                request: kept,
                foresight: foresight.clone(),
                promises: Promises { depends_on: Vec::new(), ..self.promises().clone() },
            };
            let answers = {
                let mut state = self.script.state.lock();
                state.asked.push(asked);
                state.answers.clone()
            };
            answer(answers, foresight, &method)
        })
    }
}

fn answer(answers: Answers, foresight: Foresight, method: &Method) -> Outcome {
    let (recorded, is_streamed) = match answers {
        Answers::Nothing => return Err(Problem::new(Kind::Unavailable).into()),
        Answers::Anything => return Ok(anything(foresight)),
        Answers::Streamed(recorded) => (recorded, true),
        Answers::Whole(recorded) => (recorded, false),
    };
    let (mut head, ()) = http::Response::new(()).into_parts();
    (head.status, head.headers, head.version) = (recorded.status, recorded.headers, Version::HTTP_11);
    let is_bare = recorded.body_bytes == 0 || *method == Method::HEAD;
    let body = match is_bare {
        true => Body::Empty,
        false if is_streamed => Body::stream(Declared::new(recorded.body, recorded.body_bytes)),
        false => Body::Full(whole(&recorded.body, recorded.body_bytes)),
    };
    received(head, body, method, &Pseudonym::unique())
}

/// An answer that depends on what is foreseen.
fn anything(foresight: Foresight) -> Response {
    let mut response = Response::ok(Body::from("[]"));
    if let Foresight::Read { tags, purged_by, .. } = foresight {
        let tags: Vec<Tag> = tags.into_iter().chain(purged_by).map(|(tag, _)| tag).collect();
        response.tags = tags.into();
        response.snapshot = Some(Sequence::new().snapshot());
    }
    response
}

/// A body of which only the length was noted is one of zeros, up to this.
const INVENTED_MAX: u64 = 64 << 20;

fn whole(noted: &Bytes, length: u64) -> Bytes {
    if noted.is_empty() { Bytes::from(vec![0; length.min(INVENTED_MAX) as usize]) } else { noted.clone() }
}

/// A body as it comes from a connection: with its length said beforehand.
struct Declared {
    noted: Bytes,
    left: u64,
}

impl Declared {
    fn new(noted: Bytes, length: u64) -> Self {
        Self { noted, left: length }
    }
}

impl HttpBody for Declared {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        static ZEROS: [u8; 16 << 10] = [0; 16 << 10];
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let part = if self.noted.is_empty() {
            Bytes::from_static(&ZEROS[..ZEROS.len().min(self.left as usize)])
        } else {
            std::mem::take(&mut self.noted)
        };
        self.left = self.left.saturating_sub(part.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
