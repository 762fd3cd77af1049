//! Answers that an origin sends plain, coded here for callers that accept it, once they are stored.

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, RecordingOrigin};

use super::{before_with, field};

/// Long enough to be worth coding.
fn text() -> String {
    "{\"title\":\"plain\"},".repeat(300)
}

fn origin(more: &'static str) -> RecordingOrigin {
    RecordingOrigin::new(move |exchange| {
        let body = text();
        exchange.send(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncache-control: max-age=600{more}\r\n\r\n{body}",
            body.len()
        ));
    })
}

async fn get(client: &Client, target: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = client.get_with(target, fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer
}

#[tokio::test]
async fn what_is_stored_plain_is_given_in_the_coding_that_the_caller_accepts() {
    let origin = origin("\r\ncontent-type: application/json\r\netag: \"v1\"\r\nvary: accept-language");
    let (_app, kasoku) = before_with(&origin, "", "");
    let client = kasoku.client();
    let first = get(&client, "/a", &[("accept-encoding", "br")]).await;
    assert_eq!((first.text(), first.header("content-encoding")), (&*text(), ""), "it passes as it comes");
    assert_eq!(first.header("vary"), "accept-language, accept-encoding");
    for (accepted, coding) in
        [("br", "br"), ("zstd, gzip;q=0.5", "zstd"), ("gzip", "gzip"), ("", ""), ("deflate", "")]
    {
        let answer = get(&client, "/a", &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.header("content-encoding"), coding, "{accepted}");
        assert_eq!(answer.header("vary"), "accept-language, accept-encoding", "{accepted}");
        let tag = if coding.is_empty() { "\"v1\"".to_owned() } else { format!("\"v1-{coding}\"") };
        assert_eq!(
            answer.header("etag"),
            tag,
            "forms that differ in their bytes differ in their strong tags"
        );
        assert_eq!(answer.body.len() < text().len() / 4, !coding.is_empty(), "{accepted}");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        assert!(answer.header("cache-status").contains("; hit"), "{accepted}");
        let again = [("accept-encoding", accepted), ("if-none-match", &tag)];
        let unchanged = client.get_with("/a", &again).await;
        assert_eq!(
            (unchanged.status, unchanged.header("etag")),
            (StatusCode::NOT_MODIFIED, &*tag),
            "{accepted}"
        );
        assert!(unchanged.header("vary").contains("accept-encoding"), "{accepted}");
    }
    let part = client.get_with("/a", &[("accept-encoding", "br"), ("range", "bytes=0-9")]).await;
    assert_eq!(
        (part.status, part.text()),
        (StatusCode::PARTIAL_CONTENT, &text()[..10]),
        "parts are of the plain form"
    );
    assert_eq!((part.header("content-encoding"), part.header("etag")), ("", "\"v1\""));
    assert_eq!(origin.requests().len(), 1);
    client.send(Method::PUT, "/a", &[("if-match", "\"v1-br\", \"x\"")], "new").await;
    assert_eq!(
        field(&origin.requests()[1], "if-match"),
        "\"v1-br\", \"x\", \"v1\"",
        "the origin knows its own tag"
    );
}

#[tokio::test]
async fn what_must_stay_as_it_is_is_not_coded() {
    let json = "\r\ncontent-type: application/json";
    for (more, fields, setting) in [
        (", no-transform\r\ncontent-type: application/json", &[][..], ""),
        ("\r\ncontent-type: image/png", &[], ""),
        ("", &[], ""),
        ("\r\ncontent-type: text/plain\r\ncontent-encoding: compress", &[], ""),
        ("\r\ncontent-type: text/plain\r\ncontent-digest: sha-256=:AA==:", &[], ""),
        (json, &[("cookie", "session=1")], ""),
        (", public\r\ncontent-type: application/json", &[("authorization", "Bearer x")], ""),
        (json, &[], "compress = false"),
        (json, &[], "compress = \"1MiB\""),
    ] {
        let origin = origin(more);
        let (_app, kasoku) = before_with(&origin, "", setting);
        let client = kasoku.client();
        let fields: Vec<_> = fields.iter().copied().chain([("accept-encoding", "br, zstd, gzip")]).collect();
        for _ in 0..2 {
            let answer = get(&client, "/a", &fields).await;
            assert_eq!(answer.text(), text(), "{more} {fields:?} {setting}");
            assert!(!answer.header("vary").contains("accept-encoding"), "{more} {fields:?} {setting}");
        }
        assert_eq!(origin.requests().len(), 1, "{more} {fields:?} {setting}");
    }
    // An answer that is not stored is for who asked.
    let origin = RecordingOrigin::always(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncache-control: private\r\ncontent-type: text/plain\r\n\r\n{}",
        text().len(),
        text()
    ));
    let (_app, kasoku) = before_with(&origin, "", "");
    for _ in 0..2 {
        let answer = get(&kasoku.client(), "/a", &[("accept-encoding", "br")]).await;
        assert_eq!((answer.text(), answer.header("vary")), (&*text(), ""));
    }
}
