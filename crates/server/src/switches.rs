//! The levers of all routes whose caches can be switched off, and what turning one does besides.
//!
//! The next configuration begins with all of them on.

use std::collections::BTreeMap;
use std::sync::Arc;

use kasoku_policies::switch::Lever;
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::nearest;

use crate::admin::{RouteCache, Switches, Turned};
use crate::app::App;
use crate::made_routes::MadeRoute;
use crate::purges::purge_route;

/// The levers of a plan's routes, by the routes' numbers; routes that are not cached have none.
#[derive(Debug, Default)]
pub(crate) struct Levers(BTreeMap<usize, Arc<Lever>>);

impl Levers {
    pub(crate) fn of(routes: &[Arc<MadeRoute>]) -> Self {
        let lever = |route: &Arc<MadeRoute>| Some((route.plan.name.index, Arc::clone(route.lever.as_ref()?)));
        Self(routes.iter().filter_map(lever).collect())
    }

    /// The lever of a route.
    pub(crate) fn get(&self, route: usize) -> Option<&Arc<Lever>> {
        self.0.get(&route)
    }

    /// Whether a route's cache has been switched off.
    pub(crate) fn is_off(&self, route: usize) -> bool {
        self.get(route).is_some_and(|lever| !lever.is_on())
    }
}

impl Switches for App {
    fn list(&self) -> Vec<RouteCache> {
        let served = self.served();
        let routes = served.plan.routes.iter().map(|route| RouteCache {
            route: route.name.pattern.to_string(),
            configured: route.cache.is_some(),
            cache: served.levers.get(route.name.index).is_some_and(|lever| lever.is_on()),
        });
        routes.collect()
    }

    /// What is stored is removed at either turn: off, so that nothing of before comes back; on, so that nothing is
    /// there which was stored by requests that had passed the switch before it was turned off.
    fn turn(&self, route: &str, on: bool) -> Result<Turned, Problem> {
        let served = self.served();
        let patterns = || served.plan.routes.iter().map(|route| &*route.name.pattern);
        let Some(found) = served.plan.routes.iter().find(|known| &*known.name.pattern == route) else {
            let near = nearest(route, patterns()).map(|near| format!("; did you mean `{near}`?"));
            let detail = format!("there is no route `{route}`{}", near.unwrap_or_default());
            return Err(Problem::new(Kind::NotFound).detail(detail));
        };
        let index = found.name.index;
        let Some(lever) = served.levers.get(index) else {
            let detail = format!("the configuration does not cache the route `{route}`");
            return Err(Problem::new(Kind::Conflict).detail(detail));
        };
        let (changed, entries) = if lever.is_on() == on {
            (false, 0)
        } else if on {
            let entries = purge_route(&served.store, index);
            (lever.turn(on), entries)
        } else {
            let changed = lever.turn(on);
            (changed, purge_route(&served.store, index))
        };
        let now = RouteCache { route: route.to_owned(), configured: true, cache: on };
        Ok(Turned { now, changed, entries })
    }
}
