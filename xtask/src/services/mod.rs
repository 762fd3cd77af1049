//! Finds or installs what the tests need beside the toolchain, and says what it did.
//!
//! What is found is left alone, so running it again costs nothing. What cannot be had is named at the end, with
//! what will not run without it.

mod cargo_deny;
mod data_sets;
mod modules;
mod programs;

use std::path::Path;
use std::process::ExitCode;

pub(crate) use cargo_deny::find as deny;
pub(crate) use modules::{BROWSER, POSTGREST_JS, install as modules};
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

/// What it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The tests fail without it.
    Tests,
    /// `cargo xtask browser` only. It is installed, and left out where that cannot be.
    Browser,
    /// `cargo xtask clients` only; the same.
    Clients,
    /// The step `deny` only; the same.
    Deny,
    /// Measurements only. Whoever measures installs it.
    Measurements,
}

impl Need {
    fn without(self) -> &'static str {
        match self {
            Self::Tests => "tests fail without it",
            Self::Browser => "the tests in a browser are left out",
            Self::Clients => "the cases of clients that others have written are left out",
            Self::Deny => "licences, sources and bans of dependencies are not looked at",
            Self::Measurements => "the tests do without it",
        }
    }
}

/// Sees to everything.
pub(crate) fn run(root: &Path) -> ExitCode {
    let mut account = Account::default();
    for program in programs::ALL {
        account.say(program.name, program.need, program.provide());
    }
    for (packages, need) in [(BROWSER, Need::Browser), (POSTGREST_JS, Need::Clients)] {
        account.say(packages.name, need, modules::provide(root, &packages));
    }
    account.say("cargo-deny", Need::Deny, cargo_deny::provide(root));
    account.say("data sets", Need::Tests, data_sets::provide(root));
    account.close()
}

/// Sees to what the tests cannot do without.
pub(crate) fn provide_for_tests(root: &Path) -> ExitCode {
    let mut account = Account::default();
    for program in programs::ALL.iter().filter(|program| program.need == Need::Tests) {
        account.say(program.name, program.need, program.provide());
    }
    account.say("data sets", Need::Tests, data_sets::provide(root));
    account.close()
}

/// What was said so far.
#[derive(Default)]
struct Account {
    missing_for_tests: u32,
}

impl Account {
    fn say(&mut self, name: &str, need: Need, outcome: Outcome) {
        match outcome {
            Outcome::Found(what) => println!("{name}: found, {what}"),
            Outcome::Installed(what) => println!("{name}: installed, {what}"),
            Outcome::Missing(why) => {
                println!("{name}: missing, {why}; {}", need.without());
                self.missing_for_tests += u32::from(need == Need::Tests);
            }
        }
    }

    fn close(self) -> ExitCode {
        if self.missing_for_tests > 0 {
            println!("{} things that tests need are missing", self.missing_for_tests);
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}
