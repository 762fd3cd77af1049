//! The files of the workspace that belong to it, and its packages.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::module_tree;
use super::rust_text::RustText;

/// All files that are tracked, or would be if they were added.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<TextFile>,
    pub(crate) packages: Vec<Package>,
    /// `[workspace.dependencies]` with the line of each.
    pub(crate) shared_dependencies: Vec<(String, usize)>,
}

/// A file with text in it.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// Below the workspace's folder, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    /// What is in it, if it is Rust.
    pub(crate) rust: Option<RustText>,
    /// Whether a target of its package leads to it.
    pub(crate) reached: bool,
    /// Whether only tests do.
    pub(crate) for_tests: bool,
}

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder; empty for the root.
    pub(crate) folder: String,
    /// What it is built with: names and lines in its manifest.
    pub(crate) dependencies: Vec<(String, usize)>,
    /// What only its tests and examples use.
    pub(crate) dev_dependencies: Vec<(String, usize)>,
    /// Files that its manifest names as targets; they may lie outside of its folder.
    pub(crate) named_targets: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    package: Option<PackageTable>,
    workspace: Option<WorkspaceTable>,
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
    #[serde(default, rename = "dev-dependencies")]
    dev_dependencies: BTreeMap<String, toml::Value>,
    #[serde(default, rename = "build-dependencies")]
    build_dependencies: BTreeMap<String, toml::Value>,
    #[serde(default)]
    bin: Vec<Target>,
    #[serde(default)]
    test: Vec<Target>,
    #[serde(default)]
    bench: Vec<Target>,
    #[serde(default)]
    example: Vec<Target>,
    lib: Option<Target>,
}

#[derive(Deserialize)]
struct PackageTable {
    name: String,
}

#[derive(Deserialize)]
struct WorkspaceTable {
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct Target {
    path: Option<String>,
}

impl Tree {
    /// Reads the workspace.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let output = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("git cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let mut files = Vec::new();
        for path in String::from_utf8_lossy(&output.stdout).split('\0').filter(|path| !path.is_empty()) {
            // What is deleted but still tracked, and what is not text, is passed over.
            if let Ok(bytes) = std::fs::read(root.join(path))
                && let Ok(text) = String::from_utf8(bytes)
            {
                files.push((path.to_owned(), text));
            }
        }
        Self::from_files(files)
    }

    /// A tree of these paths and texts.
    pub(crate) fn from_files(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let mut tree = Self::default();
        for (path, text) in files {
            if path == "Cargo.toml" || path.ends_with("/Cargo.toml") {
                tree.add_manifest(&path, &text)?;
            }
            let rust = (extension(&path) == "rs").then(|| RustText::new(&text));
            tree.files.push(TextFile { path, text, rust, reached: false, for_tests: false });
        }
        tree.packages.sort_by(|a, b| a.name.cmp(&b.name));
        module_tree::mark(&mut tree);
        Ok(tree)
    }

    fn add_manifest(&mut self, path: &str, text: &str) -> Result<(), String> {
        let manifest: Manifest = toml::from_str(text).map_err(|error| format!("{path}: {error}"))?;
        let lines = |names: &BTreeMap<String, toml::Value>| {
            names.keys().map(|name| (name.clone(), line_of_key(text, name))).collect::<Vec<_>>()
        };
        if let Some(workspace) = &manifest.workspace {
            self.shared_dependencies = lines(&workspace.dependencies);
        }
        let Some(package) = &manifest.package else { return Ok(()) };
        let mut dependencies = lines(&manifest.dependencies);
        dependencies.extend(lines(&manifest.build_dependencies));
        let targets = [&manifest.bin, &manifest.test, &manifest.bench, &manifest.example];
        let named =
            targets.into_iter().flatten().chain(&manifest.lib).filter_map(|target| target.path.as_ref());
        self.packages.push(Package {
            name: package.name.clone(),
            folder: path.strip_suffix("Cargo.toml").unwrap_or_default().trim_end_matches('/').to_owned(),
            dependencies,
            dev_dependencies: lines(&manifest.dev_dependencies),
            named_targets: named.map(|target| beside(path, target)).collect(),
        });
        Ok(())
    }

    /// The file of this path.
    pub(crate) fn file(&self, path: &str) -> Option<&TextFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is a file of this path, or a folder with files in it.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    /// The Rust sources with what is in them.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&TextFile, &RustText)> {
        self.files.iter().filter_map(|file| file.rust.as_ref().map(|rust| (file, rust)))
    }

    /// The package that a path belongs to.
    pub(crate) fn package_of(&self, path: &str) -> Option<&Package> {
        let inside = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let with_target = |target: &String| target.rsplit_once('/').is_some_and(|(folder, _)| inside(folder));
        let of =
            |package: &&Package| inside(&package.folder) || package.named_targets.iter().any(with_target);
        self.packages.iter().filter(of).max_by_key(|package| package.folder.len())
    }
}

impl TextFile {
    /// What its name ends in.
    pub(crate) fn extension(&self) -> &str {
        extension(&self.path)
    }

    /// The name of the file, without folders.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the whole file is a test, an example or a measurement.
    pub(crate) fn is_test(&self) -> bool {
        let in_folder = |folder: &str| self.path.starts_with(&format!("{folder}/"));
        self.is_apart() || ["testkit", "tests", "bench", "fuzz"].into_iter().any(in_folder)
    }

    /// Whether its package is built without it.
    pub(crate) fn is_apart(&self) -> bool {
        let below = ["/tests/", "/examples/", "/benches/"].iter().any(|part| self.path.contains(part));
        self.for_tests || below || self.name() == "tests.rs" || self.path.starts_with("tests/")
    }
}

fn extension(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension)
}

/// A path as it is seen from another file; one that begins with a slash starts at the root.
pub(crate) fn beside(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    if path.starts_with('/') {
        parts.clear();
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Where a key stands in a manifest.
fn line_of_key(text: &str, key: &str) -> usize {
    let is_key = |line: &str| {
        let rest = line.trim_start().strip_prefix(key);
        rest.is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
    };
    text.lines().position(is_key).map_or(1, |at| at + 1)
}
