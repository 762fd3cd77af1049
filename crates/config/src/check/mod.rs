//! Written settings to checked plan: what the settings mean, and whether they can be served.
//!
//! What stands here is about meaning; unknown keys, types and units were found before (`tree::conform`). Each part
//! finds all that it can and goes on; a plan exists only if nothing was found.

mod batch;
mod cache;
mod counts;
mod database;
mod embed;
mod files;
mod identity;
mod origin;
mod paths;
mod proof;
mod query;
mod requires;
mod route;
mod row_rules;
mod server;
mod table;
mod transfer;
mod warm;

pub(crate) use route::BELONG;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kasoku_observe::RouteName;

use self::row_rules::RowRules;
use crate::describe::Description;
use crate::diagnostic::{Finding, Findings, Place};
use crate::environment::Environment;
use crate::plan::{Plan, RoutePlan};
use crate::text_file;
use crate::tree::{Damage, KeyPath, Node, Value};
use crate::written::Written;

/// The sections that the check asks for when it decides whether something is missing.
pub(crate) const SECTIONS: [&str; 8] =
    ["name", "server", "admin", "log", "database", "cache", "identity", "route"];

/// What all parts of the check share.
pub(crate) struct Check<'a> {
    /// The folder that relative paths start from.
    pub(crate) folder: &'a Path,
    /// For secrets of the form `env:NAME`.
    pub(crate) environment: &'a dyn Environment,
    /// Where each setting was written.
    pub(crate) tree: &'a Node,
    /// Sections that hold mistakes already reported.
    pub(crate) damage: &'a Damage,
    /// What was found.
    pub(crate) findings: &'a mut Findings,
    /// Files that were read.
    pub(crate) sources: Vec<PathBuf>,
}

/// A database as routes are checked against it.
pub(crate) struct Known {
    /// Its tables, and what its queries mean; `None` if something is wrong with it that was reported already.
    pub(crate) description: Option<Description>,
    /// Whether it is opened for reading only.
    pub(crate) read_only: bool,
    /// The row rules of the routes that serve each table.
    pub(crate) row_rules: RowRules,
}

/// Checks everything. Without a plan, something was found.
pub(crate) fn plan(check: &mut Check<'_>, written: &Written, kept: &[usize]) -> Option<Plan> {
    let name = written.name.clone().unwrap_or_else(|| {
        let folder = check.folder.file_name();
        folder.map_or_else(|| "kasoku".to_owned(), |name| name.to_string_lossy().into_owned())
    });
    let server = server::server(check, &written.server);
    let admin = server::admin(check, &written.server, &written.admin);
    let log = server::log(check, &written.log);
    let database = written.database.as_ref().map(|database| database::database(check, database));
    let (database, mut known) = database.unzip();
    if let Some(known) = &mut known {
        known.row_rules = RowRules::of(&written.route);
    }
    let identity = written.identity.as_ref().map(|identity| identity::settings(check, identity));
    let mut cache = cache::shared(check, &written.cache, &name);
    let (routes, patterns) = routes(check, written, kept, known.as_ref());
    let openapi = written.server.openapi.as_ref().and_then(|path| patterns.openapi(check, path));
    cache.warm = warm::settings(check, &written.cache, routes.as_deref().map(|routes| (routes, &patterns)));
    if check.findings.has_errors() {
        return None;
    }
    Some(Plan {
        folder: check.folder.to_path_buf(),
        name,
        server: server?,
        admin: admin?,
        log: log?,
        database: database.map_or(Some(None), |database| database.map(Some))?,
        cache,
        identity: identity.map_or(Some(None), |identity| identity.map(Some))?,
        routes: routes?,
        openapi,
        sources: std::mem::take(&mut check.sources),
    })
}

fn routes(
    check: &mut Check<'_>,
    written: &Written,
    kept: &[usize],
    known: Option<&Known>,
) -> (Option<Vec<RoutePlan>>, paths::Patterns) {
    let mut patterns = paths::Patterns::default();
    let section = KeyPath::root().key("route");
    let is_empty = match check.tree.get(&section).map(|node| &node.value) {
        Some(Value::Array(nodes)) => nodes.is_empty(),
        _ => true,
    };
    if is_empty && !check.damaged(&section) {
        check.key(
            &section,
            Finding::error("nothing is served: there is no [[route]]")
                .hint("add one, as in `[[route]]` with `path = \"/\"` and `files = \"static/\"`"),
        );
        return (None, patterns);
    }
    let mut plans = Vec::with_capacity(kept.len());
    for (route, index) in written.route.iter().zip(kept) {
        let at = section.index(*index);
        if let Some(pattern) = patterns.add(check, &at, route, known, plans.len()) {
            let name = RouteName { index: plans.len(), pattern: Arc::from(pattern) };
            plans.push(route::route(check, &at, route, name, written, known));
        }
    }
    (plans.into_iter().collect(), patterns)
}

impl Check<'_> {
    /// Says something about the value of a setting, or of the nearest one above it that is written.
    pub(crate) fn value(&mut self, path: &KeyPath, finding: Finding) {
        let place = self.tree.at(path).place.clone();
        self.findings.add(path, place, finding);
    }

    /// Says something about a part of a value, if its place is known.
    pub(crate) fn place_or_value(&mut self, path: &KeyPath, place: Option<Place>, finding: Finding) {
        let place = place.unwrap_or_else(|| self.tree.at(path).place.clone());
        self.findings.add(path, place, finding);
    }

    /// Says something about the key of a setting.
    pub(crate) fn key(&mut self, path: &KeyPath, finding: Finding) {
        let place = self.key_place(path);
        self.findings.add(path, place, finding);
    }

    /// Where a key was written.
    pub(crate) fn key_place(&self, path: &KeyPath) -> Place {
        self.tree.key_place(path)
    }

    /// Whether a section or anything in it was found to be wrong before.
    pub(crate) fn damaged(&self, section: &KeyPath) -> bool {
        self.damage.holds(section) || self.damage.holds_unknown_section(&SECTIONS)
    }

    /// A path of the configuration; relative ones start at the app's folder.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// Reads a text file that the plan is made from.
    pub(crate) fn read(&mut self, path: &Path, at: &KeyPath, what: &str, bytes_max: u64) -> Option<String> {
        self.sources.push(path.to_path_buf());
        match text_file::read(path, bytes_max) {
            Ok(text) => Some(text),
            Err(error) => {
                self.value(at, unreadable(what, path, &error));
                None
            }
        }
    }
}

/// A file or folder that cannot be read.
pub(crate) fn unreadable(what: &str, path: &Path, error: &std::io::Error) -> Finding {
    let reason = match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        std::io::ErrorKind::NotADirectory => "it is no folder".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    };
    Finding::error(format!("{what} cannot be read: {reason}")).label(format!("looked for {}", path.display()))
}
