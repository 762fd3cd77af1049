//! What is counted of each statement: how often it ran, for how long, and how the times were spread.
//!
//! A statement is known by its name, which stands for a shape and holds no value. A run adds to three counters and looks
//! at two; whoever wants percentiles makes them out of the spread when he reads it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use foldhash::quality::RandomState;
use parking_lot::RwLock;
use serde::Serialize;

use super::cells::Durations;

/// Statements that are counted by name; further ones count together. Callers choose shapes.
pub(super) const STATEMENTS_MAX: usize = 256;

/// Parts of each doubling of the time; a percentile is too large by one of them at the most.
const PARTS: u64 = 8;

/// Doublings of a microsecond that are told apart, the last being half an hour.
const DOUBLINGS: u64 = 32;

/// The doublings that metrics show as buckets: 64 µs to 8 s and a bit.
const SHOWN: std::ops::RangeInclusive<u64> = 5..=22;

/// From how long on a statement is slow. Shared by all who tell of it.
#[derive(Debug, Default)]
pub(crate) struct SlowBound(AtomicU64);

/// All statements.
#[derive(Default)]
pub(super) struct Statements {
    known: RwLock<HashMap<Box<str>, Arc<StatementCells>, RandomState>>,
    others: StatementCells,
    slow: Arc<SlowBound>,
}

/// What is counted of one.
#[derive(Default)]
pub(super) struct StatementCells {
    sql: Box<str>,
    took_ns: AtomicU64,
    slowest_ns: AtomicU64,
    pub(super) rows: AtomicU64,
    pub(super) slow: AtomicU64,
    spread: Spread,
}

/// How times are spread.
struct Spread([AtomicU64; (PARTS * DOUBLINGS) as usize]);

/// What is known of a statement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatementReport {
    /// Its stable name.
    pub statement: String,
    /// Its text, which holds no values.
    pub sql: String,
    /// How often it ran.
    pub count: u64,
    /// How often it took longer than the bound.
    pub slow: u64,
    /// Rows read or written.
    pub rows: u64,
    /// All its time.
    pub total_ms: f64,
    /// The mean.
    pub mean_ms: f64,
    /// What half of its runs are not longer than; as the other percentiles, too large by an eighth at the most.
    pub p50_ms: f64,
    /// What 95 of 100 are not longer than.
    pub p95_ms: f64,
    /// What 99 of 100 are not longer than.
    pub p99_ms: f64,
    /// The longest run.
    pub slowest_ms: f64,
    /// How the database would run it now, in its own words; nothing where that was not asked.
    pub plan: Option<Vec<String>>,
}

impl SlowBound {
    pub(crate) fn set(&self, bound: Option<Duration>) {
        let ns = bound.map_or(0, |bound| u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX).max(1));
        self.0.store(ns, Relaxed);
    }

    /// Whether a run of so long is slow.
    pub(crate) fn is_passed(&self, took_ns: u64) -> bool {
        let bound_ns = self.0.load(Relaxed);
        bound_ns > 0 && took_ns >= bound_ns
    }
}

impl Statements {
    pub(super) fn slow_bound(&self) -> &Arc<SlowBound> {
        &self.slow
    }

    pub(super) fn ran(&self, name: &str, sql: &str, took: Duration, rows: u64) {
        let ns = took.as_nanos() as u64;
        let is_slow = self.slow.is_passed(ns);
        if let Some(cells) = self.known.read().get(name) {
            return cells.add(ns, rows, is_slow);
        }
        let mut known = self.known.write();
        if known.len() < STATEMENTS_MAX || known.contains_key(name) {
            let cells = || Arc::new(StatementCells { sql: sql.into(), ..StatementCells::default() });
            known.entry(name.into()).or_insert_with(cells).add(ns, rows, is_slow);
        } else {
            self.others.add(ns, rows, is_slow);
        }
    }

    /// All that are known by name, in no order.
    pub(super) fn reports(&self) -> Vec<StatementReport> {
        let known = self.known.read();
        known.iter().map(|(name, cells)| cells.report(name)).collect()
    }

    /// Calls back with each, and with all others together.
    pub(super) fn each(&self, mut each: impl FnMut(&str, &StatementCells) -> fmt::Result) -> fmt::Result {
        let known: Vec<_> =
            self.known.read().iter().map(|(name, cells)| (name.clone(), Arc::clone(cells))).collect();
        for (name, cells) in &known {
            each(name, cells)?;
        }
        each("other", &self.others)
    }
}

impl StatementCells {
    fn add(&self, ns: u64, rows: u64, is_slow: bool) {
        self.spread.add(ns);
        self.took_ns.fetch_add(ns, Relaxed);
        self.rows.fetch_add(rows, Relaxed);
        // Mostly there is nothing to write.
        if self.slowest_ns.load(Relaxed) < ns {
            self.slowest_ns.fetch_max(ns, Relaxed);
        }
        if is_slow {
            self.slow.fetch_add(1, Relaxed);
        }
    }

    /// How often it ran.
    pub(super) fn count(&self) -> u64 {
        self.spread.counts().sum()
    }

    /// Its times by the buckets that metrics show.
    pub(super) fn durations(&self) -> Durations {
        let counts: Vec<u64> = self.spread.counts().collect();
        let doubling = |number: u64| {
            counts.chunks(PARTS as usize).nth(number as usize).unwrap_or(&[]).iter().sum::<u64>()
        };
        let (first, last) = (*SHOWN.start(), *SHOWN.end());
        let mut buckets = vec![(end_s(first), (0..=first).map(doubling).sum())];
        buckets.extend((first + 1..=last).map(|number| (end_s(number), doubling(number))));
        buckets.push((f64::INFINITY, (last + 1..DOUBLINGS).map(doubling).sum()));
        Durations { sum_s: self.took().as_secs_f64(), count: counts.iter().sum(), buckets }
    }

    fn took(&self) -> Duration {
        Duration::from_nanos(self.took_ns.load(Relaxed))
    }

    fn report(&self, name: &str) -> StatementReport {
        let count = self.count();
        let slowest_ms = self.slowest_ns.load(Relaxed) as f64 / 1e6;
        let total_ms = self.took().as_secs_f64() * 1e3;
        // A part of a doubling may end beyond the slowest run.
        let percentile = |share: f64| self.spread.percentile_ms(share).min(slowest_ms);
        StatementReport {
            statement: name.to_owned(),
            sql: self.sql.to_string(),
            count,
            slow: self.slow.load(Relaxed),
            rows: self.rows.load(Relaxed),
            total_ms,
            mean_ms: total_ms / count.max(1) as f64,
            p50_ms: percentile(0.5),
            p95_ms: percentile(0.95),
            p99_ms: percentile(0.99),
            slowest_ms,
            plan: None,
        }
    }
}

impl Default for Spread {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; (PARTS * DOUBLINGS) as usize])
    }
}

impl Spread {
    fn add(&self, ns: u64) {
        self.0[Self::place(ns)].fetch_add(1, Relaxed);
    }

    fn counts(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|cell| cell.load(Relaxed))
    }

    /// The part that a time falls into. The first doubling begins at nothing.
    fn place(ns: u64) -> usize {
        // In eighths of 1.024 µs, so that no division is needed.
        let eighths = ns >> 7;
        let doubling = u64::from((eighths / PARTS).checked_ilog2().unwrap_or(0));
        let part = if eighths < PARTS { 0 } else { (eighths >> doubling) - PARTS };
        (doubling * PARTS + part).min(PARTS * DOUBLINGS - 1) as usize
    }

    /// What this share of all times is not longer than, in milliseconds; 0 if there are none.
    fn percentile_ms(&self, share: f64) -> f64 {
        let counts: Vec<u64> = self.counts().collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil();
        let mut passed = 0;
        for (place, count) in counts.iter().enumerate() {
            passed += count;
            if *count > 0 && passed as f64 >= wanted {
                let (doubling, part) = (place as u64 / PARTS, place as u64 % PARTS);
                let ns = (PARTS + part + 1) as f64 * 128.0 * (1_u64 << doubling) as f64;
                return ns / 1e6;
            }
        }
        0.0
    }
}

/// Where a doubling ends, in seconds.
fn end_s(doubling: u64) -> f64 {
    1_024e-9 * (1_u64 << (doubling + 1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_at_most_an_eighth_too_large() {
        for us in [2_u64, 3, 7, 9, 100, 999, 1_000, 12_345, 999_999, 30_000_000] {
            let spread = Spread::default();
            spread.add(us * 1_000);
            let (exact, told) = (us as f64 / 1e3, spread.percentile_ms(0.5));
            assert!(told >= exact && told <= exact * 1.1251, "{us} us: {told}");
        }
        let spread = Spread::default();
        assert!(spread.percentile_ms(0.99).abs() < f64::EPSILON);
        for ms in 1..=100 {
            spread.add(ms * 1_000_000);
        }
        for (share, exact) in [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0)] {
            let told = spread.percentile_ms(share);
            assert!(told >= exact && told <= exact * 1.1251, "{share}: {told}");
        }
        spread.add(0);
        spread.add(u64::MAX);
        assert_eq!(spread.counts().sum::<u64>(), 102);
    }

    #[test]
    fn runs_are_counted_by_statement_with_the_slowest_and_those_beyond_the_bound() {
        let statements = Statements::default();
        statements.slow_bound().set(Some(Duration::from_millis(10)));
        for ms in [1, 2, 10] {
            statements.ran("items.list", "select 1", Duration::from_millis(ms), 20);
        }
        statements.slow_bound().set(None);
        statements.ran("items.list", "select 2", Duration::from_secs(1), 0);
        let [report] = &statements.reports()[..] else { panic!("there is one") };
        assert_eq!((report.count, report.slow, report.rows, &*report.sql), (4, 1, 60, "select 1"));
        assert!(
            (report.slowest_ms - 1_000.0).abs() < 1e-6 && report.p99_ms <= report.slowest_ms,
            "{report:?}"
        );
        assert!((report.mean_ms - 253.25).abs() < 1e-6 && report.p50_ms < 2.3, "{report:?}");
    }

    #[test]
    fn buckets_hold_each_run_once() {
        let cells = StatementCells::default();
        for ns in [0, 60_000, 70_000, 5_000_000, u64::MAX / 2] {
            cells.add(ns, 0, false);
        }
        let read = cells.durations();
        assert_eq!((read.count, read.buckets.iter().map(|(_, count)| count).sum::<u64>()), (5, 5));
        assert!(read.buckets.is_sorted_by(|one, two| one.0 < two.0), "{read:?}");
        assert_eq!((read.buckets[0].1, read.buckets.last().unwrap().1), (2, 1), "{read:?}");
    }

    #[test]
    fn there_is_an_end_to_the_statements_that_are_told_apart() {
        let statements = Statements::default();
        for number in 0..STATEMENTS_MAX + 5 {
            statements.ran(&format!("s{number}"), "select 1", Duration::ZERO, 1);
        }
        assert_eq!(statements.reports().len(), STATEMENTS_MAX);
        let mut others = 0;
        let counted = statements.each(|name, cells| {
            others += if name == "other" { cells.count() } else { 0 };
            Ok(())
        });
        assert!(counted.is_ok());
        assert_eq!(others, 5);
    }
}
