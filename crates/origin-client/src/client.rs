//! One request, from the choice of a server to the head of its answer.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::header::{EXPECT, HOST, UPGRADE};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use kasoku_observe::Observer;
use tokio::time::timeout;

use crate::connect::Connector;
use crate::lease::{Lease, undress};
use crate::pool::{NoConnection, Pool, Wanted};
use crate::upload::{Progress, Sending};
use crate::{Answer, ClientSettings, Protocol, SendError, Upload, tls};

/// How often one request is handed to connections that turn out to be closed before any of it was sent.
const UNSENT_MAX: usize = 3;

/// Asks the servers of one origin.
pub struct Client {
    settings: ClientSettings,
    pools: Vec<Arc<Pool>>,
    turn: AtomicUsize,
}

/// A request on its way.
struct Errand {
    request: Request<Sending>,
    progress: Option<Arc<Progress>>,
    names_host: bool,
    /// Whether sending it twice does no more than sending it once (RFC 9110 §9.2.2), and it can be sent twice.
    repeatable: bool,
    unsent: usize,
}

/// How sending on one server ended without an answer.
enum Failed {
    /// Nothing was sent; another server may be asked.
    Unsent(Box<Errand>, SendError),
    /// The server may have seen the request.
    Sent(SendError),
}

impl Client {
    /// A client of these servers. It connects when it is asked something.
    ///
    /// # Panics
    /// If there is no server.
    pub fn new(settings: ClientSettings, observer: &Arc<dyn Observer>) -> Self {
        assert!(!settings.servers.is_empty(), "an origin has a server");
        let is_secure = settings.servers.iter().any(crate::Server::is_secure);
        let connector = |protocol| tls::connector(&settings.extra_roots, protocol);
        let tls = is_secure.then(|| (connector(settings.protocol), connector(Protocol::Http1)));
        let pools = settings.servers.iter().map(|server| {
            let tls = tls.clone().filter(|_| server.is_secure());
            let connector = Connector::new(server.clone(), settings.protocol, tls);
            let times = (settings.connect_timeout, settings.idle_timeout);
            Pool::new(server.clone(), connector, times, settings.connections_max, observer)
        });
        Self { pools: pools.collect(), turn: AtomicUsize::new(0), settings }
    }

    /// Sends a request, and gives the answer as soon as its head is there. The target is a path, with its query;
    /// without a `Host` field, the server's own is sent. The framing fields are the client's.
    ///
    /// A request of which nothing was sent is tried with the next server. One that was sent on a connection that the
    /// server closed just then is sent once more if its method allows that and it has no body.
    pub async fn send(&self, request: Request<Upload>) -> Result<Answer, SendError> {
        let mut errand = Errand::new(request);
        if let [only] = &self.pools[..] {
            return self.ask(only, errand).await.map_err(Failed::into_error);
        }
        let first = self.turn.fetch_add(1, Relaxed);
        let all =
            || (0..self.pools.len()).map(|step| &self.pools[(first.wrapping_add(step)) % self.pools.len()]);
        let awake = all().filter(|pool| !pool.rests());
        let resting = all().filter(|pool| pool.rests());
        let order: Vec<&Arc<Pool>> = awake.chain(resting).collect();
        let (last, before) = order.split_last().expect("an origin has a server");
        for pool in before {
            match self.ask(pool, errand).await {
                Err(Failed::Unsent(again, _)) => errand = *again,
                Err(Failed::Sent(error)) => return Err(error),
                Ok(answer) => return Ok(answer),
            }
        }
        self.ask(last, errand).await.map_err(Failed::into_error)
    }

    async fn ask(&self, pool: &Arc<Pool>, mut errand: Errand) -> Result<Answer, Failed> {
        let server = || pool.server.to_string();
        let switches =
            errand.request.headers().contains_key(UPGRADE) && self.settings.protocol != Protocol::Http2;
        let mut wanted = match (switches, errand.repeatable) {
            (true, _) => Wanted::Switchable,
            (false, true) => Wanted::Any,
            (false, false) => Wanted::Sure,
        };
        loop {
            let mut lease = match pool.take(wanted).await {
                Ok(lease) => lease,
                Err(NoConnection::Crowded) => {
                    return Err(Failed::Unsent(errand.into(), SendError::Crowded { server: server() }));
                }
                Err(NoConnection::Failed(error)) => {
                    let error = SendError::Unreachable { server: server(), error };
                    return Err(Failed::Unsent(errand.into(), error));
                }
            };
            let spare = (errand.repeatable && lease.is_reused()).then(|| errand.head());
            let Errand { mut request, progress, names_host, repeatable, unsent } = errand;
            if !lease.tells_interim() {
                request.headers_mut().remove(EXPECT);
            }
            let sent = {
                // Where it is: it has the request in it, and to move that costs more than to wait.
                let head = pin!(lease.send(request, &pool.server));
                within(head, progress.as_deref(), self.settings.first_byte_timeout).await
            };
            let mut error = match sent {
                None => {
                    let timeout = self.settings.first_byte_timeout;
                    return Err(Failed::Sent(SendError::Silent { server: server(), timeout }));
                }
                Some(Ok(response)) => {
                    if let Some(progress) = &progress {
                        progress.answered();
                    }
                    return self.answer(pool, response, lease).await.map_err(Failed::Sent);
                }
                Some(Err(error)) => error,
            };
            if let Some(mut request) = error.take_message() {
                undress(&mut request, names_host);
                let unsent = unsent + 1;
                errand = Errand { request, progress, names_host, repeatable, unsent };
                if unsent >= UNSENT_MAX {
                    let error = SendError::Broken { server: server(), error: error.into_error() };
                    return Err(Failed::Unsent(errand.into(), error));
                }
            } else if let Some(head) = spare.filter(|_| !error.error().is_parse()) {
                errand = Errand::from_head(head, names_host);
            } else if progress.is_some_and(|progress| progress.failed()) {
                return Err(Failed::Sent(SendError::Upload));
            } else {
                return Err(Failed::Sent(SendError::Broken { server: server(), error: error.into_error() }));
            }
            if wanted != Wanted::Switchable {
                wanted = Wanted::New;
            }
        }
    }

    async fn answer(
        &self,
        pool: &Pool,
        mut response: hyper::Response<hyper::body::Incoming>,
        lease: Lease,
    ) -> Result<Answer, SendError> {
        let between = self.settings.between_bytes_timeout;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (head, body) = response.into_parts();
            return Ok(Answer::whole(head, body, between, lease));
        }
        let broken = |error| SendError::Broken { server: pool.server.to_string(), error };
        let stream = hyper::upgrade::on(&mut response).await.map_err(broken)?;
        Ok(Answer::switched(response.into_parts(), between, stream, lease))
    }
}

impl Failed {
    fn into_error(self) -> SendError {
        let (Self::Unsent(_, error) | Self::Sent(error)) = self;
        error
    }
}

impl Errand {
    fn new(request: Request<Upload>) -> Self {
        let (head, body) = request.into_parts();
        let is_bare = body.is_end_stream();
        let progress = (!is_bare).then(|| {
            let held = head.headers.contains_key(EXPECT);
            Arc::new(if held { Progress::held() } else { Progress::default() })
        });
        let method = &head.method;
        let repeatable = is_bare && (method.is_idempotent() || *method == Method::TRACE);
        let names_host = head.headers.contains_key(HOST);
        let sending = Sending::new(body, progress.clone());
        let mut request = Request::from_parts(head, sending);
        if let Some(progress) = progress.clone() {
            hyper::ext::on_informational(&mut request, move |interim| {
                if interim.status() == StatusCode::CONTINUE {
                    progress.wanted();
                }
            });
        }
        Self { request, progress, names_host, repeatable, unsent: 0 }
    }

    /// All that there is of a request without a body.
    fn head(&self) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.request.method().clone();
        head.uri = self.request.uri().clone();
        head.headers = self.request.headers().clone();
        head
    }

    /// A request that is sent for the second time, and not for a third.
    fn from_head(head: Parts, names_host: bool) -> Self {
        let nothing = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let request = Request::from_parts(head, Sending::new(nothing, None));
        Self { request, progress: None, names_host, repeatable: false, unsent: 0 }
    }
}

/// Waits for a head no longer than this after the server took something of the request. Time in which the caller
/// keeps it waiting does not count.
async fn within<F: Future>(
    mut head: Pin<&mut F>,
    progress: Option<&Progress>,
    limit: Duration,
) -> Option<F::Output> {
    let mut mark = progress.map(Progress::mark);
    loop {
        if let Ok(head) = timeout(limit, head.as_mut()).await {
            return Some(head);
        }
        let seen = progress.map(Progress::mark);
        if seen == mark {
            return None;
        }
        mark = seen;
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn, ready};
    use std::task::Poll;

    use bytes::Bytes;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::BoxError;

    const LIMIT: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up_after_the_limit() {
        let start = Instant::now();
        assert!(within(pin!(pending::<()>()), None, LIMIT).await.is_none());
        assert_eq!(start.elapsed(), LIMIT);
        assert!(within(pin!(ready(())), None, LIMIT).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_is_slow_is_not_the_servers_fault() {
        let late = futures_util::stream::once(async {
            sleep(LIMIT * 10).await;
            Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"late")))
        });
        let progress = Arc::new(Progress::default());
        let mut body = Sending::new(StreamBody::new(late).boxed_unsync(), Some(Arc::clone(&progress)));
        let mut is_over = false;
        // A server that takes what there is, and says nothing when it has all of it.
        let taking = poll_fn(|context| {
            while !is_over {
                match std::pin::Pin::new(&mut body).poll_frame(context) {
                    Poll::Ready(frame) => is_over = frame.is_none(),
                    Poll::Pending => break,
                }
            }
            Poll::<()>::Pending
        });
        let start = Instant::now();
        assert!(within(pin!(taking), Some(&progress), LIMIT).await.is_none());
        assert!(start.elapsed() > LIMIT * 10, "{:?}", start.elapsed());
        assert!(start.elapsed() < LIMIT * 13, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_nobody_asks_for_is_sent_after_a_while_or_never() {
        let body = || {
            let part = futures_util::stream::once(ready(Ok::<_, BoxError>(Frame::data(Bytes::from("x")))));
            let progress = Arc::new(Progress::held());
            (Sending::new(StreamBody::new(part).boxed_unsync(), Some(Arc::clone(&progress))), progress)
        };
        let (mut unanswered, _progress) = body();
        let start = Instant::now();
        assert!(unanswered.frame().await.unwrap().is_ok());
        assert_eq!(start.elapsed(), LIMIT);
        let (mut wanted, progress) = body();
        progress.wanted();
        assert!(wanted.frame().await.unwrap().is_ok());
        let (mut refused, progress) = body();
        progress.answered();
        assert!(refused.frame().await.unwrap().is_err());
        assert_eq!(start.elapsed(), LIMIT, "neither waited");
    }
}
