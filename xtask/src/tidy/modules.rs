//! Every source file says what it is for, and is part of the program.

use super::Finding;
use super::allowed::Allowed;
use super::tree::{Package, TextFile, Tree};

/// Every source file opens with its documentation.
pub(crate) fn documented(tree: &Tree, _: &mut Allowed) -> Vec<Finding> {
    let silent = tree.rust().filter(|(file, _)| !file.text.starts_with("//!"));
    silent.map(|(file, _)| Finding::new(&file.path, 1, "open with `//!`: what the file is for")).collect()
}

/// Ways to say what a crate is not for.
const LIMITS: [&str; 7] = ["must not", "nothing", "neither", "knows no", "know no", "not know", "and no "];

/// The documentation of a crate draws its border.
pub(crate) fn crates_say_what_they_must_not_know(tree: &Tree, _: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let Some(file) = root_file(tree, package) else { continue };
        let doc: Vec<_> =
            file.text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let doc = doc.join(" ").to_lowercase();
        if !file.is_test() && !LIMITS.iter().any(|limit| doc.contains(limit)) {
            let what = "say in the crate's documentation what it must not know";
            findings.push(Finding::new(&file.path, 1, what));
        }
    }
    findings
}

fn root_file<'a>(tree: &'a Tree, package: &Package) -> Option<&'a TextFile> {
    let root = |name: &str| tree.file(&format!("{}/src/{name}.rs", package.folder));
    root("lib").or_else(|| root("main"))
}

/// Every source file is reached from a target of its package.
pub(crate) fn declared(tree: &Tree, _: &mut Allowed) -> Vec<Finding> {
    let dead = tree.rust().filter(|(file, _)| !file.reached && tree.package_of(&file.path).is_some());
    let say = |path: &str| Finding::new(path, 1, "no `mod` declares this file; declare it or remove it");
    dead.map(|(file, _)| say(&file.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::*;

    const MANIFEST: (&str, &str) = ("crates/x/Cargo.toml", "[package]\nname = \"x\"\n");

    #[test]
    fn a_file_without_its_purpose_is_found() {
        expect(
            documented,
            &[("a.rs", "//! For this.\n"), ("b.rs", "// Not so.\n"), ("c.md", "")],
            &["b.rs:1"],
        );
    }

    #[test]
    fn a_crate_without_a_border_is_found() {
        let check = |doc: &str, expected: &[&str]| {
            expect(crates_say_what_they_must_not_know, &[MANIFEST, ("crates/x/src/lib.rs", doc)], expected);
        };
        check("//! Does this.\n//!\n//! It knows no other crate.\n", &[]);
        check("//! Does this.\n//! It must\n//! not know that.\n", &[]);
        check("//! Does this.\n// must not\n", &["crates/x/src/lib.rs:1"]);
    }

    #[test]
    fn a_file_that_nothing_declares_is_found() {
        let files = [
            MANIFEST,
            (
                "crates/x/src/lib.rs",
                "mod a;\npub(crate) mod b;\nmod inline { }\n// mod dead;\n#[cfg(test)] mod tests;",
            ),
            ("crates/x/src/a.rs", "mod deep;"),
            ("crates/x/src/a/deep.rs", ""),
            ("crates/x/src/b/mod.rs", "mod c;"),
            ("crates/x/src/b/c.rs", "#[path = \"odd name.rs\"] mod odd;"),
            ("crates/x/src/b/odd name.rs", ""),
            ("crates/x/src/tests.rs", ""),
            ("crates/x/src/dead.rs", ""),
            ("crates/x/tests/story.rs", "mod kit;"),
            ("crates/x/tests/kit/mod.rs", ""),
            ("crates/x/tests/kit/unused.rs", ""),
            ("crates/x/build.rs", ""),
            (
                "crates/y/Cargo.toml",
                "[package]\nname = \"y\"\n[[test]]\npath = \"../../tests/all/main.rs\"\n",
            ),
            ("tests/all/main.rs", "mod one;"),
            ("tests/all/one.rs", ""),
            ("tests/all/two.rs", ""),
        ];
        let dead = ["crates/x/src/dead.rs:1", "crates/x/tests/kit/unused.rs:1", "tests/all/two.rs:1"];
        expect(declared, &files, &dead);
    }
}
