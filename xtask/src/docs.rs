//! Reference pages that are printed by the product itself, so that they cannot say something else than it does.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Whether to write the pages or to say whether they are current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// A page and the program that prints it.
struct Page {
    path: &'static str,
    /// The package with the example of this name.
    package: &'static str,
    example: &'static str,
    arguments: &'static [&'static str],
}

const PAGES: &[Page] = &[Page {
    path: "docs/reference/problems.md",
    package: "kasoku-problem",
    example: "catalogue",
    arguments: &[],
}];

/// Writes or checks all pages.
pub(crate) fn run(root: &Path, mode: Mode) -> ExitCode {
    let mut stale = 0;
    for page in PAGES {
        match print(root, page).and_then(|text| keep(root, page, &text, mode)) {
            Ok(State::Current) => {}
            Ok(State::Written) => println!("{} written", page.path),
            Ok(State::Stale) => {
                stale += 1;
                println!("{} is not current; run `cargo xtask docs`", page.path);
            }
            Err(problem) => {
                eprintln!("{}: {problem}", page.path);
                return ExitCode::FAILURE;
            }
        }
    }
    if stale > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

enum State {
    Current,
    Written,
    Stale,
}

fn print(root: &Path, page: &Page) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--package", page.package, "--example", page.example, "--"])
        .args(page.arguments)
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("the program failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|_| "the program printed something that is not text".to_owned())
}

fn keep(root: &Path, page: &Page, text: &str, mode: Mode) -> Result<State, String> {
    let path = root.join(page.path);
    if std::fs::read_to_string(&path).is_ok_and(|before| before == text) {
        return Ok(State::Current);
    }
    if mode == Mode::Check {
        return Ok(State::Stale);
    }
    let folder = path.parent().unwrap_or(root);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    written.map(|()| State::Written).map_err(|error| error.to_string())
}
