//! Origins that are not there, say nothing, say too little, or lie.

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Exchange, Peer, RecordingOrigin, Start, TempApp, free_port};

use super::{BINARY, FOUR, before, before_with};

/// Timeouts that stories can reach.
const IMPATIENT: &str = "first_byte_timeout = \"200ms\"\nbetween_bytes_timeout = \"200ms\"";

/// An address at which nobody listens.
fn nobody() -> String {
    format!("http://127.0.0.1:{}", free_port())
}

#[track_caller]
fn assert_problem(answer: &Answer, status: u16, slug: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    assert_eq!(answer.json()["type"], format!("urn:problem-type:kasoku:{slug}"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), "1", "{answer:?}");
    assert!(!answer.text().contains("127.0.0.1"), "where the origin is does not leave: {answer:?}");
}

#[tokio::test]
async fn an_origin_that_is_down_is_unavailable_and_comes_back() {
    let kasoku = Start::origins(BINARY, &[nobody()]).ready();
    assert_problem(&kasoku.client().get("/").await, 503, "unavailable");

    let address = ("127.0.0.1", free_port());
    let kasoku = Start::origins(BINARY, &[format!("http://127.0.0.1:{}", address.1)]).ready();
    assert_problem(&kasoku.client().get("/").await, 503, "unavailable");
    let _origin = RecordingOrigin::on(std::net::TcpListener::bind(address).unwrap(), |exchange| {
        exchange.send(FOUR);
    });
    assert_eq!(kasoku.client().get("/").await.text(), "four", "a lone server is asked again at once");
}

#[tokio::test]
async fn a_request_goes_to_a_server_that_is_there() {
    let origins = [RecordingOrigin::always(FOUR), RecordingOrigin::always(FOUR)];
    let urls = [nobody(), origins[0].url(), origins[1].url()];
    let kasoku = Start::origins(BINARY, &urls).ready();
    for turn in 0..30 {
        let method = if turn % 2 == 0 { Method::GET } else { Method::POST };
        let answer = kasoku.client().send(method, "/", &[], "body").await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "four"), "{turn}");
    }
    let counts = origins.each_ref().map(|origin| origin.requests().len());
    assert_eq!(counts.iter().sum::<usize>(), 30);
    assert!(counts.iter().all(|count| *count >= 10), "they take turns: {counts:?}");
}

#[tokio::test]
async fn an_origin_that_says_nothing_is_given_up() {
    let origin = RecordingOrigin::new(Exchange::wait_for_close);
    let (_app, kasoku) = before_with(&origin, IMPATIENT, "");
    assert_problem(&kasoku.client().get("/").await, 504, "deadline-exceeded");
    let (_app, kasoku) = before_with(&origin, "", "deadline = \"200ms\"");
    assert_problem(&kasoku.client().get("/").await, 504, "deadline-exceeded");
    let posted = kasoku.client().send(Method::POST, "/", &[], "body").await;
    assert_problem(&posted, 504, "deadline-exceeded");
    assert_eq!(origin.requests().len(), 3, "none was sent twice");
}

#[tokio::test]
async fn an_answer_that_stops_or_breaks_off_never_looks_whole() {
    // How the answer begins, and whether the origin then hangs instead of closing.
    for (name, begun, hangs) in [
        ("short", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nfour", false),
        ("short and slow", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nfour", true),
        ("no last chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n", false),
        ("a slow last chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n", true),
        ("a bad chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\nzz\r\n", true),
        ("an open end that hangs", "HTTP/1.1 200 OK\r\n\r\nfour", true),
    ] {
        let origin = RecordingOrigin::new(move |exchange| {
            exchange.send(begun);
            if hangs {
                exchange.wait_for_close();
            }
            exchange.close();
        });
        let (_app, kasoku) = before_with(&origin, IMPATIENT, "");
        let cut = kasoku.client().try_send(Method::GET, "/", &[], "").await;
        assert!(cut.is_err(), "{name}: {cut:?}");
        let mut peer = Peer::to(kasoku.address());
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = peer.rest();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{name}: {answer}");
        assert!(answer.contains("four") && !answer.ends_with("0\r\n\r\n"), "{name}: {answer}");
    }
}

#[tokio::test]
async fn an_answer_up_to_the_end_of_the_connection_is_whole() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.send("HTTP/1.0 200 OK\r\n\r\nfour");
        exchange.close();
    });
    let kasoku = before(&origin);
    assert_eq!(kasoku.client().get("/").await.text(), "four");
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_bad_gateway() {
    let long = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(200_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x-many: 1\r\n".repeat(1_000));
    for (name, bytes) in [
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n",
        ),
        ("lengths that differ", "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nfour"),
        ("no length", "HTTP/1.1 200 OK\r\ncontent-length: four\r\n\r\nfour"),
        ("another coding", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("no HTTP", "220 mail.example ESMTP\r\n"),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-le"),
        ("a line without a name", "HTTP/1.1 200 OK\r\nno name\r\n\r\n"),
        ("nothing", ""),
        (
            "a switch that nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        ),
        ("a head that is too large", &long),
        ("too many fields", &many),
    ] {
        let bytes = bytes.to_owned();
        let origin = RecordingOrigin::new(move |exchange| {
            exchange.send(&bytes);
            exchange.close();
        });
        let kasoku = before(&origin);
        let answer = kasoku.client().get("/").await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{name}");
        assert_problem(&answer, 502, "bad-upstream");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_twice_is_not() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.body();
        exchange.close();
    });
    let kasoku = before(&origin);
    for (turn, method) in [Method::POST, Method::PATCH, Method::POST].into_iter().enumerate() {
        assert_problem(&kasoku.client().send(method, "/", &[], "body").await, 502, "bad-upstream");
        assert_eq!(origin.requests().len(), turn + 1);
    }
}

#[tokio::test]
async fn bodies_have_a_limit_whether_or_not_they_tell_their_length() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.body();
        exchange.send(FOUR);
    });
    let (_app, kasoku) = before_with(&origin, "", "body = \"8B\"");
    let client = kasoku.client();
    assert_eq!(client.send(Method::POST, "/", &[], "8 bytes.").await.text(), "four");
    let refused = client.send(Method::POST, "/", &[], "9 bytes. ").await;
    assert_eq!((refused.status, origin.requests().len()), (StatusCode::PAYLOAD_TOO_LARGE, 1));
    let mut peer = Peer::to(kasoku.address());
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfive.\r\n5\r\nfive.\r\n0\r\n\r\n");
    assert!(peer.until("\r\n\r\n").starts_with("HTTP/1.1 413 "), "the limit is met on the way");
}

#[tokio::test]
async fn a_caller_that_breaks_off_does_not_complete_a_request() {
    let origin = RecordingOrigin::new(|exchange| {
        let length = exchange.body().len();
        exchange.send(format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-length: {length}\r\n\r\n"));
    });
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n");
    drop(peer);
    while origin.requests().first().is_none_or(|request| !request.contains("four")) {
        tokio::task::yield_now().await;
    }
    let request = &origin.requests()[0];
    assert!(!request.ends_with("0\r\n\r\n"), "the last chunk is the caller's to send: {request}");
}

#[tokio::test]
async fn a_route_without_its_origin_leaves_the_others_alone() {
    let app = TempApp::new(&format!(
        "[[route]]\npath = \"/here\"\nfiles = \"static\"\n[[route]]\npath = \"/there/{{*rest}}\"\norigin = \"{}\"\n",
        nobody()
    ));
    app.write("static/a.txt", "letters");
    let kasoku = Start::serve(BINARY, app.path()).ready();
    assert_problem(&kasoku.client().get("/there/a").await, 503, "unavailable");
    assert_eq!(kasoku.client().get("/here/a.txt").await.text(), "letters");
}
