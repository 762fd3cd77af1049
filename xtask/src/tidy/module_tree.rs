//! Which source files are reached from the targets of their packages, and which of them for tests only.

use std::collections::BTreeMap;

use super::rust_text::{RustText, words};
use super::tree::{Tree, beside};

/// Marks what is reached, and what is reached by tests alone.
pub(super) fn mark(tree: &mut Tree) {
    // For each file, whether something other than a test reaches it.
    let mut reached: BTreeMap<String, bool> = BTreeMap::new();
    let roots = tree.rust().filter(|(file, _)| is_root(tree, &file.path));
    let mut waiting: Vec<(String, bool)> =
        roots.map(|(file, _)| (file.path.clone(), !file.is_apart())).collect();
    while let Some((path, built)) = waiting.pop() {
        let Some(file) = tree.file(&path) else { continue };
        let known = reached.get(&path).copied();
        if known == Some(true) || known == Some(built) {
            continue;
        }
        reached.insert(path.clone(), built);
        if let Some(rust) = &file.rust {
            let children = children(&path, &file.text, rust, is_root(tree, &path));
            waiting.extend(children.into_iter().map(|(child, for_tests)| (child, built && !for_tests)));
        }
    }
    for file in &mut tree.files {
        let built = reached.get(&file.path);
        file.reached = built.is_some();
        file.for_tests = built == Some(&false);
    }
}

fn is_root(tree: &Tree, path: &str) -> bool {
    let Some(package) = tree.package_of(path) else { return false };
    if package.named_targets.iter().any(|target| target == path) {
        return true;
    }
    let Some(inner) = path.strip_prefix(&format!("{}/", package.folder)) else { return false };
    let parts: Vec<_> = inner.split('/').collect();
    matches!(
        parts.as_slice(),
        ["build.rs"]
            | ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["tests" | "examples" | "benches", _]
            | ["tests" | "examples" | "benches", _, "main.rs"]
    )
}

/// Where the modules may be that a file declares, and whether only tests use them.
fn children(path: &str, text: &str, rust: &RustText, root: bool) -> Vec<(String, bool)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let owns_folder = root || name == "mod.rs";
    let own = if owns_folder { folder.to_owned() } else { path.trim_end_matches(".rs").to_owned() };
    let mut children = Vec::new();
    let all: Vec<_> = words(&rust.code).collect();
    for pair in all.windows(2) {
        let [(start, "mod"), (name_start, name)] = pair else { continue };
        let between = &rust.code[start + 3..*name_start];
        if between.trim().is_empty() && rust.code[name_start + name.len()..].trim_start().starts_with(';') {
            let for_tests = rust.is_test(*start);
            children.push((format!("{own}/{name}.rs"), for_tests));
            children.push((format!("{own}/{name}/mod.rs"), for_tests));
        }
    }
    for (start, attribute) in text.match_indices("#[path = \"") {
        let target = text[start + attribute.len()..].split('"').next().unwrap_or_default();
        children.push((beside(path, target), rust.is_test(start)));
    }
    children
}
