//! Bodies that are longer than what is held of them, in both directions; what stands behind and before them.

use http::Method;
use kasoku_testkit::{Kasoku, Peer, RecordingOrigin};

use super::{FOUR, before, field};

const LONG: usize = 50 << 20;

/// What the binary may grow by while a long body passes.
const GROWTH_BYTES: u64 = 16 << 20;

/// The most memory that the binary has had.
fn peak_bytes(kasoku: &Kasoku) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", kasoku.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10
}

#[tokio::test]
async fn a_long_answer_passes_without_being_held() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {LONG}\r\n\r\n"));
        let part = vec![b'x'; 1 << 20];
        for _ in 0..LONG >> 20 {
            exchange.send(&part);
        }
    });
    let kasoku = before(&origin);
    kasoku.client().send(Method::HEAD, "/", &[], "").await;
    let at_first = peak_bytes(&kasoku);
    let answer = kasoku.client().get("/").await;
    assert_eq!(answer.body.len(), LONG);
    assert_eq!(answer.header("content-length"), LONG.to_string());
    let growth = peak_bytes(&kasoku) - at_first;
    assert!(growth < GROWTH_BYTES, "grew by {growth} bytes");
}

#[tokio::test]
async fn a_long_request_passes_without_being_held() {
    let origin = RecordingOrigin::new(|exchange| {
        let length = exchange.body().len();
        exchange.send(format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-length: {length}\r\n\r\n"));
    });
    let kasoku = before(&origin);
    kasoku.client().send(Method::POST, "/", &[], "short").await;
    let at_first = peak_bytes(&kasoku);
    let answer = kasoku.client().send(Method::POST, "/", &[], vec![b'x'; LONG]).await;
    assert_eq!(answer.header("x-length"), LONG.to_string());
    let growth = peak_bytes(&kasoku) - at_first;
    assert!(growth < GROWTH_BYTES, "grew by {growth} bytes");
}

#[tokio::test]
async fn parts_pass_as_they_come() {
    let origin = RecordingOrigin::new(|exchange| {
        // Each part is sent when the one before has arrived at the other end, and not before.
        exchange.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        for byte in exchange.body().to_vec() {
            exchange.send(format!("1\r\n{}\r\n", byte as char));
        }
        exchange.send("0\r\n\r\n");
    });
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    peer.send("3\r\ncde\r\n0\r\n\r\n");
    let answer = peer.until("0\r\n\r\n");
    let letters: String =
        answer.split("\r\n\r\n").nth(1).unwrap().chars().filter(char::is_ascii_lowercase).collect();
    assert_eq!(letters, "abcde", "{answer}");
    let request = &origin.requests()[0];
    assert_eq!((field(request, "transfer-encoding"), field(request, "content-length")), ("chunked", ""));
}

#[tokio::test]
async fn the_head_of_an_answer_does_not_wait_for_its_body() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nfour");
        exchange.wait_for_close();
    });
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(peer.until("four").ends_with("four"), "what is there is given");
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_has_ended() {
    let origin = RecordingOrigin::new(|exchange| exchange.send(FOUR));
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    for _ in 0..3 {
        peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf");
        assert!(peer.until("four").starts_with("HTTP/1.1 200 OK\r\n"));
        peer.send("half");
    }
    while origin.requests().len() < 3 || !origin.requests()[2].ends_with("halfhalf") {
        tokio::task::yield_now().await;
    }
    assert!(
        origin.requests().iter().all(|request| request.ends_with("halfhalf")),
        "and it ends all the same"
    );
}

#[tokio::test]
async fn fields_behind_a_body_pass_if_they_may() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.body();
        exchange.send(
            "HTTP/1.1 200 OK\r\ntrailer: x-sum, set-cookie\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\
             x-sum: 4\r\nset-cookie: a=b\r\n\r\n",
        );
    });
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    peer.send(
        "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\nTrailer: X-Check, Authorization\r\n\
         Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\nX-Check: yes\r\nAuthorization: Basic eA==\r\n\r\n",
    );
    let answer = peer.until("\r\n\r\n") + &peer.until("\r\n\r\n");
    assert!(answer.ends_with("4\r\nfour\r\n0\r\nx-sum: 4\r\n\r\n"), "{answer}");
    assert_eq!(field(&answer, "trailer"), "x-sum");
    let request = &origin.requests()[0];
    assert!(request.ends_with("4\r\nfour\r\n0\r\nx-check: yes\r\n\r\n"), "{request}");
    assert_eq!((field(request, "te"), field(request, "trailer")), ("trailers", "x-check"));
    // Who does not say that it takes them is sent none.
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = peer.until("0\r\n\r\n");
    assert!(answer.ends_with("4\r\nfour\r\n0\r\n\r\n"), "{answer}");
    assert_eq!(field(&origin.requests()[1], "te"), "");
}

#[tokio::test]
async fn a_caller_is_asked_for_its_body_when_the_origin_wants_it() {
    let origin = RecordingOrigin::new(|exchange| {
        if exchange.target() == "/wanted" {
            exchange.send("HTTP/1.1 100 Continue\r\n\r\n");
            assert_eq!(exchange.body(), b"body");
            exchange.send(FOUR);
        } else {
            exchange.send("HTTP/1.1 417 No\r\ncontent-length: 2\r\n\r\nno");
            exchange.wait_for_close();
        }
    });
    let kasoku = before(&origin);
    let head = |target| {
        format!("POST {target} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    };
    let mut peer = Peer::to(kasoku.address());
    peer.send(head("/wanted"));
    assert_eq!(peer.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    peer.send("body");
    assert!(peer.until("four").starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(field(&origin.requests()[0], "expect"), "100-continue");
    let mut peer = Peer::to(kasoku.address());
    peer.send(head("/unwanted"));
    assert!(peer.until("no").starts_with("HTTP/1.1 417 "), "and nothing was asked for");
}

#[tokio::test]
async fn an_origin_that_does_not_know_of_expectations_gets_the_body_all_the_same() {
    let origin = RecordingOrigin::new(|exchange| {
        assert_eq!(exchange.body(), b"body");
        exchange.send(FOUR);
    });
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(peer.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    peer.send("body");
    assert!(peer.until("four").starts_with("HTTP/1.1 200 OK\r\n"));
}
