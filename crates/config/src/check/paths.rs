//! Where routes are served: patterns, and whether two of them want the same paths.

use std::collections::BTreeMap;

use super::{Check, Known, transfer};
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::Route;

/// Answered by the server itself.
const HEALTH: &str = "/health";

/// The longest path pattern.
const BYTES_MAX: usize = 1_024;

/// The patterns of the routes so far.
#[derive(Default)]
pub(super) struct Patterns {
    /// The place of the route's plan.
    tree: matchit::Router<usize>,
    owners: BTreeMap<String, (KeyPath, String)>,
}

/// A part of a pattern in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathParam {
    /// The name, without `*`.
    pub(super) name: String,
    /// Whether it takes all segments that are left.
    pub(super) rest: bool,
}

impl Patterns {
    /// Takes a route's patterns in. What it gives back is the pattern of the route's plan.
    pub(super) fn add(
        &mut self,
        check: &mut Check<'_>,
        at: &KeyPath,
        route: &Route,
        known: Option<&Known>,
        place: usize,
    ) -> Option<String> {
        let path = at.key("path");
        if let Some(finding) = malformed(&route.path, route) {
            check.value(&path, finding);
            return None;
        }
        let (pattern, further) = patterns(route, known);
        let mut sound = self.insert(check, at, (&pattern, &pattern), place);
        for further in further {
            sound = sound && self.insert(check, at, (&further, &pattern), place);
        }
        sound.then_some(pattern)
    }

    /// The path of the API's description, which is nobody else's.
    pub(super) fn openapi(&self, check: &mut Check<'_>, path: &str) -> Option<String> {
        let at = KeyPath::root().key("server").key("openapi");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
        if path.len() < 2 || !path.starts_with('/') || !path.bytes().all(is_plain) {
            let finding = Finding::error(format!("`{path}` cannot be the path of the API's description"));
            check.value(&at, finding.label("expected a plain path, such as \"/openapi.json\""));
            return None;
        }
        if path == HEALTH || self.owners.contains_key(path) {
            let finding = Finding::error(format!("`{path}` is served already"));
            check.value(&at, finding.label("expected a path that no route has"));
            return None;
        }
        Some(path.to_owned())
    }

    /// The place of the route that serves a path.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.tree.at(path).ok().map(|found| *found.value)
    }

    fn insert(
        &mut self,
        check: &mut Check<'_>,
        at: &KeyPath,
        (pattern, whole): (&str, &str),
        place: usize,
    ) -> bool {
        let path = at.key("path");
        if pattern == HEALTH {
            let finding = Finding::error(format!("`{HEALTH}` is answered by the server itself"));
            check.value(&path, finding.label("expected another path"));
            return false;
        }
        let error = match self.tree.insert(pattern, place) {
            Ok(()) => {
                self.owners.insert(pattern.to_owned(), (at.clone(), whole.to_owned()));
                return true;
            }
            Err(error) => error,
        };
        let finding = match error {
            matchit::InsertError::Conflict { with } => self.conflict(check, pattern, whole, &with),
            matchit::InsertError::InvalidParamSegment => {
                Finding::error("a segment has more than one parameter")
                    .label("expected one `{name}` between slashes")
            }
            matchit::InsertError::InvalidCatchAll => {
                Finding::error("`{*name}` can only be the end of a path").label("expected nothing behind it")
            }
            _ => Finding::error("the path's braces are not in order")
                .label("expected `{name}` for one segment, `{*name}` for all that are left")
                .hint("write `{{` and `}}` for the characters themselves"),
        };
        check.value(&path, finding);
        false
    }

    fn conflict(&self, check: &Check<'_>, pattern: &str, whole: &str, with: &str) -> Finding {
        let owner = self.owners.get(with).or_else(|| {
            let shape = shape(pattern);
            self.owners.iter().find(|(other, _)| self::shape(other) == shape).map(|(_, owner)| owner)
        });
        let Some((other, other_whole)) = owner else {
            return Finding::error(format!("`{pattern}` cannot be told from another route's `{with}`"))
                .label("matches the same paths");
        };
        let place = check.tree.at(&other.key("path")).place.clone();
        let message = if pattern == with {
            format!("two routes would serve `{pattern}`")
        } else {
            format!("`{pattern}` and `{with}` match the same paths")
        };
        let label = if pattern != whole {
            format!("a route like this also serves `{pattern}`")
        } else if with != other_whole {
            format!("the other route also serves `{with}`")
        } else {
            "expected another path".to_owned()
        };
        Finding::error(message).label(label).see(place, "the other route")
    }
}

/// The parameters of a pattern, in order. Doubled braces are literal ones.
pub(super) fn params(pattern: &str) -> Vec<PathParam> {
    let text = pattern.replace("{{", "").replace("}}", "");
    let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names
        .map(|name| PathParam { name: name.trim_start_matches('*').to_owned(), rest: name.starts_with('*') })
        .collect()
}

/// The pattern of a route's plan, and the further ones that it also takes.
///
/// A `files` route serves everything below its path, so its pattern ends in `{*rest}` also if that is not
/// written, and it takes the path before that too, as an `origin` route does. A `table` route also serves `path/{key}`, if the table has a key, and the files of its list.
fn patterns(route: &Route, known: Option<&Known>) -> (String, Vec<String>) {
    let path = route.path.as_str();
    if route.files.is_some() {
        let below = || format!("{}/{{*rest}}", path.trim_end_matches('/'));
        let whole = if path.contains("{*") { path.to_owned() } else { below() };
        let before = whole.rfind("{*").map(|at| whole[..at].to_owned());
        return (whole, before.into_iter().collect());
    }
    if route.origin.is_some() {
        return (path.to_owned(), path.rfind("{*").map(|at| path[..at].to_owned()).into_iter().collect());
    }
    let description = known.and_then(|known| known.description.as_ref());
    let table = route.table.as_ref().zip(description).and_then(|(name, known)| known.schema.table(name));
    let has_rows = route.table.is_some() && table.is_none_or(|table| !table.key.is_empty());
    let rows = has_rows.then(|| format!("{}/{{key}}", path.trim_end_matches('/')));
    let files = transfer::extensions(route).into_iter().filter(|_| route.table.is_some() && path != "/");
    (path.to_owned(), rows.into_iter().chain(files.map(|extension| format!("{path}.{extension}"))).collect())
}

/// A pattern with the names of its parameters left out.
fn shape(pattern: &str) -> String {
    let mut shape = pattern.to_owned();
    for param in params(pattern) {
        let star = if param.rest { "*" } else { "" };
        shape = shape.replace(&format!("{{{star}{}}}", param.name), &format!("{{{star}}}"));
    }
    shape
}

/// What is wrong with a path before it is compared with others.
fn malformed(path: &str, route: &Route) -> Option<Finding> {
    let error = |message: &str, label: &str| Some(Finding::error(message.to_owned()).label(label.to_owned()));
    if !path.starts_with('/') {
        return error("a path begins with `/`", "expected a path such as \"/v1/items\"")
            .map(|finding| finding.hint(format!("write \"/{}\"", path.trim_start_matches('/'))));
    }
    if path.len() > BYTES_MAX {
        return error("a path is too long", "expected up to 1024 bytes");
    }
    if let Some(c) =
        path.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\'))
    {
        let finding = Finding::error(format!("a path cannot hold {c:?}"));
        return Some(finding.label("expected segments between slashes, without a query string"));
    }
    if !path.is_ascii() {
        return error(
            "paths are matched as they are sent",
            "expected other characters as `%` and two digits each",
        );
    }
    if path.contains("//") || path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return error("a path has an empty segment, `.` or `..`", "callers never send it like this");
    }
    if path.len() > 1 && path.ends_with('/') && route.files.is_none() {
        return error("a path does not end in `/`", "callers who add one are sent to the path without it")
            .map(|finding| finding.hint(format!("write \"{}\"", path.trim_end_matches('/'))));
    }
    let params = params(path);
    if let Some(twice) =
        params.iter().enumerate().find(|(at, param)| params[..*at].iter().any(|p| p.name == param.name))
    {
        let finding = Finding::error(format!("the parameter `{}` stands in the path twice", twice.1.name));
        return Some(finding.label("expected different names"));
    }
    let named = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if params.iter().any(|param| param.name.is_empty()) {
        return error("a parameter of the path has no name", "expected a name between the braces");
    }
    if let Some(bad) = params.iter().find(|param| !named(&param.name)) {
        let finding = Finding::error(format!("`{}` is not the name of a parameter", bad.name));
        return Some(finding.label("expected letters, digits and `_` in the braces"));
    }
    if route.table.is_some() && !params.is_empty() {
        return error(
            "the path of a `table` route has no parameters",
            "expected a path such as \"/v1/items\"",
        )
        .map(|finding| finding.hint("filter with `?column=eq.value`, or use a `query` route"));
    }
    if route.files.is_some() && params.iter().any(|param| !param.rest) {
        return error("the path of a `files` route has no `{name}`", "expected a path such as \"/static\"");
    }
    None
}
