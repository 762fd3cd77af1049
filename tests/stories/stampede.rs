//! Many callers at once for something that is not stored: one of them is asked for it, and all are answered.
//!
//! The origin holds its answer back until the server has all requests in its hands, which its own gauge tells, so that
//! no run depends on who comes first.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Kasoku, Peer, RecordingOrigin, Start, TempApp};
use tokio::task::JoinSet;

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

/// Requests that go over one HTTP/2 connection; the server allows 100 streams.
const STREAMS: usize = 90;

/// Pieces in which the origin sends its answer.
const PIECES: usize = 64;

/// What is held back until it is let go.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
    }
}

/// Where an origin waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    BeforeTheHead,
    WithinTheBody,
}

/// A piece of the answer.
fn piece(number: usize) -> String {
    format!("{number:04}").repeat(16)
}

fn whole() -> String {
    (0..PIECES).map(piece).collect()
}

/// An origin that answers in chunks, as soon as it may.
fn origin(held: Held, gate: &Arc<Gate>) -> RecordingOrigin {
    let gate = Arc::clone(gate);
    RecordingOrigin::new(move |exchange| {
        if held == Held::BeforeTheHead {
            gate.pass();
        }
        exchange.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: chunked\r\n\r\n");
        for number in 0..PIECES {
            if held == Held::WithinTheBody && number == PIECES / 2 {
                gate.pass();
            }
            let piece = piece(number);
            exchange.send(format!("{:x}\r\n{piece}\r\n", piece.len()));
        }
        exchange.send("0\r\n\r\n");
    })
}

fn before(origin: &RecordingOrigin, deadline: &str) -> (TempApp, Kasoku) {
    let app = TempApp::new(&format!(
        "[[route]]\npath = \"/{{*rest}}\"\norigin = \"{}\"\ndeadline = \"{deadline}\"\n\
         [route.admit]\nconcurrent = 20000\n",
        origin.url()
    ));
    let kasoku = Start::serve(BINARY, app.path()).ready();
    (app, kasoku)
}

type Crowd = JoinSet<Result<Answer, String>>;

/// So many requests, a tenth of which come over connections of their own, and the others over few.
fn crowd(kasoku: &Kasoku, count: usize, target: &'static str) -> Crowd {
    let mut crowd = JoinSet::new();
    let mut ask = |client: Client| {
        crowd.spawn(async move {
            let answer = client.try_send(Method::GET, target, &[], "").await;
            answer.map_err(|error| format!("{error:?}"))
        });
    };
    let singles = count / 10;
    (0..singles).for_each(|_| ask(kasoku.client()));
    let mut rest = count - singles;
    while rest > 0 {
        let client = Client::http2(kasoku.address());
        (0..rest.min(STREAMS)).for_each(|_| ask(client.clone()));
        rest -= rest.min(STREAMS);
    }
    crowd
}

async fn in_flight(kasoku: &Kasoku) -> usize {
    let answer = kasoku.admin().get("/metrics").await;
    let mut lines =
        answer.text().lines().filter_map(|line| line.strip_prefix("kasoku_http_requests_in_flight "));
    let text = lines.next().expect("there is a gauge");
    text.parse::<f64>().expect("a number") as usize
}

/// Waits until the server has so many requests in its hands.
async fn until_in_flight(kasoku: &Kasoku, is_reached: impl Fn(usize) -> bool) {
    while !is_reached(in_flight(kasoku).await) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn assert_all_whole(mut crowd: Crowd) {
    let whole = whole();
    let mut collapsed = 0;
    while let Some(answered) = crowd.join_next().await {
        let answer = answered.unwrap().expect("nobody goes without an answer");
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(
            answer.body == whole.as_bytes(),
            "everybody gets all of it, and got {} bytes",
            answer.body.len()
        );
        collapsed += usize::from(answer.header("cache-status").contains("collapsed"));
    }
    assert!(collapsed > 0, "they were waiting for the same answer");
}

async fn stampede(held: Held, count: usize) {
    let gate = Arc::new(Gate::default());
    let origin = origin(held, &gate);
    let (_app, kasoku) = before(&origin, "120s");
    let crowd = crowd(&kasoku, count, "/cold");
    until_in_flight(&kasoku, |reached| reached >= count).await;
    gate.open();
    assert_all_whole(crowd).await;
    assert_eq!(origin.requests().len(), 1, "one fetch for {count}");
    assert_eq!(kasoku.client().get("/cold").await.cache(), "HIT");
}

#[tokio::test]
async fn a_thousand_callers_are_answered_by_one_fetch() {
    stampede(Held::BeforeTheHead, 1_000).await;
}

#[tokio::test]
async fn ten_thousand_callers_are_answered_by_one_fetch() {
    stampede(Held::BeforeTheHead, 10_000).await;
}

#[tokio::test]
async fn a_thousand_callers_share_a_body_that_is_still_coming() {
    stampede(Held::WithinTheBody, 1_000).await;
}

#[tokio::test]
async fn one_who_leaves_takes_nothing_from_those_who_wait() {
    const COUNT: usize = 300;
    for held in [Held::BeforeTheHead, Held::WithinTheBody] {
        let gate = Arc::new(Gate::default());
        let origin = origin(held, &gate);
        let (_app, kasoku) = before(&origin, "120s");
        let mut leader = Peer::to(kasoku.address());
        leader.send(format!("GET /cold HTTP/1.1\r\nHost: {}\r\n\r\n", kasoku.address()));
        if held == Held::WithinTheBody {
            leader.until(&piece(3));
        }
        while origin.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        let crowd = crowd(&kasoku, COUNT, "/cold");
        until_in_flight(&kasoku, |reached| reached > COUNT).await;
        drop(leader);
        until_in_flight(&kasoku, |reached| reached <= COUNT).await;
        gate.open();
        assert_all_whole(crowd).await;
        assert_eq!(origin.requests().len(), 1, "{held:?}: the fetch outlives the one who caused it");
    }
}

#[tokio::test]
async fn when_nobody_waits_any_more_the_origin_is_told() {
    for head in ["", "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 100000\r\n\r\nbegun"] {
        let (closed, is_closed) = std::sync::mpsc::channel();
        let origin = RecordingOrigin::new(move |exchange| {
            exchange.send(head);
            exchange.wait_for_close();
            // The test may have ended.
            let _ = closed.send(());
        });
        let (_app, kasoku) = before(&origin, "120s");
        let mut peers: Vec<Peer> = (0..20).map(|_| Peer::to(kasoku.address())).collect();
        for peer in &mut peers {
            peer.send("GET /cold HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        until_in_flight(&kasoku, |reached| reached >= 20).await;
        assert_eq!(origin.requests().len(), 1);
        assert!(is_closed.try_recv().is_err(), "they all wait");
        let last = peers.pop();
        drop(peers);
        until_in_flight(&kasoku, |reached| reached <= 1).await;
        assert!(is_closed.try_recv().is_err(), "one still waits");
        drop(last);
        is_closed
            .recv_timeout(Duration::from_secs(20))
            .expect("the connection is closed before the deadline");
    }
}

#[tokio::test]
async fn nobody_waits_for_an_origin_that_hangs() {
    let origin = RecordingOrigin::new(kasoku_testkit::Exchange::wait_for_close);
    let (_app, kasoku) = before(&origin, "2s");
    let mut crowd = crowd(&kasoku, 1_000, "/cold");
    while let Some(answered) = crowd.join_next().await {
        let answer = answered.unwrap().expect("nobody goes without an answer");
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT, "{answer:?}");
        assert_eq!(answer.header("retry-after"), "1", "{answer:?}");
    }
    assert_eq!(in_flight(&kasoku).await, 0, "nothing is left behind");
}

#[tokio::test]
async fn those_who_wait_are_all_told_of_a_failure_and_the_next_one_is_answered() {
    let gate = Arc::new(Gate::default());
    let origin = RecordingOrigin::new({
        let gate = Arc::clone(&gate);
        move |exchange| {
            gate.pass();
            exchange.send(if exchange.number() == 0 {
                "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"
            } else {
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 4\r\n\r\nfour"
            });
        }
    });
    let (_app, kasoku) = before(&origin, "120s");
    let mut crowd = crowd(&kasoku, 500, "/cold");
    until_in_flight(&kasoku, |reached| reached >= 500).await;
    gate.open();
    while let Some(answered) = crowd.join_next().await {
        let answer = answered.unwrap().expect("nobody goes without an answer");
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{answer:?}");
    }
    assert_eq!(origin.requests().len(), 1, "a failure is shared, too");
    assert_eq!(kasoku.client().get("/cold").await.text(), "four");
}
