//! Inserts, updates, upserts, deletes, and what their answers promise.

use http::{Method, StatusCode};
use kasoku_testkit::Client;
use serde_json::{Value, json};

use crate::shop;

async fn insert(client: &Client, rows: Value) -> kasoku_testkit::Answer {
    client.json(Method::POST, "/things", &rows).await
}

#[tokio::test]
async fn one_row_is_inserted_and_read_back() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let row = json!({"name": "lamp", "price": 12.5, "live": false, "extra": {"watts": [40, 60]}, "picture": "AP8="});
    let created = insert(&client, row).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!(created.header("location"), "/things/1");
    let expected = json!({
        "id": 1, "name": "lamp", "kind": "plain", "price": 12.5, "live": false,
        "extra": {"watts": [40, 60]}, "picture": "AP8=", "note": null, "version": 0
    });
    assert_eq!(created.json(), expected);
    assert_eq!(client.get("/things/1").await.json(), expected);
    assert_eq!(client.get("/things").await.json(), json!([expected]));
}

#[tokio::test]
async fn many_rows_are_inserted_together_or_not_at_all() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let created = insert(&client, json!([{"name": "a", "price": 1}, {"name": "b"}, {"name": "c", "kind": "odd"}])).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!(created.json().as_array().unwrap().len(), 3);
    let refused = insert(&client, json!([{"name": "d"}, {"name": "a"}])).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
    assert_eq!(client.get("/things").await.json().as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_preference_for_less_is_honoured() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let headers = [("content-type", "application/json"), ("prefer", "return=minimal")];
    let created = client.send(Method::POST, "/things", &headers, r#"{"name": "a"}"#).await;
    assert_eq!((created.status, created.body.len()), (StatusCode::CREATED, 0), "{created:?}");
    assert_eq!(created.header("preference-applied"), "return=minimal");
    let updated = client.send(Method::PATCH, "/things/1", &headers, r#"{"note": "x"}"#).await;
    assert_eq!((updated.status, updated.body.len()), (StatusCode::NO_CONTENT, 0), "{updated:?}");
}

#[tokio::test]
async fn rows_are_updated_by_key_and_by_filter() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    insert(&client, json!([{"name": "a", "kind": "x"}, {"name": "b", "kind": "x"}, {"name": "c", "kind": "y"}])).await;
    let one = client.json(Method::PATCH, "/things/1", &json!({"price": 3})).await;
    assert_eq!((one.status, one.json()["price"].as_f64()), (StatusCode::OK, Some(3.0)));
    let many = client.json(Method::PATCH, "/things?kind=eq.x", &json!({"note": "seen"})).await;
    assert_eq!((many.status, many.json().as_array().unwrap().len()), (StatusCode::OK, 2), "{many:?}");
    let none = client.json(Method::PATCH, "/things/99", &json!({"note": "seen"})).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let all = client.json(Method::PATCH, "/things", &json!({"note": "seen"})).await;
    assert_eq!(all.status, StatusCode::BAD_REQUEST, "an update of everything must be asked for: {all:?}");
}

#[tokio::test]
async fn at_most_as_many_rows_are_affected_as_the_caller_allows() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    insert(&client, json!([{"name": "a"}, {"name": "b"}, {"name": "c"}])).await;
    let headers = [("prefer", "handling=strict, max-affected=2")];
    let refused = client.send(Method::DELETE, "/things?kind=eq.plain", &headers, "").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    assert_eq!(client.get("/things").await.json().as_array().unwrap().len(), 3, "nothing was deleted");
    let allowed = client.send(Method::DELETE, "/things?id=lte.2", &headers, "").await;
    assert_eq!(allowed.status, StatusCode::NO_CONTENT, "{allowed:?}");
    assert_eq!(client.get("/things").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_row_is_put_whether_it_exists_or_not() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    for price in [1, 2] {
        let put = client.json(Method::PUT, "/things/7", &json!({"name": "seven", "price": price})).await;
        assert!(put.status.is_success(), "{put:?}");
        assert_eq!(client.get("/things/7").await.json()["price"].as_f64(), Some(f64::from(price)));
    }
    let other = client.json(Method::PUT, "/things/7", &json!({"id": 8, "name": "seven"})).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "the key of path and body differ: {other:?}");
    let headers = [("content-type", "application/json"), ("prefer", "resolution=merge-duplicates")];
    let merged = client.send(Method::POST, "/things", &headers, r#"[{"id": 7, "name": "seven", "price": 9}]"#).await;
    assert!(merged.status.is_success(), "{merged:?}");
    assert_eq!(client.get("/things/7").await.json()["price"].as_f64(), Some(9.0));
}

#[tokio::test]
async fn deleted_rows_are_gone_and_soft_deleted_ones_hidden() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    insert(&client, json!({"name": "a"})).await;
    for body in ["one", "two"] {
        client.json(Method::POST, "/letters", &json!({"thing": 1, "body": body})).await;
    }
    assert_eq!(client.get("/letters").await.json()["letters"].as_array().unwrap().len(), 2);
    assert_eq!(client.send(Method::DELETE, "/letters/1", &[], "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(client.get("/letters").await.json()["letters"].as_array().unwrap().len(), 1);
    assert_eq!(client.get("/letters/1").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.send(Method::DELETE, "/letters/1", &[], "").await.status, StatusCode::NOT_FOUND);
    // A cascade is a change like any other: the cached list of letters knows of it.
    assert_eq!(client.get("/letters").await.cache(), "HIT");
    assert_eq!(client.send(Method::DELETE, "/things/1", &[], "").await.status, StatusCode::NO_CONTENT);
    let letters = client.get("/letters").await;
    assert_eq!((letters.cache(), letters.json()), ("MISS", json!({"letters": [], "next_cursor": null})));
}

#[tokio::test]
async fn a_repeated_idempotent_request_gets_the_first_answer() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let headers = [("content-type", "application/json"), ("idempotency-key", "\"order-1\"")];
    let first = client.send(Method::POST, "/things", &headers, r#"{"name": "a"}"#).await;
    let again = client.send(Method::POST, "/things", &headers, r#"{"name": "a"}"#).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    assert_eq!((again.status, &again.body), (first.status, &first.body), "{again:?}");
    assert_eq!(again.header("location"), first.header("location"));
    let other = client.send(Method::POST, "/things", &headers, r#"{"name": "b"}"#).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{other:?}");
    assert_eq!(client.get("/things").await.json().as_array().unwrap().len(), 1);
    // It outlives the process: the key is stored in the transaction of the write.
    kasoku.kill();
    let kasoku = shop::open(&app);
    let again = kasoku.client().send(Method::POST, "/things", &headers, r#"{"name": "a"}"#).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body), "{again:?}");
}

#[tokio::test]
async fn a_write_holds_only_if_the_row_is_still_what_the_caller_saw() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    insert(&client, json!({"name": "a"})).await;
    let seen = client.get("/things/1").await.header("etag").to_owned();
    let headers = [("content-type", "application/json"), ("if-match", seen.as_str())];
    let first = client.send(Method::PATCH, "/things/1", &headers, r#"{"price": 1}"#).await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    let second = client.send(Method::PATCH, "/things/1", &headers, r#"{"price": 2}"#).await;
    assert_eq!(second.status, StatusCode::PRECONDITION_FAILED, "{second:?}");
    assert_eq!(client.get("/things/1").await.json()["price"].as_f64(), Some(1.0));
}
