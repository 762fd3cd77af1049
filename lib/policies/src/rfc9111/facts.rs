//! What is remembered of a stored answer from an origin, beside its fields and its body.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kasoku_coherence::Key;
use kasoku_http_caching::freshness::Freshness;
use kasoku_http_caching::partial::Parts;
use kasoku_http_caching::reuse::Failure as HowItFailed;
use parking_lot::Mutex;

use crate::cache::{fields_bytes, value_bytes};

/// See the module.
#[derive(Debug)]
pub(crate) struct HttpFacts {
    pub(crate) freshness: Freshness,
    /// Which requests it answers, of those with its primary key; `None`: all of them.
    pub(crate) selecting: Option<Selecting>,
    /// What is held of it, if that is not the whole.
    pub(crate) parts: Option<Parts>,
    /// Fields that are for caches and not for callers.
    pub(crate) for_caches: HeaderMap,
    /// The other variants that are, or were, stored beside it.
    variants: Mutex<Vec<Variant>>,
    failed: Failed,
}

/// The fields that `Vary` names, and what the request said in them (RFC 9111 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selecting {
    pub(crate) names: Vec<HeaderName>,
    pub(crate) said: Vec<u8>,
}

/// Another answer for the same primary key.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) key: Key,
    pub(crate) etag: Option<HeaderValue>,
}

/// When the origin last failed to give a newer one.
#[derive(Debug)]
struct Failed {
    base: Instant,
    /// Twice the milliseconds after the base, plus two, and one more if there was an answer; 0 is never.
    mark: AtomicU64,
}

impl HttpFacts {
    pub(crate) fn new(
        (freshness, selecting, parts, for_caches): (Freshness, Option<Selecting>, Option<Parts>, HeaderMap),
        now: Instant,
    ) -> Self {
        let failed = Failed { base: now, mark: AtomicU64::new(0) };
        Self { freshness, selecting, parts, for_caches, variants: Mutex::default(), failed }
    }

    /// Takes over what is known of the other variants from the answer whose place this one takes.
    pub(crate) fn adopt(&self, other: &Self) {
        self.variants.lock().clone_from(&other.variants.lock());
    }

    /// Notes another variant; `false` if there are too many.
    pub(crate) fn note(&self, variant: Variant, most: usize) -> bool {
        let mut variants = self.variants.lock();
        variants.retain(|known| known.key != variant.key);
        let has_room = variants.len() < most;
        if has_room {
            variants.push(variant);
        }
        has_room
    }

    /// What the other variants are, or were, stored under.
    pub(crate) fn variants(&self) -> Vec<Key> {
        self.variants.lock().iter().map(|variant| variant.key.clone()).collect()
    }

    /// Forgets variants that are gone.
    pub(crate) fn forget(&self, gone: &[Key]) {
        self.variants.lock().retain(|variant| !gone.contains(&variant.key));
    }

    /// The other variants, as far as they can be asked about.
    pub(crate) fn tagged(&self) -> Vec<Variant> {
        self.variants.lock().iter().filter(|variant| variant.etag.is_some()).cloned().collect()
    }

    /// Notes that the origin failed, and how.
    pub(crate) fn note_failure(&self, how: HowItFailed, now: Instant) {
        let after_ms = now.saturating_duration_since(self.failed.base).as_millis() as u64;
        let answered = u64::from(matches!(how, HowItFailed::Answered(_)));
        self.failed.mark.store((after_ms + 1) * 2 + answered, Ordering::Relaxed);
    }

    /// How the origin failed, if it did so within this time. Which of its errors it answered with is not remembered:
    /// they all allow the same.
    pub(crate) fn has_failed_within(&self, time: Duration, now: Instant) -> Option<HowItFailed> {
        let mark = self.failed.mark.load(Ordering::Relaxed);
        let after_ms = (mark / 2).checked_sub(1)?;
        let since = now.checked_duration_since(self.failed.base + Duration::from_millis(after_ms))?;
        let answered = HowItFailed::Answered(StatusCode::SERVICE_UNAVAILABLE);
        (since < time).then_some(if mark % 2 == 1 { answered } else { HowItFailed::Unreachable })
    }

    /// What it takes on the heap, itself included. Keys of variants are counted here too, for they may outlive those.
    pub(crate) fn bytes(&self) -> usize {
        let selecting =
            self.selecting.as_ref().map_or(0, |one| names_bytes(&one.names) + one.said.capacity());
        let variants = {
            let variants = self.variants.lock();
            let of_each =
                |one: &Variant| one.key.bytes().len() + 32 + one.etag.as_ref().map_or(0, value_bytes);
            variants.capacity() * size_of::<Variant>() + variants.iter().map(of_each).sum::<usize>()
        };
        let parts = self.parts.as_ref().map_or(0, |parts| parts.heap_bytes() as usize);
        let withheld = names_bytes(&self.freshness.withheld);
        size_of::<Self>() + fields_bytes(&self.for_caches) + withheld + selecting + variants + parts
    }
}

/// Names that HTTP knows take no memory of their own; here it is as if they did.
fn names_bytes(names: &Vec<HeaderName>) -> usize {
    let of_each = |name: &HeaderName| name.as_str().len() + 32;
    names.capacity() * size_of::<HeaderName>() + names.iter().map(of_each).sum::<usize>()
}
