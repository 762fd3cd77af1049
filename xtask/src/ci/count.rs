//! How many tests ran, as runners tell it.

/// How many tests ran.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Count {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    /// Reads the closing line of a test runner: nextest's, or the one of the built-in harness.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        let nextest = line.trim_start().starts_with("Summary [");
        if !nextest && !line.starts_with("test result:") {
            return None;
        }
        let words: Vec<_> =
            line.split([' ', ';', ',', '.', '(', ')']).filter(|word| !word.is_empty()).collect();
        let before = |names: &[&str]| {
            let pairs = words.windows(2).filter(|pair| names.contains(&pair[1]));
            pairs.filter_map(|pair| pair[0].parse::<u64>().ok()).sum()
        };
        Some(Self {
            passed: before(&["passed"]),
            failed: before(&["failed", "timed", "exec"]),
            skipped: before(&["skipped", "ignored"]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_test_runners_are_counted() {
        let check = |line: &str, expected: Option<(u64, u64, u64)>| {
            let expected = expected.map(|(passed, failed, skipped)| Count { passed, failed, skipped });
            assert_eq!(Count::of_line(line), expected, "{line}");
        };
        check("     Summary [   0.071s] 20 tests run: 20 passed, 0 skipped", Some((20, 0, 0)));
        check(
            "     Summary [   1.2s] 5 tests run: 3 passed (1 slow), 2 failed, 1 timed out, 4 skipped",
            Some((3, 3, 4)),
        );
        check(
            "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 1 filtered out; finished in 0.1s",
            Some((12, 0, 3)),
        );
        check("test a ... ok", None);
        check("", None);
    }
}
