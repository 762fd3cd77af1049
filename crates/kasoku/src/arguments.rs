//! The command line: what can be said, and how it is explained.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use http::{HeaderName, HeaderValue};

/// Fast APIs by declaration, with a cache that knows when the data changed.
#[derive(Debug, Parser)]
#[command(name = "kasoku", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 the thing checked is not as it should be, 2 wrong use.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve an app, a file of rows, an existing SQLite database, or an HTTP server
    Serve(Serve),
    /// Check an app without serving it: its settings, and that an index serves every statement of its routes
    Check(Check),
    /// Tell what would happen to a request, and why, without sending it
    Explain(Explain),
    /// Print the app's API in OpenAPI 3.1, for documentation, clients and tests
    Openapi(Openapi),
    /// Remove answers from a running server's cache
    Purge(Purge),
    /// Show which routes of a running server are cached, and switch one off or on until its next reload
    Cache(Cache),
    /// Tell what a running server has measured
    Report(Report),
    /// Install, remove or look at the triggers by which changes of others to the database are noticed
    Watch(Watch),
    /// Print the JSON Schema of kasoku.toml, for editors
    Schema(Schema),
    /// Write a commented app to start from
    New(New),
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    #[command(subcommand)]
    pub(crate) what: WatchWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WatchWhat {
    /// Install the triggers for the tables that the app's routes read, or bring them up to date
    Install(WatchTarget),
    /// Take away the triggers of all tables, and what they wrote
    Remove(WatchTarget),
    /// Tell which tables are watched; code 1 if not all are
    Status(WatchTarget),
}

#[derive(Debug, Args)]
pub(crate) struct WatchTarget {
    /// An app's folder or kasoku.toml
    #[arg(default_value = ".")]
    pub(crate) app: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kasoku serve apps/catalog\n  kasoku serve flights.csv\n  kasoku serve shop.db --write --listen 0.0.0.0:8080\n  kasoku serve --origin http://127.0.0.1:3000"
)]
pub(crate) struct Serve {
    /// An app's folder or kasoku.toml, or DATA: a .csv, .tsv, .json or .ndjson file, or a SQLite database
    #[arg(default_value = ".")]
    pub(crate) target: PathBuf,
    /// Serve an HTTP server instead: all paths, all methods; repeated for several that answer alike
    #[arg(long, value_name = "URL", conflicts_with_all = ["target", "write", "database"])]
    pub(crate) origin: Vec<String>,
    /// Where the public listener listens
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where the admin listener listens
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<SocketAddr>,
    /// Log JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Allow writes to DATA; an app's own configuration says what may be written
    #[arg(long)]
    pub(crate) write: bool,
    /// Where the rows of DATA are kept; by default in a folder of the user's cache
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// The user's folder for what can be made again (XDG Base Directory Specification)
    #[arg(long, env = "XDG_CACHE_HOME", hide = true)]
    pub(crate) cache_home: Option<PathBuf>,
    /// The user's own folder
    #[arg(long, env = "HOME", hide = true)]
    pub(crate) home: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// An app's folder or kasoku.toml
    #[arg(default_value = ".")]
    pub(crate) app: PathBuf,
    /// Print findings and the proof as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only the SQL that makes the missing indexes
    #[arg(long, conflicts_with = "json")]
    pub(crate) sql: bool,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "kasoku explain [OPTIONS] [APP] METHOD URL",
    after_help = "Examples:\n  kasoku explain apps/catalog GET '/v1/items?category=books'\n  curl -si http://127.0.0.1:3000/news | kasoku explain --origin http://127.0.0.1:3000 GET /news --response -"
)]
pub(crate) struct Explain {
    /// An app's folder or kasoku.toml, the folder that you are in if there is none; then METHOD, and a URL or a path
    #[arg(required = true, num_args = 1..=3, value_names = ["APP", "METHOD", "URL"])]
    pub(crate) request: Vec<String>,
    /// A field of the request; repeated for several
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = field)]
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
    /// What the origin answers: a head, with or without its body, as `curl -i` prints it; `-` reads it from standard
    /// input
    #[arg(long, value_name = "FILE")]
    pub(crate) response: Option<PathBuf>,
    /// Explain what `kasoku serve --origin URL` would do; repeated for several servers
    #[arg(long, value_name = "URL")]
    pub(crate) origin: Vec<String>,
    /// Print the facts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kasoku purge --url '/v1/items?limit=3'\n  kasoku purge --url https://www.example.com/news --soft\n  kasoku purge --prefix /v1/ --host api.example.com\n  kasoku purge --tag items\n  kasoku purge --group news --host www.example.com"
)]
pub(crate) struct Purge {
    #[command(flatten)]
    pub(crate) admin: Admin,
    #[command(flatten)]
    pub(crate) what: PurgeWhat,
    /// Only what is given to callers at this host; with --url, --prefix and --group
    #[arg(long, value_name = "AUTHORITY", conflicts_with_all = ["tag", "all"])]
    pub(crate) host: Option<String>,
    /// Mark stale instead of removing: served while it is fetched anew, where the route allows that
    #[arg(long)]
    pub(crate) soft: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a running server is asked.
#[derive(Debug, Args)]
pub(crate) struct Admin {
    /// The admin listener of the server
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090", global = true)]
    pub(crate) admin: SocketAddr,
    /// The admin listener's token
    #[arg(long, env = "KASOKU_ADMIN_TOKEN", hide_env_values = true, global = true)]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kasoku report slow\n  kasoku report slow --by p99 --top 3 --json")]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) admin: Admin,
    #[command(subcommand)]
    pub(crate) what: ReportWhat,
    /// Print the report as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportWhat {
    /// The statements that took longest since the server started, each with its times and its plan
    Slow(Slow),
}

#[derive(Debug, Args)]
pub(crate) struct Slow {
    /// What they are compared by: all their time, a mean, a percentile, the slowest run, or how often they were slow
    #[arg(long, value_name = "MEASURE", default_value = "time", value_parser = ["time", "mean", "p95", "p99", "slowest", "slow"])]
    pub(crate) by: String,
    /// How many, up to 100
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) top: u64,
    /// Do not ask the database how it would run them
    #[arg(long)]
    pub(crate) no_plans: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kasoku cache list\n  kasoku cache off '/v1/items'\n  kasoku cache on '/v1/items'"
)]
pub(crate) struct Cache {
    #[command(flatten)]
    pub(crate) admin: Admin,
    #[command(subcommand)]
    pub(crate) switch: Switch,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Switch {
    /// Show all routes, and whether they are cached
    List,
    /// Switch the cache of a route off, and remove what it has stored
    Off {
        /// The route's path pattern, as in the configuration
        route: String,
    },
    /// Switch it on again, empty
    On {
        /// The route's path pattern, as in the configuration
        route: String,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PurgeWhat {
    /// The answers to GET of this path and query, or of this whole URL, in all their variants
    #[arg(long, value_name = "URL", alias = "key")]
    pub(crate) url: Option<String>,
    /// Answers to all paths that begin so
    #[arg(long, value_name = "PATH")]
    pub(crate) prefix: Option<String>,
    /// Answers that depend on this: a table's name, or what an origin said in Surrogate-Key or Cache-Tag
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Option<String>,
    /// Answers that an origin put in this cache group (RFC 9875), which belongs to a --host
    #[arg(long, value_name = "NAME", requires = "host")]
    pub(crate) group: Option<String>,
    /// Everything
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kasoku openapi apps/catalog > openapi.json")]
pub(crate) struct Openapi {
    /// An app's folder or kasoku.toml
    #[arg(default_value = ".")]
    pub(crate) app: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Print the reference page instead, in Markdown
    #[arg(long)]
    pub(crate) reference: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kasoku new shop\n  kasoku new flights --from flights.csv")]
pub(crate) struct New {
    /// The folder to make; it must be empty or not exist
    pub(crate) folder: PathBuf,
    /// A .csv, .tsv, .json or .ndjson file, or a SQLite database, to make the app from
    #[arg(long, value_name = "DATA")]
    pub(crate) from: Option<PathBuf>,
}

fn field(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    kasoku_server::field(text.as_bytes()).ok_or_else(|| "expected `Name: value`".to_owned())
}
