//! The end of a server: nothing in flight is lost, nothing new is taken, and it does end.

use std::time::{Duration, Instant};

use crate::http2::Http2;
use crate::peer::{Peer, fetch, get};
use crate::site::{Setting, Site};

#[test]
fn requests_in_flight_are_answered_on_http1_and_http2() {
    let mut site = Site::start();
    let lengths = [1, 20, 100, 300, 700, 1_500];
    let mut peers: Vec<Peer> = lengths
        .iter()
        .map(|ms| {
            let mut peer = Peer::to(site.address);
            // The first answer shows that the server has the connection.
            assert_eq!(peer.send(get("/hello")).answer().unwrap().status, 200);
            peer.send(get(&format!("/slow/{ms}")));
            peer
        })
        .collect();
    let mut http2 = Http2::to(site.address);
    http2.get("/slow/1000");
    http2.get("/slow/10");
    let mut last = Peer::to(site.address);
    assert_eq!(last.send(get("/hello")).answer().unwrap().status, 200);
    site.shut_down();
    site.seen.wait_for("draining");
    for (peer, ms) in peers.iter_mut().zip(lengths) {
        let answer = peer.answer().unwrap_or_else(|| panic!("the request of {ms} ms was lost"));
        assert_eq!(answer.text(), "slow");
        assert_eq!(peer.rest(), b"");
    }
    assert_eq!(http2.statuses(2), ["200", "200"]);
    assert!(http2.ended_with_goaway());
    assert_eq!(last.rest(), b"");
    let address = site.address;
    assert_eq!(site.end().abandoned, 0);
    std::net::TcpStream::connect(address).expect_err("nobody listens any more");
}

#[test]
fn an_answer_during_the_drain_says_that_the_connection_ends() {
    let mut site = Site::with(Setting { threads: 1, ..Setting::default() });
    let mut held = Peer::to(site.address);
    held.send(get("/slow/500"));
    let mut peer = Peer::to(site.address);
    assert_eq!(peer.send(get("/hello")).answer().unwrap().status, 200);
    let request = get("/hello");
    let (start, rest) = request.split_at(10);
    peer.send(start);
    // The server has read the start by the time that it has answered another connection of the same thread.
    assert_eq!(fetch(site.address, "/slow/20").status, 200);
    site.shut_down();
    site.seen.wait_for("draining");
    // A request that crosses the beginning of the drain is still answered, and the last.
    let answer = peer.send(rest).answer().unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("connection: close"), "{answer:?}");
    assert_eq!(peer.rest(), b"");
    let answer = held.answer().unwrap();
    assert!(answer.head.contains("connection: close"), "{answer:?}");
}

/// Asks again and again until it is told that the connection ends. A client that paused may find it ended, as
/// any client of a kept connection may; one that did not must be answered.
fn ask_until_told(mut peer: Peer) -> usize {
    let pause_max = Duration::from_millis(50);
    let mut last_sent = Instant::now();
    for answered in 0.. {
        peer.send(get("/hello"));
        let paused = last_sent.elapsed() > pause_max;
        last_sent = Instant::now();
        match peer.answer() {
            Some(answer) if answer.head.contains("connection: close") => return answered + 1,
            Some(_) => {}
            None if paused && answered > 0 => return answered,
            None => panic!("a request was lost"),
        }
    }
    unreachable!("the server ends before the numbers do")
}

#[test]
fn a_busy_client_loses_nothing_when_the_server_ends() {
    for _ in 0..10 {
        let mut site = Site::start();
        let address = site.address;
        let peers: Vec<Peer> = (0..8).map(|_| Peer::to(address)).collect();
        let clients: Vec<_> =
            peers.into_iter().map(|peer| std::thread::spawn(move || ask_until_told(peer))).collect();
        assert_eq!(fetch(address, "/slow/20").status, 200);
        site.shut_down();
        for client in clients {
            assert!(client.join().unwrap() > 0);
        }
        assert_eq!(site.end().abandoned, 0);
    }
}

#[test]
fn what_takes_longer_than_the_drain_is_abandoned_and_counted() {
    let site = Site::with(Setting { drain: Duration::from_millis(50), ..Setting::default() });
    let mut peer = Peer::to(site.address);
    assert_eq!(peer.send(get("/hello")).answer().unwrap().status, 200);
    peer.send(get("/slow/60000"));
    let mut http2 = Http2::to(site.address);
    http2.get("/slow/60000");
    while !crate::admin::ask(&site, "GET", "/health/detail", "", "")
        .text()
        .contains("\"requests_in_flight\":2")
    {
        std::thread::yield_now();
    }
    assert_eq!(site.end().abandoned, 2);
    assert_eq!(peer.rest(), b"");
}

#[test]
fn whoever_connected_before_the_end_is_answered() {
    let mut site = Site::with(Setting { threads: 1, ..Setting::default() });
    let mut peers: Vec<Peer> = (0..50)
        .map(|_| {
            let mut peer = Peer::to(site.address);
            peer.send(get("/hello"));
            peer
        })
        .collect();
    site.shut_down();
    for peer in &mut peers {
        assert_eq!(peer.answer().expect("a connection was lost").status, 200);
    }
}
