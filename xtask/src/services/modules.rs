//! Packages of npm that scripts of the tests use, installed by npm below `target/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Outcome, programs};

/// A manifest with its lock, and where what it names is put.
pub(crate) struct Packages {
    /// What it is all about, by its name.
    pub(crate) name: &'static str,
    /// Where the manifest and its lock are.
    wanted: &'static str,
    /// Where the packages are put; no folder of the sources, so that nobody reads them as some.
    folder: &'static str,
}

/// What drives a browser.
pub(crate) const BROWSER: Packages =
    Packages { name: "playwright-core", wanted: "tests/browser", folder: "target/browser" };

/// A client of data routes that others have written.
pub(crate) const POSTGREST_JS: Packages = Packages {
    name: "@supabase/postgrest-js",
    wanted: "tests/clients/postgrest-js",
    folder: "target/clients/postgrest-js",
};

const LOCK: &str = "package-lock.json";

/// The folder with the installed packages.
///
/// # Errors
/// What is missing or went wrong.
pub(crate) fn install(root: &Path, packages: &Packages) -> Result<PathBuf, String> {
    let (wanted, folder) = (root.join(packages.wanted), root.join(packages.folder));
    let modules = folder.join("node_modules");
    // Written last, so that an equal one tells of an installation that came to its end.
    let read = |path: PathBuf| fs::read(&path).map_err(|error| format!("{}: {error}", path.display()));
    let lock = read(wanted.join(LOCK))?;
    if modules.is_dir() && read(folder.join("installed.json")).is_ok_and(|installed| installed == lock) {
        return Ok(modules);
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", packages.folder))?;
    for name in ["package.json", LOCK] {
        fs::copy(wanted.join(name), folder.join(name))
            .map_err(|error| format!("{}/{name}: {error}", packages.folder))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    // What npm says last names its log and not the reason.
    programs::run(&mut npm)
        .map_err(|_| format!("`npm ci` fails; run it in {} to see why", packages.folder))?;
    fs::write(folder.join("installed.json"), lock)
        .map_err(|error| format!("{}: {error}", packages.folder))?;
    Ok(modules)
}

/// Sees to it.
pub(super) fn provide(root: &Path, packages: &Packages) -> Outcome {
    match install(root, packages) {
        Ok(_) => Outcome::Found(format!("in {}", packages.folder)),
        Err(why) => Outcome::Missing(why),
    }
}
