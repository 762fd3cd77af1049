//! A client that shows answers as they came: no redirects, no decoding, no retries.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client as Pooled, Error as PooledError};
use hyper_util::rt::TokioExecutor;

use crate::Identity;
use crate::connector::Connector;

/// Sends requests to one server over kept-alive connections.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    pooled: Pooled<Connector, Full<Bytes>>,
}

/// A whole answer.
#[derive(Clone)]
pub struct Answer {
    /// The protocol that it came by.
    pub version: Version,
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body, as it was sent.
    pub body: Bytes,
}

impl Client {
    /// A client of the server at this address.
    pub fn new(address: impl fmt::Display) -> Self {
        let pooled = Pooled::builder(TokioExecutor::new()).build(Connector::plain());
        Self { base: format!("http://{address}"), pooled }
    }

    /// A client that knows that the server speaks HTTP/2, without TLS.
    pub fn http2(address: impl fmt::Display) -> Self {
        let pooled = Pooled::builder(TokioExecutor::new()).http2_only(true).build(Connector::plain());
        Self { base: format!("http://{address}"), pooled }
    }

    /// A client that speaks TLS, trusts this certificate only, and offers these protocols, as `h2` and `http/1.1`.
    pub fn secure(address: impl fmt::Display, identity: &Identity, protocols: &[&str]) -> Self {
        let pooled = Pooled::builder(TokioExecutor::new()).build(Connector::secure(identity, protocols));
        Self { base: format!("https://{address}"), pooled }
    }

    /// Sends a GET.
    pub async fn get(&self, target: &str) -> Answer {
        self.send(Method::GET, target, &[], "").await
    }

    /// Sends a GET with header fields.
    pub async fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, target, headers, "").await
    }

    /// Sends a JSON body.
    pub async fn json(&self, method: Method, target: &str, body: &serde_json::Value) -> Answer {
        self.send(method, target, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Sends a request.
    ///
    /// # Panics
    /// If no answer comes back.
    pub async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let line = format!("{method} {target}");
        let sent = self.try_send(method, target, headers, body).await;
        sent.unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// Sends a request that may fail on the way.
    pub async fn try_send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = Request::builder().method(method).uri(format!("{}{target}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.pooled.request(request.body(Full::new(body.into()))?).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { version: head.version, status: head.status, headers: head.headers, body })
    }
}

/// Whether a request failed because the server takes no more of them, and so has not been done: no connection was
/// taken, or the one there was is going away and this request came too late for it (RFC 9113 §6.8).
pub fn was_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let Some(error) = error.downcast_ref::<PooledError>() else { return false };
    let cause = std::error::Error::source(error).and_then(std::error::Error::source);
    let went_away = cause.and_then(|cause| cause.downcast_ref::<h2::Error>()).is_some_and(|error| {
        error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
    });
    error.is_connect() || went_away
}

impl Answer {
    /// A header field as text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a field of visible characters"))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The word of `X-Cache`.
    pub fn cache(&self) -> &str {
        self.header("x-cache")
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}
