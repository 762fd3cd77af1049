//! From a folder or a text to a plan: the order of the steps, and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::check::{self, Check, SECTIONS, unreadable};
use crate::diagnostic::{Diagnostics, Finding, Findings, Place, WHOLE_FILE};
use crate::environment::Environment;
use crate::plan::Plan;
use crate::schema::{form, properties, settings, variants};
use crate::text_file;
use crate::tree::{self, Damage, KeyPath, Node, Value};
use crate::written::Written;

/// The name of the file in an app's folder.
pub const FILE_NAME: &str = "kasoku.toml";

/// A larger file is surely not a configuration.
const BYTES_MAX: u64 = 1 << 20;

/// More routes than anybody has written.
const ROUTES_MAX: usize = 1_000;

/// What the command line says instead of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `server.listen`.
    pub listen: Option<String>,
    /// `server.admin`; `false` switches it off.
    pub admin: Option<String>,
    /// `log.format = "json"`.
    pub log_json: bool,
    /// `database.seed.rows`.
    pub seed_rows: Option<u64>,
}

/// A plan, and what may be wrong with it all the same.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The plan.
    pub plan: Plan,
    /// Findings that do not keep it from being served.
    pub warnings: Diagnostics,
}

/// Reads and checks an app: its folder with `kasoku.toml` in it, or the file itself.
pub fn load(
    target: &Path,
    overrides: &Overrides,
    environment: &dyn Environment,
) -> Result<Loaded, Diagnostics> {
    let is_folder = target.is_dir();
    let file = if is_folder { target.join(FILE_NAME) } else { target.to_path_buf() };
    let text = text_file::read(&file, BYTES_MAX).map_err(|error| {
        let mut findings = Findings::default();
        let source = findings.text(file.display().to_string(), "");
        let mut finding = unreadable("the configuration", &file, &error);
        if is_folder && error.kind() == std::io::ErrorKind::NotFound {
            finding = finding.hint("`kasoku new DIR` writes one to start with");
        }
        findings.add(WHOLE_FILE, Place::start_of(source), finding);
        findings.finish()
    })?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut loaded = load_text(&text, &file.display().to_string(), folder, overrides, environment)?;
    loaded.plan.sources.insert(0, absolute(&file));
    Ok(loaded)
}

/// Checks a configuration that is at hand as text. `origin` is what findings call it; relative paths in it start
/// at `folder`.
pub fn load_text(
    text: &str,
    origin: &str,
    folder: &Path,
    overrides: &Overrides,
    environment: &dyn Environment,
) -> Result<Loaded, Diagnostics> {
    let mut findings = Findings::default();
    let plan = plan(text, origin, &absolute(folder), overrides, environment, &mut findings);
    let found = findings.finish();
    match plan {
        Some(plan) if !found.has_errors() => Ok(Loaded { plan, warnings: found }),
        _ => Err(found),
    }
}

fn plan(
    text: &str,
    origin: &str,
    folder: &Path,
    overrides: &Overrides,
    environment: &dyn Environment,
    findings: &mut Findings,
) -> Option<Plan> {
    let source = findings.text(origin, text);
    let mut tree = tree::read(text, source, findings);
    if findings.has_errors() {
        // Behind a mistake in the syntax, everything else is a guess, names of secrets too.
        let harmless = harmless_names(settings());
        findings.cover_lines(|name| harmless.contains(name));
        return None;
    }
    tree::apply(&mut tree, settings(), environment, overrides, findings);
    let mut damage = Damage::default();
    tree::interpolate(&mut tree, environment, &mut damage, findings);
    keep_secrets(&tree, findings);
    tree::conform(&tree, settings(), &mut damage, findings);
    let (written, kept) = sound(&tree, &damage);
    let written: Written = match serde_json::from_value(written) {
        Ok(written) => written,
        Err(error) => {
            let finding = Finding::error(format!("the settings cannot be understood: {error}"));
            findings.add(WHOLE_FILE, Place::start_of(source), finding);
            return None;
        }
    };
    if kept.len() > ROUTES_MAX {
        let place = tree.key_place(&KeyPath::root().key("route"));
        findings.add("route", place, Finding::error(format!("there are more than {ROUTES_MAX} routes")));
        return None;
    }
    let sources = Vec::new();
    let mut check = Check { folder, environment, tree: &tree, damage: &damage, findings, sources };
    check::plan(&mut check, &written, &kept)
}

/// The names of all settings that are not secrets.
fn harmless_names(schema: &serde_json::Value) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for variant in variants(schema) {
        names.extend(variant.get("items").map(harmless_names).unwrap_or_default());
        for (name, schema) in properties(variant).filter(|(_, schema)| form(schema) != Some("secret")) {
            names.insert(name);
            names.extend(harmless_names(schema));
        }
    }
    names
}

/// Keeps secrets that are written out, wherever something is wrong, out of what is said about it.
fn keep_secrets(tree: &Node, findings: &mut Findings) {
    for (path, _) in tree::variables(settings()).values().filter(|(_, schema)| form(schema) == Some("secret"))
    {
        if let Some(Value::String(text)) = tree.get(path).map(|node| &node.value)
            && !text.starts_with("env:")
            && !text.starts_with("file:")
        {
            findings.keep_secret(text);
        }
    }
}

/// The settings without the sections that hold mistakes, and which routes are left.
fn sound(tree: &Node, damage: &Damage) -> (serde_json::Value, Vec<usize>) {
    let mut kept = Vec::new();
    let mut written = serde_json::Map::new();
    let Value::Table(table) = &tree.value else { return (written.into(), kept) };
    for (name, entry) in table.iter().filter(|(name, _)| SECTIONS.contains(&name.as_str())) {
        let section = KeyPath::root().key(name);
        match &entry.node.value {
            _ if damage.holds(&section) => {}
            Value::Array(nodes) if name == "route" => {
                kept = (0..nodes.len()).filter(|index| !damage.holds(&section.index(*index))).collect();
                let routes = kept.iter().map(|index| nodes[*index].to_json()).collect();
                written.insert(name.clone(), routes);
            }
            _ => {
                written.insert(name.clone(), entry.node.to_json());
            }
        }
    }
    (written.into(), kept)
}

fn absolute(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
