//! HTTP/1.1 and HTTP/2, with and without TLS: one product behind all of them.

use http::{Method, StatusCode, Version};
use kasoku_testkit::{Client, Identity, Kasoku, TempApp};
use serde_json::json;

use crate::shop;

/// The app behind TLS, with this certificate.
fn secure_app(identity: &Identity) -> TempApp {
    let tls = "[server]\ntls = { certificate = \"cert.pem\", key = \"key.pem\" }\n";
    let app = TempApp::new(&format!("{tls}{}", shop::KASOKU_TOML)).file("schema/001-shop.sql", shop::SCHEMA);
    identity.write(app.path());
    app
}

/// Writes, reads, finds in the cache, and is told of a problem, by one protocol.
async fn check(client: &Client, version: Version, name: &str) {
    let created = client.json(Method::POST, "/things", &json!({"name": name})).await;
    assert_eq!((created.version, created.status), (version, StatusCode::CREATED), "{name}: {created:?}");
    let place = created.header("location").to_owned();
    let miss = client.get(&place).await;
    let hit = client.get(&place).await;
    assert_eq!((miss.cache(), hit.cache()), ("MISS", "HIT"), "{name}");
    assert_eq!(hit.json()["name"], name);
    let tag = hit.header("etag").to_owned();
    let same = client.get_with(&place, &[("if-none-match", &tag)]).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0), "{name}");
    let head = client.send(Method::HEAD, &place, &[], "").await;
    assert_eq!(head.header("content-length"), hit.body.len().to_string(), "{name}");
    let wrong = client.get("/things?colour=eq.red").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{name}: {wrong:?}");
    assert_eq!(wrong.header("content-type"), "application/problem+json", "{name}");
    // Many at a time, on one connection where the protocol allows it.
    let many = (0..200).map(|_| {
        tokio::spawn({
            let (client, place) = (client.clone(), place.clone());
            async move { client.get(&place).await }
        })
    });
    for answer in many.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        assert_eq!((answer.version, answer.status), (version, StatusCode::OK), "{name}");
        assert_eq!(answer.json()["name"], name);
    }
    // A body of a mebibyte in many frames.
    let long = "x".repeat(1 << 20);
    let put = client.json(Method::PATCH, &place, &json!({"note": long})).await;
    assert_eq!(put.status, StatusCode::OK, "{name}: {}", put.status);
    assert_eq!(client.get(&place).await.json()["note"], long.as_str(), "{name}");
}

#[tokio::test]
async fn clear_text_is_spoken_in_both_versions() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    check(&kasoku.client(), Version::HTTP_11, "one").await;
    check(&Client::http2(kasoku.address()), Version::HTTP_2, "two").await;
}

#[tokio::test]
async fn tls_is_spoken_in_the_version_that_is_agreed_on() {
    let identity = Identity::new();
    let app = secure_app(&identity);
    let kasoku = shop::open(&app);
    let client = |protocols: &[&str]| Client::secure(kasoku.address(), &identity, protocols);
    for (protocols, version) in [
        (["h2", "http/1.1"].as_slice(), Version::HTTP_2),
        (&["http/1.1", "h2"], Version::HTTP_2),
        (&["h2"], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        check(&client(protocols), version, &format!("{protocols:?}")).await;
    }
    let stranger = Client::secure(kasoku.address(), &Identity::new(), &["h2"]);
    assert!(
        stranger.try_send(Method::GET, "/things", &[], "").await.is_err(),
        "another certificate is not trusted"
    );
    let plain = kasoku.client().try_send(Method::GET, "/things", &[], "").await;
    assert!(plain.is_err(), "clear text is not spoken where TLS is: {plain:?}");
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
    let first = Identity::new();
    let app = secure_app(&first);
    let kasoku = shop::open(&app);
    let lasting = Client::secure(kasoku.address(), &first, &["h2"]);
    assert_eq!(lasting.get("/kinds").await.status, StatusCode::OK);

    let second = Identity::new();
    second.write(app.path());
    until_trusted(&kasoku, &second).await;
    assert!(!is_trusted(&kasoku, &first).await, "the old one is not shown any more");
    assert_eq!(lasting.get("/kinds").await.status, StatusCode::OK, "connections that are open go on");

    app.write("cert.pem", "no certificate at all");
    until_logged(&kasoku, "certificate").await;
    assert!(is_trusted(&kasoku, &second).await, "what cannot be used changes nothing");
}

async fn is_trusted(kasoku: &Kasoku, identity: &Identity) -> bool {
    // A client of its own makes a connection of its own.
    let client = Client::secure(kasoku.address(), identity, &["h2"]);
    client.try_send(Method::GET, "/kinds", &[], "").await.is_ok()
}

async fn until_trusted(kasoku: &Kasoku, identity: &Identity) {
    for _ in 0..1_200 {
        if is_trusted(kasoku, identity).await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the new certificate is not shown:\n{}", kasoku.log());
}

/// Waits for a failure that names this.
async fn until_logged(kasoku: &Kasoku, word: &str) {
    for _ in 0..1_200 {
        if kasoku.log().lines().any(|line| line.contains("\"ERROR\"") && line.contains(word)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("nothing is said about the {word}:\n{}", kasoku.log());
}
