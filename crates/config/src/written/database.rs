//! The section `database`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, OrFalse, ProofName, SizeText};

/// The database.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    /// `sqlite:` and a file, which is made if it does not exist, or `sqlite::memory:` for one that ends with the
    /// server; or a PostgreSQL server, `postgres://user:password@host:5432/name?sslmode=verify-full`. The environment
    /// variable `DATABASE_URL` overrides it. Relative paths start at the app's folder.
    #[schemars(
        extend("x-form" = "database"),
        example = &"sqlite:catalog.db",
        example = &"postgres://app@127.0.0.1/shop",
        example = &"sqlite::memory:"
    )]
    pub(crate) url: String,

    /// A folder of numbered files, such as `001_items.sql`. Each is applied once, in order, when the server
    /// starts. If it has a folder `sqlite` or `postgres`, that one's files are for this kind of database; with both, the
    /// app may have settings that are for one of them only. Without it, the database is served as it is found.
    #[serde(default)]
    #[schemars(extend("x-form" = "folder"), example = &"schema/")]
    pub(crate) schema: Option<String>,

    /// Opens an existing database for reading only; no route may write, and no schema is applied.
    #[serde(default)]
    pub(crate) read_only: bool,

    /// Fills a table with made-up rows at the first start, if it is empty.
    #[serde(default)]
    pub(crate) seed: Option<Seed>,

    /// Threads that read, on SQLite. Without it, one per core, and two at least.
    #[serde(default)]
    #[schemars(range(min = 1, max = 256), example = 4)]
    pub(crate) readers: Option<u32>,

    /// Page cache of each connection, on SQLite.
    #[serde(default = "page_cache")]
    pub(crate) page_cache: SizeText,

    /// Writes that may wait for their turn, on SQLite; one more is refused with 503.
    #[serde(default = "write_queue")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) write_queue: u32,

    /// Writes that share one commit, at the most, on SQLite.
    #[serde(default = "group")]
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) group: u32,

    /// A read that takes longer is stopped, and answered with 504; never later than the route's `deadline`. On
    /// PostgreSQL that holds for every statement, and the server is told.
    #[serde(default = "statement_timeout")]
    pub(crate) statement_timeout: DurationText,

    /// A read that takes longer counts as long, and so does every other one of its shape for a while: on SQLite it is
    /// stopped on the thread that serves and run on one of `readers`, on PostgreSQL the next one gets a connection to
    /// itself. Without it, `2ms` on SQLite and `50ms` on PostgreSQL.
    #[serde(default)]
    #[schemars(example = &"20ms")]
    pub(crate) long: Option<DurationText>,

    /// For how long that is remembered at the most: a second at first, and twice as long each time that a trial after it
    /// fails too.
    #[serde(default = "long_for")]
    pub(crate) long_for: DurationText,

    /// A statement that takes longer is told of in the log, ten a second at the most, and counted as slow. `false` tells
    /// of none. `kasoku report slow` shows which take longest in any case.
    #[serde(default = "slow")]
    pub(crate) slow: OrFalse<DurationText>,

    /// Connections to PostgreSQL: `local`, `staging` or `production`, or a table with what is to differ from one of
    /// them. Without it, `staging`.
    #[serde(default)]
    #[schemars(example = &"production")]
    pub(crate) pool: Option<PoolOrName>,

    /// How changes by others than this server are learnt: with `install` triggers are installed at the start, or brought
    /// up to date; with `installed` they are used where they are found. Without them, or with `off`, on PostgreSQL only
    /// what this server writes is noticed, and as a change to whole tables; on SQLite any write by another program
    /// empties what is stored, a quarter of a second later.
    #[serde(default)]
    pub(crate) watch: WatchName,

    /// How often others' changes are asked for, where there are triggers.
    #[serde(default = "poll")]
    pub(crate) poll: DurationText,

    /// Where there are triggers, answers are reused for this long after others' changes were last asked for with
    /// success: the longest that an answer may be out of date because of them.
    #[serde(default = "bound")]
    pub(crate) bound: DurationText,

    /// Standbys of the PostgreSQL server, each as a URL: reads that they can answer go to them. The pool's settings
    /// hold for each of them.
    #[serde(default)]
    #[schemars(example = ["postgres://app@10.0.0.2/shop", "postgres://app@10.0.0.3/shop"])]
    pub(crate) replicas: Vec<String>,

    /// Which of the replicas that are recent enough a read goes to: the `least-loaded`, the `nearest`, which answers
    /// soonest, or each in turn with `round-robin`.
    #[serde(default)]
    pub(crate) replica_choice: ReplicaChoiceName,

    /// A replica that is further behind is not read from until it has caught up.
    #[serde(default = "replica_lag")]
    pub(crate) replica_lag: DurationText,

    /// What `kasoku check` does about a statement of a route that no index serves: `require` makes it an error, `warn`
    /// a warning, and `off` does not look. A route can say otherwise with its own `proof`.
    #[serde(default)]
    pub(crate) proof: ProofName,

    /// Tables that stay so small that they may be read whole.
    #[serde(default)]
    #[schemars(extend("x-form" = "table"), example = ["categories"])]
    pub(crate) small: Vec<String>,
}

/// The name of a pool, or a table with what is to differ.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum PoolOrName {
    Name(PoolName),
    Pool(Pool),
}

/// Pools that have a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PoolName {
    Local,
    #[default]
    Staging,
    Production,
}

/// Connections to a server. What is left out is as `profile` has it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pool {
    /// Where what is left out comes from.
    pub(crate) profile: PoolName,

    /// Connections that short reads share, many in flight on each: `local` 2, `staging` 4, `production` 8.
    #[schemars(range(min = 1, max = 256), example = 8)]
    pub(crate) shared: Option<u32>,

    /// Connections for one user at a time: writes, exports, and reads that take long: `local` 4, `staging` 8,
    /// `production` 16.
    #[schemars(range(min = 1, max = 1_024), example = 16)]
    pub(crate) exclusive: Option<u32>,

    /// Jobs that may wait for an exclusive connection; one more is refused with 503: `local` 256, `staging` 1024,
    /// `production` 4096.
    #[schemars(range(min = 1, max = 1_000_000), example = 1024)]
    pub(crate) queue: Option<u32>,

    /// How long a job waits for an exclusive connection, and a read for a shared one that is being opened: `2s`.
    #[schemars(example = &"2s")]
    pub(crate) wait: Option<DurationText>,

    /// An exclusive connection that nobody used for this long is closed: `local` `1m`, otherwise `5m`.
    #[schemars(example = &"5m")]
    pub(crate) idle: Option<DurationText>,

    /// A connection that is older is replaced: `30m`.
    #[schemars(example = &"30m")]
    pub(crate) lifetime: Option<DurationText>,

    /// How long it may take to connect: `local` `2s`, otherwise `5s`.
    #[schemars(example = &"5s")]
    pub(crate) connect_timeout: Option<DurationText>,

    /// How often a connection that nobody uses is asked whether it still lives: `production` `10s`, otherwise `30s`.
    #[schemars(example = &"30s")]
    pub(crate) health_check: Option<DurationText>,

    /// The longest wait between two attempts to connect; the first is a tenth of a second: `local` `2s`, otherwise `5s`.
    #[schemars(example = &"5s")]
    pub(crate) reconnect: Option<DurationText>,
}

/// How changes by others are learnt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WatchName {
    Install,
    #[default]
    Installed,
    Off,
}

/// Which replica a read goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReplicaChoiceName {
    #[default]
    LeastLoaded,
    Nearest,
    RoundRobin,
}

/// Fills a table with made-up rows at the first start, if it is empty.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seed {
    /// The table.
    #[schemars(extend("x-form" = "table"), example = &"items")]
    pub(crate) table: String,

    /// Further tables that the file fills. If a fill was interrupted they are emptied, in this order and before `table`,
    /// and all is begun anew. A table whose rows go with rows that are deleted need not be named.
    #[serde(default)]
    #[schemars(extend("x-form" = "table"), example = ["templates"])]
    pub(crate) also: Vec<String>,

    /// A file with the statements that insert the rows numbered `:first` to `:last`. If there is `seed.sqlite.sql` or
    /// `seed.postgres.sql` beside `seed.sql`, that is the one for this kind of database.
    #[schemars(extend("x-form" = "file"), example = &"seed.sql")]
    pub(crate) file: String,

    /// How many rows to make.
    #[schemars(range(min = 1, max = 1_000_000_000), example = 100_000)]
    pub(crate) rows: u64,

    /// How many rows are made in one transaction. Fewer are better where others come with each.
    #[serde(default = "part")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) part: u32,
}

fn part() -> u32 {
    20_000
}

fn page_cache() -> SizeText {
    SizeText::mib(8)
}

fn write_queue() -> u32 {
    4_096
}

fn group() -> u32 {
    512
}

fn statement_timeout() -> DurationText {
    DurationText::seconds(5)
}

fn slow() -> OrFalse<DurationText> {
    OrFalse::On(DurationText::millis(200))
}

fn long_for() -> DurationText {
    DurationText::seconds(64)
}

fn poll() -> DurationText {
    DurationText::millis(25)
}

fn replica_lag() -> DurationText {
    DurationText::seconds(1)
}

fn bound() -> DurationText {
    DurationText::seconds(1)
}
