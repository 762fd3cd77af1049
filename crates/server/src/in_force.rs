//! Putting a configuration in force after another: who is told of changes, and what goes with the one before.

use std::sync::Arc;

use kasoku_database::{Database, DatabaseError};
use kasoku_policies::cache::ResponseStore;

use crate::app::{App, Made, Served};
use crate::forgetful::Forgetful;
use crate::made_routes::{MadeRoute, dropped, is_of_data};
use crate::purges::purge_route;
use crate::router::Router;

impl App {
    /// Lets routes that were made be told of changes, and gives their router, to be swapped in.
    ///
    /// In between, every commit empties both stores: the tables that are watched and those that are understood may
    /// not be the same ones yet. Routes over the database that go are then led around the cache, because nobody tells
    /// what is stored for them of changes any more.
    pub(crate) async fn put_in_force(&self, made: Made) -> Result<Router, DatabaseError> {
        let before = self.current.load_full();
        let mut stores = {
            let mut retired = self.retired.lock();
            retired.retain(|store| store.strong_count() > 0);
            if !Arc::ptr_eq(&before.store, &made.served.store) {
                retired.push(Arc::downgrade(&before.store));
            }
            retired.clone()
        };
        if let (Some(database), Some(tagger)) = (&self.database, made.tagger) {
            let retired = stores.clone();
            stores.push(Arc::downgrade(&made.served.store));
            database.listen(Arc::new(Forgetful { next: None, stores }));
            database.watch(tagger.watched(&made.schema)).await?;
            for route in dropped(&before.routes, &made.served.routes) {
                if is_of_data(&route.plan.source) {
                    lead_around(route, &before.store);
                }
            }
            database.listen(Arc::new(Forgetful { next: Some(tagger), stores: retired }));
            if let Some(floors) = database.floors() {
                // Whoever was told before may not have known all names by which things are read from now on.
                floors.touch_all(self.sequence.next());
            }
        }
        for route in &made.served.routes {
            if let Some(lever) = route.lever.as_ref().filter(|lever| !lever.is_on()) {
                purge_route(&made.served.store, route.plan.name.index);
                lever.turn(true);
            }
        }
        self.in_flight.set_most(made.served.plan.cache.in_flight_bytes);
        self.current.store(Arc::new(made.served));
        Ok(made.router)
    }

    /// The database, if it is a server's: commits of a file have no names that others could be told.
    pub(crate) fn server(&self) -> Option<&Database> {
        self.database.as_deref().filter(|database| database.path().is_none())
    }

    /// Removes what is stored for routes of a configuration that are not served any more.
    pub(crate) fn drop_rest(&self, before: &Served) {
        let now = self.current.load_full();
        for route in dropped(&before.routes, &now.routes) {
            lead_around(route, &before.store);
        }
        if !Arc::ptr_eq(&before.store, &now.store) {
            before.store.clear();
        }
    }
}

/// Lets requests of a route that are in progress go around its cache, and removes what is stored for it.
fn lead_around(route: &MadeRoute, store: &ResponseStore) {
    if let Some(lever) = &route.lever {
        lever.turn(false);
        purge_route(store, route.plan.name.index);
    }
}
