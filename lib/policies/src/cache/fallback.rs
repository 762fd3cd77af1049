//! What stands in if the source fails or takes too long.

use std::future::Future;
use std::time::Instant;

use http::StatusCode;
use kasoku_cache_store::Found;
use kasoku_coherence::Key;
use kasoku_http_caching::reason::Reason;
use kasoku_pipeline::{Outcome, Response, Verdict};
use kasoku_problem::Kind;

use super::freshness::Freshness;
use super::{Cache, Reuse};

/// The share of the time left that is kept for giving a stale answer instead.
const MARGIN: f64 = 0.1;

impl Cache {
    /// Where a stale answer could be given instead, it has to be given before the deadline drops the request.
    pub(super) async fn run_with_margin(
        &self,
        deadline: Instant,
        work: impl Future<Output = Outcome>,
    ) -> Outcome {
        let left = deadline.saturating_duration_since(self.surroundings.clock.now());
        match tokio::time::timeout(left.mul_f64(1.0 - MARGIN), work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Kind::DeadlineExceeded.into()),
        }
    }

    /// The stale answer that may be given if the source fails (RFC 5861 §4). It is looked up again, so that a
    /// change that came while the source was asked is not hidden by it. `no-cache` is a preference (RFC 9111
    /// §5.2.1.4), which an outage outweighs.
    pub(super) fn fallback(&self, key: &Key) -> Option<Response> {
        let now = self.surroundings.clock.now();
        let Found::Usable { value, inserted, snapshot, softened, .. } = self.store.look_up(key, now) else {
            return None;
        };
        let reuse = Reuse {
            age: now.saturating_duration_since(inserted),
            snapshot,
            softened: softened.is_some(),
            observed_as: None,
            bound: None,
        };
        let heard = self.lease.as_ref().is_none_or(|lease| lease.holds(now));
        let lapsed = self.lease.as_ref().and_then(|lease| lease.lapsed_for(now));
        let verdict = match Freshness::of(reuse.age, value.fresh(), reuse.softened, &self.rules) {
            Freshness::Fresh if heard => Verdict::Hit,
            // What others did since is not known, as if its lifetime had ended then.
            Freshness::Fresh if lapsed.is_some_and(|lapsed| lapsed < self.rules.stale_if_error) => {
                Verdict::Stale
            }
            Freshness::Stale { if_error: true, .. } => Verdict::Stale,
            Freshness::Fresh | Freshness::Stale { .. } => return None,
        };
        Some(value.reuse(verdict, Some(Reason::OriginFailed), &reuse))
    }
}

/// The statuses for which a stale answer may be given instead (RFC 5861 §4).
pub(super) fn is_outage(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502..=504)
}
