//! Everything that a change must pass, fast failures first.
//!
//! The steps share one target folder and the development profile, so that nothing is compiled twice that need not
//! be: clippy and the documentation share the checked crates, tests and examples the built ones.

mod count;
mod fuzz;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use self::count::Count;
use crate::browser::Ending;
use crate::{browser, clients, docs, services, tidy};

/// A step of the way.
struct Step {
    name: &'static str,
    what: &'static str,
    action: Action,
}

/// What a step does.
enum Action {
    /// Runs cargo with these words.
    Cargo(&'static [&'static str]),
    /// Decides for itself.
    Own(fn(&Path) -> Verdict),
}

/// How a step ended.
#[derive(Debug, Default, PartialEq, Eq)]
enum Verdict {
    #[default]
    Passed,
    /// It ran tests.
    Tested(Count),
    /// What it needs is not there.
    Skipped(String),
    Failed,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", what: "sources are formatted", action: Action::Cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", what: "habits are kept", action: Action::Own(tidied) },
    Step { name: "needs", what: "what the tests need is there", action: Action::Own(needs) },
    Step {
        name: "clippy",
        what: "no lint warns",
        action: Action::Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "--deny",
            "warnings",
        ]),
    },
    Step { name: "rustdoc", what: "the documentation has no broken link", action: Action::Own(rustdoc) },
    Step { name: "test", what: "tests pass", action: Action::Own(test) },
    Step { name: "doctest", what: "examples in the documentation run", action: Action::Own(doctest) },
    Step {
        name: "examples",
        what: "examples build",
        action: Action::Cargo(&["build", "--workspace", "--examples", "--locked"]),
    },
    Step { name: "browser", what: "pages work in a browser", action: Action::Own(browser) },
    Step { name: "clients", what: "a client that others have written works", action: Action::Own(client) },
    Step { name: "reference", what: "generated pages are current", action: Action::Own(reference) },
    Step { name: "deny", what: "licences, sources and bans of dependencies", action: Action::Own(deny) },
    Step { name: "fuzz", what: "each parser stands a short fuzzing", action: Action::Own(fuzz::run) },
];

/// Which steps to run.
pub(crate) struct Selection {
    only: Vec<&'static str>,
}

impl Selection {
    pub(crate) fn parse(arguments: &[&str]) -> Result<Self, String> {
        let mut only = Vec::new();
        for pair in arguments.chunks(2) {
            let &["--only", name] = pair else { return Err(format!("`{}` is not an option of ci", pair[0])) };
            let step = STEPS.iter().find(|step| step.name == name);
            only.push(
                step.ok_or_else(|| format!("there is no step `{name}`; see `cargo xtask ci --list`"))?.name,
            );
        }
        Ok(Self { only })
    }

    fn includes(&self, step: &Step) -> bool {
        self.only.is_empty() || self.only.contains(&step.name)
    }
}

/// Prints the steps.
pub(crate) fn list() -> ExitCode {
    for step in STEPS {
        println!("{:10} {}", step.name, step.what);
    }
    ExitCode::SUCCESS
}

/// Runs the steps until one fails.
pub(crate) fn run(root: &Path, selection: &Selection) -> ExitCode {
    let start = Instant::now();
    let mut total: Option<Count> = None;
    let mut notes = Vec::new();
    for step in STEPS.iter().filter(|step| selection.includes(step)) {
        println!("── {}: {}", step.name, step.what);
        let began = Instant::now();
        let verdict = match &step.action {
            Action::Cargo(words) => cargo(root, words, &[]),
            Action::Own(action) => action(root),
        };
        let took = seconds(began.elapsed());
        match verdict {
            Verdict::Passed => println!("── {}: passed in {took}\n", step.name),
            Verdict::Tested(count) => {
                println!("── {}: passed in {took}\n", step.name);
                total = Some(total.unwrap_or_default().and(count));
            }
            Verdict::Skipped(why) => {
                println!("── {}: skipped, {why}\n", step.name);
                notes.push(format!("{} was skipped: {why}", step.name));
            }
            Verdict::Failed => {
                println!(
                    "── {}: FAILED after {took}; again with `cargo xtask ci --only {}`",
                    step.name, step.name
                );
                return ExitCode::FAILURE;
            }
        }
    }
    for note in notes {
        println!("{note}");
    }
    println!("all steps done in {}", seconds(start.elapsed()));
    if let Some(total) = total {
        println!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    }
    ExitCode::SUCCESS
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn cargo(root: &Path, words: &[&str], environment: &[(&str, &str)]) -> Verdict {
    let mut command = Command::new(env!("CARGO"));
    command.args(words).envs(environment.iter().copied()).current_dir(root);
    finished(&mut command, "cargo")
}

/// Runs a program to its end.
fn finished(command: &mut Command, name: &str) -> Verdict {
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Verdict::Passed,
        Ok(_) => Verdict::Failed,
        Err(error) => {
            eprintln!("{name} cannot be run: {error}");
            Verdict::Failed
        }
    }
}

/// Runs cargo, passes on what it prints, and counts the tests.
fn tests(root: &Path, words: &[&str]) -> Verdict {
    let mut command = Command::new(env!("CARGO"));
    command.args(words).current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return Verdict::Failed };
    let (out, errors) = (child.stdout.take(), child.stderr.take());
    let count = std::thread::scope(|scope| {
        let out = scope.spawn(|| pass_on(out, std::io::stdout()));
        let errors = scope.spawn(|| pass_on(errors, std::io::stderr()));
        out.join().unwrap_or_default().and(errors.join().unwrap_or_default())
    });
    match child.wait() {
        Ok(status) if status.success() => Verdict::Tested(count),
        _ => Verdict::Failed,
    }
}

fn pass_on(from: Option<impl Read>, mut to: impl Write) -> Count {
    let mut count = Count::default();
    let Some(from) = from else { return count };
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        // Whoever reads it may have gone; the tests go on all the same.
        let _ = to.write_all(&line).and_then(|()| to.write_all(b"\n")).and_then(|()| to.flush());
        count = count.and(Count::of_line(&String::from_utf8_lossy(&line)).unwrap_or_default());
    }
    count
}

fn passed_if(code: ExitCode) -> Verdict {
    if code == ExitCode::SUCCESS { Verdict::Passed } else { Verdict::Failed }
}

fn tidied(root: &Path) -> Verdict {
    passed_if(tidy::run(root))
}

fn needs(root: &Path) -> Verdict {
    passed_if(services::provide_for_tests(root))
}

fn browser(root: &Path) -> Verdict {
    match browser::drive(root) {
        Ending::Passed => Verdict::Passed,
        Ending::Failed => Verdict::Failed,
        Ending::Impossible(why) => Verdict::Skipped(why),
    }
}

fn client(root: &Path) -> Verdict {
    match clients::drive(root) {
        clients::Ending::Passed(passed) => Verdict::Tested(Count { passed, ..Count::default() }),
        clients::Ending::Failed => Verdict::Failed,
        clients::Ending::Impossible(why) => Verdict::Skipped(why),
    }
}

fn reference(root: &Path) -> Verdict {
    passed_if(docs::run(root, docs::Mode::Check))
}

fn rustdoc(root: &Path) -> Verdict {
    cargo(root, &["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", "--deny warnings")])
}

fn test(root: &Path) -> Verdict {
    if installed("cargo-nextest") {
        tests(root, &["nextest", "run", "--workspace", "--locked"])
    } else {
        println!("cargo-nextest is not installed; the built-in runner takes its place");
        tests(root, &["test", "--workspace", "--lib", "--bins", "--tests", "--locked"])
    }
}

fn doctest(root: &Path) -> Verdict {
    tests(root, &["test", "--workspace", "--doc", "--locked"])
}

/// What dependencies are, and where they come from.
fn deny(root: &Path) -> Verdict {
    let Some(program) = services::deny(root) else {
        return Verdict::Skipped(
            "cargo-deny is not installed; `cargo xtask services` installs it".to_owned(),
        );
    };
    println!("advisories are left out: their database comes from the network, and changes without a commit");
    let mut command = Command::new(program);
    command.args(["--locked", "check", "--deny", "warnings", "bans", "licenses", "sources"]);
    finished(command.current_dir(root), "cargo-deny")
}

fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chosen_by_name() {
        assert!(Selection::parse(&[]).unwrap().includes(&STEPS[0]));
        let only = Selection::parse(&["--only", "tidy", "--only", "test"]).unwrap();
        let chosen: Vec<_> = STEPS.iter().filter(|step| only.includes(step)).map(|step| step.name).collect();
        assert_eq!(chosen, ["tidy", "test"]);
        for wrong in [&["--only"][..], &["--only", "nothing"], &["tidy"], &["--only", "tidy", "x"]] {
            assert!(Selection::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
