//! Connections to origins: kept, bounded, and given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, StatusCode};
use kasoku_testkit::RecordingOrigin;

use super::{FOUR, before, before_with, started};

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.body();
        exchange.send(if exchange.number().is_multiple_of(2) {
            FOUR
        } else {
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n"
        });
    });
    let kasoku = before(&origin);
    let client = kasoku.client();
    for turn in 0..40 {
        let method = if turn % 3 == 0 { Method::POST } else { Method::GET };
        assert_eq!(client.send(method, "/", &[], "").await.text(), "four");
    }
    assert_eq!(origin.requests().len(), 40);
    assert!(origin.connections() <= 2, "{} connections for one request at a time", origin.connections());
}

#[tokio::test]
async fn no_more_connections_are_made_than_are_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let origin = RecordingOrigin::new({
        let most = Arc::clone(&most);
        move |exchange| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            exchange.send(FOUR);
        }
    });
    let (_app, kasoku) = before_with(&origin, "connections = 3", "");
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let client = kasoku.client();
            tokio::spawn(async move { client.get("/").await })
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap().text(), "four");
    }
    assert!(most.load(Ordering::SeqCst) <= 3);
    assert_eq!(origin.requests().len(), 200);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_a_caller_nothing() {
    // Every second request on a connection meets an origin that is just closing it.
    let seen = Arc::new(std::sync::Mutex::new(std::collections::HashSet::new()));
    let origin = RecordingOrigin::new(move |exchange| {
        if seen.lock().unwrap().insert(exchange.connection()) {
            exchange.send(FOUR);
        } else {
            exchange.close();
        }
    });
    let kasoku = before(&origin);
    for method in [Method::GET, Method::HEAD, Method::GET, Method::DELETE, Method::PUT, Method::GET] {
        let answer = kasoku.client().send(method.clone(), "/", &[], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{method}");
    }
    assert!(origin.requests().len() > 6, "some were sent twice");
}

#[tokio::test]
async fn a_reload_asks_the_new_origin() {
    let (first, second) = (RecordingOrigin::always(FOUR), RecordingOrigin::always(FOUR));
    let text = |origin: &RecordingOrigin| {
        format!("[[route]]\npath = \"/{{*rest}}\"\norigin = \"{}\"\n", origin.url())
    };
    let (app, kasoku) = started(&text(&first));
    assert_eq!(kasoku.client().get("/").await.text(), "four");
    app.write("kasoku.toml", text(&second));
    kasoku.signal("HUP");
    while second.requests().is_empty() {
        assert_eq!(kasoku.client().get("/").await.text(), "four");
    }
}
