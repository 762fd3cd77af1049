//! What is observed, as it is read by Prometheus.

use std::time::Duration;

use kasoku_observe::Answered;

use super::*;
use crate::drain::Drain;

/// Numbers that stay.
struct Fixed;

impl Gauges for Fixed {
    fn gauges(&self) -> Vec<Gauge> {
        let gauge = |name, is_total, value| Gauge { name, help: "of a test", is_total, of: None, value };
        vec![gauge("cache_bytes", false, 12.0), gauge("cache_evictions", true, 3.0)]
    }
}

fn name(index: usize, pattern: &str) -> RouteName {
    RouteName { index, pattern: pattern.into() }
}

fn answer(metrics: &Metrics, route: Option<&RouteName>, status: u16, cache: &'static str, latency_us: u64) {
    metrics.observe(&Observation::Answered(Answered {
        route,
        method: "GET",
        target: "/secret?token=hush",
        status,
        cache,
        reason: (cache == "stale").then_some("expired"),
        latency: Duration::from_micros(latency_us),
        body_bytes: Some(10),
        request_id: "hush",
        peer: None,
        problem: None,
    }));
}

#[track_caller]
fn check(metrics: &Metrics, lines: &[&str]) {
    let text = metrics.text(&Traffic::none(Arc::new(Drain::default())));
    for line in lines {
        assert!(text.lines().any(|known| known == *line), "`{line}` is missing in\n{text}");
    }
    assert!(!text.contains("hush"), "what a caller sends is no label");
    assert!(!text.contains("{}"), "{text}");
}

#[test]
fn requests_are_counted_by_route_status_verdict_and_duration() {
    let metrics = Metrics::new();
    let items = name(0, "/v1/items");
    metrics.set_routes(std::slice::from_ref(&items));
    answer(&metrics, Some(&items), 200, "hit", 40);
    answer(&metrics, Some(&items), 200, "hit", 200);
    answer(&metrics, Some(&items), 418, "novel", 20_000_000);
    answer(&metrics, Some(&items), 304, "stale", 20);
    answer(&metrics, None, 404, "bypass", 1);
    check(
        &metrics,
        &[
            r#"kasoku_http_requests_total{route="/v1/items",status="200"} 2"#,
            r#"kasoku_http_requests_total{route="/v1/items",status="other"} 1"#,
            r#"kasoku_http_requests_total{route="none",status="404"} 1"#,
            r#"kasoku_cache_requests_total{route="/v1/items",verdict="hit"} 2"#,
            r#"kasoku_cache_requests_total{route="/v1/items",verdict="other"} 1"#,
            r#"kasoku_cache_reasons_total{route="/v1/items",reason="expired"} 1"#,
            r#"kasoku_http_request_duration_seconds_bucket{le="0.00005",route="/v1/items"} 2"#,
            r#"kasoku_http_request_duration_seconds_bucket{le="0.00025",route="/v1/items"} 3"#,
            r#"kasoku_http_request_duration_seconds_bucket{le="10.0",route="/v1/items"} 3"#,
            r#"kasoku_http_request_duration_seconds_bucket{le="+Inf",route="/v1/items"} 4"#,
            r#"kasoku_http_request_duration_seconds_sum{route="/v1/items"} 20.00026"#,
            r#"kasoku_http_response_body_bytes_total{route="/v1/items"} 40"#,
        ],
    );
}

#[test]
fn everything_that_can_be_observed_has_a_number() {
    let metrics = Metrics::new();
    let route = &name(0, "/r");
    metrics.set_routes(std::slice::from_ref(route));
    let took = Duration::from_millis(2);
    let error = std::io::Error::other("hush");
    metrics.slow_bound().set(Some(Duration::from_millis(1)));
    for observation in [
        Observation::Shed { route, reason: "queue-full" },
        Observation::Shed { route, reason: "waited-too-long" },
        Observation::Panicked { route, message: "hush" },
        Observation::Fenced { route },
        Observation::Audited { route, consistent: true },
        Observation::Audited { route, consistent: false },
        Observation::Statement { name: "items.list", sql: "select 1", took, rows: 20 },
        Observation::Statement { name: "items.list", sql: "select 1", took, rows: 1 },
        Observation::Committed { writes: 3, took },
        Observation::DatabaseFailed { what: "open", error: &error },
        Observation::ConnectionOpened,
        Observation::ConnectionOpened,
        Observation::ConnectionClosed,
        Observation::ConnectionRefused { reason: "idle-timeout" },
        Observation::Reloaded { generation: 4 },
        Observation::ReloadRefused { diagnostics: "hush" },
    ] {
        metrics.observe(&observation);
    }
    metrics.add_gauges(Arc::new(Fixed));
    check(
        &metrics,
        &[
            r#"kasoku_shed_total{route="/r",reason="queue-full"} 1"#,
            r#"kasoku_shed_total{route="/r",reason="waited-too-long"} 1"#,
            r#"kasoku_panics_total{route="/r"} 1"#,
            r#"kasoku_cache_fenced_total{route="/r"} 1"#,
            r#"kasoku_cache_audited_total{route="/r",consistent="true"} 1"#,
            r#"kasoku_cache_audited_total{route="/r",consistent="false"} 1"#,
            r#"kasoku_database_statements_total{statement="items.list"} 2"#,
            r#"kasoku_database_statement_duration_seconds_sum{statement="items.list"} 0.004"#,
            r#"kasoku_database_statement_duration_seconds_count{statement="items.list"} 2"#,
            r#"kasoku_database_statements_slow_total{statement="items.list"} 2"#,
            r#"kasoku_database_statements_total{statement="other"} 0"#,
            r#"kasoku_database_statement_rows_total{statement="items.list"} 21"#,
            r#"kasoku_database_commit_duration_seconds_bucket{le="0.0025"} 1"#,
            "kasoku_database_committed_writes_total 3",
            r#"kasoku_database_failures_total{reason="open"} 1"#,
            "kasoku_connections_opened_total 2",
            "kasoku_connections 1.0",
            r#"kasoku_connections_refused_total{reason="idle-timeout"} 1"#,
            "kasoku_reloads_total 1",
            "kasoku_reloads_refused_total 1",
            "kasoku_configuration_generation 4.0",
            "kasoku_cache_bytes 12.0",
            "kasoku_cache_evictions_total 3.0",
            "kasoku_http_requests_in_flight 0.0",
        ],
    );
}

#[test]
fn a_route_keeps_its_counts_when_a_reload_moves_it() {
    let metrics = Metrics::new();
    let (before, after) = (name(0, "/moved"), name(1, "/moved"));
    let gone = name(1, "/gone");
    metrics.set_routes(&[before.clone(), gone.clone()]);
    answer(&metrics, Some(&before), 200, "hit", 1);
    metrics.set_routes(&[name(0, "/new"), after.clone()]);
    answer(&metrics, Some(&before), 200, "hit", 1);
    answer(&metrics, Some(&after), 200, "hit", 1);
    answer(&metrics, Some(&gone), 200, "hit", 1);
    check(
        &metrics,
        &[
            r#"kasoku_http_requests_total{route="/moved",status="200"} 3"#,
            r#"kasoku_http_requests_total{route="none",status="200"} 1"#,
        ],
    );
}

#[test]
fn each_metric_of_the_dashboard_is_exported() {
    let metrics = Metrics::new();
    metrics.add_gauges(Arc::new(Fixed));
    let text = metrics.text(&Traffic::none(Arc::new(Drain::default())));
    let families: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let dashboard = include_str!("../../../../deploy/grafana/kasoku.json");
    let dashboard: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut named = 0;
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let query = target["expr"].as_str().unwrap();
        let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for name in words.filter(|word| word.starts_with("kasoku_")) {
            named += 1;
            let is_exported = ["", "_total", "_bucket", "_sum", "_count"]
                .iter()
                .any(|end| name.strip_suffix(end).is_some_and(|family| families.contains(&family)));
            assert!(is_exported, "`{name}` is in the dashboard and not in\n{text}");
        }
    }
    assert!(named >= 10, "the dashboard names metrics");
}
