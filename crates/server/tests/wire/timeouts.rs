//! Peers that are slow on purpose, and what becomes of them. What is checked is the end, not the moment of it.

use std::time::Duration;

use crate::peer::{Peer, get};
use crate::site::Site;

const SHORT: Duration = Duration::from_millis(100);

#[test]
fn a_peer_that_says_nothing_is_cut() {
    let site = Site::limited(|limits| limits.header_timeout = SHORT);
    assert_eq!(Peer::to(site.address).rest(), b"");
    site.seen.wait_for("header-timeout");
}

#[test]
fn a_head_that_does_not_end_is_cut_and_told_why() {
    let site = Site::limited(|limits| limits.header_timeout = SHORT);
    // The second begins like HTTP/2 and goes no further.
    for start in ["GET /hello HTTP/1.1\r\nHost: h\r\nX: ", "PRI * HT"] {
        let rest = Peer::to(site.address).send(start).rest();
        let expected = if start.starts_with("GET") { "HTTP/1.1 408 Request Timeout\r\n" } else { "" };
        assert!(rest.starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&rest));
    }
    let mut second = Peer::to(site.address);
    assert_eq!(second.send(get("/hello")).answer().unwrap().status, 200);
    assert_eq!(second.send("GET /hel").answer().unwrap().status, 408);
    assert_eq!(second.rest(), b"");
}

#[test]
fn a_head_that_drips_is_cut_all_the_same() {
    let site = Site::limited(|limits| limits.header_timeout = SHORT);
    let mut peer = Peer::to(site.address);
    peer.send("GET /hello HTTP/1.1\r\nHost: h\r\n");
    // Sends until the connection is gone, which the counter only guards against never happening.
    let cut = (0..4_000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        peer.send("X: y\r\n");
        site.seen.has("header-timeout")
    });
    assert!(cut);
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let site = Site::limited(|limits| limits.idle_timeout = SHORT);
    let mut peer = Peer::to(site.address);
    assert_eq!(peer.send(get("/hello")).answer().unwrap().status, 200);
    assert_eq!(peer.rest(), b"");
    site.seen.wait_for("idle-timeout");
}

#[test]
fn a_request_that_takes_long_outlives_the_other_timeouts() {
    let site = Site::limited(|limits| {
        limits.header_timeout = SHORT;
        limits.idle_timeout = SHORT;
        limits.write_timeout = SHORT;
        limits.body_timeout = SHORT;
    });
    let mut peer = Peer::to(site.address);
    assert_eq!(peer.send(get("/slow/600")).answer().unwrap().text(), "slow");
}

#[test]
fn a_body_that_stops_coming_is_given_up() {
    let site = Site::limited(|limits| limits.body_timeout = SHORT);
    for body in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let mut peer = Peer::to(site.address);
        let answer = peer.send(format!("POST /echo HTTP/1.1\r\nHost: h\r\n{body}")).answer().unwrap();
        assert_eq!(answer.status, 408, "{body}");
        assert_eq!(peer.rest(), b"");
    }
}

#[test]
fn a_peer_that_reads_nothing_is_cut() {
    let site = Site::limited(|limits| limits.write_timeout = SHORT);
    for target in ["/big/50000000", "/endless"] {
        let mut peer = Peer::to(site.address);
        peer.send(get(target));
        site.seen.wait_for("write-timeout");
        let came = peer.rest().len();
        assert!(came < 50_000_000, "{target}: {came} bytes");
        site.seen.forget();
    }
}

#[test]
fn a_connection_that_rested_is_answered_when_it_asks_again() {
    let resting = |site: &Site, count: usize| {
        let wanted = format!("\"connections_resting\":{count}");
        while !crate::admin::ask(site, "GET", "/health/detail", "", "").text().contains(&wanted) {
            std::thread::yield_now();
        }
    };
    // Short enough that the connections are looked at often; nobody is blocked.
    let mut site = Site::limited(|limits| limits.write_timeout = SHORT);
    let mut peer = Peer::to(site.address);
    for target in ["/hello", "/slow/1", "/echo"] {
        assert_eq!(peer.send(get(target)).answer().unwrap().status, 200);
        resting(&site, 1);
    }
    // Woken by one byte.
    let request = get("/echo?in-parts");
    let (first, rest) = request.split_at(1);
    peer.send(first);
    resting(&site, 0);
    assert_eq!(peer.send(rest).answer().unwrap().text(), "GET /echo?in-parts []");
    resting(&site, 1);
    site.shut_down();
    assert_eq!(peer.rest(), b"");
}

#[test]
fn a_part_of_a_next_head_is_kept_over_a_rest_and_timed() {
    let site = Site::limited(|limits| limits.header_timeout = SHORT);
    let mut peer = Peer::to(site.address);
    peer.send(format!("{}\r\n\r\n{}", get("/hello"), "GET /hello HTTP/1.1\r\nHost"));
    assert_eq!(peer.answer().unwrap().status, 200);
    assert_eq!(peer.answer().unwrap().status, 408);
    assert_eq!(peer.rest(), b"");
}
