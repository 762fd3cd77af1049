//! The section `cache`, and the lifetimes of each route.

use std::time::Duration;

use http::HeaderName;
use kasoku_cache_remote::{Misconfigured, Settings};
use kasoku_http_caching::storing;
use kasoku_http_caching::validation::Dates;
use kasoku_policies::cache::CacheRules;
use kasoku_policies::rfc9111::{FieldRules, HttpCacheRules};

use super::Check;
use super::server::{kept_elsewhere, positive, size};
use crate::diagnostic::Finding;
use crate::plan::{CachePlan, CacheSettings, WarmSettings};
use crate::tree::{KeyPath, Value};
use crate::written::{
    Cache, CacheName, CacheOrName, DurationText, OrFalse, Redis, RedisOrUrl, RouteCache, SizeText,
};

/// How long an answer is fresh where nothing is said. The fence removes what changed, so that this bounds only how
/// long memory is spent on what nobody asks for.
const FRESH: Duration = Duration::from_hours(1);

/// Larger answers from a database are not stored where nothing is said.
const BODY: SizeText = SizeText::mib(1);

/// Longer lifetimes are surely a slip.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// The cache that all routes share.
pub(super) fn shared(check: &mut Check<'_>, written: &Cache, app: &str) -> CacheSettings {
    let at = KeyPath::root().key("cache").key("memory");
    let memory_bytes = size(check, &at, written.memory, &(SizeText::mib(1)..=SizeText::mib(16 << 20)));
    let at = KeyPath::root().key("cache").key("in_flight");
    let in_flight_bytes = size(check, &at, written.in_flight, &(SizeText::mib(1)..=SizeText::mib(16 << 20)));
    let second_tier = second_tier(check, written, app);
    let warm = WarmSettings::default();
    CacheSettings { memory_bytes, in_flight_bytes, audit_share: written.audit, second_tier, warm }
}

/// What several nodes share. A URL that cannot be understood is said here already.
fn second_tier(check: &mut Check<'_>, written: &Cache, app: &str) -> Option<Settings> {
    let at = KeyPath::root().key("cache").key("redis");
    let (url_at, written) = match written.redis.as_ref()? {
        RedisOrUrl::Url(url) => (at.clone(), Redis::at(url)),
        RedisOrUrl::Redis(redis) => (at.key("url"), redis.clone()),
    };
    let url = kept_elsewhere(check, &url_at, &written.url)?;
    let settings = Settings {
        prefix: written.prefix.unwrap_or_else(|| format!("kasoku:{app}")),
        budget: written.budget.duration(),
        bound: written.bound.duration(),
        strict: written.strict.map(DurationText::duration),
        node_lifetime: written.bound.duration() * 3,
        ..Settings::new(url)
    };
    match settings.verify() {
        Ok(()) => Some(settings),
        Err(wrong @ Misconfigured::Url(_)) => {
            let finding = Finding::error(wrong.to_string());
            check.value(&url_at, finding.label("expected a URL such as \"redis://127.0.0.1:6379\""));
            None
        }
        Err(wrong @ Misconfigured::OutOfRange(name)) => {
            let finding = Finding::error(wrong.to_string());
            check.value(&at.key(name), finding.label("expected more"));
            None
        }
    }
}

/// How answers from a database are reused.
pub(super) fn declared(
    check: &mut Check<'_>,
    route: &KeyPath,
    written: Option<&OrFalse<CacheOrName>>,
    shared: &Cache,
) -> Option<CachePlan> {
    let at = route.key("cache");
    let written = settings(written)?;
    let rules = CacheRules {
        fresh: written.fresh.map_or(FRESH, DurationText::duration),
        stale_while_revalidate: duration(written.stale_while_revalidate),
        stale_if_error: duration(written.stale_if_error),
        client: duration(written.client),
        body_bytes_max: written.body.unwrap_or(BODY).0.0,
    };
    lifetimes(check, &at, &rules);
    if let Some(fresh_row) = written.fresh_row {
        of_rows(check, &at, fresh_row, &rules);
    }
    fits(check, &at, rules.body_bytes_max, shared);
    Some(CachePlan::Declared(rules))
}

/// How long answers about one row are fresh, where that is said apart.
pub(super) fn fresh_row(written: Option<&OrFalse<CacheOrName>>) -> Option<Duration> {
    settings(written)?.fresh_row.map(DurationText::duration)
}

/// How answers from an origin are reused.
pub(super) fn rfc9111(
    check: &mut Check<'_>,
    route: &KeyPath,
    written: Option<&OrFalse<CacheOrName>>,
    shared: &Cache,
) -> Option<CachePlan> {
    let at = route.key("cache");
    let written = settings(written)?;
    let usual = HttpCacheRules::default();
    for (name, written) in [
        ("fresh", written.fresh),
        ("stale_while_revalidate", written.stale_while_revalidate),
        ("stale_if_error", written.stale_if_error),
    ] {
        if written.is_some_and(|duration| duration.duration() > LONGEST) {
            too_long(check, &at, name);
        }
    }
    if let Some(soft_timeout) = written.soft_timeout {
        positive(check, &at.key("soft_timeout"), soft_timeout);
    }
    let fields = FieldRules {
        keyed: fields(check, &at.key("show"), written.show.as_deref()),
        hidden: fields(check, &at.key("hide"), written.hide.as_deref()),
    };
    if let Some(both) = fields.keyed.iter().find(|name| fields.hidden.contains(name)) {
        let shown = check.key_place(&at.key("show"));
        let finding = Finding::error(format!("`{both}` is both shown and hidden"));
        check.value(&at.key("hide"), finding.label("expected in one of them").see(shown, "shown here"));
    }
    let body_bytes_max = written.body.map_or(usual.body_bytes_max, |body| body.0.0);
    if written.body.is_some() {
        fits(check, &at, body_bytes_max, shared);
    }
    Some(CachePlan::Rfc9111(HttpCacheRules {
        storing: storing::Rules {
            fresh: written.fresh.map(DurationText::duration),
            stale_while_revalidate: written.stale_while_revalidate.map(DurationText::duration),
            stale_if_error: written.stale_if_error.map(DurationText::duration),
            ..usual.storing
        },
        fields,
        body_bytes_max,
        variants_max: written.variants.map_or(usual.variants_max, |most| most as usize),
        retry: written.retry.map_or(usual.retry, DurationText::duration),
        soft_timeout: written.soft_timeout.map(DurationText::duration),
        eager: written.eager,
        failures: written.failures.map(DurationText::duration),
        jitter: written.jitter.unwrap_or(usual.jitter),
        dates: if written.by_date == Some(true) { Dates::Made } else { Dates::Modified },
    }))
}

/// Finds settings of one kind of cache in the other.
pub(super) fn belong(check: &mut Check<'_>, route: &KeyPath, is_declared: bool, has_rows: bool) {
    let at = route.key("cache");
    let rows = at.key("fresh_row");
    if is_declared && !has_rows && check.tree.get(&rows).is_some() {
        let finding = Finding::error("`cache.fresh_row` means nothing here");
        check.key(&rows, finding.label("belongs to `table` routes"));
    }
    let (others, owners) = if is_declared {
        (
            &["variants", "retry", "soft_timeout", "eager", "failures", "jitter", "by_date", "show", "hide"]
                [..],
            "`origin` routes",
        )
    } else {
        (&["client", "fresh_row"][..], "`table` and `query` routes")
    };
    for name in others {
        let here = at.key(name);
        if check.tree.get(&here).is_some() {
            let finding = Finding::error(format!("`cache.{name}` means nothing here"));
            check.key(&here, finding.label(format!("belongs to {owners}")));
        }
    }
    if is_declared && check.tree.get(&at).is_some_and(|node| matches!(node.value, Value::String(_))) {
        let finding = Finding::error("the rules of RFC 9111 are for answers of an `origin`");
        check.value(&at, finding.label("expected a table or `false`"));
    }
}

/// The settings that are written; `None` if caching is switched off.
fn settings(written: Option<&OrFalse<CacheOrName>>) -> Option<RouteCache> {
    match written {
        Some(OrFalse::Off(_)) => None,
        Some(OrFalse::On(CacheOrName::Cache(written))) => Some(RouteCache::clone(written)),
        Some(OrFalse::On(CacheOrName::Name(CacheName::Rfc9111))) | None => Some(RouteCache::default()),
    }
}

fn duration(written: Option<DurationText>) -> Duration {
    written.map(DurationText::duration).unwrap_or_default()
}

fn fields(check: &mut Check<'_>, at: &KeyPath, written: Option<&[String]>) -> Vec<HeaderName> {
    let mut names = Vec::new();
    for (index, text) in written.unwrap_or_default().iter().enumerate() {
        if let Ok(name) = HeaderName::try_from(text.as_str()) {
            names.push(name);
        } else {
            let finding = Finding::error(format!("`{text}` cannot be the name of a field"));
            check.value(&at.index(index), finding.label("expected a name such as \"user-agent\""));
        }
    }
    names
}

fn fits(check: &mut Check<'_>, at: &KeyPath, body_bytes_max: u64, shared: &Cache) {
    if body_bytes_max > shared.memory.0.0 {
        let finding = Finding::error("an answer larger than the whole cache can never be stored");
        check.value(&at.key("body"), finding.label(format!("`cache.memory` is {}", shared.memory.0)));
    }
}

fn too_long(check: &mut Check<'_>, at: &KeyPath, name: &str) {
    let finding = Finding::error(format!("`{name}` is longer than a year"));
    check.value(&at.key(name), finding.label("expected up to 366d"));
}

/// A lifetime of rows is held to what a lifetime of lists is.
fn of_rows(check: &mut Check<'_>, at: &KeyPath, written: DurationText, rules: &CacheRules) {
    if written.duration().is_zero() {
        let finding = Finding::error("answers that are never fresh need no cache");
        check.value(&at.key("fresh_row"), finding.label("expected more than 0s"));
    } else if written.duration() > LONGEST {
        too_long(check, at, "fresh_row");
    }
    if rules.client > written.duration() {
        let fresh = check.key_place(&at.key("fresh_row"));
        let finding = Finding::error("callers would keep an answer for longer than it is fresh here");
        check.value(&at.key("client"), finding.label("longer than `fresh_row`").see(fresh, "fresh for less"));
    }
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
            too_long(check, at, name);
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
