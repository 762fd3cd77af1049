//! cargo-deny, which looks at licences, sources and bans of dependencies, installed by cargo below `target/`.
//!
//! It is built without optimisation: that takes a third of the time, and its run stays under two seconds.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Outcome, programs};

/// Pinned, so that a new one changes nothing unasked.
const VERSION: &str = "0.20.2";

/// Where it is put.
const FOLDER: &str = "target/tools";

/// The program: the user's own, or the one that was put below `target/`.
pub(crate) fn find(root: &Path) -> Option<PathBuf> {
    let places = [PathBuf::from("cargo-deny"), root.join(FOLDER).join("bin/cargo-deny")];
    places.into_iter().find(|program| programs::run(Command::new(program).arg("--version")).is_ok())
}

/// Sees to it.
pub(super) fn provide(root: &Path) -> Outcome {
    if let Some(program) = find(root) {
        return Outcome::Found(program.display().to_string());
    }
    let mut install = Command::new(env!("CARGO"));
    install
        .args(["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--root", FOLDER])
        .current_dir(root);
    match programs::run(&mut install) {
        Ok(_) => Outcome::Installed(format!("{VERSION} in {FOLDER}")),
        Err(why) => Outcome::Missing(why),
    }
}
