//! Words and calls that have no place here, and what to write instead.

use super::Finding;
use super::allowed::{Allowed, PATH as LIST};
use super::tree::{TextFile, Tree};

/// Words that stand over something unfinished.
const UNFINISHED: [(&str, &str); 5] = [
    ("TODO", "do it, or leave it out and say so where users look"),
    ("FIXME", "mend it"),
    ("XXX", "say what the matter is"),
    ("for now", "say under which condition it holds"),
    ("placeholder", "name what it is"),
];

/// Nothing unfinished is marked in comments or prose.
pub(crate) fn unfinished(tree: &Tree, allowed: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let prose;
        let text = match (&file.rust, file.extension()) {
            (Some(rust), _) => &rust.comments,
            (None, "md") => {
                prose = without_code(&file.text);
                &prose
            }
            (None, "toml" | "sql" | "js" | "css" | "sh" | "yml" | "yaml") if file.path != LIST => &file.text,
            _ => continue,
        };
        for (line, content) in numbered(text) {
            for (word, instead) in UNFINISHED {
                if has_word(content, word) && !allowed.passes("word", &file.path, word) {
                    findings.push(Finding::new(&file.path, line, format!("`{word}`: {instead}")));
                }
            }
        }
    }
    findings
}

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "common", "helper", "helpers", "manager", "misc", "info", "stuff"];

/// Files and folders are named by what they are.
pub(crate) fn names(tree: &Tree, _: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        let parts = file.path.split(['/', '_', '-', '.']);
        if let Some(empty) = parts.into_iter().find(|part| EMPTY_NAMES.contains(part)) {
            let what = format!("`{empty}` in a name says nothing; name the idea that is in it");
            findings.push(Finding::new(&file.path, 1, what));
        }
    }
    findings
}

/// A piece of code that is banned outside of tests.
struct Banned {
    code: &'static str,
    instead: &'static str,
    /// Folders in which it has its place.
    except: &'static [&'static str],
}

const BANNED: &[Banned] = &[
    Banned {
        code: "#[allow(",
        instead: "`#[expect(…, reason = \"…\")]` says why, and ends when the reason does",
        except: &[],
    },
    Banned {
        code: "#![allow(",
        instead: "`#![expect(…, reason = \"…\")]` says why, and ends when the reason does",
        except: &[],
    },
    Banned { code: ".unwrap()", instead: "`expect(\"why it holds\")`, or an error", except: &[] },
    Banned { code: "unbounded_channel", instead: "a bounded channel: everything has a limit", except: &[] },
    Banned {
        code: "mpsc::channel()",
        instead: "`mpsc::sync_channel(…)`: everything has a limit",
        except: &[],
    },
    Banned {
        code: "mpsc::channel::<",
        instead: "`mpsc::sync_channel::<…>(…)`: everything has a limit",
        except: &[],
    },
    Banned {
        code: "Instant::now",
        instead: "take the time as an argument, or ask a `Clock`",
        // Where threads and sockets wait, and where something is timed that no rule decides by.
        except: &[
            "lib/units/",
            "crates/database/",
            "crates/origin-client/",
            "crates/server/",
            "crates/kasoku/",
            "xtask/",
        ],
    },
    Banned {
        code: "SystemTime::now",
        instead: "take the time as an argument, or ask a `Clock`",
        except: &["lib/units/", "xtask/"],
    },
];

/// Code keeps to what the house has agreed on.
pub(crate) fn code(tree: &Tree, allowed: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !file.is_test()) {
        for (line, content) in rust.code_apart_from_tests() {
            for banned in BANNED.iter().filter(|banned| !has_its_place(banned, file)) {
                if content.contains(banned.code) && !allowed.passes("word", &file.path, banned.code) {
                    let what = format!("`{}`: {}", banned.code, banned.instead);
                    findings.push(Finding::new(&file.path, line, what));
                }
            }
        }
    }
    findings
}

fn has_its_place(banned: &Banned, file: &TextFile) -> bool {
    banned.except.iter().any(|folder| file.path.starts_with(folder))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line))
}

/// Whether a word or phrase stands in a line on its own.
fn has_word(line: &str, word: &str) -> bool {
    let is_edge = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        is_edge(line[..at].chars().next_back()) && is_edge(line[at + word.len()..].chars().next())
    })
}

/// Markdown without its code, fenced or within a line; line breaks stay.
pub(crate) fn without_code(text: &str) -> String {
    let mut prose = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let start = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| start.starts_with(marker));
        match (fence, marker) {
            (None, Some(marker)) => fence = Some(marker),
            (Some(open), Some(marker)) if open == marker => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                // What stands between backticks is every second piece.
                prose.extend(line.trim_end_matches('\n').split('`').step_by(2));
            }
        }
        prose.push('\n');
    }
    prose
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::*;

    #[test]
    fn words_over_unfinished_work_are_found_where_people_write_them() {
        let files = [
            (
                "a.rs",
                "// TODO\nlet s = \"TODO\";\n/// Done for now.\nfn todo_list() {} // XXXL, before nowhere\n",
            ),
            ("b.md", "A placeholder.\n`TODO` and\n```\nFIXME\n```\n"),
            ("c.toml", "# FIXME\n"),
            ("d.html", "<input placeholder=\"TODO\">"),
        ];
        expect(
            unfinished,
            &files,
            &["a.rs:1: `TODO`", "a.rs:3: `for now`", "b.md:1: `placeholder`", "c.toml:1"],
        );
    }

    #[test]
    fn a_word_may_stand_with_a_reason() {
        let list = "[[allow]]\npath = \"a.rs\"\nrule = \"word\"\nitem = \"placeholder\"\nreason = \"the term of SQL's grammar\"\n";
        let list = ("xtask/tidy-allow.toml", list);
        expect(unfinished, &[("a.rs", "// a placeholder\n"), list], &[]);
        expect(unfinished, &[("a.rs", "// a parameter\n"), list], &["no longer needed"]);
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        let files =
            [("lib/util/mod.rs", ""), ("a/cache_manager.rs", ""), ("a/commonwealth.rs", ""), ("util.md", "")];
        expect(names, &files, &["lib/util/mod.rs:1: `util`", "a/cache_manager.rs:1: `manager`"]);
    }

    #[test]
    fn banned_code_is_found_outside_of_tests() {
        let text = concat!(
            "#[allow(dead_code)]\n#![allow(x)]\n#[expect(x)]\nfn f() { a.unwrap(); b.unwrap_or(1); }\n",
            "// .unwrap()\nlet s = \".unwrap()\";\nlet t = Instant::now();\nlet t = SystemTime::now();\n",
            "tokio::sync::mpsc::unbounded_channel();\nlet (a, b) = mpsc::channel();\nmpsc::channel(8);\n#[cfg(test)]\nmod tests { fn f() { a.unwrap(); } }\n",
        );
        let found = [
            "a/src/x.rs:1",
            "a/src/x.rs:2",
            "a/src/x.rs:4",
            "a/src/x.rs:7",
            "a/src/x.rs:8",
            "a/src/x.rs:9",
            "a/src/x.rs:10",
        ];
        expect(code, &[("a/src/x.rs", text)], &found);
        let manifest = ("x/Cargo.toml", "[package]\nname = \"x\"\n");
        let root =
            ("x/src/lib.rs", "#[cfg(test)]\nmod doubles;\nmod both;\n#[cfg(test)]\nmod more { mod both; }\n");
        let files =
            [manifest, root, ("x/src/doubles.rs", "fn f() { a.unwrap() }"), ("x/src/both.rs", "a.unwrap()")];
        expect(code, &files, &["x/src/both.rs:1"]);
        expect(code, &[("lib/units/src/clock.rs", "fn now() { Instant::now() }")], &[]);
        expect(code, &[("a/tests/x.rs", text), ("a/src/tests.rs", text), ("testkit/src/lib.rs", text)], &[]);
    }
}
