//! Looking further than this node: whether another has stored what is wanted.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use kasoku_coherence::Key;
use kasoku_http_caching::cache_control::RequestDirectives;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::reuse::{self, Mark, Reuse};
use kasoku_pipeline::{Request, Response, Verdict};
use parking_lot::Mutex;

use super::codec::Encoded;
use super::fill::HttpFill;
use super::second_tier::{LookedUp, SecondTier, Shared, Ticket};
use super::shelf::{Candidate, Lookup};
use super::view::{self, Views};
use super::wants;

/// How long others are waited for on behalf of a request without a deadline.
const WAIT: Duration = Duration::from_secs(10);

/// The part of the time that is left which may be spent on waiting for others.
const SHARE: f64 = 0.5;

/// What looking further came to.
pub(super) enum Further {
    /// Another node's answer.
    Answered(Response),
    /// The origin is to be asked, by what is known; and what it says may be shared.
    Ask(Lookup, Option<Box<dyn Ticket>>),
}

impl HttpFill {
    /// The second tier, for requests that may be answered from it or fill it.
    pub(super) fn second_tier(&self, request: &Request) -> Option<&Arc<dyn SecondTier>> {
        let is_plain = request.method == Method::GET && !wants::has_any(&request.headers);
        self.shelf.second_tier.as_ref().filter(|_| is_plain)
    }

    pub(super) async fn look_further(
        &self,
        second_tier: &Arc<dyn SecondTier>,
        primary: &Key,
        request: &mut Request,
        found: Lookup,
    ) -> Further {
        let headers = request.headers.clone();
        let directives = RequestDirectives::of(&headers);
        if directives.no_cache || directives.no_store || view::has_credentials(&headers) {
            return Further::Ask(found, second_tier.ticket().filter(|_| !directives.no_store));
        }
        let mut key = match &found {
            Lookup::Found(candidate) => candidate.key.clone(),
            Lookup::OtherVariants(first) => {
                self.variant_of(primary, first.http().and_then(|facts| facts.selecting.as_ref()), &headers)
            }
            Lookup::Changed | Lookup::Absent => primary.clone(),
        };
        let now = self.shelf.surroundings.clock.now();
        let left =
            request.deadline.map_or(WAIT, |deadline| deadline.saturating_duration_since(now).mul_f64(SHARE));
        let deadline = now + left;
        // A second look, by the fields that the first one found the answer to vary by.
        for _ in 0..2 {
            let snapshot = self.shelf.store.snapshot();
            let seen = Mutex::new(None);
            let accepts = |shared: &Shared| {
                let Some(encoded) = Encoded::from_bytes(shared.value.clone()) else { return false };
                let mark = if shared.softened { Mark::Softened } else { Mark::None };
                let is_fresh = self.shelf.selects(encoded.selecting.as_ref(), &headers)
                    && reuse::judge(&directives, &encoded.freshness, shared.age, mark) == Reuse::Fresh;
                *seen.lock() = Some((encoded, shared.age));
                is_fresh
            };
            let looked_up = second_tier.look_up(&key, &accepts, deadline).await;
            let now = self.shelf.surroundings.clock.now();
            let seen = seen.into_inner();
            let adopt = |seen: Option<(Encoded, Duration)>| {
                let (encoded, age) = seen?;
                self.shelf.adopt((&key, request), encoded, age, (snapshot, now))
            };
            match looked_up {
                LookedUp::Found(_) => match adopt(seen) {
                    Some(candidate) => {
                        return Further::Answered(candidate.reuse(Verdict::Hit, Some(Reason::SecondTier)));
                    }
                    None => return Further::Ask(found, second_tier.ticket()),
                },
                LookedUp::Away => return Further::Ask(found, second_tier.ticket()),
                LookedUp::Fill(ticket) => {
                    let selecting = seen.as_ref().and_then(|(encoded, _)| encoded.selecting.clone());
                    if self.shelf.selects(selecting.as_ref(), &headers) {
                        // What is stale can be asked about.
                        let known =
                            adopt(seen).map_or(found, |stale: Candidate| Lookup::Found(Box::new(stale)));
                        return Further::Ask(known, Some(ticket));
                    }
                    drop(adopt(seen));
                    let variant = self.variant_of(primary, selecting.as_ref(), &headers);
                    if variant == key {
                        return Further::Ask(found, Some(ticket));
                    }
                    key = variant;
                }
            }
        }
        Further::Ask(found, second_tier.ticket())
    }

    fn variant_of(
        &self,
        primary: &Key,
        selecting: Option<&super::facts::Selecting>,
        headers: &HeaderMap,
    ) -> Key {
        selecting.map_or_else(
            || primary.clone(),
            |one| Views::variant(primary, &self.shelf.views.selecting(&one.names, headers)),
        )
    }
}
