//! Which shapes take long, so that they are run where they hold up nobody.
//!
//! No plan can tell beforehand, since it does not know the rows. So a shape counts as short until a run of it has taken
//! long, and then as long for a while: a second, and twice as long each time that the trial after that fails too. It
//! may have been the machine that was slow and not the statement.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;
use parking_lot::RwLock;

/// Shapes that are remembered.
const SHAPES_MAX: usize = 4_096;

/// For how long a shape is remembered the first time, unless the most is less.
const FIRST: Duration = Duration::from_secs(1);

/// From when on a statement is long, and for how long that is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongSettings {
    /// What takes longer is long.
    pub after: Duration,
    /// For how long a shape is remembered at the most.
    pub remembered: Duration,
}

impl LongSettings {
    /// Where a long statement holds up a thread that serves.
    pub const IN_PROCESS: Self =
        Self { after: Duration::from_millis(2), remembered: Duration::from_secs(64) };

    /// Where a long statement holds up those behind it on its connection.
    pub const ON_SERVER: Self =
        Self { after: Duration::from_millis(50), remembered: Duration::from_secs(64) };
}

/// Which shapes took long lately. A shape is known by a text.
#[derive(Debug)]
pub struct LongShapes {
    settings: LongSettings,
    shapes: RwLock<Shapes>,
}

#[derive(Debug, Default)]
struct Shapes {
    /// Callers choose shapes, so the hashes are keyed.
    known: HashMap<Arc<str>, Long, RandomState>,
    /// When there was no room, and none could be made, the next attempt comes then.
    full_until: Option<Instant>,
}

/// A shape that took long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Long {
    remembered: Duration,
    until: Instant,
}

impl LongShapes {
    pub(crate) fn new(settings: LongSettings) -> Self {
        Self { settings, shapes: RwLock::default() }
    }

    /// What a statement may take before it counts as long.
    pub fn after(&self) -> Duration {
        self.settings.after
    }

    /// Whether a shape counts as long now. One that is not known does where there is no room to remember it, for it
    /// would be tried again and again.
    pub fn has(&self, shape: &str, now: impl FnOnce() -> Instant) -> bool {
        let shapes = self.shapes.read();
        // Mostly so, and then there is nothing to hash and no clock to read.
        if shapes.known.is_empty() {
            return false;
        }
        match shapes.known.get(shape) {
            Some(known) => now() < known.until,
            None => shapes.full_until.is_some_and(|until| now() < until),
        }
    }

    /// Remembers that a shape took too long just now.
    pub fn add(&self, shape: &Arc<str>, now: Instant) {
        let mut shapes = self.shapes.write();
        if shapes.known.len() >= SHAPES_MAX && !shapes.known.contains_key(shape) {
            shapes.known.retain(|_, known| now < known.forgotten());
            if shapes.known.len() >= SHAPES_MAX {
                shapes.full_until = Some(now + FIRST);
                return;
            }
        }
        shapes.full_until = None;
        let again = Long::after(shapes.known.get(shape), now, self.settings.remembered);
        shapes.known.insert(Arc::clone(shape), again);
    }
}

impl Long {
    /// What is remembered of a shape that took long now, and may have before.
    fn after(before: Option<&Self>, now: Instant, most: Duration) -> Self {
        let lately = before.filter(|before| now < before.forgotten());
        let remembered = lately.map_or(FIRST, |before| before.remembered * 2).min(most);
        Self { remembered, until: now + remembered }
    }

    /// When it is as if it had never been long.
    fn forgotten(&self) -> Instant {
        self.until + self.remembered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: LongSettings = LongSettings::IN_PROCESS;

    #[test]
    fn a_shape_is_remembered_for_longer_each_time_unless_it_was_well_for_as_long() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let after = |before: Option<&Long>, now| Long::after(before, now, SETTINGS.remembered);
        let mut known = after(None, at(0));
        assert_eq!(known, Long { remembered: Duration::from_secs(1), until: at(1) });
        for (stopped_s, until_s) in
            [(1, 3), (3, 7), (14, 15), (15, 17), (17, 21), (21, 29), (29, 45), (45, 77)]
        {
            known = after(Some(&known), at(stopped_s));
            assert_eq!(known.until, at(until_s), "stopped at {stopped_s}");
        }
        known = after(Some(&known), at(77));
        known = after(Some(&known), known.until);
        assert_eq!(known.remembered, SETTINGS.remembered);
        let short = Long::after(None, at(0), Duration::from_millis(20));
        assert_eq!(short.remembered, Duration::from_millis(20));
    }

    #[test]
    fn a_shape_is_long_while_it_is_remembered_and_others_are_not() {
        let (shapes, start) = (LongShapes::new(SETTINGS), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let has = |shape: &str, ms| shapes.has(shape, || at(ms));
        assert!(!has("a", 0));
        shapes.add(&"a".into(), at(0));
        assert_eq!([has("a", 999), has("b", 999), has("a", 1_000)], [true, false, false]);
    }

    #[test]
    fn where_no_shape_can_be_remembered_any_more_an_unknown_one_is_long_until_there_is_room() {
        let (shapes, start) = (LongShapes::new(SETTINGS), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let has = |shape: &str, ms| shapes.has(shape, || at(ms));
        for number in 0..SHAPES_MAX {
            shapes.add(&format!("{number}").into(), at(0));
        }
        assert!(!has("one more", 1));
        shapes.add(&"one more".into(), at(2));
        assert!(has("another", 3));
        assert!(!has("another", 1_500), "it is tried again");
        shapes.add(&"another".into(), at(2_500));
        assert!(has("another", 2_501) && !has("one more", 2_501));
        assert!(shapes.shapes.read().known.len() < SHAPES_MAX);
    }
}
