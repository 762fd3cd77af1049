//! A shared cache in front of an origin, after RFC 9111.
//!
//! Two policies share this folder. [`HttpCache`] looks a request up, and answers it with what is stored, or hands it
//! on and says why. [`HttpFill`] stands next to the source: it asks the origin whether what is stored still holds, and
//! stores what comes back. Between them equal requests may be collapsed. All decisions are those of
//! `kasoku-http-caching`; here they are carried out.
//!
//! **What the origin sees.** On a read that may be stored, what is not in the key is hidden from the origin, apart
//! from application fields, which are shown and keyed if `Vary` names them, and whose values no stored answer may
//! repeat. [`Treatment`] has the table.
//!
//! **What invalidates.** A successful unsafe request removes what is stored for its target, its `Location` and its
//! `Content-Location`, and what is in the groups that its answer names, before that answer is given (RFC 9111 §4.4,
//! RFC 9875 §3). Fills that began before are fenced like fills from a database.

mod arrival;
mod codec;
pub mod explain;
mod facts;
mod failures;
mod fields;
mod fill;
mod forward;
mod further;
mod invalidate;
mod lookup;
mod names;
mod passes;
mod searches;
mod second_tier;
mod shelf;
mod validate;
mod view;
mod wants;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::UPGRADE;
use kasoku_coherence::{Key, Snapshot, Tag};
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::storing;
use kasoku_http_caching::validation::Dates;
use kasoku_pipeline::{Body, CacheFacts, Forward, Next, Outcome, Policy, Request, RequestBody, Verdict};

use self::failures::Failures;
use self::passes::Passes;
use self::searches::Searches;
use self::shelf::Shelf;
use self::view::Views;
use crate::Surroundings;
use crate::cache::{Refresher, ResponseStore};
use crate::collapse::Changes;

pub(crate) use facts::HttpFacts;
pub use fields::{Because, FieldRules, Treatment};
pub use fill::HttpFill;
pub use names::group_tag;
pub use second_tier::{Accepts, Gone, LookedUp, SecondTier, Shared, Ticket};
pub use view::AUTHORITY_PART;

/// How answers of a route's origin are reused.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpCacheRules {
    /// What is added to what the origin says.
    pub storing: storing::Rules,
    /// What the origin sees.
    pub fields: FieldRules,
    /// Bodies larger than this are passed on but not stored.
    pub body_bytes_max: u64,
    /// Variants of one target that are stored beside each other.
    pub variants_max: usize,
    /// How long an origin that failed is left alone where a stale answer may stand in.
    pub retry: Duration,
    /// How long the origin may take before a stale answer stands in, where one may; it is awaited in the background.
    pub soft_timeout: Option<Duration>,
    /// The part of its lifetime, from 0 to 1, after which a fresh answer is refreshed in the background.
    pub eager: Option<f64>,
    /// How long a failure for which nothing may stand in is remembered.
    pub failures: Option<Duration>,
    /// The part of a lifetime, from 0 to 1, by which those that the origin did not say are shortened at random, so
    /// that what was stored together does not get stale together.
    pub jitter: f64,
    /// By which dates the origin is asked whether what is stored still holds.
    pub dates: Dates,
}

impl Default for HttpCacheRules {
    fn default() -> Self {
        Self {
            storing: storing::Rules::default(),
            fields: FieldRules::default(),
            body_bytes_max: 8 << 20,
            variants_max: 64,
            retry: Duration::from_secs(1),
            soft_timeout: None,
            eager: None,
            failures: None,
            jitter: 0.0,
            dates: Dates::default(),
        }
    }
}

/// The half that looks up. See the module.
pub struct HttpCache {
    shelf: Arc<Shelf>,
    refresher: Refresher,
    passes: Passes,
    failures: Failures,
}

/// The two halves for one route, and what tells `collapse` of purges.
pub fn pair(
    rules: HttpCacheRules,
    store: &Arc<ResponseStore>,
    surroundings: &Surroundings,
    second_tier: Option<Arc<dyn SecondTier>>,
) -> (HttpCache, HttpFill, Arc<dyn Changes>) {
    let shelf = Arc::new(Shelf {
        views: Views::new(surroundings.route.index, &rules.fields),
        rules,
        store: Arc::clone(store),
        surroundings: surroundings.clone(),
        second_tier,
        searches: Searches::default(),
    });
    let cache = HttpCache {
        shelf: Arc::clone(&shelf),
        refresher: Refresher::new(surroundings),
        passes: Passes::new(surroundings.clock.now()),
        failures: Failures::default(),
    };
    (cache, HttpFill { shelf }, Arc::new(Purges(Arc::clone(store))))
}

/// Tells which forwards began before a purge of their target.
struct Purges(Arc<ResponseStore>);

impl Changes for Purges {
    fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    fn allow(&self, key: &Key, tags: &[Tag], since: Snapshot) -> bool {
        let all: Vec<Tag> = tags.iter().copied().chain(view::tag_of_key(key)).collect();
        self.0.accepts(key, &all, since)
    }
}

impl Policy for HttpCache {
    async fn around<N: Next>(&self, request: Request, next: &Arc<N>) -> Outcome {
        let is_read = request.method == Method::GET || request.method == Method::HEAD;
        if !is_read || request.headers.keys().any(|name| *name == UPGRADE) {
            return Box::pin(self.other(request, next)).await;
        }
        self.read(request, next).await
    }
}

impl HttpCache {
    /// What is not a `GET` or a `HEAD`. A query that is too long to be part of a key is only passed on.
    async fn other<N: Next>(&self, mut request: Request, next: &Arc<N>) -> Outcome {
        let is_short = request.body.len().is_some_and(|length| length <= QUERY_BYTES_MAX);
        if !view::is_query(&request.method) || !is_short {
            return self.pass(request, next).await;
        }
        let body = std::mem::replace(&mut request.body, RequestBody::empty()).read().await?;
        request.body = RequestBody::new(Body::Full(body), QUERY_BYTES_MAX as usize);
        self.read(request, next).await
    }
}

/// The content of a `QUERY` that can be part of a key.
const QUERY_BYTES_MAX: u64 = 64 << 10;

fn said(facts: CacheFacts, forward: Forward, reason: Option<Reason>) -> CacheFacts {
    CacheFacts { verdict: Verdict::Forwarded(forward), reason: facts.reason.or(reason), ..facts }
}
