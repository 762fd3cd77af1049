//! A route: its one source, and the policies around it.

use std::time::Duration;

use kasoku_http_caching::pseudonym::Pseudonym;
use kasoku_observe::RouteName;
use kasoku_policies::{admit::AdmitRules, shape::ShapeRules};

use super::server::{body, positive, size};
use super::{Check, Known, batch, cache, files, origin, proof, query, requires, table, transfer};
use crate::diagnostic::Finding;
use crate::plan::{RoutePlan, SourcePlan};
use crate::tree::KeyPath;
use crate::written::{CacheOrName, DurationText, OrFalse, Route, SizeText, Written};

/// Settings that belong to some sources only.
pub(crate) const BELONG: [(&str, &[&str]); 24] = [
    ("select", &["table"]),
    ("filter", &["table"]),
    ("plain", &["table"]),
    ("order", &["table"]),
    ("page", &["table"]),
    ("count", &["table"]),
    ("write", &["table"]),
    ("export", &["table"]),
    ("import", &["table"]),
    ("envelope", &["table"]),
    ("soft_delete", &["table"]),
    ("plans", &["table"]),
    ("where", &["table"]),
    ("proof", &["table", "query"]),
    ("embed", &["table"]),
    ("embed_rows", &["table"]),
    ("aggregate", &["table"]),
    ("params", &["query"]),
    ("one", &["query"]),
    ("rows", &["query"]),
    ("operations", &["batch"]),
    ("strip", &["origin"]),
    ("cache", &["table", "query", "origin"]),
    ("compress", &["table", "query", "files", "batch", "origin"]),
];

/// The sources of this version.
const SOURCES: [&str; 5] = ["table", "query", "files", "batch", "origin"];

/// How long an answer may take where nothing is said.
const DEADLINE: Duration = Duration::from_secs(10);
/// An origin takes its own time, and bodies of requests are sent to it within this, too.
const DEADLINE_OF_ORIGINS: Duration = Duration::from_mins(1);

/// What an origin may be sent. It is never held in memory.
const ORIGIN_BODY: SizeText = SizeText::mib(1 << 10);
const ORIGIN_BODY_MAX: SizeText = SizeText::mib(1 << 20);

/// The name by which origins hear of this server. Whether it can be one has been checked with the server's settings.
fn pseudonym(all: &Written) -> Pseudonym {
    let named = all.server.pseudonym.as_deref().and_then(Pseudonym::named);
    named.unwrap_or_else(Pseudonym::unique)
}

/// A route's plan.
pub(super) fn route(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Route,
    name: RouteName,
    all: &Written,
    known: Option<&Known>,
) -> Option<RoutePlan> {
    let source = one_source(check, at)?;
    belong(check, at, source);
    let known = match (source, known) {
        ("files" | "origin", _) => None,
        (_, Some(known)) => Some(known),
        (_, None) => {
            no_database(check, at, source);
            return None;
        }
    };
    let mut volatile = None;
    let limit = if source == "origin" { ORIGIN_BODY } else { all.server.limits.body };
    let body_bytes_max = written.body.unwrap_or(limit).0.0;
    let uses = if matches!(source, "table" | "query") { "database" } else { source };
    let source = match (&written.table, &written.query, &written.files) {
        (Some(name), ..) => table::rules(check, at, name, written, known?).map(|(rules, changes)| {
            volatile = changes;
            SourcePlan::Table(rules)
        }),
        (_, Some(sql), _) => query::rules(check, at, sql, written, known?).map(|(rules, changes)| {
            volatile = changes;
            SourcePlan::Query(rules)
        }),
        (.., Some(files)) => files::rules(check, at, files).map(SourcePlan::Files),
        _ if written.batch.is_some() => batch::rules(check, at, written, all).map(SourcePlan::Batch),
        _ => origin::rules(check, at, written, body_bytes_max, pseudonym(all)).map(SourcePlan::Origin),
    };
    let proof = proof::rules(check, at, written, all, source.as_ref());
    let cache = match uses {
        "database" => cache::declared(check, at, written.cache.as_ref(), &all.cache),
        "origin" => cache::rfc9111(check, at, written.cache.as_ref(), &all.cache),
        _ => None,
    };
    cache::belong(check, at, uses == "database", written.table.is_some());
    if let Some(function) = volatile.filter(|_| needs_lifetime(written)) {
        let sql = written.query.as_deref().unwrap_or_default();
        query::volatile(check, &at.key(if sql.is_empty() { "table" } else { "query" }), sql, &function);
    }
    let asks = asks_for_caller(source.as_ref(), known);
    let requires = requires::rules(check, at, written, all, (source.as_ref(), asks));
    policies(check, at, written, all);
    let transfers = transfer::rules(check, at, written, body_bytes_max);
    let usual = if written.origin.is_some() { DEADLINE_OF_ORIGINS } else { DEADLINE };
    Some(RoutePlan {
        name,
        source: source?,
        admit: AdmitRules {
            concurrent: written.admit.concurrent,
            queue: written.admit.queue,
            wait: written.admit.wait.duration(),
        },
        deadline: written.deadline.map_or(usual, DurationText::duration),
        shape: ShapeRules { compress_above: written.compress.on().map(|size| size.0.0) },
        requires,
        cache,
        fresh_row: cache::fresh_row(written.cache.as_ref()),
        body_bytes_max: body_bytes_max as usize,
        shows_plans: written.plans.unwrap_or_default(),
        transfers,
        proof,
    })
}

/// Whether answers differ by who asks.
fn asks_for_caller(source: Option<&SourcePlan>, known: Option<&Known>) -> bool {
    let schema = known.and_then(|known| known.description.as_ref()).map(|description| &description.schema);
    match (source, schema) {
        (Some(SourcePlan::Table(rules)), Some(schema)) => !rules.asked_of_caller(schema).is_empty(),
        (Some(SourcePlan::Query(rules)), _) => rules.params.iter().any(|param| param.caller.is_some()),
        _ => false,
    }
}

/// Whether answers are kept until something changes, and not for a time that was chosen.
fn needs_lifetime(written: &Route) -> bool {
    match &written.cache {
        None | Some(OrFalse::On(CacheOrName::Name(_))) => true,
        Some(OrFalse::On(CacheOrName::Cache(cache))) => cache.fresh.is_none(),
        Some(OrFalse::Off(_)) => false,
    }
}

fn policies(check: &mut Check<'_>, at: &KeyPath, written: &Route, all: &Written) {
    if let Some(deadline) = written.deadline {
        positive(check, &at.key("deadline"), deadline);
    }
    if let (Some(limit), true) = (written.body, written.origin.is_some()) {
        size(check, &at.key("body"), limit, &(SizeText::bytes(0)..=ORIGIN_BODY_MAX));
    } else if let Some(limit) = written.body {
        body(check, &at.key("body"), limit);
        if limit.0 > all.server.limits.body.0 {
            let finding = Finding::error("the route would take larger bodies than the server");
            let label = format!("`server.limits.body` is {}", all.server.limits.body.0);
            check.value(&at.key("body"), finding.label(label));
        }
    }
}

/// The one source that is written.
fn one_source(check: &mut Check<'_>, at: &KeyPath) -> Option<&'static str> {
    let written: Vec<&str> =
        SOURCES.into_iter().filter(|source| check.tree.get(&at.key(source)).is_some()).collect();
    match written.as_slice() {
        [one] => Some(one),
        [] => {
            let finding = Finding::error("the route has no source")
                .label("expected `table`, `query`, `files`, `batch` or `origin` in it");
            check.value(at, finding);
            None
        }
        [first, second, ..] => {
            let other = check.key_place(&at.key(first));
            let finding = Finding::error(format!("the route has two sources: `{first}` and `{second}`"))
                .label("a route answers from one source")
                .see(other, "one source");
            check.key(&at.key(second), finding);
            None
        }
    }
}

/// Finds settings that mean nothing to the source.
fn belong(check: &mut Check<'_>, at: &KeyPath, source: &str) {
    for (setting, sources) in BELONG {
        let here = at.key(setting);
        let Some(node) = check.tree.get(&here) else { continue };
        if sources.contains(&source) || (matches!(setting, "cache" | "compress") && node.is_false()) {
            continue;
        }
        let owners = sources.iter().map(|source| format!("`{source}`")).collect::<Vec<_>>().join(" and ");
        let article = if source == "origin" { "an" } else { "a" };
        let finding = Finding::error(format!("`{setting}` means nothing to {article} `{source}` route"))
            .label(format!("belongs to {owners} routes"));
        let hint = (setting == "cache" && source == "files")
            .then(|| "how long callers may keep a file is `max_age` in `files`".to_owned());
        check.key(&here, finding.hint_if(hint));
    }
}

fn no_database(check: &mut Check<'_>, at: &KeyPath, source: &str) {
    if !check.damaged(&KeyPath::root().key("database")) {
        let finding = Finding::error(format!("a `{source}` route needs a database, and there is none"))
            .label("answers from a database")
            .hint("add `[database]` with `url = \"sqlite:app.db\"` and `schema = \"schema/\"`");
        check.key(&at.key(source), finding);
    }
}
