//! Connections that are slow, idle, large or many, met by the real binary. Only outcomes are told here: how long a
//! limit takes is its own affair.

use std::time::Duration;

use http::{Method, StatusCode};
use kasoku_testkit::{Kasoku, Peer, TempApp};
use serde_json::json;

use crate::shop;

/// Limits that stories can reach.
const LIMITS: &str = r#"
[server.limits]
connections = 8
header_timeout = "300ms"
body_timeout = "300ms"
idle_timeout = "1s"
write_timeout = "1s"
header_bytes = "4KiB"
header_fields = 20
body = "64KiB"
"#;

fn start() -> (TempApp, Kasoku) {
    let app =
        TempApp::new(&format!("{LIMITS}{}", shop::KASOKU_TOML)).file("schema/001-shop.sql", shop::SCHEMA);
    let kasoku = shop::open(&app);
    (app, kasoku)
}

async fn assert_well(kasoku: &Kasoku) {
    let answer = kasoku.client().get("/things").await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "[]"), "nothing was written");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_given_up() {
    let (_app, kasoku) = start();
    let mut peers: Vec<Peer> = (0..4).map(|_| Peer::to(kasoku.address())).collect();
    for (peer, start) in
        peers.iter_mut().zip(["", "G", "GET /things HTTP/1.1\r\nHost: a\r\n", "GET /things HT"])
    {
        peer.send(start);
    }
    for mut peer in peers {
        let rest = peer.rest();
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408"), "{rest}");
    }
    assert_well(&kasoku).await;
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_given_up_too() {
    let (_app, kasoku) = start();
    let mut peer = Peer::to(kasoku.address());
    peer.send("GET /things HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    // It would be a whole head in the end: the limit is on all of it, not on the pause between bytes.
    for _ in 0..20 {
        peer.send("x");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rest = peer.send("\r\n\r\n").rest();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408"), "{rest}");
    assert_well(&kasoku).await;
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up_and_nothing_is_written() {
    let (_app, kasoku) = start();
    for framing in
        ["Content-Length: 100\r\n\r\n{\"name\": ", "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"name\":\r\n"]
    {
        let mut peer = Peer::to(kasoku.address());
        peer.send(format!("POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{framing}"));
        let rest = peer.rest();
        assert!(rest.starts_with("HTTP/1.1 408"), "{framing}: {rest}");
    }
    assert_well(&kasoku).await;
}

#[tokio::test]
async fn a_route_has_a_limit_of_its_own_below_that_of_the_server() {
    let routes = [("larger", "48KiB"), ("smaller", "1KiB")].map(|(name, body)| {
        format!(
            "[[route]]\npath = \"/{name}\"\ntable = \"things\"\nwrite = [\"insert\"]\nbody = \"{body}\"\n"
        )
    });
    let app = shop::app();
    app.write("kasoku.toml", format!("{LIMITS}{}{}", shop::KASOKU_TOML, routes.concat()));
    let kasoku = shop::open(&app);
    let check = async |path: &str, bytes: usize, expected: StatusCode| {
        let answer = kasoku.client().json(Method::POST, path, &json!({"name": "x".repeat(bytes)})).await;
        assert_eq!(answer.status, expected, "{path} {bytes}: {answer:?}");
    };
    check("/smaller", 900, StatusCode::CREATED).await;
    check("/smaller", 1 << 10, StatusCode::PAYLOAD_TOO_LARGE).await;
    check("/things", 65 << 10, StatusCode::PAYLOAD_TOO_LARGE).await;
    check("/things", 50 << 10, StatusCode::CREATED).await;
    check("/larger", 40 << 10, StatusCode::CREATED).await;
    check("/larger", 50 << 10, StatusCode::PAYLOAD_TOO_LARGE).await;
}

/// A route that takes on one request at a time, and little time for each.
const ONE_AT_A_TIME: &str = r#"
[[route]]
path = "/one-at-a-time"
table = "things"
write = ["insert"]
deadline = "2s"
admit = { concurrent = 1, queue = 0 }
"#;

#[tokio::test]
async fn whoever_sends_slowly_has_a_place_until_the_deadline_and_no_longer() {
    let app = shop::app();
    app.write("kasoku.toml", format!("{}{ONE_AT_A_TIME}", shop::KASOKU_TOML));
    let kasoku = shop::open(&app);
    let mut slow = Peer::to(kasoku.address());
    slow.send(
        "POST /one-at-a-time HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\
         Expect: 100-continue\r\n\r\n",
    );
    // The body is asked for by who has the place. It is free again although the body never comes to its end.
    slow.until("100 Continue\r\n\r\n");
    slow.send("{");
    let ask = async || kasoku.client().get("/one-at-a-time").await.status;
    assert_eq!(ask().await, StatusCode::SERVICE_UNAVAILABLE);
    let told = slow.rest();
    assert!(told.starts_with("HTTP/1.1 504"), "{told}");
    assert_eq!(ask().await, StatusCode::OK);
}

#[tokio::test]
async fn a_connection_without_requests_is_closed() {
    let (_app, kasoku) = start();
    let mut peer = Peer::to(kasoku.address());
    peer.send("GET /things HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = peer.until("[]");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(peer.rest(), "", "it is closed without a word");
    assert_well(&kasoku).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    let (_app, kasoku) = start();
    let ask = "GET /things HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut first: Vec<Peer> = (0..8).map(|_| Peer::to(kasoku.address())).collect();
    for peer in &mut first {
        assert!(peer.send(ask).until("[]").starts_with("HTTP/1.1 200"));
    }
    // Twice as many more: they are answered as those before them go, by their own will or because they idle.
    let mut later: Vec<Peer> = (0..16).map(|_| Peer::to(kasoku.address())).collect();
    for peer in &mut later {
        peer.send("GET /things HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    }
    drop(first);
    for peer in &mut later {
        let answer = peer.rest();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("[]"), "{answer}");
    }
    assert_well(&kasoku).await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let app = shop::app();
    app.write("kasoku.toml", format!("{}{}", LIMITS.replace("64KiB", "2MiB"), shop::KASOKU_TOML));
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let rows = (0..16).map(|n| json!({"name": format!("{n}"), "note": "x".repeat(100_000)}));
    let created = client.json(Method::POST, "/things", &rows.collect::<Vec<_>>().into()).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let mut peers: Vec<Peer> = (0..4).map(|_| Peer::to(kasoku.address())).collect();
    for peer in &mut peers {
        // Far more than sockets hold: the server has to stop and wait for the peer, which takes nothing.
        for _ in 0..20 {
            peer.send("GET /things?limit=50 HTTP/1.1\r\nHost: a\r\n\r\n");
        }
    }
    let admin = kasoku.admin();
    for turn in 0.. {
        let detail = admin.get("/health/detail").await;
        // One is the client's own, which idles until it is closed as well.
        if detail.json().to_string().contains("\"connections\":0") {
            break;
        }
        assert!(turn < 1_000, "they are still open: {detail:?}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(kasoku.client().get("/things?limit=1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_too_large_is_refused_by_its_name() {
    let (_app, kasoku) = start();
    let client = kasoku.client();
    let long = "x".repeat(8 << 10);
    let fields: Vec<(String, String)> = (0..40).map(|n| (format!("x-{n}"), "y".to_owned())).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let head = client.get_with("/things", &[("x-long", &long)]).await;
    assert_eq!(head.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{head:?}");
    let many = client.get_with("/things", &fields).await;
    assert_eq!(many.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{many:?}");
    let body = client.json(Method::POST, "/things", &json!({"name": "x".repeat(65 << 10)})).await;
    assert_eq!(body.status, StatusCode::PAYLOAD_TOO_LARGE, "{body:?}");
    let mut peer = Peer::to(kasoku.address());
    peer.send("POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..20 {
        peer.send(format!("2000\r\n{}\r\n", "x".repeat(0x2000)));
    }
    let rest = peer.rest();
    assert!(rest.starts_with("HTTP/1.1 413"), "{rest}");
    assert_well(&kasoku).await;
}
