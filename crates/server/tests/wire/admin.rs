//! The admin listener from outside.

use serde_json::{Value, json};

use crate::peer::{Answer, Peer, fetch};
use crate::site::{Setting, Site};

/// One request to the admin listener, with `fields` (each with its line end) and a body.
pub(crate) fn ask(site: &Site, method: &str, target: &str, fields: &str, body: &str) -> Answer {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    Peer::to(site.admin).send(head + body).answer().unwrap()
}

fn get(site: &Site, target: &str) -> (u16, Value) {
    let answer = ask(site, "GET", target, "", "");
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn health_is_told_in_three_depths() {
    let site = Site::start();
    assert_eq!(get(&site, "/health/live"), (200, json!({ "status": "ok" })));
    assert_eq!(get(&site, "/health/ready"), (200, json!({ "status": "ready", "reasons": [] })));
    let (status, detail) = get(&site, "/health/detail");
    assert_eq!(status, 200);
    assert_eq!(detail["database"], json!({ "rows": 3 }));
    assert_eq!(detail["requests_in_flight"], json!(0));
    assert_eq!(get(&site, "/api/routes").1["patterns"][0], "/hello");
    let page = ask(&site, "GET", "/", "", "");
    assert!(page.text().starts_with("<!doctype html>"));
    assert!(
        page.head.contains("x-frame-options: deny"),
        "no other page may show it in a frame: {}",
        page.head
    );
}

#[test]
fn an_operator_can_have_the_server_left_out() {
    let site = Site::start();
    let json = "Content-Type: application/json\r\n";
    assert_eq!(ask(&site, "PUT", "/api/serving", json, r#"{"serving":false}"#).status, 200);
    assert_eq!(get(&site, "/health/ready"), (503, json!({ "status": "held", "reasons": [] })));
    assert_eq!(fetch(site.address, "/health").status, 503);
    assert_eq!(fetch(site.address, "/hello").status, 200);
    assert_eq!(ask(&site, "PUT", "/api/serving", json, r#"{"serving":true}"#).status, 200);
    assert_eq!(fetch(site.address, "/health").status, 200);
    assert_eq!(ask(&site, "PUT", "/api/serving", json, "no").status, 400);
}

#[test]
fn silent_connections_keep_no_operator_out() {
    let site = Site::start();
    let mut silent: Vec<Peer> = (0..300).map(|_| Peer::to(site.admin)).collect();
    assert_eq!(get(&site, "/health/live").0, 200);
    // They were not cut to make room for it: each is still there, and answered when it speaks.
    for peer in &mut silent[..100] {
        let asked = "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
        assert_eq!(peer.send(asked).answer().map(|answer| answer.status), Some(200));
    }
}

#[test]
fn readiness_is_off_as_soon_as_the_end_begins() {
    let mut site = Site::start();
    let mut held = Peer::to(site.address);
    held.send(crate::peer::get("/slow/500"));
    while get(&site, "/health/detail").1["requests_in_flight"] != 1 {
        std::thread::yield_now();
    }
    site.shut_down();
    site.seen.wait_for("draining");
    assert_eq!(get(&site, "/health/ready"), (503, json!({ "status": "draining", "reasons": [] })));
    assert_eq!(held.answer().unwrap().text(), "slow");
}

#[test]
fn purging_names_exactly_one_thing_in_query_or_body() {
    let site = Site::start();
    for (target, body, expected) in [
        ("?all=true", "", "PurgeOrder { selection: All, soft: false }"),
        ("", r#"{"tag":"items","soft":true}"#, r#"PurgeOrder { selection: Tag("items"), soft: true }"#),
        ("?prefix=/v1/", "", r#"PurgeOrder { selection: Prefix { path: "/v1/", host: None }, soft: false }"#),
    ] {
        let answer = ask(&site, "POST", &format!("/api/cache/purge{target}"), "", body);
        assert_eq!(
            (answer.status, answer.text()),
            (200, r#"{"entries":7,"nodes":{"reached":1,"of":1}}"#),
            "{target}{body}"
        );
        assert!(site.seen.has(expected), "{expected}");
    }
    for (target, body) in
        [("", ""), ("?all=true&tag=x", ""), ("?al=true", ""), ("", "{"), ("", r#"{"tag":1}"#)]
    {
        assert_eq!(
            ask(&site, "POST", &format!("/api/cache/purge{target}"), "", body).status,
            400,
            "{target}{body}"
        );
    }
    assert_eq!(ask(&site, "GET", "/api/cache/purge?all=true", "", "").status, 405);
    assert_eq!(ask(&site, "GET", "/nothing", "", "").status, 404);
}

#[test]
fn caches_of_routes_are_listed_and_switched() {
    let site = Site::start();
    let hello = json!({ "route": "/hello", "configured": true, "cache": true });
    let listed = json!({ "until": "the next reload", "routes": [hello] });
    assert_eq!(get(&site, "/api/cache/routes"), (200, listed));
    let json = "Content-Type: application/json\r\n";
    for (body, status, expected) in [
        (r#"{"route":"/hello","cache":false}"#, 200, r#""cache":false,"changed":true,"entries":3}"#),
        (r#"{"route":"/hello","cache":true}"#, 200, r#""cache":true,"changed":false,"#),
        (r#"{"route":"/other","cache":true}"#, 404, "not-found"),
        (r#"{"route":"/hello"}"#, 400, r#"expected JSON such as {\"route\""#),
        (r#"{"route":"/hello","cache":"no"}"#, 400, "expected JSON"),
        (r#"{"route":"/hello","cache":true,"for":"1h"}"#, 400, "expected JSON"),
    ] {
        let answer = ask(&site, "POST", "/api/cache/routes", json, body);
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.text().contains(expected), "{body}: {}", answer.text());
    }
    let forged = format!("{json}Origin: http://evil.example\r\n");
    let body = r#"{"route":"/hello","cache":false}"#;
    assert_eq!(ask(&site, "POST", "/api/cache/routes", &forged, body).status, 403);
}

#[test]
fn without_a_token_other_names_and_other_sites_are_refused() {
    let site = Site::start();
    let rebound = "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    assert_eq!(Peer::to(site.admin).send(rebound).answer().unwrap().status, 403);
    let forged = "Origin: http://evil.example\r\n";
    assert_eq!(ask(&site, "POST", "/api/cache/purge?all=true", forged, "").status, 403);
    assert!(!site.seen.has("PurgeOrder { selection: All, soft: false }"));
}

#[test]
fn a_token_is_needed_where_one_is_set() {
    let site = Site::with(Setting { token: Some("t0ken"), ..Setting::default() });
    let answer = ask(&site, "GET", "/metrics", "", "");
    assert_eq!(answer.status, 401);
    assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
    assert_eq!(ask(&site, "GET", "/metrics", "Authorization: Bearer t0ken\r\n", "").status, 200);
}

#[test]
fn connections_are_counted() {
    let site = Site::start();
    assert_eq!(fetch(site.address, "/hello").status, 200);
    let answer = ask(&site, "GET", "/metrics", "", "");
    assert!(answer.head.contains("content-type: application/openmetrics-text"), "{answer:?}");
    assert!(answer.text().contains("kasoku_connections_opened_total 1\n"), "{}", answer.text());
    assert!(answer.text().ends_with("# EOF\n"));
}
