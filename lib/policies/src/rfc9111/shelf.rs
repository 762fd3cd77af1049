//! Where one route's answers from its origin are kept: found by primary key and variant, put there, and taken away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, StatusCode};
use kasoku_cache_store::{Fill, Found, Inserted};
use kasoku_coherence::{Key, Snapshot, Tag};
use kasoku_http_caching::freshness::{self, Freshness};
use kasoku_http_caching::partial::Parts;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::reuse::Mark;
use kasoku_http_caching::vary::Varying;
use kasoku_pipeline::Request;

use super::HttpCacheRules;
use super::codec::Encoded;
use super::facts::{HttpFacts, Selecting, Variant};
use super::names::FOR_CACHES;
use super::searches::Searches;
use super::second_tier::{SecondTier, Ticket};
use super::view::Views;
use crate::Surroundings;
use crate::cache::{ResponseStore, StoredResponse, own_fields, own_value};

/// Stale answers that nothing allows to use are kept this long all the same: to be validated, and for callers that
/// accept them.
const KEPT_STALE: Duration = Duration::from_hours(1);

/// With a validator they are kept for longer.
const KEPT_FOR_VALIDATION: Duration = Duration::from_hours(7 * 24);

/// Other nodes can use it for this long at the most.
const SHARED_FOR: Duration = Duration::from_hours(24);

/// See the module.
pub(super) struct Shelf {
    pub(super) rules: HttpCacheRules,
    pub(super) views: Views,
    pub(super) store: Arc<ResponseStore>,
    pub(super) surroundings: Surroundings,
    pub(super) second_tier: Option<Arc<dyn SecondTier>>,
    pub(super) searches: Searches,
}

/// What there is for a request.
pub(super) enum Lookup {
    /// An answer, as far as the key is concerned.
    Found(Box<Candidate>),
    /// Answers for other values of the fields that they vary by; this is the first of them.
    OtherVariants(Arc<StoredResponse>),
    /// It depended on something that has changed.
    Changed,
    /// Nothing.
    Absent,
}

/// A stored answer that could be used.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) stored: Arc<StoredResponse>,
    pub(super) key: Key,
    pub(super) age: Duration,
    pub(super) mark: Mark,
    pub(super) snapshot: Snapshot,
}

/// What is to be kept.
pub(super) struct Keep {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) parts: Option<Parts>,
    pub(super) freshness: Freshness,
    pub(super) snapshot: Snapshot,
    /// When the head arrived.
    pub(super) arrived: Instant,
    /// The right to share it with other nodes.
    pub(super) ticket: Option<Box<dyn Ticket>>,
}

/// What became of it.
pub(super) enum Kept {
    Stored(Arc<StoredResponse>),
    Not(Reason),
}

impl Candidate {
    pub(super) fn facts(&self) -> &HttpFacts {
        self.stored.http().expect("a shelf keeps answers with their facts")
    }
}

impl Shelf {
    /// The primary key of a request.
    pub(super) fn primary(&self, request: &Request) -> Key {
        self.views.primary(request, self.searches.query(request).as_deref())
    }

    /// Longer bodies are not stored: the route does not want them, or the store has no room for one like that.
    pub(super) fn body_bytes_max(&self) -> u64 {
        self.rules.body_bytes_max.min(self.store.entry_bytes_max())
    }

    pub(super) fn find(&self, primary: &Key, request: &Request, now: Instant) -> Lookup {
        let first = match self.look_up(primary, now) {
            Ok(found) => found,
            Err(other) => return other,
        };
        let Some(selecting) = &first.facts().selecting else { return Lookup::Found(Box::new(first)) };
        let said = self.views.selecting(&selecting.names, &request.headers);
        if said == selecting.said {
            return Lookup::Found(Box::new(first));
        }
        match self.look_up(&Views::variant(primary, &said), now) {
            Ok(found) => Lookup::Found(Box::new(found)),
            Err(_) => Lookup::OtherVariants(first.stored),
        }
    }

    /// The candidate once more, if it is still there.
    pub(super) fn again(&self, key: &Key, now: Instant) -> Option<Candidate> {
        self.look_up(key, now).ok()
    }

    fn look_up(&self, key: &Key, now: Instant) -> Result<Candidate, Lookup> {
        match self.store.look_up(key, now) {
            Found::Usable { value, inserted, snapshot, softened, .. } => {
                let facts = value.http().ok_or(Lookup::Absent)?;
                let resident = now.saturating_duration_since(inserted);
                let age = freshness::age_now(&facts.freshness, resident);
                let is_out_of_touch = || self.second_tier.as_ref().is_some_and(|tier| tier.is_out_of_touch());
                let mark = match softened {
                    Some(_) => Mark::Softened,
                    None if is_out_of_touch() => Mark::OutOfTouch,
                    None => Mark::None,
                };
                Ok(Candidate { stored: value, key: key.clone(), age, mark, snapshot })
            }
            Found::Changed => Err(Lookup::Changed),
            Found::Absent => Err(Lookup::Absent),
        }
    }

    /// Puts an answer to a request away.
    pub(super) fn keep(&self, primary: &Key, request: &Request, keep: Keep) -> Kept {
        let renamed = self.searches.learn(request, &keep.headers).then(|| self.primary(request));
        let primary = renamed.as_ref().unwrap_or(primary);
        let mut selecting = match Varying::of(&keep.headers) {
            Varying::By(names) => Some(self.selecting(names, request)),
            _ => None,
        };
        let first = self.again(primary, keep.arrived).map(|first| first.stored);
        let first_facts = first.as_ref().and_then(|first| first.http());
        let mut key = primary.clone();
        if let (Some(one), Some(other)) =
            (&mut selecting, first_facts.and_then(|facts| facts.selecting.as_ref()))
        {
            // Variants that differ in what they vary by are told apart by all of it.
            if one.names != other.names {
                let names = one.names.iter().chain(&other.names).cloned().collect();
                *one = self.selecting(names, request);
            }
            if one.names == other.names && one.said != other.said {
                key = Views::variant(primary, &one.said);
                let variant = Variant { key: key.clone(), etag: keep.headers.get(ETAG).map(own_value) };
                if !first.as_ref().is_some_and(|first| self.note(first, &variant, keep.arrived)) {
                    return Kept::Not(Reason::TooManyVariants);
                }
            }
        }
        self.insert(key, selecting, &self.tags(request, &keep.headers), keep)
    }

    /// Notes a variant with the first of its target. Those that have gone make room for it.
    fn note(&self, first: &Arc<StoredResponse>, variant: &Variant, now: Instant) -> bool {
        let Some(facts) = first.http() else { return false };
        let most = self.rules.variants_max;
        let noted = facts.note(variant.clone(), most) || {
            // Without the facts' own lock, because the store's are taken by who weighs them.
            let gone = facts.variants().into_iter().filter(|key| self.again(key, now).is_none());
            facts.forget(&gone.collect::<Vec<_>>());
            facts.note(variant.clone(), most)
        };
        if noted {
            self.store.reweigh(first.key(), first);
        }
        noted
    }

    /// Puts a stored answer away again, with fields that a validation has updated.
    pub(super) fn freshen(&self, candidate: &Candidate, keep: Keep) -> Kept {
        let selecting = candidate.facts().selecting.clone();
        self.insert(candidate.key.clone(), selecting, candidate.stored.tags(), keep)
    }

    fn insert(&self, key: Key, selecting: Option<Selecting>, tags: &[Tag], keep: Keep) -> Kept {
        let Keep { status, mut headers, body, parts, freshness, snapshot, arrived, ticket } = keep;
        let encoded = ticket.filter(|_| parts.is_none()).map(|ticket| {
            let (headers, body, selecting) = (headers.clone(), body.clone(), selecting.clone());
            (ticket, Encoded { status, headers, body, freshness: freshness.clone(), selecting })
        });
        let mut for_caches = HeaderMap::new();
        for name in &FOR_CACHES {
            for_caches.extend(headers.get_all(name).iter().map(|value| (name.clone(), value.clone())));
            headers.remove(name);
        }
        let use_for = freshness.stale_while_revalidate.max(freshness.stale_if_error);
        let has_validator = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
        let kept_for = if has_validator { KEPT_FOR_VALIDATION } else { KEPT_STALE };
        let of_use = freshness.lifetime.saturating_sub(freshness.age) + use_for.max(kept_for);
        let age = freshness.age + self.surroundings.clock.now().saturating_duration_since(arrived);
        let facts = HttpFacts::new((freshness, selecting, parts, own_fields(&for_caches)), arrived);
        let before = self.again(&key, arrived);
        if let Some(before) = &before {
            facts.adopt(before.facts());
        }
        let in_flight = &self.surroundings.in_flight;
        let what = (status, &headers, body);
        let stored = StoredResponse::of_origin(what, tags, facts, &self.store, &key, in_flight);
        let fill = Fill {
            value: Arc::clone(&stored),
            tags: tags.to_vec(),
            snapshot,
            inserted: arrived,
            expires: arrived.checked_add(of_use),
        };
        match self.store.insert(key.clone(), fill) {
            Inserted::Stored => {
                if let Some(before) = &before {
                    before.stored.is_followed_by(&stored);
                }
                if let Some((ticket, encoded)) = encoded {
                    ticket.store(key, encoded.to_bytes(), tags, age, of_use.min(SHARED_FOR));
                }
                Kept::Stored(stored)
            }
            Inserted::Fenced => Kept::Not(Reason::Fenced),
            Inserted::Older => Kept::Not(Reason::Changed),
            Inserted::TooLarge => Kept::Not(Reason::TooLarge),
        }
    }

    /// Puts an answer here that another node has stored.
    pub(super) fn adopt(
        &self,
        (key, request): (&Key, &Request),
        encoded: Encoded,
        age: Duration,
        (snapshot, now): (Snapshot, Instant),
    ) -> Option<Candidate> {
        let tags = self.tags(request, &encoded.headers);
        let keep = Keep {
            status: encoded.status,
            headers: encoded.headers,
            // It is a part of what was read, and that has all the fields, too.
            body: Bytes::copy_from_slice(&encoded.body),
            parts: None,
            freshness: Freshness { age, ..encoded.freshness },
            snapshot,
            arrived: now,
            ticket: None,
        };
        match self.insert(key.clone(), encoded.selecting, &tags, keep) {
            Kept::Stored(_) => self.again(key, now),
            Kept::Not(_) => None,
        }
    }

    /// Whether an answer is for a request, as far as what it varies by goes.
    pub(super) fn selects(&self, selecting: Option<&Selecting>, headers: &HeaderMap) -> bool {
        selecting.is_none_or(|one| self.views.selecting(&one.names, headers) == one.said)
    }

    fn selecting(&self, mut names: Vec<HeaderName>, request: &Request) -> Selecting {
        names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        let said = self.views.selecting(&names, &request.headers);
        Selecting { names, said }
    }
}
