//! One connection from its first byte to its last: TLS, protocol, hyper, what may follow it, timeouts, drain, and a
//! decent farewell.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::uri::Scheme;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kasoku_config::ConnectionLimits;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::body::Leaving;
use super::drive::{DRAIN_GRACE, Ended, Resting, drive};
use super::pulse::{Cut, Pulse, Watch};
use super::serve::{Connection, Shared, serve};
use super::stream::{Protocol, Stream, Watched};
use super::tunnel::Tunnel;
use crate::drain::{AtRest, Drain, InFlight, Tally};

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
    let scheme = if tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP };
    let pulse = Arc::new(Pulse::new());
    let mut watch = Watch::new(&shared.limits, Instant::now());
    let watched = Watched::new(tcp, Arc::clone(&pulse));
    let (protocol, stream) = match open(watched, tls, &shared.limits).await {
        Ok(opened) => opened,
        Err(reason) => return Ended::Unopened(reason),
    };
    let connection = Arc::new(Connection { shared, peer, scheme, pulse, tally, joined: Mutex::default() });
    let service = service_fn({
        let connection = Arc::clone(&connection);
        move |request| serve(&connection, request)
    });
    match protocol {
        Protocol::Http1 => run_http1(&protocols.http1, stream, service, &connection, &mut watch).await,
        Protocol::Http2 => {
            connection.pulse.speaks_frames();
            let mut http = protocols.http2.serve_connection(TokioIo::new(stream), service);
            drive(&mut http, &connection.shared, &connection.pulse, &mut watch).await
        }
    }
}

/// Serves HTTP/1. A connection that rests is taken out of hyper, whose buffers would be kept, and put into it
/// again when something comes.
async fn run_http1<S>(
    http1: &http1::Builder,
    mut stream: Stream,
    mut service: S,
    connection: &Arc<Connection>,
    watch: &mut Watch,
) -> Ended
where
    S: HttpService<Incoming, ResBody = Leaving, Error = Infallible>,
{
    let Connection { shared, pulse, tally, joined, .. } = &**connection;
    loop {
        let mut http = http1.serve_connection(TokioIo::new(stream), service);
        let ended = drive(&mut http, shared, pulse, watch).await;
        let parts = http.into_parts();
        let mut rest = parts.io.into_inner();
        let upgrade = joined.lock().take();
        if let Some(upgrade) = upgrade.filter(|_| ended == Ended::Done) {
            // What was read already is no longer HTTP.
            rest.put_back(parts.read_buf);
            let mut tunnel = Tunnel::new(rest, upgrade, InFlight::begin(Arc::clone(connection)));
            return drive(&mut tunnel, shared, pulse, watch).await;
        }
        if ended != Ended::Resting {
            farewell(rest, ended, pulse, &shared.drain).await;
            return ended;
        }
        put_back(&mut rest, parts.read_buf, pulse);
        let mut resting = Resting::new(rest);
        let ended = {
            let _at_rest = AtRest::new(tally);
            drive(&mut resting, shared, pulse, watch).await
        };
        if ended != Ended::Woken {
            return ended;
        }
        (stream, service) = (resting.into_stream(), parts.service);
    }
}

/// Puts back what was read of a next request: its head has begun. Line ends before it mean nothing (RFC 9112
/// §2.2).
fn put_back(stream: &mut Stream, mut bytes: Bytes, pulse: &Pulse) {
    let line_ends = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    bytes.advance(line_ends);
    if !bytes.is_empty() {
        pulse.read(bytes.len());
        stream.put_back(bytes);
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
            Ok((protocol, Stream::tls(stream)))
        }
        Ok(Err(_)) => Err("handshake-failed"),
        Err(_) => Err("handshake-timeout"),
    }
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
