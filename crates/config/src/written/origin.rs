//! What belongs to an `origin` of a route.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DurationText;

/// The URL of the server alone, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OriginOrUrl {
    Url(String),
    Origin(Origin),
}

/// HTTP servers that all answer alike.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Origin {
    /// Their URLs, without a path. They take turns; one that cannot be connected to is left out for a while.
    #[schemars(example = ["http://127.0.0.1:3000", "http://127.0.0.1:3001"])]
    pub(crate) servers: Vec<String>,

    /// Which host they are told: the one that the `caller` asked for, or the `origin`'s own.
    #[serde(default = "host")]
    pub(crate) host: HostName,

    /// What is spoken with them: `http1`, or `h2c`, which is HTTP/2 without TLS and cannot be found out. Without it,
    /// HTTP/1.1; with TLS, HTTP/2 where the server offers it.
    #[serde(default)]
    #[schemars(example = &"h2c")]
    pub(crate) protocol: Option<ProtocolName>,

    /// A file with certificates in PEM form that are trusted besides the well-known authorities.
    #[serde(default)]
    #[schemars(extend("x-form" = "file"), example = &"ca.pem")]
    pub(crate) ca: Option<String>,

    /// For a connection: name, TCP and TLS. Also how long a request waits for one to become free.
    #[serde(default = "connect_timeout")]
    pub(crate) connect_timeout: DurationText,

    /// Until the answer begins, once the request has been sent; later it is a 504.
    #[serde(default = "first_byte_timeout")]
    pub(crate) first_byte_timeout: DurationText,

    /// Between two parts of an answer; an answer that stands still for longer is cut.
    #[serde(default = "between_bytes_timeout")]
    pub(crate) between_bytes_timeout: DurationText,

    /// A connection on which nothing is asked is closed after this.
    #[serde(default = "idle_timeout")]
    pub(crate) idle_timeout: DurationText,

    /// A connection that went over to another protocol, such as a WebSocket, ends when both sides are silent for
    /// this long.
    #[serde(default = "silence_timeout")]
    pub(crate) silence_timeout: DurationText,

    /// Connections to each server, at the most.
    #[serde(default = "connections")]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) connections: u32,

    /// Addresses and networks of proxies before this server. They are believed when they say on whose behalf they
    /// ask (`X-Forwarded-For` and the like); from everybody else, such fields are dropped.
    #[serde(default)]
    #[schemars(example = ["10.0.0.0/8", "::1"])]
    pub(crate) trusted_proxies: Vec<String>,
}

/// Which host an origin is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HostName {
    Caller,
    Origin,
}

/// What is spoken with an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProtocolName {
    Http1,
    H2c,
}

impl Origin {
    /// One server, and the rest as it is by default.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            servers: vec![url.to_owned()],
            host: host(),
            protocol: None,
            ca: None,
            connect_timeout: connect_timeout(),
            first_byte_timeout: first_byte_timeout(),
            between_bytes_timeout: between_bytes_timeout(),
            idle_timeout: idle_timeout(),
            silence_timeout: silence_timeout(),
            connections: connections(),
            trusted_proxies: Vec::new(),
        }
    }
}

fn host() -> HostName {
    HostName::Caller
}

fn connect_timeout() -> DurationText {
    DurationText::seconds(5)
}

fn first_byte_timeout() -> DurationText {
    DurationText::seconds(30)
}

fn between_bytes_timeout() -> DurationText {
    DurationText::seconds(30)
}

fn idle_timeout() -> DurationText {
    DurationText::seconds(30)
}

fn silence_timeout() -> DurationText {
    DurationText::seconds(3_600)
}

fn connections() -> u32 {
    256
}
