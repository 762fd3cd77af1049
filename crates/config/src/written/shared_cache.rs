//! The section `cache`: the cache that all routes share, and what is warmed in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, RedisOrUrl, SizeText};

/// The cache that all routes share.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cache {
    /// How much memory it may use: real bytes, all bookkeeping counted.
    pub(crate) memory: SizeText,

    /// How much memory bodies on their way from origins to callers may take beside that: what has come of them is held
    /// so that others can join and the whole can be stored. Beyond it the answers whose callers are slowest are
    /// passed on only, as fast as they are read, and are not stored.
    pub(crate) in_flight: SizeText,

    /// The share of hits, from 0 to 1, that are read again from their source and compared; what differs is
    /// counted in the metrics. For tests and demonstrations.
    #[schemars(range(min = 0.0, max = 1.0), example = 0.01)]
    pub(crate) audit: f64,

    /// A Redis or Valkey that several nodes share, as a second tier for answers of `origin` routes: what one node has
    /// stored the others find, one of them fills it, and purges reach all. Without it, or while it is away, each is
    /// on its own.
    #[schemars(example = &"redis://127.0.0.1:6379")]
    pub(crate) redis: Option<RedisOrUrl>,

    /// Targets of cached routes that the server asks itself for when it starts, before `/health/ready` says that it
    /// is ready, and again after each reload. For an `origin` a whole URL, because its answers are stored for each host.
    #[schemars(example = ["/v1/items?limit=20", "http://www.example.com/"])]
    pub(crate) warm: Vec<String>,

    /// A file in which the targets that were found in the cache most often are kept from one run to the next, to be
    /// warmed after those of `warm`. It is written every five minutes and at the end. Only plain targets are kept:
    /// nothing that was asked for with a field that is part of the key.
    #[schemars(example = &"hot.keys")]
    pub(crate) hot: Option<String>,

    /// How many targets `hot` keeps.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) hot_count: u32,

    /// The server is ready after this at the latest, whether everything is warm or not.
    pub(crate) warm_timeout: DurationText,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            memory: SizeText::mib(256),
            in_flight: SizeText::mib(64),
            audit: 0.0,
            redis: None,
            warm: Vec::new(),
            hot: None,
            hot_count: 1_000,
            warm_timeout: DurationText::seconds(10),
        }
    }
}
