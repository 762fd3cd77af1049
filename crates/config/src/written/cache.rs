//! What belongs to the `cache` of a route.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, SecretText, SizeText};

/// The name of rules, or a table with what is to differ.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum CacheOrName {
    Name(CacheName),
    Cache(Box<RouteCache>),
}

/// Rules that have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CacheName {
    /// Those of RFC 9111, and nothing more.
    Rfc9111,
}

/// How answers are reused.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RouteCache {
    /// How long a stored answer is fresh, unless a change to what it depends on removes it before. A query with
    /// a function such as `random()`, whose result changes by itself, must say it. For an `origin`: how long an
    /// answer is fresh that says nothing of it.
    #[schemars(example = &"30s", extend("default" = "1h"))]
    pub(crate) fresh: Option<DurationText>,

    /// `table`: how long an answer about one row is fresh, where that is not as long as for a list.
    #[schemars(example = &"10m")]
    pub(crate) fresh_row: Option<DurationText>,

    /// How long after that it may still be given, while a new one is fetched in the background. For an `origin`:
    /// where the answer says nothing of it.
    #[schemars(example = &"30s", extend("default" = "0s"))]
    pub(crate) stale_while_revalidate: Option<DurationText>,

    /// How long after `fresh` it may still be given if the source fails. For an `origin`: where the answer says
    /// nothing of it.
    #[schemars(example = &"10m", extend("default" = "0s"))]
    pub(crate) stale_if_error: Option<DurationText>,

    /// `table`, `query`: how long a caller may keep it for itself. Nothing can remove it there, so by default
    /// callers ask each time, and are told that it has not changed.
    #[schemars(example = &"5s", extend("default" = "0s"))]
    pub(crate) client: Option<DurationText>,

    /// Larger answers are given but not stored. Without it, 1MiB; for an `origin`, 8MiB.
    #[schemars(example = &"1MiB")]
    pub(crate) body: Option<SizeText>,

    /// `origin`: how many variants of one target are stored beside each other (`Vary`).
    #[schemars(range(min = 1, max = 10_000), extend("default" = 64))]
    pub(crate) variants: Option<u32>,

    /// `origin`: how long it is left alone after it failed, where a stale answer may be given.
    #[schemars(extend("default" = "1s"))]
    pub(crate) retry: Option<DurationText>,

    /// `origin`: how long a caller waits for it where a stale answer may be given; the new one is then awaited in the
    /// background.
    #[schemars(example = &"200ms")]
    pub(crate) soft_timeout: Option<DurationText>,

    /// `origin`: the part of its lifetime after which a fresh answer is refreshed in the background.
    #[schemars(range(min = 0.1, max = 1.0), example = 0.8)]
    pub(crate) eager: Option<f64>,

    /// `origin`: how long a failure for which nothing may stand in is remembered; who asks for the same meanwhile is
    /// told at once.
    #[schemars(example = &"2s")]
    pub(crate) failures: Option<DurationText>,

    /// `origin`: the part by which lifetimes that it did not say are shortened at random, so that what was stored
    /// together does not get stale together.
    #[schemars(range(min = 0.0, max = 0.9), extend("default" = 0.0), example = 0.1)]
    pub(crate) jitter: Option<f64>,

    /// `origin`: ask whether an answer still holds by its `Date`, too, where it has neither `ETag` nor `Last-Modified`.
    /// Right for origins that know when a thing last changed without saying it.
    #[schemars(extend("default" = false))]
    pub(crate) by_date: Option<bool>,

    /// `origin`: request fields that it sees and answers by, so that answers are stored for each of their values,
    /// whatever `Vary` says.
    #[schemars(example = ["user-agent"])]
    pub(crate) show: Option<Vec<String>>,

    /// `origin`: request fields that it does not see on reads, so that answers are shared by all who send them.
    #[schemars(example = ["accept-language"])]
    pub(crate) hide: Option<Vec<String>>,
}

/// The URL of the server alone, or a table with more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RedisOrUrl {
    Url(SecretText),
    Redis(Redis),
}

/// A server that several nodes share.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redis {
    /// `redis://user:password@host:6379/0` or `redis+unix:///path`; or `env:NAME` or `file:PATH` with it.
    #[schemars(example = &"env:REDIS_URL")]
    pub(crate) url: SecretText,

    /// The beginning of every name that is used there. Apps with different ones do not meet. Without it, the app's
    /// name.
    #[schemars(example = &"shop")]
    pub(crate) prefix: Option<String>,

    /// The most that a request waits for it, each time it asks.
    #[serde(default = "budget")]
    pub(crate) budget: DurationText,

    /// How old the last proof may be that every purge has been heard of; beyond it nothing is read from there.
    #[serde(default = "bound")]
    pub(crate) bound: DurationText,

    /// How old that proof may be before what is stored here is doubted, too: beyond it the origin is asked each time,
    /// and what is stored is given only as a stale answer may be. Without it, a node that hears of nobody goes on with
    /// what it has, for the lifetimes that answers have.
    #[schemars(example = &"5s")]
    pub(crate) strict: Option<DurationText>,
}

impl Redis {
    /// A server, and for the rest what is usual.
    pub(crate) fn at(url: &SecretText) -> Self {
        Self { url: url.clone(), prefix: None, budget: budget(), bound: bound(), strict: None }
    }
}

fn budget() -> DurationText {
    DurationText::millis(25)
}

fn bound() -> DurationText {
    DurationText::seconds(1)
}
