//! HTTP/2 and TLS between the binary and its origin, which here is the binary again.

use http::{Method, StatusCode, Version};
use kasoku_testkit::{Client, Identity, Kasoku, Start, TempApp};

use super::{BINARY, started};

/// A folder behind the binary, with or without TLS.
fn inner(tls: Option<&Identity>) -> (TempApp, Kasoku) {
    let section = if tls.is_some() {
        "[server]\ntls = { certificate = \"cert.pem\", key = \"key.pem\" }\n"
    } else {
        ""
    };
    let text = format!("{section}[[route]]\npath = \"/\"\nfiles = \"static\"\n");
    let app =
        TempApp::new(&text).file("static/a.txt", "letters").file("static/long.txt", "x".repeat(5 << 20));
    if let Some(identity) = tls {
        identity.write(app.path());
    }
    let kasoku = Start::serve(BINARY, app.path()).ready();
    (app, kasoku)
}

/// Asks many things at once.
async fn check(kasoku: &Kasoku, version: Version, inner_version: &str) {
    let client = if version == Version::HTTP_2 { Client::http2(kasoku.address()) } else { kasoku.client() };
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/a.txt").await })
        })
        .collect();
    for answer in asked {
        let answer = answer.await.unwrap();
        assert_eq!((answer.version, answer.status, answer.text()), (version, StatusCode::OK, "letters"));
        assert_eq!(answer.header("via"), format!("{inner_version} kasoku"));
    }
    assert_eq!(client.get("/long.txt").await.body.len(), 5 << 20);
    let head = client.send(Method::HEAD, "/long.txt", &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    let etag = client.get("/a.txt").await.header("etag").to_owned();
    let same = client.get_with("/a.txt", &[("if-none-match", &etag)]).await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    let refused = client.send(Method::POST, "/a.txt", &[], vec![b'x'; 1 << 20]).await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{refused:?}");
}

#[tokio::test]
async fn http2_is_spoken_in_clear_text_if_it_is_said() {
    let (_app, inner) = inner(None);
    let route = |more: &str| {
        format!(
            "[[route]]\npath = \"/{{*rest}}\"\norigin = {{ servers = [\"http://{}\"]{more} }}\n",
            inner.address()
        )
    };
    let (_app, kasoku) = started(&route(", protocol = \"h2c\", connections = 1"));
    check(&kasoku, Version::HTTP_11, "2").await;
    check(&kasoku, Version::HTTP_2, "2").await;
    let (_app, kasoku) = started(&route(""));
    check(&kasoku, Version::HTTP_2, "1.1").await;
}

#[tokio::test]
async fn tls_is_spoken_with_those_who_are_trusted() {
    let identity = Identity::new();
    let (_inner_app, inner) = inner(Some(&identity));
    let server = format!("https://localhost:{}", inner.address().port());
    let route = |more: &str| {
        format!("[[route]]\npath = \"/{{*rest}}\"\norigin = {{ servers = [\"{server}\"]{more} }}\n")
    };
    let app = TempApp::new(&route(", ca = \"cert.pem\""));
    identity.write(app.path());
    let kasoku = Start::serve(BINARY, app.path()).ready();
    check(&kasoku, Version::HTTP_11, "2").await;
    let app = TempApp::new(&route(", ca = \"cert.pem\", protocol = \"http1\""));
    identity.write(app.path());
    let kasoku = Start::serve(BINARY, app.path()).ready();
    check(&kasoku, Version::HTTP_11, "1.1").await;

    let (_app, kasoku) = started(&route(""));
    let answer = kasoku.client().get("/a.txt").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "nobody vouches for it: {answer:?}");
}
