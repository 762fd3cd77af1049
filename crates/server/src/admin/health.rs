//! The health checks: alive, ready, and in detail; and the operator's switch to be left out by load balancers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::Response;
use kasoku_problem::{Kind, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, Readiness, refuse, told};
use crate::drain::Standing;

/// The body of `PUT /api/serving`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Serving {
    serving: bool,
}

/// The process runs and answers; it need not be restarted.
pub(super) async fn live() -> Response {
    told(true, json!({ "status": "ok" }))
}

/// Requests are wanted and can be answered.
pub(super) async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    let (is_ready, status, reasons) = readiness(&desk);
    told(is_ready, json!({ "status": status, "reasons": reasons }))
}

/// Everything that an operator wants to see at a glance.
pub(super) async fn detail(State(desk): State<Arc<Desk>>) -> Response {
    let (is_ready, status, reasons) = readiness(&desk);
    let mut facts = desk.state.vitals.detail();
    let own = [
        ("status", json!(status)),
        ("ready", json!(is_ready)),
        ("reasons", json!(reasons)),
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("uptime_s", json!(desk.started.elapsed().as_secs())),
        ("connections", json!(desk.traffic.connections())),
        ("connections_resting", json!(desk.traffic.resting())),
        ("requests_in_flight", json!(desk.traffic.requests())),
    ];
    for (name, value) in own {
        facts.insert(name.into(), value);
    }
    told(true, Value::Object(facts))
}

/// Asks load balancers to send requests elsewhere, or here again. It holds until the server ends.
pub(super) async fn serving(
    State(desk): State<Arc<Desk>>,
    body: Result<Json<Serving>, JsonRejection>,
) -> Response {
    match body {
        Ok(Json(Serving { serving })) => {
            desk.traffic.drain().hold(!serving);
            told(true, json!({ "status": desk.traffic.drain().standing().word() }))
        }
        Err(_) => {
            refuse(Problem::new(Kind::InvalidBody).detail("expected JSON such as {\"serving\": false}"))
        }
    }
}

fn readiness(desk: &Desk) -> (bool, &'static str, Vec<String>) {
    match (desk.traffic.drain().standing(), desk.state.vitals.readiness()) {
        (Standing::Serving, Readiness::Ready) => (true, "ready", Vec::new()),
        (Standing::Serving, Readiness::NotReady(reasons)) => (false, "not-ready", reasons),
        (standing, _) => (false, standing.word(), Vec::new()),
    }
}
