//! One connection from its first byte to its last: TLS, protocol, hyper, timeouts, drain, and a decent farewell.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kasoku_config::ConnectionLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::pulse::{Cut, Pulse, Watch};
use super::serve::{Connection, Shared, serve};
use super::stream::{Protocol, Stream, Watched};
use crate::drain::{Drain, Tally};

/// While draining, a connection with no request in progress is kept this long, so that a request that is on its
/// way is still answered.
const DRAIN_GRACE: Duration = Duration::from_millis(100);

/// After an answer that ends the connection, what the peer still sends is read and dropped for this long;
/// otherwise the system would reset the connection, and the peer might never see the answer.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 1 << 20;

/// What an HTTP/2 peer may send before anybody reads it: per stream, and on all streams together.
const STREAM_WINDOW_BYTES: u32 = 65_535;
const CONNECTION_WINDOW_BYTES: u32 = 262_144;

/// Resets that a peer may cause: of streams not yet accepted, and by its own errors (CVE-2023-44487,
/// CVE-2025-8671).
const PENDING_RESETS_MAX: usize = 20;
const ERROR_RESETS_MAX: usize = 1_024;

/// hyper's smallest read buffer; also the most that it reads ahead for a body that nobody takes.
const BUFFER_BYTES_MIN: usize = 8_192;

/// hyper counts this many header fields without an allocation.
const FIELDS_FREE: usize = 100;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Both sides were done, or the peer left.
    Done,
    /// The peer did not speak HTTP, or broke its rules.
    Malformed,
    /// It was cut.
    Cut(Cut),
    /// It never came to HTTP; the reason is for metrics.
    Unopened(&'static str),
}

/// What is the same for all connections of a listener, in hyper's terms.
pub(crate) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    pub(crate) fn new(limits: &ConnectionLimits) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .header_read_timeout(None)
            .max_header_size(limits.header_bytes_max)
            .max_buf_size(limits.header_bytes_max.max(BUFFER_BYTES_MIN) + BUFFER_BYTES_MIN);
        if limits.header_fields_max != FIELDS_FREE {
            http1.max_headers(limits.header_fields_max);
        }
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
            .max_concurrent_streams(limits.streams_max)
            .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
            .max_local_error_reset_streams(ERROR_RESETS_MAX)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(CONNECTION_WINDOW_BYTES as usize)
            .keep_alive_interval((limits.idle_timeout / 2).max(Duration::from_millis(1)))
            .keep_alive_timeout(limits.write_timeout);
        Self { http1, http2 }
    }
}

/// Serves a connection to its end.
pub(crate) async fn run(
    tcp: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    protocols: Arc<Protocols>,
    tally: Arc<Tally>,
) -> Ended {
    let pulse = Arc::new(Pulse::new());
    let mut watch = Watch::new(&shared.limits, Instant::now());
    let watched = Watched::new(tcp, Arc::clone(&pulse));
    let (protocol, stream) = match open(watched, tls, &shared.limits).await {
        Ok(opened) => opened,
        Err(reason) => return Ended::Unopened(reason),
    };
    let connection = Arc::new(Connection { shared, peer, pulse, tally });
    let shared = Arc::clone(&connection.shared);
    let pulse = Arc::clone(&connection.pulse);
    let service = service_fn(move |request| serve(Arc::clone(&connection), request));
    let io = TokioIo::new(stream);
    match protocol {
        Protocol::Http1 => {
            let mut http = protocols.http1.serve_connection(io, service);
            let ended = drive(&mut http, &shared, &pulse, &mut watch).await;
            farewell(http.into_parts().io.into_inner(), ended, &pulse, &shared.drain).await;
            ended
        }
        Protocol::Http2 => {
            pulse.speaks_frames();
            let mut http = protocols.http2.serve_connection(io, service);
            drive(&mut http, &shared, &pulse, &mut watch).await
        }
    }
}

/// Speaks TLS if it is to be spoken, and finds out which HTTP follows.
async fn open(
    watched: Watched,
    tls: Option<TlsAcceptor>,
    limits: &ConnectionLimits,
) -> Result<(Protocol, Stream), &'static str> {
    let Some(acceptor) = tls else {
        return match timeout(limits.header_timeout, watched.detect()).await {
            Ok(Ok(opened)) => Ok(opened),
            Ok(Err(_)) => Err("reset"),
            Err(_) => Err(Cut::Head.reason()),
        };
    };
    match timeout(limits.handshake_timeout, acceptor.accept(watched)).await {
        Ok(Ok(stream)) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let protocol = if is_http2 { Protocol::Http2 } else { Protocol::Http1 };
            Ok((protocol, Stream::Tls(Box::new(stream))))
        }
        Ok(Err(_)) => Err("handshake-failed"),
        Err(_) => Err("handshake-timeout"),
    }
}

/// A connection as hyper serves it.
trait Http: Future<Output = hyper::Result<()>> + Unpin {
    /// Answers what is in progress, and takes nothing new.
    fn wind_up(&mut self);

    /// Whether a request may still come that the peer sent before it could know of the end. HTTP/2 tells the
    /// peer by GOAWAY which requests were not taken (RFC 9113 §6.8); HTTP/1 cannot.
    const WAITS_FOR_REQUESTS: bool;
}

/// Polls a connection to its end, and looks at its pulse now and then. Nothing here is done per request but to
/// ask two flags.
async fn drive<H: Http>(http: &mut H, shared: &Shared, pulse: &Pulse, watch: &mut Watch) -> Ended {
    let interval = Watch::interval(&shared.limits);
    let mut begun = pin!(shared.drain.begun());
    let mut tick = pin!(sleep(interval));
    let mut is_armed = false;
    let mut is_winding_up = false;
    poll_fn(|context| {
        loop {
            if let Poll::Ready(result) = Pin::new(&mut *http).poll(context) {
                return Poll::Ready(match result {
                    Err(error) if error.is_parse() => Ended::Malformed,
                    Ok(()) | Err(_) => Ended::Done,
                });
            }
            if !is_armed {
                is_armed =
                    begun.as_mut().poll(context).is_pending() && tick.as_mut().poll(context).is_pending();
            }
            let is_due = tick.is_elapsed();
            if is_due && let Some(cut) = watch.check(pulse, Instant::now()) {
                return Poll::Ready(Ended::Cut(cut));
            }
            if shared.drain.is_draining() && !is_winding_up {
                is_winding_up = !H::WAITS_FOR_REQUESTS
                    || !pulse.is_idle() && !pulse.is_mid_head()
                    || pulse.is_idle() && watch.idle_for(pulse, Instant::now()) >= DRAIN_GRACE;
                if is_winding_up {
                    http.wind_up();
                    continue;
                }
                tick.as_mut().reset(tokio::time::Instant::now() + DRAIN_GRACE / 4);
            } else if is_due {
                tick.as_mut().reset(tokio::time::Instant::now() + interval);
            } else {
                return Poll::Pending;
            }
            if tick.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Tells an HTTP/1 peer why it is cut, and lets it read what was answered last.
async fn farewell(mut stream: Stream, ended: Ended, pulse: &Pulse, drain: &Drain) {
    const REQUEST_TIMEOUT: &[u8] =
        b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let patience = if drain.is_draining() { DRAIN_GRACE } else { LINGER };
    match ended {
        Ended::Cut(Cut::Head) if pulse.is_mid_head() && !pulse.is_blocked() => {
            let told = async {
                stream.write_all(REQUEST_TIMEOUT).await?;
                stream.shutdown().await
            };
            // A peer that is cut may be gone; there is nobody else to tell.
            if !matches!(timeout(patience, told).await, Ok(Ok(()))) {
                return;
            }
        }
        Ended::Done | Ended::Malformed if !pulse.has_ended() => {}
        _ => return,
    }
    let rest = async {
        let mut taken = (&mut stream).take(LINGER_BYTES);
        tokio::io::copy(&mut taken, &mut tokio::io::sink()).await
    };
    // Whatever comes of it, the connection is closed now.
    drop(timeout(patience, rest).await);
}

impl<I, B, S> Http for http1::Connection<I, S>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<kasoku_pipeline::BodyError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<kasoku_pipeline::BodyError>,
{
    const WAITS_FOR_REQUESTS: bool = true;

    fn wind_up(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}

impl<I, B, S, E> Http for http2::Connection<I, S, E>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<kasoku_pipeline::BodyError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<kasoku_pipeline::BodyError>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    const WAITS_FOR_REQUESTS: bool = false;

    fn wind_up(&mut self) {
        Pin::new(self).graceful_shutdown();
    }
}
