//! Dependencies point down.
//!
//! A package may use what lies on floors below its own, and nothing on its own floor: parts of one floor do not
//! know each other. Tests may also use what is aside.

use super::Finding;
use super::allowed::Allowed;
use super::tree::Tree;

/// Where a package stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Floor(u8),
    /// Beside the house: may use everything, and is used by tests alone.
    Aside,
}

use Place::{Aside, Floor};

/// All packages, ground first.
const PLACES: &[(&str, Place)] = &[
    // Ground: words that everything else is said in.
    ("kasoku-units", Floor(0)),
    ("kasoku-problem", Floor(0)),
    ("kasoku-observe", Floor(0)),
    ("kasoku-coherence", Floor(0)),
    // Rules: pure, no I/O, time is an argument.
    ("kasoku-http-caching", Floor(1)),
    ("kasoku-sql-plan", Floor(1)),
    // Engines: state; and the seam, which they do not know.
    ("kasoku-pipeline", Floor(2)),
    ("kasoku-cache-store", Floor(2)),
    ("kasoku-cache-remote", Floor(2)),
    ("kasoku-database", Floor(2)),
    ("kasoku-origin-client", Floor(2)),
    // Parts: policies and sources, and both tiers as one.
    ("kasoku-cache-tiers", Floor(3)),
    ("kasoku-policies", Floor(3)),
    ("kasoku-source-data", Floor(3)),
    ("kasoku-source-files", Floor(3)),
    ("kasoku-source-origin", Floor(3)),
    ("kasoku-dataset", Floor(3)),
    // The plan, the assembly, the door.
    ("kasoku-config", Floor(4)),
    ("kasoku-server", Floor(5)),
    ("kasoku", Floor(6)),
    ("kasoku-testkit", Aside),
    ("kasoku-stories", Aside),
    ("kasoku-bench", Aside),
    ("kasoku-bench-peer", Aside),
    ("kasoku-fuzz", Aside),
    ("kasoku-fuzz-targets", Aside),
    ("kasoku-xtask", Aside),
];

fn place(package: &str) -> Option<Place> {
    PLACES.iter().find(|(name, _)| *name == package).map(|(_, place)| *place)
}

/// Every package has a floor, and uses what is below it.
pub(crate) fn point_down(tree: &Tree, _: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let manifest = format!("{}/Cargo.toml", package.folder);
        let Some(own) = place(&package.name) else {
            let what = format!("`{}` has no floor; give it one in xtask/src/tidy/floors.rs", package.name);
            findings.push(Finding::new(&manifest, 1, what));
            continue;
        };
        let built = package.dependencies.iter().map(|dependency| (dependency, false));
        let tested = package.dev_dependencies.iter().map(|dependency| (dependency, true));
        for ((name, line), for_tests) in built.chain(tested) {
            let Some(other) = place(name) else { continue };
            if let Some(what) = wrong(own, other, for_tests, &package.name, name) {
                findings.push(Finding::new(&manifest, *line, what));
            }
        }
    }
    findings
}

fn wrong(own: Place, other: Place, for_tests: bool, package: &str, dependency: &str) -> Option<String> {
    match (own, other) {
        (Aside, _) => None,
        (_, Aside) if for_tests => None,
        (_, Aside) => Some(format!("`{dependency}` is for tests; name it in [dev-dependencies]")),
        (Floor(own), Floor(other)) if other < own => None,
        (Floor(own), Floor(other)) => Some(format!(
            "`{package}` is on floor {own} and cannot use `{dependency}` on floor {other}; move what both need \
             to a floor below, or let a floor above bring them together"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::*;

    fn manifest(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    #[test]
    fn a_dependency_on_the_same_floor_or_above_is_found() {
        let check = |name: &str, rest: &str, expected: &[&str]| {
            expect(point_down, &[("crates/x/Cargo.toml", &manifest(name, rest))], expected);
        };
        check("kasoku-server", "[dependencies]\nkasoku-config.workspace = true\ntokio = \"1\"\n", &[]);
        check(
            "kasoku-config",
            "[dependencies]\nkasoku-units = {}\nkasoku-server.workspace = true\n",
            &["crates/x/Cargo.toml:5: `kasoku-config` is on floor 4"],
        );
        check("kasoku-policies", "[dependencies]\nkasoku-source-data = {}\n", &["floor 3 and cannot use"]);
        check(
            "kasoku-policies",
            "[dev-dependencies]\nkasoku-source-data = {}\n",
            &["floor 3 and cannot use"],
        );
        check("kasoku-policies", "[build-dependencies]\nkasoku-server = {}\n", &["floor 5"]);
        check("kasoku-policies", "[dependencies]\nkasoku-testkit = {}\n", &["[dev-dependencies]"]);
        check("kasoku-policies", "[dev-dependencies]\nkasoku-testkit = {}\n", &[]);
        check("kasoku-bench", "[dependencies]\nkasoku-server = {}\n", &[]);
        check("kasoku-attic", "", &["crates/x/Cargo.toml:1: `kasoku-attic` has no floor"]);
    }
}
