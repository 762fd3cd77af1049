//! The section `cache`, and the lifetimes of each route.

use std::time::Duration;

use kasoku_policies::cache::CacheRules;

use super::Check;
use super::server::size;
use crate::diagnostic::Finding;
use crate::plan::CacheSettings;
use crate::tree::KeyPath;
use crate::written::{Cache, DurationText, OrFalse, RouteCache, SizeText};

/// How long an answer is fresh where nothing is said. The fence removes what changed, so that this bounds only how
/// long memory is spent on what nobody asks for.
const FRESH: Duration = Duration::from_hours(1);

/// Longer lifetimes are surely a slip.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// The cache that all routes share.
pub(super) fn shared(check: &mut Check<'_>, written: &Cache) -> CacheSettings {
    let at = KeyPath::root().key("cache").key("memory");
    let memory_bytes = size(check, &at, written.memory, &(SizeText::mib(1)..=SizeText::mib(16 << 20)));
    CacheSettings { memory_bytes, audit_share: written.audit }
}

/// How a route's answers are reused.
pub(super) fn rules(
    check: &mut Check<'_>,
    route: &KeyPath,
    written: Option<&OrFalse<RouteCache>>,
    shared: &Cache,
) -> Option<CacheRules> {
    let at = route.key("cache");
    let written = match written {
        Some(OrFalse::Off(_)) => return None,
        Some(OrFalse::On(written)) => written.clone(),
        None => RouteCache::default(),
    };
    let rules = CacheRules {
        fresh: written.fresh.map_or(FRESH, DurationText::duration),
        stale_while_revalidate: written.stale_while_revalidate.duration(),
        stale_if_error: written.stale_if_error.duration(),
        client: written.client.duration(),
        body_bytes_max: written.body.0.0,
    };
    lifetimes(check, &at, &rules);
    if rules.body_bytes_max > shared.memory.0.0 {
        let finding = Finding::error("an answer larger than the whole cache can never be stored");
        check.value(&at.key("body"), finding.label(format!("`cache.memory` is {}", shared.memory.0)));
    }
    Some(rules)
}

fn lifetimes(check: &mut Check<'_>, at: &KeyPath, rules: &CacheRules) {
    let named = [
        ("fresh", rules.fresh),
        ("stale_while_revalidate", rules.stale_while_revalidate),
        ("stale_if_error", rules.stale_if_error),
        ("client", rules.client),
    ];
    for (name, duration) in named {
        if duration > LONGEST {
            let finding = Finding::error(format!("`{name}` is longer than a year"));
            check.value(&at.key(name), finding.label("expected up to 366d"));
        }
    }
    if rules.fresh.is_zero() && rules.stale_while_revalidate.is_zero() && rules.stale_if_error.is_zero() {
        let finding = Finding::error("answers that are never fresh need no cache");
        check.value(&at.key("fresh"), finding.label("expected more than 0s").hint("write `cache = false`"));
    } else if rules.client > rules.fresh {
        let fresh = check.key_place(&at.key("fresh"));
        let finding = Finding::error("callers would keep an answer for longer than it is fresh here");
        check.value(&at.key("client"), finding.label("longer than `fresh`").see(fresh, "fresh for less"));
    }
    if !rules.stale_if_error.is_zero() && rules.stale_if_error < rules.stale_while_revalidate {
        let finding = Finding::warning("`stale_if_error` has no effect: an answer this old is given anyway");
        check.value(&at.key("stale_if_error"), finding.label("shorter than `stale_while_revalidate`"));
    }
}
