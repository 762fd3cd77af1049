//! The package with which scripts drive a browser, installed by npm below `target/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Outcome, programs};

/// Where the manifest and its lock are.
const WANTED: &str = "tests/browser";

/// Where the package is put; no folder of the sources, so that nobody reads it as one.
const FOLDER: &str = "target/browser";

const LOCK: &str = "package-lock.json";

/// The folder with the installed package.
///
/// # Errors
/// What is missing or went wrong.
pub(crate) fn install(root: &Path) -> Result<PathBuf, String> {
    let (wanted, folder) = (root.join(WANTED), root.join(FOLDER));
    let modules = folder.join("node_modules");
    // Written last, so that an equal one tells of an installation that came to its end.
    let read = |path: PathBuf| fs::read(&path).map_err(|error| format!("{}: {error}", path.display()));
    let lock = read(wanted.join(LOCK))?;
    if modules.is_dir() && read(folder.join("installed.json")).is_ok_and(|installed| installed == lock) {
        return Ok(modules);
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{FOLDER}: {error}"))?;
    for name in ["package.json", LOCK] {
        fs::copy(wanted.join(name), folder.join(name))
            .map_err(|error| format!("{FOLDER}/{name}: {error}"))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    // What npm says last names its log and not the reason.
    programs::run(&mut npm).map_err(|_| format!("`npm ci` fails; run it in {FOLDER} to see why"))?;
    fs::write(folder.join("installed.json"), lock).map_err(|error| format!("{FOLDER}: {error}"))?;
    Ok(modules)
}

/// Sees to it.
pub(super) fn provide(root: &Path) -> Outcome {
    match install(root) {
        Ok(_) => Outcome::Found(format!("in {FOLDER}")),
        Err(why) => Outcome::Missing(why),
    }
}
