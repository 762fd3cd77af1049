//! The listener, the router and the metrics around one static answer: what is left between this and `bare_hyper`
//! is their cost.
//!
//! `fixed [threads] [bytes]` listens on 127.0.0.1:7002 until it is interrupted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderValue, header};
use kasoku_config::{AdminSettings, ConnectionLimits, ListenSettings, ServerSettings};
use kasoku_observe::RouteName;
use kasoku_pipeline::{Body, BoxFuture, Outcome, Pipeline, Request, Response, Source};
use kasoku_problem::{Kind, Problem};
use kasoku_server::{
    AdminState, Metrics, Purge, PurgeOrder, Purged, Readiness, Route, RouteCache, Router, Server, Signals,
    Switches, Takes, Turned, Vitals,
};
use serde_json::{Map, Value};

/// Answers without any policy.
struct Fixed(Bytes);

impl Pipeline for Fixed {
    fn start(self: Arc<Self>, _: Request) -> BoxFuture<'static, Outcome> {
        Box::pin(async move {
            let mut response = Response::ok(Body::Full(self.0.clone()));
            for (name, value) in [
                (header::CONTENT_TYPE, "application/json"),
                (header::ETAG, "\"0123456789abcdef\""),
                (header::VARY, "accept-encoding"),
                (header::CACHE_CONTROL, "max-age=30"),
            ] {
                response.headers.insert(name, HeaderValue::from_static(value));
            }
            Ok(response)
        })
    }
}

/// Answers what is no route's by its source alone.
struct Alone(Arc<dyn Source>);

impl Pipeline for Alone {
    fn start(self: Arc<Self>, request: Request) -> BoxFuture<'static, Outcome> {
        Box::pin(async move { self.0.answer(request).await })
    }
}

/// Nothing to tell.
struct Nothing;

impl Vitals for Nothing {
    fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    fn detail(&self) -> Map<String, Value> {
        Map::new()
    }

    fn routes(&self) -> Value {
        Value::Null
    }
}

impl Purge for Nothing {
    fn purge(&self, _: PurgeOrder) -> BoxFuture<'_, Result<Purged, Problem>> {
        Box::pin(async { Ok(Purged::here(0)) })
    }
}

impl Switches for Nothing {
    fn list(&self) -> Vec<RouteCache> {
        Vec::new()
    }

    fn turn(&self, _: &str, _: bool) -> Result<Turned, Problem> {
        Err(Kind::NotFound.into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let threads: usize = arguments.next().map_or(1, |text| text.parse().expect("a number of threads"));
    let bytes: usize = arguments.next().map_or(1_024, |text| text.parse().expect("a number of bytes"));
    let patient = Duration::from_secs(30);
    let settings = ServerSettings {
        listen: ListenSettings { address: SocketAddr::from(([127, 0, 0, 1], 7_002)), tls: None },
        limits: ConnectionLimits {
            connections_max: 20_000,
            header_timeout: patient,
            body_timeout: patient,
            idle_timeout: patient,
            handshake_timeout: patient,
            write_timeout: patient,
            header_bytes_max: 16_384,
            header_fields_max: 100,
            body_bytes_max: 1 << 20,
            streams_max: 100,
        },
        drain: patient,
        threads,
        secret: None,
    };
    let name = RouteName { index: 0, pattern: "/v1/items/{key}".into() };
    let pipeline = Arc::new(Fixed(Bytes::from(vec![b'x'; bytes])));
    let route = Route { pattern: "/v1/items/{key}".into(), name, takes: Takes::Known, pipeline };
    let router = Router::new(vec![route], |source| Arc::new(Alone(source))).expect("a sound pattern");
    let metrics = Metrics::new();
    let state = AdminState {
        vitals: Arc::new(Nothing),
        purge: Arc::new(Nothing),
        switches: Arc::new(Nothing),
        metrics: Arc::clone(&metrics),
    };
    let admin = AdminSettings { address: None, token: None };
    let router = Arc::new(ArcSwap::from_pointee(router));
    let bound = Server::bind(&settings, &admin, router, state, metrics).expect("the port is free");
    let signals = Signals::listen().expect("signals can be listened to");
    bound.run(signals.until_end(|| {})).await.expect("the server runs");
}
