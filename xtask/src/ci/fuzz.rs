//! libFuzzer on each target of `fuzz/`, for a short while, where cargo-fuzz is installed.
//!
//! The tests of `fuzz/targets` have called every target already, with its seeds and with what is made of them;
//! libFuzzer knows which bytes lead to code that was not reached before, and looks further.

use std::io;
use std::path::Path;

use super::{Verdict, cargo, installed};

/// Runs each target for a while.
pub(super) fn run(root: &Path) -> Verdict {
    const SECONDS: usize = 110;
    const SECONDS_EACH_MOST: usize = 10;
    let targets = match fuzz_targets(root) {
        Ok(targets) => targets,
        Err(error) => {
            eprintln!("fuzz/fuzz_targets cannot be read: {error}");
            return Verdict::Failed;
        }
    };
    if !installed("cargo-fuzz") {
        let why = "cargo-fuzz is not installed; the tests of fuzz/targets have tried each parser";
        return Verdict::Skipped(why.to_owned());
    }
    let seconds = (SECONDS / targets.len().max(1)).clamp(1, SECONDS_EACH_MOST);
    for target in targets {
        let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
        if let Err(error) = std::fs::create_dir_all(root.join(&corpus)) {
            eprintln!("{corpus}: {error}");
            return Verdict::Failed;
        }
        let time = format!("-max_total_time={seconds}");
        let words = ["fuzz", "run", "--target-dir", "target/fuzz", &target, &corpus, &seeds, "--", &time];
        // Instrumentation is not stable; the compiler that is pinned can do it all the same.
        let verdict = cargo(root, &words, &[("RUSTC_BOOTSTRAP", "1")]);
        if verdict != Verdict::Passed {
            return verdict;
        }
    }
    Verdict::Passed
}

fn fuzz_targets(root: &Path) -> io::Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        targets.push(entry?.path().file_stem().unwrap_or_default().to_string_lossy().into_owned());
    }
    targets.sort();
    Ok(targets)
}
