//! The checked form of the configuration: what the server is built from.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::{Uri, uri::PathAndQuery};
use kasoku_observe::RouteName;
use kasoku_policies::identify::Requires;
use kasoku_policies::{admit::AdmitRules, cache::CacheRules, rfc9111::HttpCacheRules, shape::ShapeRules};
use kasoku_source_data::{BatchRules, TransferRules};
use kasoku_source_files::FilesRules;
use kasoku_source_origin::OriginRules;
use kasoku_sql_plan::proof::ProofRules;
use kasoku_sql_plan::{QueryRules, Schema, TableRules};

use crate::identity_plan::IdentitySettings;
use crate::{Secret, engine::EngineSettings};

/// Everything that a server is built from. What is in here has been checked and can be served.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// The app's name: its folder's, unless the file gives one.
    pub name: String,
    /// The public listener.
    pub server: ServerSettings,
    /// The admin listener.
    pub admin: AdminSettings,
    /// What is logged and how.
    pub log: LogSettings,
    /// The database, if routes need one.
    pub database: Option<DatabaseSettings>,
    /// The cache.
    pub cache: CacheSettings,
    /// How callers are identified, if they are.
    pub identity: Option<IdentitySettings>,
    /// The routes, in the order of the file.
    pub routes: Vec<RoutePlan>,
    /// A path at which the API's description is served, besides the admin listener.
    pub openapi: Option<String>,
    /// Files that the plan was made from; when one changes, the plan is made anew.
    pub sources: Vec<PathBuf>,
}

/// The public listener and what holds for all of its connections.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where it listens.
    pub listen: ListenSettings,
    /// Limits of each connection.
    pub limits: ConnectionLimits,
    /// How long requests in progress may go on after SIGTERM.
    pub drain: Duration,
    /// Threads that serve; all cores if not said.
    pub threads: usize,
    /// Signs cursors. From the configuration, or made at first start and kept beside the database.
    pub secret: Option<Secret>,
}

/// An address, with or without TLS.
#[derive(Debug, Clone)]
pub struct ListenSettings {
    /// The address; port 0 lets the system choose.
    pub address: SocketAddr,
    /// TLS, if it is to be spoken there.
    pub tls: Option<TlsSettings>,
}

/// Files in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Limits that protect the server from its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at once; further ones wait in the system's queue.
    pub connections_max: usize,
    /// From the first byte of a request (or the start of a connection) to the end of its header section.
    pub header_timeout: Duration,
    /// Between two reads of a request's body.
    pub body_timeout: Duration,
    /// A connection with no request in progress is closed after this.
    pub idle_timeout: Duration,
    /// For a TLS handshake.
    pub handshake_timeout: Duration,
    /// The caller takes nothing of an answer for this long: the connection is closed.
    pub write_timeout: Duration,
    /// Bytes of a header section.
    pub header_bytes_max: usize,
    /// Fields of a header section.
    pub header_fields_max: usize,
    /// Bytes of a request's body, unless the route says less.
    pub body_bytes_max: usize,
    /// Streams of an HTTP/2 connection.
    pub streams_max: u32,
}

/// The admin listener.
#[derive(Debug, Clone)]
pub struct AdminSettings {
    /// Where it listens; `None` switches it off.
    pub address: Option<SocketAddr>,
    /// Needed in `Authorization: Bearer`; without one, only loopback addresses may be listened on.
    pub token: Option<Secret>,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSettings {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// As in `info,kasoku_database=debug`.
    pub level: String,
    /// The share of answered requests that the access log shows, from 0 to 1; errors always are.
    pub access_share: f64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The database.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// What it is opened with.
    pub engine: EngineSettings,
    /// Numbered `.sql` files, in order, each applied once: their paths and texts.
    pub migrations: Vec<(PathBuf, String)>,
    /// Fills an empty database at the first start.
    pub seed: Option<SeedSettings>,
    /// What the database will hold once the migrations are applied; routes were checked against it.
    pub schema: Schema,
    /// A statement that takes longer is told of; `None` tells of none.
    pub slow: Option<Duration>,
    /// Tables that may be read whole.
    pub small: Vec<String>,
}

/// Fills an empty database at the first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedSettings {
    /// The table that must be empty.
    pub table: String,
    /// Further tables that are filled with it, in the order in which they can be emptied.
    pub also: Vec<String>,
    /// Statements that insert the rows numbered `:first` to `:last`.
    pub sql: String,
    /// How many rows to make.
    pub rows: u64,
    /// How many are made in one transaction.
    pub part: u32,
}

/// The cache of all routes.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheSettings {
    /// Real bytes, all bookkeeping counted.
    pub memory_bytes: u64,
    /// What may be held of bodies on their way to callers, beside that.
    pub in_flight_bytes: u64,
    /// The share of hits that the auditor re-reads and compares, from 0 to 1.
    pub audit_share: f64,
    /// What is shared with other nodes.
    pub second_tier: Option<kasoku_cache_remote::Settings>,
    /// What is asked for at the start.
    pub warm: WarmSettings,
}

/// What is asked for at the start, before the server says that it is ready.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WarmSettings {
    /// What is always asked for, in this order.
    pub targets: Vec<WarmTarget>,
    /// What was asked for most in the previous run comes after that.
    pub hot: Option<HotSettings>,
    /// After this the server is ready, warm or not.
    pub timeout: Duration,
}

/// A target of a cached route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WarmTarget {
    /// The host that callers ask, in lower case.
    pub host: Option<String>,
    /// Path and query.
    pub target: PathAndQuery,
}

impl WarmTarget {
    /// Reads a path with its query, or a whole URL of HTTP.
    pub fn read(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_graphic()))?;
        let host = match (uri.scheme_str(), uri.authority()) {
            (None, None) if text.starts_with('/') => None,
            (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => {
                Some(authority.as_str().to_ascii_lowercase())
            }
            _ => return None,
        };
        let target = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        Some(Self { host, target })
    }
}

impl fmt::Display for WarmTarget {
    /// In the form that [`read`](Self::read) reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "http://{host}{}", self.target),
            None => self.target.fmt(f),
        }
    }
}

/// Where the hottest targets are kept from one run to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotSettings {
    /// The file.
    pub file: PathBuf,
    /// Targets at the most.
    pub count: usize,
}

/// A route: a path pattern, a source and policies.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutePlan {
    /// Its number and pattern. The number is its place, until a server gives it one that no other route has had.
    pub name: RouteName,
    /// Where its answers come from.
    pub source: SourcePlan,
    /// How many requests it takes on at once.
    pub admit: AdmitRules,
    /// How long an answer may take.
    pub deadline: Duration,
    /// How answers are shaped.
    pub shape: ShapeRules,
    /// Who may use it; `None` does not ask who its callers are.
    pub requires: Option<Requires>,
    /// How answers are reused; `None` does not cache.
    pub cache: Option<CachePlan>,
    /// How long answers about one row are fresh, where that is not as long as for a list.
    pub fresh_row: Option<Duration>,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Whether callers may see how their lists are read.
    pub shows_plans: bool,
    /// What it lets out and in as files.
    pub transfers: TransferRules,
    /// What is demanded of its statements before it is served.
    pub proof: ProofRules,
}

impl RoutePlan {
    /// The route as it is for single rows.
    #[must_use]
    pub fn of_rows(&self) -> Self {
        let mut own = self.clone();
        if let (Some(CachePlan::Declared(rules)), Some(fresh)) = (&mut own.cache, own.fresh_row) {
            rules.fresh = fresh;
        }
        own
    }
}

/// How a route's answers are reused.
#[derive(Debug, Clone, PartialEq)]
pub enum CachePlan {
    /// As the route declares, until what they depend on changes.
    Declared(CacheRules),
    /// As they say themselves, after RFC 9111.
    Rfc9111(HttpCacheRules),
}

/// Where a route's answers come from.
#[derive(Debug, Clone, PartialEq)]
pub enum SourcePlan {
    /// A table: lists at the path, rows at `path/{key}`.
    Table(TableRules),
    /// A declared query.
    Query(QueryRules),
    /// A folder.
    Files(FilesRules),
    /// Several writes in one transaction.
    Batch(BatchRules),
    /// HTTP servers.
    Origin(OriginRules),
}
