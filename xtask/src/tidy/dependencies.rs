//! Every dependency is used.

use std::collections::BTreeSet;

use super::Finding;
use super::allowed::Allowed;
use super::rust_text::words;
use super::tree::{Package, Tree};

/// No package names a dependency without using it, and the workspace names none that no package wants.
pub(crate) fn used(tree: &Tree, allowed: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let manifest = format!("{}/Cargo.toml", package.folder);
        let (built, all) = (words_of(tree, package, Part::Built), words_of(tree, package, Part::All));
        for (name, line) in &package.dependencies {
            if !built.contains(crate_name(name).as_str())
                && !allowed.passes("unused-dependency", &manifest, name)
            {
                let what = if all.contains(crate_name(name).as_str()) {
                    format!("only tests use `{name}`; move it to [dev-dependencies]")
                } else {
                    format!("`{name}` is not used; remove it")
                };
                findings.push(Finding::new(&manifest, *line, what));
            }
        }
        for (name, line) in &package.dev_dependencies {
            if !all.contains(crate_name(name).as_str())
                && !allowed.passes("unused-dependency", &manifest, name)
            {
                findings.push(Finding::new(&manifest, *line, format!("`{name}` is not used; remove it")));
            }
        }
    }
    let wanted: BTreeSet<&str> = tree
        .packages
        .iter()
        .flat_map(|package| package.dependencies.iter().chain(&package.dev_dependencies))
        .map(|(name, _)| name.as_str())
        .collect();
    for (name, line) in tree.shared_dependencies.iter().filter(|(name, _)| !wanted.contains(name.as_str())) {
        findings.push(Finding::new("Cargo.toml", *line, format!("no package wants `{name}`; remove it")));
    }
    findings
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What a user of the package gets.
    Built,
    /// Tests, examples and the examples of the documentation as well.
    All,
}

fn words_of<'a>(tree: &'a Tree, package: &Package, part: Part) -> BTreeSet<&'a str> {
    let own = |path: &str| tree.package_of(path).is_some_and(|owner| owner.name == package.name);
    let mut found = BTreeSet::new();
    for (file, rust) in tree.rust().filter(|(file, _)| own(&file.path)) {
        if part == Part::All {
            // Comments count: examples of the documentation are tests as well.
            found.extend(words(&file.text).map(|(_, word)| word));
        } else if !file.is_apart() {
            let lines = rust.code_apart_from_tests();
            found.extend(lines.flat_map(|(_, line)| words(line).map(|(_, word)| word)));
        }
    }
    found
}

fn crate_name(package: &str) -> String {
    package.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::*;

    #[test]
    fn dependencies_that_nobody_uses_are_found() {
        let files = [
            ("Cargo.toml", "[workspace.dependencies]\nhttp = \"1\"\nforgotten = \"1\"\n"),
            (
                "x/Cargo.toml",
                "[package]\nname = \"x\"\n[dependencies]\nhttp = {}\nserde-json = {}\nidle = {}\nonly-tests = {}\n\
                 [dev-dependencies]\ndoc-example = {}\nidle-too = {}\n",
            ),
            (
                "x/src/lib.rs",
                "use http::Uri; // idling\n/// doc_example::f();\nfn f() { serde_json::to(\"\") }",
            ),
            ("x/src/tests.rs", "use only_tests::f;"),
        ];
        expect(
            used,
            &files,
            &[
                "x/Cargo.toml:6: `idle` is not used",
                "x/Cargo.toml:7: only tests use `only-tests`",
                "x/Cargo.toml:10: `idle-too` is not used",
                "Cargo.toml:3: no package wants `forgotten`",
            ],
        );
    }
}
