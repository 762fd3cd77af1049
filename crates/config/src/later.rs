//! Settings of Kasoku's plan that this version does not have, so that they are refused by name and not as a slip.

use crate::tree::KeyPath;

/// Section, key, and what it would configure.
const LATER: [(&str, &str, &str); 27] = [
    ("route", "page", "pages from templates"),
    ("route", "with", "the queries of a page"),
    ("route", "origin", "answers from HTTP servers"),
    ("route", "chat", "answers from language models"),
    ("route", "world", "worlds"),
    ("route", "action", "actions of forms"),
    ("route", "objective", "objectives"),
    ("route", "warm", "warming the cache"),
    ("route", "where", "row rules"),
    ("route", "async", "jobs"),
    ("route", "canary", "canaries"),
    ("route", "limit", "rate limits"),
    ("route", "require", "roles"),
    ("route.cache", "by", "answers for each caller"),
    ("route.cache", "warm", "warming the cache"),
    ("database", "replicas", "replicas"),
    ("database", "pool", "pools of connections"),
    ("database", "watch", "feeds of changes by others"),
    ("cache", "redis", "a second tier"),
    ("cache", "warm", "warming the cache"),
    ("server", "http3", "HTTP/3"),
    ("", "origin", "answers from HTTP servers"),
    ("", "provider", "language models"),
    ("", "world", "worlds"),
    ("", "jobs", "jobs"),
    ("", "backup", "backups"),
    ("", "alerts", "alerts"),
];

/// What a key would configure in a later version.
pub(crate) fn feature(section: &KeyPath, name: &str) -> Option<&'static str> {
    let section = section.keys().collect::<Vec<_>>().join(".");
    LATER.iter().find(|(at, key, _)| *at == section && *key == name).map(|(_, _, what)| *what)
}

/// What this version has in its place.
pub(crate) fn instead(section: &KeyPath, name: &str) -> Option<&'static str> {
    let is_route = section.keys().eq(["route"]);
    match name {
        "page" | "origin" | "chat" | "world" | "action" if is_route => {
            Some("the sources of this version are `table`, `query` and `files`")
        }
        _ => None,
    }
}
