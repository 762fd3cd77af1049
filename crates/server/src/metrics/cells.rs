//! Counters that many threads add to without waiting for each other.
//!
//! What every request touches is kept once per thread (up to a few), each on its own cache lines, and added up
//! when it is read.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use kasoku_http_caching::reason::TOKENS;
use kasoku_observe::Answered;

/// Upper bounds of the duration buckets, in seconds.
pub(super) const BOUNDS_S: [f64; BUCKETS - 1] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];
const BUCKETS: usize = 18;

/// The statuses that are counted one by one; any other counts as the last one's class would, under 0.
pub(super) const STATUSES: [u16; 33] = [
    200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 412, 413,
    414, 415, 416, 422, 429, 431, 500, 501, 502, 503, 504, 0,
];

/// The words of `Cache-Status` that are counted one by one, and one for any other.
pub(super) const VERDICTS: [&str; 10] =
    ["hit", "stale-hit", "uri-miss", "vary-miss", "stale", "request", "method", "bypass", "partial", "other"];

/// What the cache's rules can give as reasons, and one for any other.
pub(super) const REASONS: [&str; TOKENS.len()] = TOKENS;

/// Threads that count apart; more share.
const SHARDS: usize = 8;

/// Durations by bucket.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

/// A histogram as it was read.
#[derive(Debug, Default)]
pub(super) struct Durations {
    pub(super) sum_s: f64,
    pub(super) count: u64,
    /// Upper bound and count of each bucket, not cumulated.
    pub(super) buckets: Vec<(f64, u64)>,
}

/// What is counted of a route.
#[derive(Debug)]
pub(super) struct RouteCells {
    pub(super) pattern: Arc<str>,
    shards: [Shard; SHARDS],
    pub(super) shed_queue: AtomicU64,
    pub(super) shed_wait: AtomicU64,
    pub(super) panics: AtomicU64,
    pub(super) fenced: AtomicU64,
    pub(super) audited_well: AtomicU64,
    pub(super) audited_wrong: AtomicU64,
}

#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    statuses: [AtomicU64; STATUSES.len()],
    verdicts: [AtomicU64; VERDICTS.len()],
    reasons: [AtomicU64; REASONS.len()],
    latency: Histogram,
    body_bytes: AtomicU64,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            statuses: [const { AtomicU64::new(0) }; STATUSES.len()],
            verdicts: [const { AtomicU64::new(0) }; VERDICTS.len()],
            reasons: [const { AtomicU64::new(0) }; REASONS.len()],
            latency: Histogram::default(),
            body_bytes: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    pub(super) fn add(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let place = BOUNDS_S.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS - 1);
        self.buckets[place].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(took.as_nanos() as u64, Relaxed);
    }

    /// Adds several up.
    pub(super) fn read<'a>(parts: impl Iterator<Item = &'a Self>) -> Durations {
        let bounds = BOUNDS_S.into_iter().chain([f64::INFINITY]);
        let mut read =
            Durations { buckets: bounds.map(|bound| (bound, 0)).collect(), ..Durations::default() };
        let mut sum_ns = 0;
        for part in parts {
            sum_ns += part.sum_ns.load(Relaxed);
            for (bucket, cell) in read.buckets.iter_mut().zip(&part.buckets) {
                bucket.1 += cell.load(Relaxed);
            }
        }
        read.sum_s = Duration::from_nanos(sum_ns).as_secs_f64();
        read.count = read.buckets.iter().map(|(_, count)| count).sum();
        read
    }
}

impl RouteCells {
    pub(super) fn new(pattern: Arc<str>) -> Self {
        Self {
            pattern,
            shards: Default::default(),
            shed_queue: AtomicU64::new(0),
            shed_wait: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            fenced: AtomicU64::new(0),
            audited_well: AtomicU64::new(0),
            audited_wrong: AtomicU64::new(0),
        }
    }

    pub(super) fn answered(&self, answered: &Answered<'_>) {
        let Answered { status, cache: verdict, reason, latency, body_bytes, .. } = *answered;
        let shard = &self.shards[shard()];
        let place = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        shard.statuses[place].fetch_add(1, Relaxed);
        let place = VERDICTS.iter().position(|known| *known == verdict).unwrap_or(VERDICTS.len() - 1);
        shard.verdicts[place].fetch_add(1, Relaxed);
        if let Some(reason) = reason {
            let place = REASONS.iter().position(|known| *known == reason).unwrap_or(REASONS.len() - 1);
            shard.reasons[place].fetch_add(1, Relaxed);
        }
        shard.latency.add(latency);
        shard.body_bytes.fetch_add(body_bytes.unwrap_or(0), Relaxed);
    }

    /// How often each of [`STATUSES`] was answered.
    pub(super) fn statuses(&self) -> [u64; STATUSES.len()] {
        std::array::from_fn(|place| self.sum(|shard| &shard.statuses[place]))
    }

    /// How often each of [`VERDICTS`] was the cache's.
    pub(super) fn verdicts(&self) -> [u64; VERDICTS.len()] {
        std::array::from_fn(|place| self.sum(|shard| &shard.verdicts[place]))
    }

    /// How often each of [`REASONS`] decided.
    pub(super) fn reasons(&self) -> [u64; REASONS.len()] {
        std::array::from_fn(|place| self.sum(|shard| &shard.reasons[place]))
    }

    pub(super) fn body_bytes(&self) -> u64 {
        self.sum(|shard| &shard.body_bytes)
    }

    pub(super) fn latency(&self) -> Durations {
        Histogram::read(self.shards.iter().map(|shard| &shard.latency))
    }

    fn sum(&self, cell: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.shards.iter().map(|shard| cell(shard).load(Relaxed)).sum()
    }
}

/// The shard of this thread.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = Cell::new(NEXT.fetch_add(1, Relaxed) % SHARDS);
    }
    OWN.get()
}
