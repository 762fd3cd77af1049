//! How the parts are, for the admin listener: health, gauges, routes.

use kasoku_cache_remote::Remote;
use kasoku_config::{CachePlan, SourcePlan};
use serde_json::{Map, Value, json};

use crate::admin::{Readiness, Vitals};
use crate::app::App;
use crate::metrics::{Gauge, Gauges};

impl Vitals for App {
    fn readiness(&self) -> Readiness {
        self.warmth.reason().map_or(Readiness::Ready, |reason| Readiness::NotReady(vec![reason]))
    }

    fn detail(&self) -> Map<String, Value> {
        let served = self.served();
        let stats = served.store.stats();
        let database = self.database().map(|database| {
            let read_only = database.is_read_only();
            match database.path() {
                Some(_) => json!({ "file": database.place(), "read_only": read_only }),
                None => json!({
                    "engine": database.dialect().name(), "server": database.place(), "read_only": read_only,
                }),
            }
        });
        let routes = served.plan.routes.iter().map(|route| &route.name);
        let off = routes.filter(|route| served.levers.is_off(route.index));
        let switched_off: Vec<&str> = off.map(|route| &*route.pattern).collect();
        let facts = json!({
            "name": served.plan.name,
            "generation": served.number,
            "routes": served.plan.routes.len(),
            "database": database,
            "warming": self.warmth.facts(),
            "cache": {
                "entries": stats.entries, "bytes": stats.bytes, "budget_bytes": stats.budget_bytes,
                "hits": stats.hits, "absent": stats.absent, "changed": stats.changed, "expired": stats.expired,
                "fenced": stats.fenced, "evicted": stats.evicted,
                "in_flight": {
                    "bytes": self.in_flight().held(), "budget_bytes": self.in_flight().most(),
                    "passed_on": self.in_flight().passed_on(),
                },
                "switched_off": switched_off,
                "second_tier": served.second_tier.as_deref().map(second_tier),
            },
        });
        match facts {
            Value::Object(facts) => facts,
            _ => Map::new(),
        }
    }

    fn routes(&self) -> Value {
        let served = self.served();
        let routes = served.plan.routes.iter().map(|route| {
            let (source, of) = match &route.source {
                SourcePlan::Table(rules) => ("table", Some(rules.table.clone())),
                SourcePlan::Query(_) => ("query", None),
                SourcePlan::Files(_) => ("files", None),
                SourcePlan::Origin(_) => ("origin", None),
            };
            json!({
                "path": &*route.name.pattern,
                "source": source,
                "of": of,
                "cached": route.cache.is_some(),
                "switched_off": served.levers.is_off(route.name.index),
                "fresh_s": match &route.cache {
                    Some(CachePlan::Declared(rules)) => Some(rules.fresh.as_secs()),
                    Some(CachePlan::Rfc9111(_)) | None => None,
                },
                "deadline_ms": route.deadline.as_millis() as u64,
                "concurrent": route.admit.concurrent,
            })
        });
        routes.collect()
    }
}

impl Gauges for App {
    fn gauges(&self) -> Vec<Gauge> {
        let stats = self.served().store.stats();
        let in_flight = self.in_flight();
        let gauge = |name, help, value: u64, is_total| Gauge { name, help, is_total, value: value as f64 };
        vec![
            gauge("cache_bytes", "Bytes that the cache holds, all bookkeeping counted", stats.bytes, false),
            gauge("cache_budget_bytes", "Bytes that the cache may hold", stats.budget_bytes, false),
            gauge("cache_entries", "Answers that are stored", stats.entries, false),
            gauge("cache_tags", "Tags that stored answers depend on", stats.tags, false),
            gauge("cache_stored", "Answers that were stored", stats.inserted, true),
            gauge("in_flight_bytes", "Bytes that are held of bodies on their way", in_flight.held(), false),
            gauge(
                "in_flight_budget_bytes",
                "Bytes that may be held of bodies on their way",
                in_flight.most(),
                false,
            ),
            gauge(
                "in_flight_passed_on",
                "Bodies that were no longer held for others",
                in_flight.passed_on(),
                true,
            ),
            gauge("cache_evicted", "Answers that were removed to make room", stats.evicted, true),
        ]
    }
}

/// How far this node knows what the others have told.
fn second_tier(remote: &Remote) -> Value {
    let stats = remote.stats();
    json!({
        "current": remote.is_current(),
        "bound_ms": remote.lag().map(|lag| lag.as_millis() as u64),
        "hits": stats.hits, "absent": stats.absent, "changed": stats.changed, "outdated": stats.outdated,
        "damaged": stats.damaged, "not_asked": stats.not_asked, "timed_out": stats.timed_out,
        "failed": stats.failed, "stored": stats.stored, "refused": stats.refused, "dropped": stats.dropped,
        "opened": stats.opened, "applied": stats.applied, "gaps": stats.gaps, "unpublished": stats.unpublished,
    })
}
