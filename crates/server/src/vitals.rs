//! How the parts are, for the admin listener: health, gauges, routes.

use std::sync::Arc;

use kasoku_cache_remote::Remote;
use kasoku_config::{CachePlan, SourcePlan};
use kasoku_database::ReplicaFacts;
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
                    "replicas": database.replicas().map(|(replicas, passed_over)| json!({
                        "each": replicas.iter().map(replica).collect::<Value>(),
                        "passed_over": passed_over,
                    })),
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
                SourcePlan::Batch(_) => ("batch", None),
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

    fn openapi(&self) -> Value {
        crate::openapi::openapi(&self.served().plan)
    }

    fn plans_of(&self, statements: &[String]) -> Vec<Option<Vec<String>>> {
        let inspector = self.database().and_then(|database| database.inspector().ok());
        // A statement that was served may not be one any more after a change of the schema.
        let plan = |sql: &String| inspector.as_ref()?.plan_lines(sql).ok();
        statements.iter().map(plan).collect()
    }
}

impl Gauges for App {
    fn gauges(&self) -> Vec<Gauge> {
        let stats = self.served().store.stats();
        let in_flight = self.in_flight();
        let gauge =
            |name, help, value: u64, is_total| Gauge { name, help, is_total, of: None, value: value as f64 };
        let replicas = self.database().and_then(|database| database.replicas());
        let own = vec![
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
        ];
        own.into_iter()
            .chain(replicas.into_iter().flat_map(|(each, over)| of_replicas(&each, over)))
            .collect()
    }
}

/// How a replica is.
fn replica(facts: &ReplicaFacts) -> Value {
    json!({
        "server": facts.server,
        "state": facts.unfit.unwrap_or("in-use"),
        "lag_ms": facts.lag.map(|lag| lag.as_millis() as u64),
        "round_trip_us": facts.round_trip.as_micros() as u64,
        "connections": facts.connections,
        "in_flight": facts.in_flight,
        "reads": facts.reads,
        "given_up": facts.given_up,
    })
}

/// The numbers of all replicas, those of a name beside each other.
fn of_replicas(each: &[ReplicaFacts], passed_over: u64) -> Vec<Gauge> {
    type Number = fn(&ReplicaFacts) -> Option<f64>;
    let families: [(&'static str, &'static str, bool, Number); 5] = [
        ("replica_in_use", "Whether a replica is read from", false, |facts| {
            Some(f64::from(u8::from(facts.unfit.is_none())))
        }),
        ("replica_lag_seconds", "How old a replica can be at the most, if it is known", false, |facts| {
            facts.lag.map(|lag| lag.as_secs_f64())
        }),
        ("replica_round_trip_seconds", "How long a question to a replica takes", false, |facts| {
            Some(facts.round_trip.as_secs_f64())
        }),
        ("replica_reads", "Reads that a replica has answered", true, |facts| Some(facts.reads as f64)),
        (
            "replica_reads_given_up",
            "Reads that a replica had and the database itself answered",
            true,
            |facts| Some(facts.given_up as f64),
        ),
    ];
    let of = |facts: &ReplicaFacts| Some(("server", Arc::from(facts.server.as_str())));
    let numbers = families.into_iter().flat_map(|(name, help, is_total, number)| {
        each.iter().filter_map(move |facts| {
            Some(Gauge { name, help, is_total, of: of(facts), value: number(facts)? })
        })
    });
    let help = "Reads that no replica was recent enough for";
    let over = Gauge {
        name: "replica_reads_passed_over",
        help,
        is_total: true,
        of: None,
        value: passed_over as f64,
    };
    numbers.chain([over]).collect()
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
