//! What is too large is refused with its own status, and what is just within the limit is not.

use crate::peer::{Peer, fetch, get};
use crate::site::Site;

#[test]
fn a_target_may_have_8192_bytes() {
    let site = Site::start();
    let target = format!("/echo?{}", "x".repeat(8_192 - "/echo?".len()));
    assert_eq!(fetch(site.address, &target).status, 200);
    assert_eq!(fetch(site.address, &format!("{target}x")).status, 414);
    let mut peer = Peer::to(site.address);
    let answer = peer.send(get(&format!("/{}", "x".repeat(100_000)))).answer().unwrap();
    assert!([414, 431].contains(&answer.status), "{answer:?}");
    assert_eq!(peer.rest(), b"");
}

#[test]
fn a_header_section_has_a_size_and_a_count() {
    let site = Site::limited(|limits| {
        limits.header_bytes_max = 4_096;
        limits.header_fields_max = 20;
    });
    let ask = |fields: String| {
        let mut peer = Peer::to(site.address);
        peer.send(format!("GET /hello HTTP/1.1\r\nHost: h\r\n{fields}\r\n")).answer().unwrap().status
    };
    assert_eq!(ask(format!("X: {}\r\n", "x".repeat(4_000))), 200);
    assert_eq!(ask(format!("X: {}\r\n", "x".repeat(4_100))), 431);
    assert_eq!(ask(format!("X: {}\r\n", "x".repeat(1_000_000))), 431);
    assert_eq!(ask("X: y\r\n".repeat(19)), 200);
    assert_eq!(ask("X: y\r\n".repeat(20)), 431);
}

#[test]
fn a_body_has_a_size_whether_it_is_told_or_not() {
    let site = Site::start();
    let ask = |framed: String| {
        let mut peer = Peer::to(site.address);
        peer.send(format!("POST /echo HTTP/1.1\r\nHost: h\r\n{framed}")).answer().unwrap().status
    };
    let body = |length: usize| "x".repeat(length);
    assert_eq!(ask(format!("Content-Length: 1000\r\n\r\n{}", body(1_000))), 200);
    assert_eq!(ask(format!("Content-Length: 1001\r\n\r\n{}", body(1_001))), 413);
    assert_eq!(ask("Content-Length: 9999999999\r\n\r\n".into()), 413);
    assert_eq!(ask(format!("Transfer-Encoding: chunked\r\n\r\n3e8\r\n{}\r\n0\r\n\r\n", body(1_000))), 200);
    assert_eq!(ask(format!("Transfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n", body(1_001))), 413);
}

#[test]
fn answers_to_head_and_without_content_have_none() {
    let site = Site::start();
    let mut peer = Peer::to(site.address);
    peer.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\nHEAD /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
    peer.send("HEAD /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let text = String::from_utf8(peer.rest()).unwrap();
    assert_eq!(text.matches("HTTP/1.1 ").count(), 3, "{text}");
    assert!(text.contains("content-length: 5\r\n"), "{text}");
    assert!(!text.contains("hello") && !text.contains('{'), "{text}");
}

#[test]
fn the_servers_own_health_needs_no_route() {
    let site = Site::start();
    let answer = fetch(site.address, "/health");
    assert_eq!((answer.status, answer.text()), (200, r#"{"status":"ok"}"#));
    let mut peer = Peer::to(site.address);
    let answer = peer.send("DELETE /health HTTP/1.1\r\nHost: h\r\n\r\n").answer().unwrap();
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: get, head"), "{answer:?}");
}

#[test]
fn what_is_no_route_is_answered_by_a_problem() {
    let site = Site::start();
    let answer = fetch(site.address, "/nothing");
    assert_eq!(answer.status, 404);
    assert!(answer.head.contains("content-type: application/problem+json"), "{answer:?}");
    assert!(answer.text().contains("urn:problem-type:kasoku:not-found"), "{answer:?}");
}

#[test]
fn connections_beyond_the_limit_wait_for_a_place() {
    let site = Site::limited(|limits| limits.connections_max = 2);
    let mut first = Peer::to(site.address);
    let mut second = Peer::to(site.address);
    assert_eq!(first.send(get("/hello")).answer().unwrap().status, 200);
    assert_eq!(second.send(get("/hello")).answer().unwrap().status, 200);
    let mut third = Peer::to(site.address);
    third.send(get("/hello"));
    assert_eq!(first.send(get("/slow/50")).answer().unwrap().status, 200);
    third.expect_silence();
    drop(first);
    assert_eq!(third.answer().unwrap().status, 200);
}

#[test]
fn a_new_router_answers_the_next_request_of_an_open_connection() {
    let site = Site::start();
    let mut peer = Peer::to(site.address);
    assert_eq!(peer.send(get("/hello")).answer().unwrap().status, 200);
    let mut waiting = Peer::to(site.address);
    waiting.send(get("/slow/200"));
    assert_eq!(peer.send(get("/slow/20")).answer().unwrap().status, 200);
    let empty = kasoku_server::Router::new(Vec::new(), crate::site::around).unwrap();
    site.router.store(std::sync::Arc::new(empty));
    assert_eq!(peer.send(get("/hello")).answer().unwrap().status, 404);
    assert_eq!(waiting.answer().unwrap().text(), "slow");
}
