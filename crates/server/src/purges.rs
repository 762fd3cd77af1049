//! Purges, as the stores of routes understand them: which keys and tags a selection of answers means.

use std::collections::HashSet;
use std::time::Duration;

use kasoku_cache_remote::{Mode as Told, Reach};
use kasoku_cache_store::Purge as Mode;
use kasoku_coherence::{Key, Tag};
use kasoku_config::{CachePlan, RoutePlan};
use kasoku_pipeline::BoxFuture;
use kasoku_policies::cache::{PATH_PART, ROUTE_PART, ResponseStore};
use kasoku_policies::rfc9111;
use kasoku_problem::Problem;
use kasoku_sql_plan::{purge_tag, table_tag};

use crate::admin::{Nodes, Purge, PurgeOrder, Purged, Selection};
use crate::app::{App, Served};

/// How long an operator waits for other nodes.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

impl Purge for App {
    fn purge(&self, order: PurgeOrder) -> BoxFuture<'_, Result<Purged, Problem>> {
        let served = self.served();
        Box::pin(async move {
            let entries = purge(&served, &order);
            let Some(second_tier) = &served.second_tier else { return Ok(Purged::here(entries)) };
            let mode = if order.soft { Told::Soft } else { Told::Hard };
            let published = second_tier.publish(reach(&order.selection), mode, HEARD_WITHIN).await;
            // In between, an answer may have come back from the second tier.
            let again = purge(&served, &order);
            Ok(Purged { entries: entries.max(again), nodes: Nodes::of(published) })
        })
    }
}

/// What a selection means to other nodes. Where a host cannot be told, more is reached.
fn reach(selection: &Selection) -> Reach {
    match selection {
        Selection::All => Reach::Everything,
        Selection::Tag(name) => Reach::Tags(vec![purge_tag(name), table_tag(name), Tag::named(name)]),
        Selection::Group { name, host } => {
            Reach::Tags(spellings(host).map(|host| rfc9111::group_tag(&host, name)).collect())
        }
        Selection::Prefix { path, .. } | Selection::Url { path, .. } => {
            Reach::Prefix { part: PATH_PART as u32, prefix: path.clone().into_bytes().into() }
        }
    }
}

/// Purges everything that one route has stored. Fills of it that are under way are not stored.
pub(crate) fn purge_route(store: &ResponseStore, route: usize) -> u64 {
    store.purge_prefix(ROUTE_PART, &(route as u64).to_le_bytes(), Mode::Hard)
}

fn purge(served: &Served, order: &PurgeOrder) -> u64 {
    let store = &served.store;
    let mode = if order.soft { Mode::Soft } else { Mode::Hard };
    match &order.selection {
        Selection::All => store.purge_all(mode),
        Selection::Tag(name) => {
            // All answers from a table have the first of these, and forwards and answers from its views the second.
            let [direct, whole] = [purge_tag(name), table_tag(name)].map(|tag| store.purge_tag(tag, mode));
            // What operators call a table, an origin may call its answers by, too.
            let named = store.purge_tag(Tag::named(name), mode);
            named + if direct == 0 { whole } else { direct }
        }
        Selection::Group { name, host } => {
            let tags = spellings(host).map(|host| rfc9111::group_tag(&host, name));
            tags.map(|tag| store.purge_tag(tag, mode)).sum()
        }
        Selection::Prefix { path, host } => {
            let origins = origins(&served.plan.routes);
            let matches = |key: &Key| is_at(key, host.as_deref(), &origins);
            store.purge_where(PATH_PART, path.as_bytes(), matches, mode)
        }
        Selection::Url { path, query, host } => {
            let origins = origins(&served.plan.routes);
            let matches =
                |key: &Key| is_for(key, path, query.as_deref()) && is_at(key, host.as_deref(), &origins);
            store.purge_where(PATH_PART, path.as_bytes(), matches, mode)
        }
    }
}

/// Whether a key is one for this path and query, whatever the route and the varying fields.
fn is_for(key: &Key, path: &str, query: Option<&str>) -> bool {
    let mut parts = key.parts().skip(PATH_PART);
    parts.next().flatten() == Some(path.as_bytes()) && parts.next().flatten() == query.map(str::as_bytes)
}

/// Whether what a key is for is given to callers at this host. Only answers of origins depend on it; all others are
/// the same at every host.
fn is_at(key: &Key, host: Option<&str>, origins: &HashSet<[u8; 8]>) -> bool {
    let Some(host) = host else { return true };
    let route = key.parts().nth(ROUTE_PART).flatten().and_then(|number| number.try_into().ok());
    if !route.is_some_and(|number: [u8; 8]| origins.contains(&number)) {
        return true;
    }
    let authority = key.parts().nth(rfc9111::AUTHORITY_PART).flatten().unwrap_or_default();
    bare(host).as_bytes() == std::str::from_utf8(authority).map_or(authority, |text| bare(text).as_bytes())
}

/// The numbers of the routes to origins, as keys begin with them.
fn origins(routes: &[RoutePlan]) -> HashSet<[u8; 8]> {
    let origins = routes.iter().filter(|route| matches!(route.cache, Some(CachePlan::Rfc9111(_))));
    origins.map(|route| (route.name.index as u64).to_le_bytes()).collect()
}

/// An authority without the port that it has anyhow (RFC 9110 §4.2.1, §4.2.2).
fn bare(authority: &str) -> &str {
    authority.strip_suffix(":80").or_else(|| authority.strip_suffix(":443")).unwrap_or(authority)
}

/// The authorities that callers may write for one.
fn spellings(authority: &str) -> impl Iterator<Item = String> {
    let bare = bare(authority);
    // An address in brackets has colons, too.
    let has_port =
        bare.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let ports: &[&str] = if has_port { &[""] } else { &["", ":80", ":443"] };
    ports.iter().map(move |port| format!("{bare}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_itself_with_and_without_the_usual_ports() {
        let all = |host: &str| spellings(host).collect::<Vec<_>>();
        assert_eq!(all("a.example"), ["a.example", "a.example:80", "a.example:443"]);
        assert_eq!(all("a.example:443"), ["a.example", "a.example:80", "a.example:443"]);
        assert_eq!(all("[::1]:80"), ["[::1]", "[::1]:80", "[::1]:443"]);
        assert_eq!(all("a.example:8080"), ["a.example:8080"]);
    }
}
