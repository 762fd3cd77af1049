//! A plan in words: the route, what bounds it, and how its answers are cached.

use std::time::Duration;

use http::HeaderName;
use kasoku_config::{CachePlan, RoutePlan, SourcePlan};
use kasoku_pipeline::{Forward, Promises, Verdict};
use kasoku_policies::cache::CacheRules;
use kasoku_policies::rfc9111::HttpCacheRules;
use kasoku_units::{ByteSize, Period};

use super::facts::{Cache, Limits, Method, Named, Route};
use super::rehearsal::Seen;
use crate::router::HEALTH_PATH;

/// The answer that the server gives by itself.
pub(super) fn health() -> Method {
    Method { treatment: "described", because: "The server answers this path itself, for load balancers." }
}

/// The path of that answer.
pub(super) fn health_route() -> Route {
    Route { path: HEALTH_PATH.to_owned(), number: 0, source: "server", of: "itself".to_owned() }
}

/// A text without its line breaks and indents.
pub(super) fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A method that stored answers may answer.
pub(super) const READ: &str = "read";

/// What becomes of a method, from what became of it.
pub(super) fn method(method: &http::Method, reached_source: bool, seen: &Seen) -> Method {
    let is_passed = seen.facts.verdict == Verdict::Forwarded(Forward::Method);
    let (treatment, because) = match (reached_source, method.as_str()) {
        (true, "GET") => (READ, "A read, which stored answers may answer."),
        (true, "HEAD") => (READ, "A read of the head alone, which the stored answer to a GET may answer."),
        (true, "QUERY") if !is_passed => (READ, "A query, here without content, which is part of the key."),
        (true, _) => ("passed", "Not a read: it always goes to the source, and its answer is not stored."),
        (false, "OPTIONS") if seen.status.is_success() => {
            ("described", "The methods of the route are told without asking its source.")
        }
        (false, _) if seen.status.is_redirection() => ("redirected", "The path is served with another end."),
        (false, _) => ("refused", "It is refused, and nothing is asked or read for it."),
    };
    Method { treatment, because }
}

/// A route and its source.
pub(super) fn route(route: &RoutePlan) -> Route {
    let (source, of) = match &route.source {
        SourcePlan::Table(rules) => ("table", rules.table.clone()),
        SourcePlan::Query(rules) => ("query", on_one_line(&rules.sql)),
        SourcePlan::Files(rules) => ("files", rules.folder.display().to_string()),
        SourcePlan::Batch(rules) => ("batch", rules.routes.join(", ")),
        SourcePlan::Origin(rules) => {
            let servers: Vec<String> = rules.client.servers.iter().map(ToString::to_string).collect();
            ("origin", servers.join(", "))
        }
    };
    Route { path: route.name.pattern.to_string(), number: route.name.index + 1, source, of }
}

/// What bounds a route's requests.
pub(super) fn limits(route: &RoutePlan) -> Limits {
    Limits {
        deadline: period(route.deadline),
        concurrent: route.admit.concurrent,
        queue: route.admit.queue,
        wait: period(route.admit.wait),
        body: ByteSize(route.body_bytes_max as u64).to_string(),
    }
}

/// Whether and how a route's answers are cached.
pub(super) fn cache(route: &RoutePlan) -> Cache {
    match (&route.cache, &route.source) {
        (Some(CachePlan::Declared(rules)), _) => Cache {
            by: "declared",
            because: "`cache` says for how long; a change to what an answer depends on removes it before."
                .to_owned(),
            settings: of_declared_rules(rules),
        },
        (Some(CachePlan::Rfc9111(rules)), _) => Cache {
            by: "rfc9111",
            because: "The answers say it themselves (RFC 9111); `cache` adds to them.".to_owned(),
            settings: of_rules(rules),
        },
        (None, SourcePlan::Files(_)) => Cache {
            by: "off",
            because: "Files are answered from their folder, and validated by their callers.".to_owned(),
            settings: Vec::new(),
        },
        (None, SourcePlan::Batch(_)) => Cache {
            by: "off",
            because: "Writes are never answered from what is stored.".to_owned(),
            settings: Vec::new(),
        },
        (None, _) => Cache {
            by: "off",
            because: "`cache = false`: nothing is stored, and every request goes to the source.".to_owned(),
            settings: Vec::new(),
        },
    }
}

/// What becomes of a field where answers are cached as declared.
pub(super) fn of_declared(
    name: &HeaderName,
    promises: &Promises,
) -> (&'static str, &'static str, &'static str) {
    if promises.vary.contains(name) {
        return ("keyed", "The source sees it, and it is part of the key.", "its name");
    }
    match name.as_str() {
        "accept-encoding" => ("coding", "It chooses among the codings of one stored answer.", "its name"),
        "if-none-match" | "if-modified-since" | "if-match" | "if-unmodified-since" | "range" | "if-range" => {
            ("condition", "It is evaluated here.", "its name")
        }
        "cache-control" | "pragma" => ("directive", "It is for caches, and followed here.", "its name"),
        "host" | "connection" | "user-agent" => ("hidden", "The source does not see it.", "its name"),
        _ => ("hidden", "The source does not see it, so no shared answer depends on it.", "its name"),
    }
}

/// The pattern that a path comes nearest to: the most segments alike from the beginning, then the most letters.
pub(super) fn nearest<'a>(patterns: impl Iterator<Item = &'a str>, path: &str) -> Option<&'a str> {
    let alike = |pattern: &str| {
        let mut pairs = pattern.split('/').zip(path.split('/')).skip(1);
        let is_alike = |(own, asked): &(&str, &str)| own == asked || own.starts_with('{');
        let (mut whole, mut letters) = (0, 0);
        if let Some((own, asked)) = pairs.by_ref().find(|pair| {
            whole += usize::from(is_alike(pair));
            !is_alike(pair)
        }) {
            letters = own.bytes().zip(asked.bytes()).take_while(|(own, asked)| own == asked).count();
        }
        (whole, letters)
    };
    let best = patterns.map(|pattern| (alike(pattern), pattern)).max_by_key(|(alike, _)| *alike);
    best.filter(|(alike, _)| *alike > (0, 0)).map(|(_, pattern)| pattern)
}

/// A duration as it is written in configuration.
pub(super) fn period(time: Duration) -> String {
    Period(time).to_string()
}

fn of_declared_rules(rules: &CacheRules) -> Vec<Named> {
    let mut settings = Vec::new();
    push(&mut settings, "fresh", Some(period(rules.fresh)));
    push(&mut settings, "stale_while_revalidate", some(rules.stale_while_revalidate));
    push(&mut settings, "stale_if_error", some(rules.stale_if_error));
    push(&mut settings, "client", some(rules.client));
    push(&mut settings, "body", Some(ByteSize(rules.body_bytes_max).to_string()));
    settings
}

fn of_rules(rules: &HttpCacheRules) -> Vec<Named> {
    let names = |names: &[HeaderName]| {
        let names: Vec<&str> = names.iter().map(HeaderName::as_str).collect();
        Some(names.join(", ")).filter(|text| !text.is_empty())
    };
    let mut settings = Vec::new();
    push(&mut settings, "fresh", rules.storing.fresh.map(period));
    push(&mut settings, "stale_while_revalidate", rules.storing.stale_while_revalidate.map(period));
    push(&mut settings, "stale_if_error", rules.storing.stale_if_error.map(period));
    push(&mut settings, "soft_timeout", rules.soft_timeout.map(period));
    push(&mut settings, "eager", rules.eager.map(|part| part.to_string()));
    push(&mut settings, "retry", Some(period(rules.retry)));
    push(&mut settings, "variants", Some(rules.variants_max.to_string()));
    push(&mut settings, "body", Some(ByteSize(rules.body_bytes_max).to_string()));
    push(&mut settings, "show", names(&rules.fields.keyed));
    push(&mut settings, "hide", names(&rules.fields.hidden));
    settings
}

fn some(time: Duration) -> Option<String> {
    (!time.is_zero()).then(|| period(time))
}

fn push(settings: &mut Vec<Named>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        settings.push(Named { name: name.to_owned(), value: Some(value) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_pattern_begins_as_the_path_does() {
        let patterns = ["/v1/items", "/v1/stats/categories", "/news/{slug}", "/news/{slug}/notes"];
        for (path, expected) in [
            ("/v1/itemz", Some("/v1/items")),
            ("/v1/stats", Some("/v1/stats/categories")),
            ("/v1/stats/category", Some("/v1/stats/categories")),
            ("/new", Some("/news/{slug}/notes")),
            ("/news/a/note", Some("/news/{slug}/notes")),
            ("/else", None),
            ("/", None),
        ] {
            assert_eq!(nearest(patterns.into_iter(), path), expected, "{path}");
        }
    }
}
