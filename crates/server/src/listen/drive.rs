//! The watch over a connection while it is served: its timeouts, its rest, its end when the server ends.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::HttpService;
use kasoku_pipeline::BodyError;
use tokio::task::coop::has_budget_remaining;
use tokio::time::sleep;

use super::pulse::{Cut, Pulse, Watch};
use super::serve::Shared;
use super::stream::Stream;

/// While draining, a connection with no request in progress is kept this long, so that a request that is on its
/// way is still answered.
pub(super) const DRAIN_GRACE: Duration = Duration::from_millis(100);

/// A connection that has had no request in progress for this long rests.
const REST_AFTER: Duration = Duration::from_secs(1);

/// How a connection, or a stage of its life, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Both sides were done, or the peer left.
    Done,
    /// The peer did not speak HTTP, or broke its rules.
    Malformed,
    /// An answer could not be given to its end. Closing the connection is how the peer is told.
    Broken,
    /// It was cut.
    Cut(Cut),
    /// It never came to HTTP; the reason is for metrics.
    Unopened(&'static str),
    /// Nothing has been asked for a while, and nothing is half done.
    Resting,
    /// Something came, after a rest.
    Woken,
}

/// A connection, or a stage of its life.
pub(super) trait Stage {
    /// Whether a request may still come that the peer sent before it could know of the end. HTTP/2 tells the
    /// peer by GOAWAY which requests were not taken (RFC 9113 §6.8); HTTP/1 cannot.
    const WAITS_FOR_REQUESTS: bool;

    /// Whether it ends by itself when nothing has been asked for a while.
    const RESTS: bool;

    /// Goes on, to the end if it comes.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ended>;

    /// Answers what is in progress, and takes nothing new.
    fn wind_up(&mut self);
}

/// An HTTP/1 connection outside of hyper, until something comes.
pub(super) struct Resting {
    stream: Stream,
    is_over: bool,
}

/// Polls a stage to its end, and looks at its pulse now and then. Nothing here is done per request but to
/// ask two flags.
pub(super) async fn drive<S: Stage>(
    stage: &mut S,
    shared: &Shared,
    pulse: &Pulse,
    watch: &mut Watch,
) -> Ended {
    let interval = Watch::interval(&shared.limits);
    let mut begun = pin!(shared.drain.begun());
    let mut tick = pin!(sleep(interval));
    let mut is_armed = false;
    let mut is_winding_up = false;
    poll_fn(|context| {
        loop {
            if let Poll::Ready(ended) = stage.poll(context) {
                return Poll::Ready(ended);
            }
            if !is_armed {
                is_armed = begun.as_mut().poll(context).is_pending()
                    && tick.as_mut().poll(context).is_pending()
                    && is_armed_for_certain();
            }
            let is_due = tick.is_elapsed();
            if is_due && let Some(cut) = watch.check(pulse, Instant::now()) {
                return Poll::Ready(Ended::Cut(cut));
            }
            if shared.drain.is_draining() && !is_winding_up {
                is_winding_up = !S::WAITS_FOR_REQUESTS
                    || !pulse.is_idle() && !pulse.is_mid_head()
                    || pulse.is_idle() && watch.idle_for(pulse, Instant::now()) >= DRAIN_GRACE;
                if is_winding_up {
                    stage.wind_up();
                    continue;
                }
                tick.as_mut().reset(tokio::time::Instant::now() + DRAIN_GRACE / 4);
            } else if is_due {
                if S::RESTS && pulse.is_at_rest() && watch.idle_for(pulse, Instant::now()) >= REST_AFTER {
                    return Poll::Ready(Ended::Resting);
                }
                tick.as_mut().reset(tokio::time::Instant::now() + interval);
            } else {
                return Poll::Pending;
            }
            if tick.as_mut().poll(context).is_pending() {
                is_armed = is_armed_for_certain();
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Whether a timer that was polled just now, and is pending, will wake the task. A stage that does much in one go may
/// have spent the task's budget: then the timer was not asked at all, and the task is woken to ask again.
fn is_armed_for_certain() -> bool {
    has_budget_remaining()
}

impl Resting {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, is_over: false }
    }

    pub(super) fn into_stream(self) -> Stream {
        self.stream
    }
}

impl Stage for Resting {
    const WAITS_FOR_REQUESTS: bool = true;
    const RESTS: bool = false;

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        if self.is_over {
            return Poll::Ready(Ended::Done);
        }
        ready!(self.stream.poll_wake(context));
        Poll::Ready(Ended::Woken)
    }

    fn wind_up(&mut self) {
        self.is_over = true;
    }
}

impl<I, B, S> Stage for http1::Connection<I, S>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<BodyError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<BodyError>,
{
    const WAITS_FOR_REQUESTS: bool = true;
    const RESTS: bool = true;

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        Future::poll(Pin::new(self), context).map(ended)
    }

    fn wind_up(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}

impl<I, B, S, E> Stage for http2::Connection<I, S, E>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<BodyError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<BodyError>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    const WAITS_FOR_REQUESTS: bool = false;
    const RESTS: bool = false;

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        Future::poll(Pin::new(self), context).map(ended)
    }

    fn wind_up(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}

fn ended(result: hyper::Result<()>) -> Ended {
    match result {
        Err(error) if error.is_parse() => Ended::Malformed,
        Err(error) if error.is_user() => Ended::Broken,
        Ok(()) | Err(_) => Ended::Done,
    }
}
