//! What an origin is told, and what its answers become.

use http::{Method, StatusCode};
use kasoku_testkit::{Peer, RecordingOrigin};

use super::{FOUR, before, before_with, field, started};

#[tokio::test]
async fn a_request_arrives_as_it_was_asked_and_says_whom_it_came_by() {
    let origin = RecordingOrigin::always(FOUR);
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    peer.send(
        "GET /a%2Fb/%7e/%ff//c?x=%20&y=a+b HTTP/1.1\r\nHost: shop.example:81\r\nAccept: text/plain\r\n\r\n",
    );
    assert!(peer.until("four").starts_with("HTTP/1.1 200 OK\r\n"));
    let [request] = &*origin.requests() else { panic!("one request") };
    assert!(request.starts_with("GET /a%2Fb/%7e/%ff//c?x=%20&y=a+b HTTP/1.1\r\n"), "{request}");
    for (name, value) in [
        ("host", "shop.example:81"),
        ("accept", "text/plain"),
        ("via", "1.1 kasoku"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "shop.example:81"),
        ("forwarded", "for=127.0.0.1;host=\"shop.example:81\";proto=http"),
        ("content-length", ""),
        ("transfer-encoding", ""),
        ("connection", ""),
    ] {
        assert_eq!(field(request, name), value, "{name} in {request}");
    }
    assert_eq!(field(request, "x-request-id").len(), 32);
}

#[tokio::test]
async fn what_is_for_one_connection_stays_on_it() {
    let origin = RecordingOrigin::always(
        "HTTP/1.1 200 OK\r\nconnection: x-hop, keep-alive\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n\
         proxy-authenticate: Basic\r\nupgrade: h2c\r\nvia: 1.0 inner\r\nx-end: 2\r\ncontent-length: 4\r\n\r\nfour",
    );
    let kasoku = before(&origin);
    let sent = [
        ("connection", "x-private, Host"),
        ("x-private", "1"),
        ("te", "gzip"),
        ("proxy-authorization", "Basic eA=="),
        ("proxy-connection", "keep-alive"),
        ("upgrade", "h2c"),
        ("x-public", "2"),
    ];
    let answer = kasoku.client().get_with("/", &sent).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "four"));
    assert_eq!((answer.header("x-end"), answer.header("via")), ("2", "1.0 inner, 1.1 kasoku"));
    for name in ["x-hop", "keep-alive", "proxy-authenticate", "upgrade"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
    let request = &origin.requests()[0];
    assert_eq!((field(request, "x-public"), field(request, "host")), ("2", &*kasoku.address().to_string()));
    for name in ["x-private", "te", "proxy-authorization", "proxy-connection", "upgrade", "connection"] {
        assert_eq!(field(request, name), "", "{name} in {request}");
    }
}

const STEERED: [(&str, &str); 9] = [
    ("x-forwarded-for", "203.0.113.9"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "evil.example"),
    ("forwarded", "for=203.0.113.9"),
    ("x-real-ip", "203.0.113.9"),
    ("x-original-url", "/admin"),
    ("x-rewrite-url", "/admin"),
    ("x-http-method-override", "DELETE"),
    ("x-forwarded-prefix", "/admin"),
];

#[tokio::test]
async fn strangers_cannot_steer_and_trusted_proxies_can() {
    let origin = RecordingOrigin::always(FOUR);
    let kasoku = before(&origin);
    kasoku.client().get_with("/", &STEERED).await;
    let (_app, kasoku) = before_with(&origin, "trusted_proxies = [\"127.0.0.0/8\"]", "");
    kasoku.client().get_with("/", &STEERED).await;
    let [stranger, trusted] = &*origin.requests() else { panic!("two requests") };
    assert!(!stranger.contains("203.0.113.9") && !stranger.contains("admin") && !stranger.contains("evil"));
    assert!(!stranger.contains("DELETE"), "{stranger}");
    assert_eq!(field(stranger, "x-forwarded-for"), "127.0.0.1");
    assert_eq!(field(trusted, "x-forwarded-for"), "203.0.113.9, 127.0.0.1");
    assert!(field(trusted, "forwarded").starts_with("for=203.0.113.9, for=127.0.0.1;"), "{trusted}");
    for (name, value) in &STEERED[1..3] {
        assert_eq!(field(trusted, name), *value, "{trusted}");
    }
    for (name, value) in &STEERED[4..] {
        assert_eq!(field(trusted, name), *value, "{trusted}");
    }
}

#[tokio::test]
async fn an_origin_can_be_told_its_own_host_and_paths_without_a_prefix() {
    let origin = RecordingOrigin::always(FOUR);
    let (_app, kasoku) = started(&format!(
        "[[route]]\npath = \"/old/{{*rest}}\"\nstrip = \"/old\"\n\
         origin = {{ servers = [\"{}\"], host = \"origin\" }}\n",
        origin.url()
    ));
    for target in ["/old/", "/old/a%2F?b=/old", "/old/old/"] {
        assert_eq!(kasoku.client().get(target).await.text(), "four", "{target}");
    }
    assert_eq!(kasoku.client().get("/new").await.status, StatusCode::NOT_FOUND);
    for outside in ["/old/../admin", "/old/%2e%2e/admin", "/old/..%2Fadmin"] {
        let mut peer = Peer::to(kasoku.address());
        peer.send(format!("GET {outside} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let answer = peer.until("\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{outside}: {answer}");
    }
    let requests = origin.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.lines().next().unwrap()).collect();
    assert_eq!(lines, ["GET / HTTP/1.1", "GET /a%2F?b=/old HTTP/1.1", "GET /old/ HTTP/1.1"]);
    assert_eq!(field(&requests[0], "host"), origin.address().to_string());
    assert_eq!(field(&requests[0], "x-forwarded-host"), kasoku.address().to_string());
}

#[tokio::test]
async fn all_methods_arrive_and_all_statuses_come_back() {
    let origin = RecordingOrigin::new(|exchange| {
        let status = exchange.target().trim_start_matches('/').to_owned();
        let head = format!(
            "HTTP/1.1 {status} Whatever\r\nlocation: /elsewhere\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"
        );
        exchange.send(match status.as_str() {
            "204" | "304" => format!("{head}etag: \"x\"\r\n\r\n"),
            _ => format!("{head}content-length: 4\r\n\r\nfour"),
        });
    });
    let kasoku = before(&origin);
    for (method, status) in [
        (Method::GET, 200),
        (Method::GET, 302),
        (Method::GET, 404),
        (Method::POST, 201),
        (Method::PUT, 204),
        (Method::PATCH, 409),
        (Method::DELETE, 204),
        (Method::OPTIONS, 200),
        (Method::GET, 304),
        (Method::GET, 503),
        (Method::GET, 599),
        ("PROPFIND".parse().unwrap(), 207),
        ("PURGE".parse().unwrap(), 200),
    ] {
        let answer = kasoku.client().send(method.clone(), &format!("/{status}"), &[], "").await;
        assert_eq!(answer.status.as_u16(), status, "{method}");
        let expected = if [204, 304].contains(&status) { "" } else { "four" };
        assert_eq!((answer.text(), answer.header("location")), (expected, "/elsewhere"), "{method} {status}");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2, "each keeps its line");
        let last = origin.requests().pop().unwrap();
        assert!(last.starts_with(&format!("{method} /{status} HTTP/1.1\r\n")), "{last}");
    }
}

#[tokio::test]
async fn a_head_tells_the_length_and_sends_nothing() {
    let origin = RecordingOrigin::new(|exchange| {
        exchange.send(match exchange.target() {
            "/known" => "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n",
            _ => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        });
    });
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    for (target, length) in [("/known", "1234"), ("/unknown", ""), ("/known", "1234")] {
        peer.send(format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let head = peer.until("\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(field(&head, "content-length"), length, "{target}: {head}");
    }
    assert!(origin.requests().iter().all(|request| request.starts_with("HEAD ")));
}

#[tokio::test]
async fn conditions_and_ranges_are_the_origins_to_judge() {
    let origin = RecordingOrigin::scripted([
        "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\ncontent-length: 99\r\n\r\n",
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 1-2/4\r\ncontent-length: 2\r\n\r\nou",
    ]);
    let kasoku = before(&origin);
    let mut peer = Peer::to(kasoku.address());
    peer.send("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\"\r\n\r\n");
    assert!(peer.until("\r\n\r\n").starts_with("HTTP/1.1 304 Not Modified\r\n"));
    peer.send("GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\n\r\n");
    let answer = peer.until("\r\n\r\nou");
    assert!(answer.starts_with("HTTP/1.1 206 Partial Content\r\n"), "a 304 has no content: {answer}");
    let requests = origin.requests();
    assert_eq!(field(&requests[0], "if-none-match"), "\"a\"");
    assert_eq!(field(&requests[1], "range"), "bytes=1-2");
}

#[tokio::test]
async fn an_options_goes_as_far_as_it_may() {
    let origin = RecordingOrigin::always(FOUR);
    let kasoku = before(&origin);
    let ask = async |forwards: &str| {
        kasoku.client().send(Method::OPTIONS, "/", &[("max-forwards", forwards)], "").await
    };
    let here = ask("0").await;
    assert_eq!((here.status, here.header("allow").is_empty()), (StatusCode::NO_CONTENT, false));
    assert!(origin.requests().is_empty());
    assert_eq!(ask("7").await.text(), "four");
    assert_eq!(field(&origin.requests()[0], "max-forwards"), "6");
}

#[tokio::test]
async fn requests_do_not_go_in_circles() {
    let origin = RecordingOrigin::always(FOUR);
    let kasoku = before(&origin);
    let passed = ["1.1 kasoku"; 8].join(", ");
    let answer = kasoku.client().get_with("/", &[("via", &passed)]).await;
    assert_eq!(answer.status, StatusCode::LOOP_DETECTED);
    assert!(origin.requests().is_empty());
}
