//! Drives the apps' pages in a real browser.
//!
//! The scripts lie in `tests/browser/`; what they need besides the product is Chromium, Node and one package, which
//! `cargo xtask services` brings. Without these there is nothing to drive with, and that is said.

use std::env::consts::EXE_EXTENSION;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::services;

/// The scripts, each with the app that it drives.
const SCRIPTS: &[(&str, &str)] =
    &[("tests/browser/catalog.mjs", "apps/catalog"), ("tests/browser/admin.mjs", "apps/catalog")];

/// Where a failure leaves its pictures.
const PICTURES: &str = "target/browser/pictures";

/// How the driving ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Passed,
    Failed,
    /// Something is missing; the text says what, and what brings it.
    Impossible(String),
}

/// What driving takes.
struct Tools {
    node: PathBuf,
    chromium: PathBuf,
    modules: PathBuf,
}

/// The chore: whoever asks for it by name wants to hear of what is missing as a failure.
pub(crate) fn run(root: &Path) -> ExitCode {
    match drive(root) {
        Ending::Passed => ExitCode::SUCCESS,
        Ending::Failed => ExitCode::FAILURE,
        Ending::Impossible(why) => {
            eprintln!("no page was looked at: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the product and runs every script.
pub(crate) fn drive(root: &Path) -> Ending {
    let tools = match tools(root) {
        Ok(tools) => tools,
        Err(why) => return Ending::Impossible(why),
    };
    let Some(kasoku) = build(root) else { return Ending::Failed };
    // All of them run, so that one failure does not hide another.
    let failed = SCRIPTS.iter().filter(|(script, app)| !passes(root, &tools, &kasoku, script, app)).count();
    if failed == 0 { Ending::Passed } else { Ending::Failed }
}

/// Builds the product, which cargo puts beside this program.
pub(crate) fn build(root: &Path) -> Option<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", "kasoku", "--bin", "kasoku", "--locked"]).current_dir(root);
    let built = cargo.stdin(Stdio::null()).status().is_ok_and(|status| status.success());
    let kasoku = std::env::current_exe().ok()?.with_file_name("kasoku").with_extension(EXE_EXTENSION);
    built.then_some(kasoku)
}

fn tools(root: &Path) -> Result<Tools, String> {
    let found = |name| {
        services::path_of(name).ok_or_else(|| {
            format!("{name} is not installed; `cargo xtask services` installs it where it can")
        })
    };
    Ok(Tools {
        node: found("node")?,
        chromium: found("chromium")?,
        modules: services::modules(root, &services::BROWSER)?,
    })
}

fn passes(root: &Path, tools: &Tools, kasoku: &Path, script: &str, app: &str) -> bool {
    println!("{script}");
    let mut node = Command::new(&tools.node);
    node.arg(root.join(script))
        .env("NODE_PATH", &tools.modules)
        .env("CHROMIUM", &tools.chromium)
        .env("KASOKU", kasoku)
        .env("APP", root.join(app))
        .env("PICTURES", root.join(PICTURES))
        .current_dir(root)
        .stdin(Stdio::null());
    match node.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("node cannot be run: {error}");
            false
        }
    }
}
