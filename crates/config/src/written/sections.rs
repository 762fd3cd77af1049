//! The sections that hold for the whole app: server, admin, log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, False, OrFalse, SecretText, SizeText};

/// The public listener.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    /// Where requests are taken: an IP address and a port. Port 0 lets the system choose one.
    #[schemars(extend("x-form" = "address"), example = &"0.0.0.0:8080", example = &"[::1]:8080")]
    pub(crate) listen: String,

    /// Where metrics, health, the dashboard and purging are served: never on the public listener. `false`
    /// switches it off. An address that is not loopback needs `admin.token`.
    #[schemars(with = "OrFalse<AddressText>", example = &"127.0.0.1:9090")]
    pub(crate) admin: OrFalse<String>,

    /// Threads that serve. Without it, one per core.
    #[schemars(range(min = 1, max = 1024), example = 4)]
    pub(crate) threads: Option<u32>,

    /// How long requests in progress may go on after SIGTERM, before they are cut.
    pub(crate) drain: DurationText,

    /// The name by which this server says that a message went through it, in `Via` and in `CDN-Loop`: a token or a
    /// host. A request that comes back under it is answered 508. Without it, each process has one of its own in
    /// `CDN-Loop`, and all are `kasoku` in `Via`.
    #[schemars(example = &"edge-1.example.com")]
    pub(crate) pseudonym: Option<String>,

    /// A path at which callers find the API's description in OpenAPI 3.1, such as `/openapi.json`. Without it, it is on the
    /// admin listener alone.
    #[schemars(example = &"/openapi.json")]
    pub(crate) openapi: Option<String>,

    /// Signs the cursors of pages: 16 bytes or more. Without it, one is made at the first start and kept beside
    /// the database. Set it where several servers answer for each other.
    #[schemars(example = &"env:CURSOR_SECRET", example = &"file:/run/secrets/cursor")]
    pub(crate) secret: Option<SecretText>,

    /// Speaks TLS on `listen`, with HTTP/2 and HTTP/1.1 by ALPN.
    pub(crate) tls: Option<Tls>,

    /// Limits of each connection. None of them can be switched off.
    pub(crate) limits: Limits,
}

/// The schema of an address that stands among other forms.
#[derive(JsonSchema)]
#[serde(transparent)]
#[expect(dead_code, reason = "only its schema is used")]
struct AddressText(#[schemars(extend("x-form" = "address"))] String);

/// Certificate and key, as PEM files. Relative paths start at the app's folder.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// The file with the certificate chain, the server's own first.
    #[schemars(extend("x-form" = "file"), example = &"cert.pem")]
    pub(crate) certificate: String,

    /// The file with its private key.
    #[schemars(extend("x-form" = "file"), example = &"key.pem")]
    pub(crate) key: String,
}

/// Limits of each connection.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Connections at once. Further ones wait in the system's queue.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) connections: u32,

    /// From the start of a request to the end of its header section.
    pub(crate) header_timeout: DurationText,

    /// Between two reads of a request's body.
    pub(crate) body_timeout: DurationText,

    /// A connection without a request in progress is closed after this.
    pub(crate) idle_timeout: DurationText,

    /// For a TLS handshake.
    pub(crate) handshake_timeout: DurationText,

    /// A caller that takes nothing of its answer for this long is cut.
    pub(crate) write_timeout: DurationText,

    /// Size of a request's header section; more is answered with 431.
    pub(crate) header_bytes: SizeText,

    /// Fields in a request's header section; more is answered with 431.
    #[schemars(range(min = 8, max = 1_000))]
    pub(crate) header_fields: u32,

    /// Size of a request's body; more is answered with 413. A route can set its own with `body`.
    pub(crate) body: SizeText,

    /// Requests at once on an HTTP/2 connection.
    #[schemars(range(min = 1, max = 1_000))]
    pub(crate) streams: u32,
}

/// Who may use the admin listener.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Admin {
    /// Must be sent as `Authorization: Bearer …` to the admin listener: 16 bytes or more. Without it, the admin
    /// listener accepts everyone, and must be on a loopback address.
    #[schemars(example = &"env:ADMIN_TOKEN", example = &"file:/run/secrets/admin")]
    pub(crate) token: Option<SecretText>,
}

/// What is logged and how.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// `text` for people, `json` for machines: one object a line.
    pub(crate) format: LogFormatName,

    /// The least severe level that is shown: `error`, `warn`, `info`, `debug` or `trace`; for single parts after
    /// a comma.
    #[schemars(example = &"info,kasoku_database=debug")]
    pub(crate) level: String,

    /// The share of answered requests that the access log shows, from 0 to 1. Failed ones are always shown.
    #[schemars(range(min = 0.0, max = 1.0), example = 1.0)]
    pub(crate) access: f64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormatName {
    Text,
    Json,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            admin: OrFalse::On("127.0.0.1:9090".into()),
            threads: None,
            drain: DurationText::seconds(30),
            pseudonym: None,
            openapi: None,
            secret: None,
            tls: None,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            header_timeout: DurationText::seconds(10),
            body_timeout: DurationText::seconds(30),
            idle_timeout: DurationText::seconds(60),
            handshake_timeout: DurationText::seconds(10),
            write_timeout: DurationText::seconds(30),
            header_bytes: SizeText::kib(16),
            header_fields: 100,
            body: SizeText::mib(2),
            streams: 100,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormatName::Text, level: "info".into(), access: 0.01 }
    }
}

impl<T> OrFalse<T> {
    /// What was switched on, if it was.
    pub(crate) fn on(&self) -> Option<&T> {
        match self {
            Self::Off(False) => None,
            Self::On(value) => Some(value),
        }
    }
}
