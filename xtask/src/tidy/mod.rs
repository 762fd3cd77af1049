//! Habits that the compiler does not check, checked in one pass over the tree.
//!
//! Each rule is a function from the [`Tree`] to [`Finding`]s, which say where, what, and what to do instead. What a
//! rule must let pass stands in `xtask/tidy-allow.toml` with a reason; an entry that is no longer needed is itself
//! a finding. Each rule has a test that shows what it finds and what it lets pass.

mod allowed;
mod dependencies;
mod documents;
mod floors;
mod lengths;
mod module_tree;
mod modules;
mod rust_text;
mod tree;
mod words;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use allowed::Allowed;
use tree::Tree;

/// A habit that was not kept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A rule; what it lets pass by the allow-list, it notes there.
type Rule = fn(&Tree, &mut Allowed) -> Vec<Finding>;

const RULES: &[Rule] = &[
    modules::documented,
    modules::crates_say_what_they_must_not_know,
    modules::declared,
    floors::point_down,
    dependencies::used,
    lengths::files,
    lengths::functions,
    words::unfinished,
    words::names,
    words::code,
    documents::links_resolve,
    documents::crates_are_drawn,
    documents::lines_are_clean,
    documents::present,
];

/// Checks the workspace and prints what is found.
pub(crate) fn run(root: &Path) -> ExitCode {
    let findings = match Tree::read(root) {
        Ok(tree) => check(&tree),
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy");
        return ExitCode::SUCCESS;
    }
    println!("{} to put in order", findings.len());
    ExitCode::FAILURE
}

fn check(tree: &Tree) -> BTreeSet<Finding> {
    let (mut allowed, mut findings) = match Allowed::read(tree) {
        Ok(allowed) => (allowed, BTreeSet::new()),
        Err(finding) => (Allowed::default(), BTreeSet::from([finding])),
    };
    findings.extend(RULES.iter().flat_map(|rule| rule(tree, &mut allowed)));
    findings.extend(allowed.not_needed());
    findings
}

/// Runs one rule over a few files, for the rules' own tests.
#[cfg(test)]
fn findings(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let tree = Tree::from_files(files).unwrap();
    let mut allowed = Allowed::read(&tree).unwrap();
    let mut found = rule(&tree, &mut allowed);
    found.extend(allowed.not_needed());
    found.into_iter().map(|finding| finding.to_string()).collect()
}

/// Says that a rule finds exactly these places, given as `path:line` with a part of the message behind it.
#[cfg(test)]
#[track_caller]
fn expect(rule: Rule, files: &[(&str, &str)], expected: &[&str]) {
    let found = findings(rule, files);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found} does not say {expected}");
    }
}
