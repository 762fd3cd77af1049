//! Chores of the workspace: `cargo xtask ci`, `tidy`, `docs`, `browser`, `clients` and `services`.
//!
//! It must not depend on any crate of the product, so that `tidy` starts within seconds in a fresh clone; what
//! needs the product's own tables is printed by small programs that the product's crates bring along.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to the person who runs them")]

mod browser;
mod ci;
mod clients;
mod docs;
mod services;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <CHORE>

  ci [--only STEP]…   everything that a change must pass, fast failures first
  ci --list           the names of the steps
  tidy                habits that the compiler does not check
  docs [--check]      writes the generated reference pages; --check only says whether they are current
  browser             drives the apps' pages in Chromium, and says what is missing where that cannot be
  clients             has clients that others have written do their work against the product
  services            finds or installs what the tests need beside the toolchain
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    match arguments.as_slice() {
        ["ci", "--list"] => ci::list(),
        ["ci", rest @ ..] => match ci::Selection::parse(rest) {
            Ok(selection) => ci::run(&root, &selection),
            Err(problem) => wrong_use(&problem),
        },
        ["tidy"] => tidy::run(&root),
        ["docs"] => docs::run(&root, docs::Mode::Write),
        ["docs", "--check"] => docs::run(&root, docs::Mode::Check),
        ["browser"] => browser::run(&root),
        ["clients"] => clients::run(&root),
        ["services"] => services::run(&root),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        [] => wrong_use("name a chore"),
        [first, ..] => wrong_use(&format!("there is no chore `{first}` with these arguments")),
    }
}

fn wrong_use(problem: &str) -> ExitCode {
    eprint!("{problem}\n\n{USAGE}");
    ExitCode::from(2)
}

/// The workspace's folder: the parent of this crate's.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
