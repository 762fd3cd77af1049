//! Connections that go on in another protocol.

use http::StatusCode;
use kasoku_testkit::{Identity, Kasoku, Peer, RecordingOrigin, Start, TempApp};

use super::{BINARY, FOUR, before, before_with, field};

const ASK: &str = "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Agrees, and then says everything back.
fn echo() -> RecordingOrigin {
    RecordingOrigin::new(|exchange| {
        if exchange.target() == "/plain" {
            return exchange.send(FOUR);
        }
        exchange.send(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello",
        );
        loop {
            let bytes = exchange.read_some();
            if bytes.is_empty() {
                break exchange.close();
            }
            exchange.send(bytes);
        }
    })
}

fn agree(kasoku: &Kasoku, said_at_once: &str) -> Peer {
    let mut peer = Peer::to(kasoku.address());
    peer.send(format!("{ASK}{said_at_once}"));
    let head = peer.until("\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert_eq!((field(&head, "connection"), field(&head, "upgrade")), ("upgrade", "websocket"), "{head}");
    assert_eq!(field(&head, "sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(peer.until("hello"), "hello", "what comes with the head is not lost");
    peer
}

#[tokio::test]
async fn both_sides_talk_after_a_switch() {
    let origin = echo();
    let kasoku = before(&origin);
    let mut peer = agree(&kasoku, "");
    for said in ["one", "two", "\r\n\r\n", "GET / HTTP/1.1\r\n"] {
        peer.send(said);
        assert_eq!(peer.until(said), said);
    }
    let mut other = agree(&kasoku, "early");
    assert_eq!(other.until("early"), "early", "what comes with the request is not lost");
    let request = &origin.requests()[0];
    assert_eq!((field(request, "connection"), field(request, "upgrade")), ("upgrade", "websocket"));
    assert_eq!(field(request, "sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==");
}

#[tokio::test]
async fn a_switch_finds_its_way_where_http2_is_agreed_on() {
    let origin = echo();
    let identity = Identity::new();
    let route = format!("[[route]]\npath = \"/{{*rest}}\"\norigin = \"{}\"\n", origin.url());
    let tls = "[server]\ntls = { certificate = \"cert.pem\", key = \"key.pem\" }\n";
    let inner_app = TempApp::new(&format!("{tls}{route}"));
    identity.write(inner_app.path());
    let inner = Start::serve(BINARY, inner_app.path()).ready();
    let app = TempApp::new(&format!(
        "[[route]]\npath = \"/{{*rest}}\"\norigin = {{ servers = [\"https://localhost:{}\"], ca = \"cert.pem\" }}\n",
        inner.address().port()
    ));
    identity.write(app.path());
    let kasoku = Start::serve(BINARY, app.path()).ready();
    for _ in 0..2 {
        let mut peer = agree(&kasoku, "");
        peer.send("there and back");
        assert_eq!(peer.until("back"), "there and back");
        // What else is asked there goes by HTTP/2.
        let plain = kasoku.client().get("/plain").await;
        assert_eq!((plain.text(), plain.header("via")), ("four", "1.1 kasoku, 2 kasoku"));
    }
}

#[tokio::test]
async fn the_end_of_one_side_is_the_end_of_the_other() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange
            .send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nbye");
        exchange.close();
    });
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    peer.send(ASK);
    peer.until("\r\n\r\n");
    assert_eq!(peer.until("bye"), "bye");
}

#[tokio::test]
async fn silence_on_both_sides_ends_it() {
    let origin = echo();
    let (_app, kasoku) = before_with(&origin, "silence_timeout = \"200ms\"", "");
    assert_eq!(agree(&kasoku, "").rest(), "");
}

#[tokio::test]
async fn an_origin_that_does_not_agree_is_answered_from() {
    let origin = RecordingOrigin::always(FOUR);
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    for _ in 0..2 {
        peer.send(ASK);
        let answer = peer.until("four");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn an_end_of_the_server_waits_for_those_who_still_talk() {
    let origin = echo();
    let kasoku = before(&origin);
    let mut peer = agree(&kasoku, "");
    let admin = kasoku.admin();
    kasoku.signal("TERM");
    while admin.get("/health/ready").await.status == StatusCode::OK {
        tokio::task::yield_now().await;
    }
    peer.send("still there?");
    assert_eq!(peer.until("?"), "still there?");
    drop(peer);
    assert_eq!(kasoku.wait().code(), Some(0));
}
