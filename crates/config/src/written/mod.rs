//! The settings as they are written: the one table that the parser, the JSON Schema and the reference page share.
//!
//! Every doc comment on a field here is read by users, in their editor and in the reference. Nothing in this
//! folder decides what a setting means; that is the check's work.

mod cache;
mod database;
mod embed;
mod forms;
mod identity;
mod origin;
mod proof;
mod route;
mod sections;
mod shared_cache;
mod sources;
mod transfer;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use cache::{CacheName, CacheOrName, Redis, RedisOrUrl, RouteCache};
pub(crate) use database::{Database, Pool, PoolName, PoolOrName, ReplicaChoiceName, Seed, WatchName};
pub(crate) use embed::{AggregateOrColumns, EMBED_ROWS, Embed};
pub(crate) use forms::{DurationText, FORM, False, OrFalse, SecretText, SizeText};
pub(crate) use identity::{Identity, Jwt, OneOrMore, Requires, RequiresOrWho};
pub(crate) use origin::{HostName, Origin, OriginOrUrl, ProtocolName};
pub(crate) use proof::{Proof, ProofName, ProofOrName};
pub(crate) use route::Route;
pub(crate) use sections::{Admin, Limits, Log, LogFormatName, Server, Tls};
pub(crate) use shared_cache::Cache;
pub(crate) use sources::{
    Count, CountName, CountOrName, Files, FilesOrFolder, Page, ParamOrType, ParamType, WriteName,
    WriteOrList, write_rows,
};
pub(crate) use transfer::{Export, ExportName, ExportOrList, Import, ImportName, ImportOrList};

/// The configuration of a Kasoku app: what is served, from where, and within which limits.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    /// The app's name, for people: it is shown in logs and on the dashboard. Without it, the name of the folder.
    #[schemars(example = &"catalog")]
    pub(crate) name: Option<String>,

    /// The public listener.
    pub(crate) server: Server,

    /// Who may use the admin listener, whose address is `server.admin`.
    pub(crate) admin: Admin,

    /// What is logged and how.
    pub(crate) log: Log,

    /// The database that `table` and `query` routes answer from. Needed by such routes only.
    pub(crate) database: Option<Database>,

    /// The cache that all routes share.
    pub(crate) cache: Cache,

    /// How callers are identified. Without it, nobody is.
    pub(crate) identity: Option<Identity>,

    /// What is served. Each `[[route]]` names a path, exactly one source (`table`, `query`, `files`, `batch` or `origin`), and
    /// whatever should differ from the defaults around it.
    pub(crate) route: Vec<Route>,
}
