//! First use: the catalogue as a newcomer meets it.

use http::{Method, StatusCode};
use kasoku_testkit::{Start, TempApp};
use serde_json::json;

#[tokio::test]
async fn the_catalogue_fills_itself_and_serves_items_statistics_and_a_page() {
    let app = TempApp::copy_of("catalog");
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path())
        .env("KASOKU_DATABASE_SEED_ROWS", "5000")
        .ready();
    let client = kasoku.client();

    let page = client.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    for asset in ["/catalog.js", "/catalog.css", "/icon.svg"] {
        assert_eq!(client.get(asset).await.status, StatusCode::OK, "{asset}");
    }

    let first = client.get("/v1/items").await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 20);
    assert_eq!(first["items"][0]["id"], 5_000, "newest first");
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second = client.get(&format!("/v1/items?cursor={cursor}")).await.json();
    assert_eq!(second["items"][0]["id"], 4_980);

    let item = client.get("/v1/items/1").await.json();
    assert_eq!(item["title"], "Folding bamboo watering can", "the same rows on every machine");
    let cheap = client.get("/v1/items?category=garden&price=lte.20&order=price").await;
    assert_eq!(cheap.status, StatusCode::OK, "{cheap:?}");

    let counted = |stats: serde_json::Value| -> i64 {
        stats.as_array().unwrap().iter().map(|row| row["items"].as_i64().unwrap()).sum()
    };
    assert_eq!(counted(client.get("/v1/stats/categories").await.json()), 5_000);
    let created = client
        .json(Method::POST, "/v1/items", &json!({"title": "New", "category": "books", "price": 1}))
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!(counted(client.get("/v1/stats/categories").await.json()), 5_001);
    assert_eq!(client.get("/v1/items?limit=1").await.json()["items"][0]["title"], "New");
}

#[tokio::test]
async fn what_the_caller_has_already_comes_before_which_part_it_wants() {
    let app = TempApp::copy_of("catalog");
    let kasoku =
        Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).env("KASOKU_DATABASE_SEED_ROWS", "10").ready();
    let client = kasoku.client();
    let whole = client.get("/catalog.js").await;
    let (tag, length) = (whole.header("etag"), whole.body.len().to_string());
    for (fields, expected) in [
        (&[("range", "bytes=0-9")][..], 206),
        (&[("range", "bytes=0-9"), ("if-range", tag)], 206),
        (&[("range", "bytes=0-9"), ("if-range", "\"other\"")], 200),
        (&[("range", "bytes=0-9"), ("if-none-match", tag)], 304),
        (&[("range", "bytes=9999999-")], 416),
        (&[("range", "bytes=9999999-"), ("if-none-match", tag)], 304),
        (&[("range", "bytes=9999999-"), ("if-none-match", "\"other\"")], 416),
        (&[("range", "bytes=9999999-"), ("if-match", "\"other\"")], 412),
    ] {
        let answer = client.get_with("/catalog.js", fields).await;
        assert_eq!(answer.status.as_u16(), expected, "{fields:?} {answer:?}");
        if expected == 304 {
            assert_eq!(answer.header("etag"), tag, "{fields:?}");
            assert_eq!(answer.header("cache-control"), whole.header("cache-control"), "{fields:?}");
        }
    }
    for range in ["bytes=0-9", "bytes=9999999-"] {
        let head = client.send(Method::HEAD, "/catalog.js", &[("range", range)], "").await;
        assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, &*length), "{head:?}");
    }
}
