//! What is asked for before the server says that it is ready: the targets of `cache.warm`, and the file of `cache.hot`.

use super::paths::Patterns;
use super::server::positive;
use super::{Check, unreadable};
use crate::diagnostic::{Finding, nearest};
use crate::plan::{HotSettings, RoutePlan, SourcePlan, WarmSettings, WarmTarget};
use crate::tree::KeyPath;
use crate::written::Cache;

/// More would take longer than anybody waits for a start.
const TARGETS_MAX: usize = 1_000;

/// The longest target that the listener reads.
const TARGET_BYTES_MAX: usize = 8_192;

/// The settings. What routes serve is known only if nothing was wrong with them.
pub(super) fn settings(
    check: &mut Check<'_>,
    written: &Cache,
    routes: Option<(&[RoutePlan], &Patterns)>,
) -> WarmSettings {
    let at = KeyPath::root().key("cache");
    if check.damaged(&at) {
        return WarmSettings::default();
    }
    if written.warm.len() > TARGETS_MAX {
        let finding = Finding::error(format!("there are more than {TARGETS_MAX} targets to warm"));
        check.key(&at.key("warm"), finding.hint("`hot` remembers what is asked for most"));
    }
    let mut targets = Vec::new();
    for (index, text) in written.warm.iter().enumerate().take(TARGETS_MAX) {
        let here = at.key("warm").index(index);
        match target(text) {
            Ok(target) => {
                if let Some(finding) = routes.and_then(|routes| useless(&target, routes)) {
                    check.value(&here, finding);
                }
                targets.push(target);
            }
            Err(finding) => check.value(&here, finding),
        }
    }
    let hot = written.hot.as_ref().and_then(|file| hot(check, &at.key("hot"), file, written.hot_count));
    positive(check, &at.key("warm_timeout"), written.warm_timeout);
    for (name, is_of_use, needs) in [
        ("hot_count", written.hot.is_some(), "`hot`"),
        ("warm_timeout", written.hot.is_some() || !written.warm.is_empty(), "`warm` or `hot`"),
    ] {
        if !is_of_use && check.tree.get(&at.key(name)).is_some() {
            let finding = Finding::error(format!("`{name}` means nothing without {needs}"));
            check.key(&at.key(name), finding.label("nothing is warmed"));
        }
    }
    WarmSettings { targets, hot, timeout: written.warm_timeout.duration() }
}

/// A target as it is written: a path with its query, or a whole URL.
fn target(text: &str) -> Result<WarmTarget, Finding> {
    if text.len() > TARGET_BYTES_MAX {
        return Err(
            Finding::error("a target is too long").label(format!("expected up to {TARGET_BYTES_MAX} bytes"))
        );
    }
    if text.contains('#') {
        return Err(Finding::error("a target has no fragment").label("`#` and what follows is never sent"));
    }
    if let Some(c) = text.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(Finding::error(format!("a target cannot hold {c:?}"))
            .label("expected other characters as `%` and two digits each"));
    }
    WarmTarget::read(text).ok_or_else(|| {
        let finding = Finding::error(format!("`{text}` is neither a path nor a URL of HTTP"));
        let slashless = (!text.contains(':')).then(|| format!("write \"/{text}\""));
        finding.label("expected a target such as \"/v1/items?limit=20\"").hint_if(slashless)
    })
}

/// Why nothing would be stored for a target.
fn useless(target: &WarmTarget, (routes, patterns): (&[RoutePlan], &Patterns)) -> Option<Finding> {
    let path = target.target.path();
    let Some(route) = patterns.find(path).and_then(|place| routes.get(place)) else {
        let near = nearest(path, routes.iter().map(|route| &*route.name.pattern));
        let finding =
            Finding::error(format!("no route serves `{path}`")).label("expected a path that is served");
        return Some(finding.hint_if(near.map(|near| format!("did you mean `{near}`?"))));
    };
    let pattern = &route.name.pattern;
    if route.cache.is_none() {
        let finding =
            Finding::error(format!("the route `{pattern}` is not cached, so that nothing can be warmed"));
        return Some(finding.label("expected a target of a cached route"));
    }
    (matches!(route.source, SourcePlan::Origin(_)) && target.host.is_none()).then(|| {
        Finding::error(format!(
            "answers of the origin at `{pattern}` are stored for each host that callers ask"
        ))
        .label("expected a whole URL")
        .hint(format!("write \"http://HOST{}\" with the host that callers use", target.target))
    })
}

/// Where the hottest targets are kept from one run to the next.
fn hot(check: &mut Check<'_>, at: &KeyPath, written: &str, count: u32) -> Option<HotSettings> {
    let file = check.path(written);
    let expected = "expected a file that the server may write, such as \"hot.keys\"";
    if written.is_empty() || file.is_dir() {
        let what = if written.is_empty() { "is empty" } else { "is a folder" };
        check.value(at, Finding::error(format!("`hot` {what}")).label(expected));
        return None;
    }
    let folder = file.parent()?;
    if let Err(error) = std::fs::metadata(folder) {
        check.value(at, unreadable("the folder for the hottest targets", folder, &error));
        return None;
    }
    Some(HotSettings { file, count: count as usize })
}
