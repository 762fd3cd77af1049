//! Has a client that others have written do its work against the product.
//!
//! The cases lie in `tests/clients/`; they need Node and the package, which `cargo xtask services` brings. Without these
//! there is nothing to drive with, and that is said.

use std::env::consts::EXE_EXTENSION;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::{browser, services};

const CASES: &str = "tests/clients/postgrest-js";

/// The engines that all cases run on.
const ENGINES: &[&str] = &["sqlite", "postgresql"];

/// Fewer cases on one engine mean that some were lost.
const CASES_MIN: u64 = 150;

/// How long one file of cases may take.
const PATIENCE_MS: u32 = 300_000;

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// So many cases, on all engines together.
    Passed(u64),
    Failed,
    /// Something is missing; the text says what, and what brings it.
    Impossible(String),
}

/// What it takes.
struct Tools {
    node: PathBuf,
    modules: PathBuf,
}

/// The programs of the project that are driven.
struct Programs {
    kasoku: PathBuf,
    /// Starts a private PostgreSQL and says where it is.
    postgres: PathBuf,
}

/// How many cases a runner has told of.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Told {
    passed: u64,
    /// Failed, cancelled, skipped or put off: none may be.
    other: u64,
}

/// The chore: whoever asks for it by name wants to hear of what is missing as a failure.
pub(crate) fn run(root: &Path) -> ExitCode {
    match drive(root) {
        Ending::Passed(cases) => {
            println!("{cases} cases passed");
            ExitCode::SUCCESS
        }
        Ending::Failed => ExitCode::FAILURE,
        Ending::Impossible(why) => {
            eprintln!("no client was tried: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the product and runs every case on every engine.
pub(crate) fn drive(root: &Path) -> Ending {
    let tools = match tools(root) {
        Ok(tools) => tools,
        Err(why) => return Ending::Impossible(why),
    };
    let Some(programs) = build(root) else { return Ending::Failed };
    // All of them run, so that one failure does not hide another.
    let told: Vec<_> = ENGINES.iter().map(|engine| cases(root, &tools, &programs, engine)).collect();
    let whole = |told: &&Told| told.other == 0 && told.passed >= CASES_MIN;
    if told.iter().flatten().filter(whole).count() < ENGINES.len() {
        return Ending::Failed;
    }
    Ending::Passed(told.iter().flatten().map(|told| told.passed).sum())
}

fn tools(root: &Path) -> Result<Tools, String> {
    let node = services::path_of("node")
        .ok_or_else(|| "node is not installed; `cargo xtask services` installs it where it can".to_owned())?;
    Ok(Tools { node, modules: services::modules(root, &services::POSTGREST_JS)? })
}

/// Builds the product, and what starts a database for it; cargo puts both near this program.
fn build(root: &Path) -> Option<Programs> {
    let kasoku = browser::build(root)?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", "kasoku-testkit", "--example", "postgres", "--locked"]);
    let built = cargo.current_dir(root).stdin(Stdio::null()).status().is_ok_and(|status| status.success());
    let postgres = kasoku.with_file_name("examples").join("postgres").with_extension(EXE_EXTENSION);
    built.then_some(Programs { kasoku, postgres })
}

/// Runs all files of cases on one engine, and passes on what the runner says. `None` if it did not come to its end.
fn cases(root: &Path, tools: &Tools, programs: &Programs, engine: &str) -> Option<Told> {
    println!("{CASES} on {engine}");
    let mut files: Vec<PathBuf> = fs::read_dir(root.join(CASES))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(".test.mjs")))
        .collect();
    files.sort();
    let mut node = Command::new(&tools.node);
    node.args(["--test", "--test-reporter=spec", &format!("--test-timeout={PATIENCE_MS}")]).args(files);
    node.env("NODE_PATH", &tools.modules).env("KASOKU", &programs.kasoku);
    node.env("POSTGRES", &programs.postgres).env("ENGINE", engine);
    node.current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = node.spawn().inspect_err(|error| eprintln!("node cannot be run: {error}")).ok()?;
    let mut told = Told::default();
    for line in BufReader::new(child.stdout.take()?).lines().map_while(Result::ok) {
        println!("{line}");
        told.hear(&line);
    }
    let status = child.wait().ok()?;
    println!("{engine}: {} passed, {} did not", told.passed, told.other);
    status.success().then_some(told)
}

impl Told {
    /// Reads a line of the summary, such as `ℹ pass 12`.
    fn hear(&mut self, line: &str) {
        let Some((what, number)) = line.strip_prefix("ℹ ").and_then(|told| told.split_once(' ')) else {
            return;
        };
        let Ok(number) = number.trim().parse::<u64>() else { return };
        match what {
            "pass" => self.passed += number,
            "fail" | "cancelled" | "skipped" | "todo" => self.other += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_that_are_skipped_count_as_not_passed() {
        let mut told = Told::default();
        for line in [
            "✔ pass 7 (1ms)",
            "ℹ tests 5",
            "ℹ pass 3",
            "ℹ fail 0",
            "ℹ skipped 1",
            "ℹ todo 1",
            "ℹ duration_ms 9.5",
        ] {
            told.hear(line);
        }
        assert_eq!(told, Told { passed: 3, other: 2 });
    }
}
