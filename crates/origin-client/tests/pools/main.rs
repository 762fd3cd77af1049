//! Connections over real sockets: which are kept, for how long, and what is asked of whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Empty, Full};
use kasoku_origin_client::{Client, ClientSettings, ExtraRoots, Protocol, SendError};
use kasoku_testkit::RecordingOrigin;

const FOUR: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour";

/// A client that nobody watches.
fn client_of(settings: ClientSettings) -> Client {
    Client::new(settings, &(Arc::new(kasoku_observe::Silent) as _))
}

fn settings(origins: &[&RecordingOrigin]) -> ClientSettings {
    let patience = Duration::from_secs(30);
    ClientSettings {
        servers: origins.iter().map(|origin| origin.url().parse().unwrap()).collect(),
        protocol: Protocol::Negotiated,
        connect_timeout: patience,
        first_byte_timeout: patience,
        between_bytes_timeout: patience,
        idle_timeout: patience,
        connections_max: 8,
        extra_roots: ExtraRoots::default(),
    }
}

async fn ask(client: &Client, method: Method, body: &'static str) -> Result<Bytes, SendError> {
    let body = match body {
        "" => Empty::new().map_err(Into::into).boxed_unsync(),
        body => Full::new(Bytes::from(body)).map_err(Into::into).boxed_unsync(),
    };
    let request = Request::builder().method(method).uri("/").body(body).unwrap();
    Ok(client.send(request).await?.body.collect().await.expect("a whole answer").to_bytes())
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let closed = Arc::new(AtomicUsize::new(0));
    let origin = RecordingOrigin::new({
        let closed = Arc::clone(&closed);
        move |exchange| {
            exchange.send(FOUR);
            exchange.wait_for_close();
            closed.fetch_add(1, Ordering::SeqCst);
        }
    });
    let client =
        client_of(ClientSettings { idle_timeout: Duration::from_millis(50), ..settings(&[&origin]) });
    assert_eq!(ask(&client, Method::GET, "").await.unwrap(), "four");
    while closed.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn connections_end_with_their_client() {
    let closed = Arc::new(AtomicUsize::new(0));
    let origin = RecordingOrigin::new({
        let closed = Arc::clone(&closed);
        move |exchange| {
            exchange.send(FOUR);
            exchange.wait_for_close();
            closed.fetch_add(1, Ordering::SeqCst);
        }
    });
    let client = client_of(settings(&[&origin]));
    ask(&client, Method::GET, "").await.unwrap();
    drop(client);
    while closed.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_request_that_is_given_up_gives_its_connection_up() {
    let closed = Arc::new(AtomicUsize::new(0));
    let origin = RecordingOrigin::new({
        let closed = Arc::clone(&closed);
        move |exchange| {
            exchange.wait_for_close();
            closed.fetch_add(1, Ordering::SeqCst);
        }
    });
    let client = client_of(ClientSettings { connections_max: 1, ..settings(&[&origin]) });
    for turn in 1..4 {
        let asked = tokio::time::timeout(Duration::from_millis(20), ask(&client, Method::GET, "")).await;
        assert!(asked.is_err(), "nothing was answered");
        while closed.load(Ordering::SeqCst) < turn {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(origin.connections(), 3, "the one place was free again each time");
}

#[tokio::test]
async fn who_waits_too_long_for_a_place_is_told() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
        exchange.wait_for_close();
    });
    let connect_timeout = Duration::from_millis(50);
    let client = client_of(ClientSettings { connections_max: 1, connect_timeout, ..settings(&[&origin]) });
    let request = Request::new(Empty::new().map_err(Into::into).boxed_unsync());
    let unread = client.send(request).await.unwrap();
    let refused = ask(&client, Method::GET, "").await;
    assert!(matches!(refused, Err(SendError::Crowded { .. })), "{refused:?}");
    drop(unread);
    let request = Request::new(Empty::new().map_err(Into::into).boxed_unsync());
    assert!(client.send(request).await.is_ok(), "an answer that nobody reads gives its place back");
}

#[tokio::test]
async fn what_may_be_asked_twice_is_asked_twice_at_the_most() {
    // Each connection answers once and then breaks.
    let origin =
        RecordingOrigin::new(
            |exchange| {
                if exchange.number() == 0 { exchange.send(FOUR) } else { exchange.close() }
            },
        );
    let client = client_of(settings(&[&origin]));
    assert_eq!(ask(&client, Method::GET, "").await.unwrap(), "four");
    let broken = ask(&client, Method::GET, "").await;
    assert!(matches!(broken, Err(SendError::Broken { .. })), "{broken:?}");
    assert_eq!(origin.requests().len(), 3, "once on the connection that was kept, once on a new one");
    let broken = ask(&client, Method::POST, "body").await;
    assert!(matches!(broken, Err(SendError::Broken { .. })), "{broken:?}");
    assert_eq!(origin.requests().len(), 4);
}

#[tokio::test]
async fn an_answer_that_was_not_read_to_its_end_ends_its_connection() {
    let origin = RecordingOrigin::always(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1 << 20));
    let client = client_of(settings(&[&origin]));
    for turn in 1..4 {
        let request = Request::new(Empty::new().map_err(Into::into).boxed_unsync());
        drop(client.send(request).await.unwrap());
        assert_eq!(origin.connections(), turn);
    }
}
