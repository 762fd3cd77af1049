//! Reference pages that are printed by the product itself, so that they cannot say something else than it does.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Whether to write the pages or to say whether they are current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// A page and who prints it.
struct Page {
    path: &'static str,
    printer: Printer,
}

/// Who prints a page.
enum Printer {
    /// An example of a package, with an argument.
    Example { package: &'static str, example: &'static str, argument: &'static str },
    /// The help of a binary and of each of its commands.
    Help { package: &'static str },
}

const PAGES: &[Page] = &[
    Page {
        path: "docs/reference/configuration.md",
        printer: Printer::Example { package: "kasoku-config", example: "reference", argument: "page" },
    },
    Page {
        path: "docs/reference/kasoku.schema.json",
        printer: Printer::Example { package: "kasoku-config", example: "reference", argument: "schema" },
    },
    Page {
        path: "docs/reference/problems.md",
        printer: Printer::Example { package: "kasoku-problem", example: "catalogue", argument: "page" },
    },
    Page { path: "docs/reference/commands.md", printer: Printer::Help { package: "kasoku" } },
];

/// Writes or checks all pages.
pub(crate) fn run(root: &Path, mode: Mode) -> ExitCode {
    let mut stale = 0;
    for page in PAGES {
        match print(root, &page.printer).and_then(|text| keep(root, page, &text, mode)) {
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

fn print(root: &Path, printer: &Printer) -> Result<String, String> {
    match printer {
        Printer::Example { package, example, argument } => {
            cargo_run(root, &["--package", package, "--example", example, "--", argument])
        }
        Printer::Help { package } => commands(|words| {
            let mut all = vec!["--package", package, "--"];
            all.extend(words);
            cargo_run(root, &all)
        }),
    }
}

/// A page of the help of a program and its commands.
fn commands(run: impl Fn(&[&str]) -> Result<String, String>) -> Result<String, String> {
    let top = run(&["--help"])?;
    let mut page =
        String::from("<!-- Written by `cargo xtask docs`; change the program's help instead. -->\n");
    page.push_str("# Commands\n\n");
    page.push_str(&fenced(&top));
    for command in named_in(&top) {
        let help = fenced(&run(&[command, "--help"])?);
        page.extend(["\n## ", command, "\n\n", &help]);
    }
    Ok(page)
}

fn fenced(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    format!("```text\n{}\n```\n", lines.join("\n").trim_end())
}

/// The commands that a help text lists.
fn named_in(help: &str) -> Vec<&str> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

fn cargo_run(root: &Path, words: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked"])
        .args(words)
        .env("NO_COLOR", "1")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_help_has_its_part() {
        let page = commands(|words| {
            Ok(match words {
                ["--help"] => "Does it.\n\nCommands:\n  serve  Serve \n         and more\n  help   Print\n\nOptions:\n  -h\n",
                ["serve", "--help"] => "Serve\n\n",
                other => panic!("{other:?}"),
            }
            .to_owned())
        });
        let page = page.unwrap();
        assert!(
            page.contains("```text\nDoes it.\n\nCommands:\n  serve  Serve\n         and more\n"),
            "{page}"
        );
        assert!(page.ends_with("\n## serve\n\n```text\nServe\n```\n"), "{page}");
    }
}
