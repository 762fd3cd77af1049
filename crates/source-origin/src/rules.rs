//! What an origin route does, as its settings say it.

use std::time::Duration;

use kasoku_http_caching::pseudonym::Pseudonym;
use kasoku_origin_client::ClientSettings;

use crate::TrustedProxies;

/// How requests go to an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginRules {
    /// The servers, and how they are spoken with.
    pub client: ClientSettings,
    /// Which host the origin is told.
    pub host: HostRule,
    /// By which name this server says that a message went through it.
    pub pseudonym: Pseudonym,
    /// Who may say on whose behalf it asks.
    pub trusted: TrustedProxies,
    /// Whether paths may lead out of where they begin.
    pub climbing: Climbing,
    /// What is taken from the beginning of each path, without a slash at its end.
    pub strip: Option<String>,
    /// Bytes of a request's body.
    pub body_bytes_max: u64,
    /// A connection that went over to another protocol ends when both sides were silent for this long.
    pub silence_max: Duration,
}

/// Whether `..` may stand in a path. The origin makes of it what it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Climbing {
    /// The whole origin is served: there is nothing outside.
    Allowed,
    /// A part of it is served, which a path must not leave.
    Refused,
}

/// Which host an origin is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostRule {
    /// The one that the caller asked for.
    #[default]
    Caller,
    /// Its own.
    Origin,
}
