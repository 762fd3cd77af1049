//! SIGTERM under load: readiness goes first, what was asked is answered, and the exit code is 0.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, StatusCode, Version};
use kasoku_testkit::{Client, was_refused};
use serde_json::json;

use crate::shop;

/// What a client's requests came to.
#[derive(Debug, Default)]
struct Tally {
    answered: usize,
    written: Vec<i64>,
    /// The write that was refused, if it was one: it must not have been done.
    refused: Option<i64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_when_the_server_ends_on_http1() {
    check(Client::new, Version::HTTP_11).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_when_the_server_ends_on_http2() {
    check(Client::http2, Version::HTTP_2).await;
}

async fn check(connect: fn(std::net::SocketAddr) -> Client, version: Version) {
    for round in 0..5 {
        let app = shop::app();
        let kasoku = shop::open(&app);
        let sent = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..8)
            .map(|number| {
                let client = connect(kasoku.address());
                tokio::spawn(ask_until_refused(client, number, version, Arc::clone(&sent)))
            })
            .collect();
        // Everybody is at work, and each round ends elsewhere in it.
        while sent.load(Ordering::Relaxed) < 200 + 31 * round {
            tokio::task::yield_now().await;
        }
        kasoku.signal("TERM");
        let (mut written, mut refused) = (Vec::new(), Vec::new());
        for client in clients {
            let tally = client.await.expect("every request that was sent is answered");
            assert!(tally.answered > 0);
            written.extend(tally.written);
            refused.extend(tally.refused);
        }
        assert_eq!(kasoku.wait().code(), Some(0));
        let kasoku = shop::open(&app);
        for id in written {
            let answer = kasoku.client().get(&format!("/things/{id}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{id} was acknowledged: {answer:?}");
        }
        for id in refused {
            let answer = kasoku.client().get(&format!("/things/{id}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id} was refused: {answer:?}");
        }
    }
}

/// Reads and writes until the server takes no more connections.
async fn ask_until_refused(client: Client, number: i64, version: Version, sent: Arc<AtomicUsize>) -> Tally {
    let mut tally = Tally::default();
    let headers = [("content-type", "application/json"), ("prefer", "return=minimal")];
    for turn in 0_i64.. {
        sent.fetch_add(1, Ordering::Relaxed);
        let id = number * 1_000_000 + turn + 1;
        let writes = turn % 4 == 0;
        let asked = if writes {
            let body = json!({"id": id, "name": format!("{id}")}).to_string();
            client.try_send(Method::POST, "/things", &headers, body).await
        } else {
            client.try_send(Method::GET, &format!("/things?limit={}", turn % 50 + 1), &[], "").await
        };
        match asked {
            Ok(answer) => {
                assert!(answer.status.is_success(), "{answer:?}");
                assert_eq!(answer.version, version);
                tally.answered += 1;
                if writes {
                    tally.written.push(id);
                }
            }
            Err(error) if was_refused(&*error) => {
                tally.refused = writes.then_some(id);
                break;
            }
            Err(error) => panic!("request {turn} of client {number} was sent and not answered: {error:?}"),
        }
    }
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_is_off_before_the_listener_closes() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    // A request whose body is still to come holds the server up.
    let body = r#"{"name": "late"}"#;
    let mut late = kasoku_testkit::Peer::to(kasoku.address());
    late.send(format!(
        "POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    ));
    assert!(late.until("\r\n\r\n").starts_with("HTTP/1.1 100"));
    assert_eq!(kasoku.admin().get("/health/ready").await.status, StatusCode::OK);
    let (public, admin) = (kasoku.address(), kasoku.admin());
    kasoku.signal("TERM");
    // From the moment that a connection is refused, readiness must be off already.
    while std::net::TcpStream::connect(public).is_ok() {
        tokio::task::yield_now().await;
    }
    let ready = admin.get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{ready:?}");
    assert_eq!(admin.get("/health/live").await.status, StatusCode::OK, "it still lives");
    late.send(body);
    let answer = late.rest();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(kasoku.wait().code(), Some(0));
}
