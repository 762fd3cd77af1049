//! Finds or installs what the tests need beside the toolchain, and says what it did.
//!
//! What is found is left alone, so running it again costs nothing. What cannot be had is named at the end, with
//! what will not run without it.

mod data_sets;
mod modules;
mod programs;

use std::path::Path;
use std::process::ExitCode;

pub(crate) use modules::install as browser_modules;
pub(crate) use programs::path_of;

/// How one thing ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It was there.
    Found(String),
    /// It is there now.
    Installed(String),
    /// It is not there; the text says why.
    Missing(String),
}

/// Whether the tests can do without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Tests,
    /// `cargo xtask browser` only. It is installed, and left out where that cannot be.
    Browser,
    /// Measurements only. Whoever measures installs it.
    Measurements,
}

/// Sees to everything.
pub(crate) fn run(root: &Path) -> ExitCode {
    let mut missing_for_tests = 0;
    let mut say = |name: &str, need: Need, outcome: Outcome| {
        match (&outcome, need) {
            (Outcome::Found(what), _) => println!("{name}: found, {what}"),
            (Outcome::Installed(what), _) => println!("{name}: installed, {what}"),
            (Outcome::Missing(why), Need::Browser) => {
                println!("{name}: missing, {why}; the tests in a browser are left out");
            }
            (Outcome::Missing(why), Need::Measurements) => {
                println!("{name}: missing, {why}; the tests do without it");
            }
            (Outcome::Missing(why), Need::Tests) => println!("{name}: MISSING, {why}"),
        }
        missing_for_tests += usize::from(need == Need::Tests && matches!(outcome, Outcome::Missing(_)));
    };
    for program in programs::ALL {
        say(program.name, program.need, program.provide());
    }
    say("playwright-core", Need::Browser, modules::provide(root));
    say("data sets", Need::Tests, data_sets::provide(root));
    if missing_for_tests > 0 {
        println!("{missing_for_tests} things that tests need are missing");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
