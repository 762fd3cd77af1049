//! `/api/cache/routes`: which routes are cached, and the operator's switch for each.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use kasoku_problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Desk, refuse};

/// Switches the caches of routes on and off. What is switched holds until the next reload.
pub trait Switches: Send + Sync + 'static {
    /// All routes, in the order of the configuration.
    fn list(&self) -> Vec<RouteCache>;

    /// Switches the cache of the route with this path pattern.
    fn turn(&self, route: &str, on: bool) -> Result<Turned, Problem>;
}

/// Whether a route is cached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteCache {
    /// The route's path pattern.
    pub route: String,
    /// What the configuration says.
    pub configured: bool,
    /// What holds now.
    pub cache: bool,
}

/// What became of a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turned {
    /// The route as it is now.
    #[serde(flatten)]
    pub now: RouteCache,
    /// Whether it was otherwise before.
    pub changed: bool,
    /// Stored answers that were removed.
    pub entries: u64,
}

/// The body of `POST /api/cache/routes`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    route: String,
    cache: bool,
}

pub(super) async fn list(State(desk): State<Arc<Desk>>) -> Response {
    Json(json!({ "until": "the next reload", "routes": desk.state.switches.list() })).into_response()
}

pub(super) async fn turn(
    State(desk): State<Arc<Desk>>,
    body: Result<Json<Written>, JsonRejection>,
) -> Response {
    let Ok(Json(Written { route, cache })) = body else {
        let detail = "expected JSON such as {\"route\": \"/v1/items\", \"cache\": false}";
        return refuse(Problem::new(Kind::InvalidBody).detail(detail));
    };
    match desk.state.switches.turn(&route, cache) {
        Ok(turned) => {
            if turned.changed {
                tracing::warn!(route, cache, "the cache of a route was switched until the next reload");
            }
            Json(turned).into_response()
        }
        Err(problem) => refuse(problem),
    }
}
