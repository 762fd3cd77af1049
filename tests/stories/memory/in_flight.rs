//! Callers that do not read what they asked for: what is held for them has a budget, and they get all of it in the end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kasoku_testkit::{Kasoku, RecordingOrigin, Start, TempApp};

use super::gauge;

const CALLERS: usize = 200;

/// Bytes of each answer.
const ANSWER_BYTES: usize = 6 << 20;

/// What the store and bodies in flight may take together, and what connections take beside: for each of them the
/// buffers of both sides, which is less than this.
const MEMORY_MIB: u64 = 64;
const IN_FLIGHT_MIB: u64 = 32;
const CONNECTION_BYTES: u64 = 400 << 10;

/// An origin of large answers that are told apart by their target, and how many of them it has begun.
fn origin() -> (RecordingOrigin, Arc<AtomicUsize>) {
    let begun = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&begun);
    let origin = RecordingOrigin::new(move |exchange| {
        let body = body(exchange.target());
        let head = format!(
            "HTTP/1.1 200 OK\r\ncache-control: max-age=3600\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        exchange.send(head);
        for (place, piece) in body.chunks(64 << 10).enumerate() {
            exchange.send(piece);
            if place == 0 {
                counts.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (origin, begun)
}

fn body(target: &str) -> Vec<u8> {
    let mut body = target.as_bytes().repeat(ANSWER_BYTES / target.len() + 1);
    body.truncate(ANSWER_BYTES);
    body
}

fn started(origin: &RecordingOrigin) -> (TempApp, Kasoku) {
    let app = TempApp::new(&format!(
        "[server.limits]\nwrite_timeout = \"10m\"\n[cache]\nmemory = \"{MEMORY_MIB}MiB\"\n\
         in_flight = \"{IN_FLIGHT_MIB}MiB\"\n[[route]]\npath = \"/{{*rest}}\"\ndeadline = \"5m\"\n\
         admit = {{ concurrent = 1000 }}\n[route.origin]\nservers = [\"{}\"]\nbetween_bytes_timeout = \"5m\"\n\
         connections = 1000\n",
        origin.url()
    ));
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    (app, kasoku)
}

/// Asks for something and reads nothing of the answer.
fn ask(kasoku: &Kasoku, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(kasoku.address()).expect("it listens");
    let request = format!("GET {target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it listens");
    stream
}

/// Reads the body of what comes on a connection that the server closes at the end.
fn read(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the answer comes to its end");
    answer.split_off(answer.len() - ANSWER_BYTES)
}

/// Waits until memory and what is held do not change any more.
async fn settled(kasoku: &Kasoku) -> u64 {
    let (mut most, mut same) = (0, 0);
    while same < 20 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let now = kasoku.resident_bytes();
        same = if now > most + (64 << 10) { 0 } else { same + 1 };
        most = most.max(now);
    }
    most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_take_no_more_than_their_budget_and_arrive_whole() {
    let (origin, begun) = origin();
    let (_app, kasoku) = started(&origin);
    kasoku.client().get("/first").await;
    let before = kasoku.resident_bytes();
    let targets: Vec<String> = (0..CALLERS).map(|number| format!("/slow/{number}")).collect();
    let streams: Vec<TcpStream> = targets.iter().map(|target| ask(&kasoku, target)).collect();
    while begun.load(Ordering::SeqCst) < CALLERS {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let growth = settled(&kasoku).await.saturating_sub(before);
    let budget = (MEMORY_MIB + IN_FLIGHT_MIB) << 20;
    let allowed = budget + CALLERS as u64 * CONNECTION_BYTES;
    let held = gauge(&kasoku, "kasoku_in_flight_bytes").await;
    assert!(growth < allowed, "grew by {growth} bytes, allowed are {allowed}, held {held}");
    assert!(held <= IN_FLIGHT_MIB << 20, "held {held}");
    // Who reads is served meanwhile, from the store too.
    let client = kasoku.client();
    for _ in 0..2 {
        assert_eq!(client.get("/quick").await.body, body("/quick"));
    }
    assert!(client.get("/quick").await.header("cache-status").contains("hit"));
    for (target, stream) in targets.iter().zip(streams) {
        assert!(read(stream) == body(target), "{target} arrives as it was sent");
    }
    assert_eq!(gauge(&kasoku, "kasoku_in_flight_bytes").await, 0, "nothing is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_answers_that_are_evicted_while_they_are_sent_count_too() {
    let (origin, _) = origin();
    let (_app, kasoku) = started(&origin);
    kasoku.client().get("/first").await;
    let before = kasoku.resident_bytes();
    let targets: Vec<String> = (0..CALLERS).map(|number| format!("/slow/{number}")).collect();
    let mut streams = Vec::new();
    for target in &targets {
        // It is stored by one who reads, and sent by another connection from the store if it could be stored.
        let answer = kasoku.client().get(target).await;
        assert_eq!(answer.body.len(), ANSWER_BYTES);
        streams.push(ask(&kasoku, target));
    }
    let growth = settled(&kasoku).await.saturating_sub(before);
    // What is pinned may be as much as what was stored when the budget was used up.
    let budget = (2 * MEMORY_MIB + IN_FLIGHT_MIB) << 20;
    let allowed = budget + CALLERS as u64 * CONNECTION_BYTES;
    assert!(growth < allowed, "grew by {growth} bytes, allowed are {allowed}");
    for (target, stream) in targets.iter().zip(streams) {
        assert!(read(stream) == body(target), "{target} arrives as it was sent");
    }
}
