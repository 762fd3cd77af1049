//! Settings of Kasoku's plan that this version does not have, so that they are refused by name and not as a slip.

use crate::tree::{KeyPath, Node, Value};

/// Sources of routes that this version does not have.
const SOURCES: [&str; 5] = ["page", "chat", "world", "action", "with"];

/// Section, key, and what it would configure.
const LATER: [(&str, &str, &str); 19] = [
    ("route", "with", "the queries of a page"),
    ("route", "chat", "answers from language models"),
    ("route", "world", "worlds"),
    ("route", "action", "actions of forms"),
    ("route", "objective", "objectives"),
    ("route", "warm", "warming the cache"),
    ("route", "async", "jobs"),
    ("route", "canary", "canaries"),
    ("route", "limit", "rate limits"),
    ("route.cache", "by", "answers for each caller"),
    ("route.cache", "warm", "warming the cache"),
    ("database", "replicas", "replicas"),
    ("server", "http3", "HTTP/3"),
    ("", "origin", "answers from HTTP servers"),
    ("", "provider", "language models"),
    ("", "world", "worlds"),
    ("", "jobs", "jobs"),
    ("", "backup", "backups"),
    ("", "alerts", "alerts"),
];

/// Settings of this version that take other values in a later one: section, key, and what strings there configure.
const LATER_TEXTS: [(&str, &str, &str); 1] = [("route", "page", "pages from templates")];

/// What a key would configure in a later version.
pub(crate) fn feature(section: &KeyPath, name: &str) -> Option<&'static str> {
    find(&LATER, section, name)
}

/// What a value would configure in a later version.
pub(crate) fn value(path: &KeyPath, node: &Node) -> Option<&'static str> {
    let name = path.keys().last()?;
    matches!(node.value, Value::String(_)).then(|| find(&LATER_TEXTS, &path.parent(), name)).flatten()
}

/// What this version has in its place.
pub(crate) fn instead(path: &KeyPath) -> Option<&'static str> {
    let is_source = path.keys().last().is_some_and(|name| SOURCES.contains(&name));
    (is_source && path.parent().keys().eq(["route"]))
        .then_some("the sources of this version are `table`, `query`, `files`, `batch` and `origin`")
}

fn find(
    table: &[(&'static str, &'static str, &'static str)],
    section: &KeyPath,
    name: &str,
) -> Option<&'static str> {
    let section = section.keys().collect::<Vec<_>>().join(".");
    table.iter().find(|(at, key, _)| *at == section && *key == name).map(|(_, _, what)| *what)
}
