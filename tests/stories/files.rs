//! A folder, served: its files and nothing else.

use http::{Method, StatusCode};
use kasoku_testkit::{Client, Kasoku, Peer, Start, TempApp};

const KASOKU_TOML: &str = r#"
[[route]]
path = "/site/{*rest}"
files = { folder = "public", index = "index.html", max_age = "1h" }

[[route]]
path = "/app/{*rest}"
files = { folder = "public", index = "index.html", fallback = "index.html" }
"#;

const PAGE: &str = "<!doctype html><title>Page</title>";

fn start() -> (TempApp, Kasoku) {
    let script = "const line = 'the same line again and again';\n".repeat(200);
    let app = TempApp::new(KASOKU_TOML)
        .file("secret.txt", "secret")
        .file("public/index.html", PAGE)
        .file("public/docs/index.html", "docs")
        .file("public/docs/a b.txt", "spaced")
        .file("public/digits.bin", "0123456789")
        .file("public/large.bin", vec![b'l'; 3 << 20])
        .file("public/.hidden", "secret")
        .file("public/.git/config", "secret")
        .file("public/script.js", &script)
        .file("public/script.js.br", "brotli form")
        .file("public/script.js.gz", "gzip form")
        .file("public/script.js.zst", "zstd form");
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    (app, kasoku)
}

#[tokio::test]
async fn files_are_served_with_their_types_and_validators() {
    let (app, kasoku) = start();
    let client = kasoku.client();
    for (target, media_type, start) in [
        ("/site/", "text/html; charset=utf-8", PAGE),
        ("/site/index.html", "text/html; charset=utf-8", PAGE),
        ("/site/docs/", "text/html; charset=utf-8", "docs"),
        ("/site/docs/a%20b.txt", "text/plain; charset=utf-8", "spaced"),
        ("/site/script.js", "text/javascript; charset=utf-8", "const line"),
        ("/site/digits.bin", "application/octet-stream", "0123456789"),
    ] {
        let answer = client.get(target).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, media_type), "{target}");
        assert!(answer.text().starts_with(start), "{target}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), "public, max-age=3600", "{target}");
        let (tag, modified) = (answer.header("etag"), answer.header("last-modified"));
        let head = client.send(Method::HEAD, target, &[], "").await;
        assert_eq!((head.status, head.body.len(), head.header("etag")), (StatusCode::OK, 0, tag), "{target}");
        assert_eq!(head.header("content-length"), answer.body.len().to_string(), "{target}");
        for condition in [("if-none-match", tag), ("if-none-match", "*"), ("if-modified-since", modified)] {
            let same = client.get_with(target, &[condition]).await;
            assert_eq!(
                (same.status, same.body.len()),
                (StatusCode::NOT_MODIFIED, 0),
                "{target}: {condition:?}"
            );
            assert_eq!(same.header("etag"), tag, "{target}");
        }
        let other = client.get_with(target, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status, StatusCode::OK, "{target}");
        let failed = client.get_with(target, &[("if-match", "\"other\"")]).await;
        assert_eq!(failed.status, StatusCode::PRECONDITION_FAILED, "{target}");
    }
    let before = client.get("/site/index.html").await.header("etag").to_owned();
    app.write("public/index.html", "<!doctype html><title>Another</title>");
    let after = client.get_with("/site/index.html", &[("if-none-match", &before)]).await;
    assert_eq!((after.status, after.text().contains("Another")), (StatusCode::OK, true), "{after:?}");
    let written = client.send(Method::POST, "/site/index.html", &[], "x").await;
    assert_eq!(written.status, StatusCode::METHOD_NOT_ALLOWED, "{written:?}");
    assert!(written.header("allow").contains("GET"), "{written:?}");
}

#[tokio::test]
async fn parts_are_sent_as_they_are_asked_for() {
    let (_app, kasoku) = start();
    let client = kasoku.client();
    let tag = client.get("/site/digits.bin").await.header("etag").to_owned();
    for (range, status, part, body) in [
        ("bytes=0-0", 206, "bytes 0-0/10", "0"),
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=-3", 206, "bytes 7-9/10", "789"),
        ("bytes=-99", 206, "bytes 0-9/10", "0123456789"),
        ("bytes=5-99", 206, "bytes 5-9/10", "56789"),
        ("bytes=10-", 416, "bytes */10", ""),
        ("bytes=-0", 416, "bytes */10", ""),
        ("bytes=4-2", 200, "", "0123456789"),
        ("bytes=a-b", 200, "", "0123456789"),
        ("lines=1-2", 200, "", "0123456789"),
    ] {
        let answer = client.get_with("/site/digits.bin", &[("range", range)]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-range")),
            (status, part),
            "{range}: {answer:?}"
        );
        assert!(status == 416 || answer.text() == body, "{range}: {answer:?}");
        let stale = client.get_with("/site/digits.bin", &[("range", range), ("if-range", "\"other\"")]).await;
        assert_eq!((stale.status.as_u16(), stale.text()), (200, "0123456789"), "{range} of another version");
        let current = client.get_with("/site/digits.bin", &[("range", range), ("if-range", &tag)]).await;
        assert_eq!(current.status.as_u16(), status, "{range} of this version");
    }
    let middle = client.get_with("/site/large.bin", &[("range", "bytes=1048576-2097151")]).await;
    assert_eq!((middle.status, middle.body.len()), (StatusCode::PARTIAL_CONTENT, 1 << 20));
    assert_eq!(client.get("/site/large.bin").await.body.len(), 3 << 20);
}

#[tokio::test]
async fn a_form_that_lies_beside_a_file_is_sent_to_who_can_read_it() {
    let (_app, kasoku) = start();
    let client = kasoku.client();
    let mut tags = Vec::new();
    for (accepts, coding, body) in [
        ("br", "br", "brotli form"),
        ("gzip", "gzip", "gzip form"),
        ("zstd", "zstd", "zstd form"),
        ("gzip;q=0.5, br;q=0.1", "gzip", "gzip form"),
        ("br;q=0, gzip", "gzip", "gzip form"),
        ("identity", "", "const line"),
        ("", "", "const line"),
    ] {
        let answer = client.get_with("/site/script.js", &[("accept-encoding", accepts)]).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (StatusCode::OK, coding), "{accepts}");
        assert!(answer.text().starts_with(body), "{accepts}: {answer:?}");
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8", "{accepts}");
        assert!(
            answer.header("vary").to_ascii_lowercase().contains("accept-encoding"),
            "{accepts}: {answer:?}"
        );
        tags.push((coding, answer.header("etag").to_owned()));
    }
    for (coding, tag) in &tags {
        let shared = tags.iter().filter(|(other, same)| other != coding && same == tag).count();
        assert_eq!(shared, 0, "forms that differ have tags that differ: {tags:?}");
    }
}

#[tokio::test]
async fn nothing_outside_the_folder_is_reached() {
    let (app, kasoku) = start();
    std::os::unix::fs::symlink(app.join("secret.txt"), app.join("public/link.txt")).unwrap();
    std::os::unix::fs::symlink(app.path(), app.join("public/up")).unwrap();
    for target in [
        "/site/../secret.txt",
        "/site/docs/../../secret.txt",
        "/site/%2e%2e/secret.txt",
        "/site/%2E%2E%2Fsecret.txt",
        "/site/..%2fsecret.txt",
        "/site/..%5csecret.txt",
        "/site/%252e%252e/secret.txt",
        "/site/%c0%ae%c0%ae/secret.txt",
        "/site/....//secret.txt",
        "/site//secret.txt",
        "/site/./secret.txt",
        "/site/docs/..;/..;/secret.txt",
        "/site/digits.bin%00.html",
        "/site/digits.bin/../../secret.txt",
        "/site/.hidden",
        "/site/%2ehidden",
        "/site/.git/config",
        "/site/link.txt",
        "/site/up/secret.txt",
        "/site/up/kasoku.toml",
        "/site//etc/passwd",
        "/site/%2fetc%2fpasswd",
        "/site/file:///etc/passwd",
        "/app/../secret.txt",
        "/app/%2e%2e/secret.txt",
        "/app/up/secret.txt",
    ] {
        // As it is written, which no client with a URL parser would send.
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = Peer::to(kasoku.address()).send(request).rest();
        let leaks = ["\r\n\r\nsecret", "root:", "[[route]]"].iter().any(|text| answer.contains(text));
        assert!(!leaks, "{target}: {answer}");
        let is_page = target.starts_with("/app/") && answer.ends_with(PAGE);
        assert!(is_page || !answer.starts_with("HTTP/1.1 2"), "{target}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 "), "{target} is answered: {answer}");
    }
    well(&kasoku.client()).await;
}

#[tokio::test]
async fn what_is_not_there_is_a_page_only_where_that_was_asked_for() {
    let (_app, kasoku) = start();
    let client = kasoku.client();
    assert_eq!(client.get("/site/nothing").await.status, StatusCode::NOT_FOUND);
    let page = client.get("/app/some/view").await;
    assert_eq!((page.status, page.text()), (StatusCode::OK, PAGE));
    assert_eq!(client.get("/app/missing.js").await.status, StatusCode::NOT_FOUND, "a script is not a page");
    let folder = client.get("/site/docs").await;
    assert!(folder.status.is_redirection() && folder.header("location").ends_with("/docs/"), "{folder:?}");
    well(&client).await;
}

async fn well(client: &Client) {
    assert_eq!(client.get("/site/digits.bin").await.text(), "0123456789");
}
