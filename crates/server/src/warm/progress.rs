//! How far a warming is, for health checks, and what is kept of the list of hot targets.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use kasoku_config::WarmTarget;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Warmth {
    /// Whether the server waits for it before it is ready.
    awaited: AtomicBool,
    targets: AtomicUsize,
    done: AtomicUsize,
    failed: AtomicUsize,
    /// What was hot in the previous run and could be warmed, or has still to be.
    kept: Mutex<Vec<WarmTarget>>,
}

impl Warmth {
    /// From now on the server is not ready, if there is anything to warm.
    pub(super) fn begin(&self, targets: usize) {
        self.targets.store(targets, Relaxed);
        self.awaited.store(targets > 0, Relaxed);
    }

    /// Counts from the start.
    pub(super) fn begin_round(&self, targets: usize) {
        self.targets.store(targets, Relaxed);
        self.done.store(0, Relaxed);
        self.failed.store(0, Relaxed);
    }

    pub(super) fn count(&self, went_well: bool) {
        self.failed.fetch_add(usize::from(!went_well), Relaxed);
        self.done.fetch_add(1, Relaxed);
    }

    /// The targets that were asked for, and how many of them failed.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.done.load(Relaxed), self.failed.load(Relaxed))
    }

    pub(super) fn end(&self) {
        self.awaited.store(false, Relaxed);
    }

    /// Why the server is not ready, if it is not.
    pub(crate) fn reason(&self) -> Option<String> {
        let (done, _) = self.counts();
        let told = || format!("the cache is being warmed: {done} of {} targets", self.targets.load(Relaxed));
        self.awaited.load(Relaxed).then(told)
    }

    /// Facts for operators; `null` if there was nothing to warm.
    pub(crate) fn facts(&self) -> Value {
        let (done, failed) = self.counts();
        match self.targets.load(Relaxed) {
            0 => Value::Null,
            targets => json!({ "targets": targets, "done": done, "failed": failed }),
        }
    }

    /// Takes over what was hot.
    pub(super) fn keep(&self, targets: Vec<WarmTarget>) {
        *self.kept.lock() = targets;
    }

    pub(super) fn kept(&self) -> Vec<WarmTarget> {
        self.kept.lock().clone()
    }

    /// Forgets what cannot be warmed any more.
    pub(super) fn drop_kept(&self, target: &WarmTarget) {
        self.kept.lock().retain(|kept| kept != target);
    }

    /// What is hot now, and after it what was hot before, so that a short run does not forget what a long one knew.
    pub(super) fn among_kept(&self, hottest: Vec<WarmTarget>, count: usize) -> Vec<WarmTarget> {
        let mut known = HashSet::new();
        let all = hottest.into_iter().chain(self.kept());
        all.filter(|target| known.insert(target.clone())).take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(names: &[&str]) -> Vec<WarmTarget> {
        names.iter().map(|name| WarmTarget::read(name).expect("a target")).collect()
    }

    #[test]
    fn a_server_without_targets_is_ready_and_one_with_targets_when_all_are_done() {
        let warmth = Warmth::default();
        warmth.begin(0);
        assert_eq!((warmth.reason(), warmth.facts()), (None, Value::Null));
        warmth.begin(2);
        assert_eq!(warmth.reason().as_deref(), Some("the cache is being warmed: 0 of 2 targets"));
        warmth.count(true);
        warmth.count(false);
        assert!(warmth.reason().is_some());
        warmth.end();
        assert_eq!(warmth.reason(), None);
        assert_eq!(warmth.facts(), json!({ "targets": 2, "done": 2, "failed": 1 }));
        warmth.begin_round(3);
        assert_eq!(warmth.reason(), None, "a reload does not make the server unready");
    }

    #[test]
    fn what_is_hot_goes_before_what_was_and_the_bound_holds() {
        let warmth = Warmth::default();
        warmth.keep(targets(&["/a", "/b", "/c"]));
        warmth.drop_kept(&targets(&["/b"])[0]);
        assert_eq!(warmth.among_kept(targets(&["/d", "/c"]), 3), targets(&["/d", "/c", "/a"]));
        assert_eq!(warmth.among_kept(targets(&["/d", "/e"]), 2), targets(&["/d", "/e"]));
    }
}
