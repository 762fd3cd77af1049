//! The right to send one request on a connection, and what becomes of the connection after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use futures_util::future::Either;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Request, Response, Uri, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::Server;
use crate::pool::Pool;
use crate::upload::Sending;

/// A connection for one request.
pub(crate) enum Lease {
    One(One),
    Many(Many),
}

/// An HTTP/1.1 connection. Dropped before it is given back, it is closed.
pub(crate) struct One {
    pub(crate) pool: Arc<Pool>,
    pub(crate) number: u64,
    pub(crate) sender: http1::SendRequest<Sending>,
    pub(crate) permit: OwnedSemaphorePermit,
    pub(crate) reused: bool,
}

/// A place on an HTTP/2 connection.
pub(crate) struct Many {
    sender: http2::SendRequest<Sending>,
    requests: Arc<AtomicUsize>,
    reused: bool,
}

impl Many {
    /// Set while the connection was in use since somebody looked last.
    pub(crate) const USED: usize = 1 << (usize::BITS - 1);

    pub(crate) fn new(sender: http2::SendRequest<Sending>, requests: &Arc<AtomicUsize>) -> Self {
        requests.fetch_add(1, Relaxed);
        requests.fetch_or(Self::USED, Relaxed);
        Self { sender, requests: Arc::clone(requests), reused: true }
    }

    pub(crate) fn fresh(sender: http2::SendRequest<Sending>, requests: &Arc<AtomicUsize>) -> Self {
        let mut many = Self::new(sender, requests);
        many.reused = false;
        many
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        self.requests.fetch_sub(1, Relaxed);
    }
}

impl Lease {
    /// Whether requests were sent on the connection before: then the server may have closed it just now.
    pub(crate) fn is_reused(&self) -> bool {
        match self {
            Self::One(one) => one.reused,
            Self::Many(many) => many.reused,
        }
    }

    /// Whether the connection can tell of the consent to a body.
    pub(crate) fn tells_interim(&self) -> bool {
        matches!(self, Self::One(_))
    }

    /// Sends a request, and gives the head of the answer.
    pub(crate) fn send(
        &mut self,
        mut request: Request<Sending>,
        server: &Server,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Sending>>>> {
        match self {
            Self::One(one) => {
                dress_http1(&mut request, server);
                Either::Left(one.sender.try_send_request(request))
            }
            Self::Many(many) => {
                dress_http2(&mut request, server);
                Either::Right(many.sender.try_send_request(request))
            }
        }
    }

    /// Gives the connection back after an answer's end.
    pub(crate) fn give_back(self) {
        let Self::One(mut one) = self else { return };
        if one.sender.is_ready() {
            return one.keep();
        }
        // The rest of the request may still be on its way.
        tokio::spawn(async move {
            let wait = one.pool.idle_timeout();
            if let Ok(Ok(())) = timeout(wait, one.sender.ready()).await {
                one.keep();
            }
        });
    }
}

impl One {
    fn keep(self) {
        self.pool.keep(self.number, self.sender);
        drop(self.permit);
    }
}

/// HTTP/1.1 names its host in a field, and says how a body of unknown length ends.
fn dress_http1(request: &mut Request<Sending>, server: &Server) {
    *request.version_mut() = Version::HTTP_11;
    if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, server.host_field());
    }
    let body = request.body();
    if !body.is_end_stream() && body.size_hint().exact().is_none() {
        request.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// HTTP/2 names its host in the target (RFC 9113 §8.3.1), and has no options of a connection (§8.2.2).
fn dress_http2(request: &mut Request<Sending>, server: &Server) {
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(CONNECTION);
    request.headers_mut().remove(UPGRADE);
    let host = request.headers_mut().remove(HOST).unwrap_or_else(|| server.host_field());
    let path = request.uri().path_and_query().cloned();
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(server.scheme().clone());
    parts.authority = Authority::try_from(host.as_bytes()).ok().or_else(|| Some(server.authority().clone()));
    parts.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(parts).expect("it has all of its parts");
}

/// A request that was dressed and not sent, as it was before.
pub(crate) fn undress(request: &mut Request<Sending>, names_host: bool) {
    request.headers_mut().remove(TRANSFER_ENCODING);
    let host = request.uri().authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    if let Some(Ok(host)) = host {
        request.headers_mut().insert(HOST, host);
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    }
    if !names_host {
        request.headers_mut().remove(HOST);
    }
}
