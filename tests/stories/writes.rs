//! Inserts, updates, upserts, deletes, and what their answers promise.

use http::{Method, StatusCode};
use kasoku_testkit::Client;
use serde_json::{Value, json};

use super::shop;

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
    let created =
        insert(&client, json!([{"name": "a", "price": 1}, {"name": "b"}, {"name": "c", "kind": "odd"}]))
            .await;
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
    insert(
        &client,
        json!([{"name": "a", "kind": "x"}, {"name": "b", "kind": "x"}, {"name": "c", "kind": "y"}]),
    )
    .await;
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
    for (price, status, location) in [(1, StatusCode::CREATED, "/things/7"), (2, StatusCode::OK, "")] {
        let put = client.json(Method::PUT, "/things/7", &json!({"name": "seven", "price": price})).await;
        assert_eq!((put.status, put.header("location")), (status, location), "{put:?}");
        assert_eq!(put.json()["price"].as_f64(), Some(f64::from(price)));
        assert_eq!(client.get("/things/7").await.json()["price"].as_f64(), Some(f64::from(price)));
    }
    let minimal = [("content-type", "application/json"), ("prefer", "return=minimal")];
    for status in [StatusCode::CREATED, StatusCode::NO_CONTENT] {
        let put = client.send(Method::PUT, "/things/9", &minimal, r#"{"name": "nine"}"#).await;
        assert_eq!((put.status, put.body.len()), (status, 0), "{put:?}");
    }
    let other = client.json(Method::PUT, "/things/7", &json!({"id": 8, "name": "seven"})).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "the key of path and body differ: {other:?}");
    let headers = [("content-type", "application/json"), ("prefer", "resolution=merge-duplicates")];
    let merged =
        client.send(Method::POST, "/things", &headers, r#"[{"id": 7, "name": "seven", "price": 9}]"#).await;
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

#[tokio::test]
async fn the_answer_to_a_write_has_the_tag_that_the_next_write_needs() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    insert(&client, json!({"name": "a", "note": "n".repeat(2_000)})).await;
    let mut seen = client.get("/things/1").await.header("etag").to_owned();
    for (method, body) in [
        (Method::PATCH, r#"{"price": 1}"#),
        (Method::PATCH, r#"{"extra": {"watts": [40, 60]}, "picture": "AP8=", "live": false}"#),
        (Method::PUT, r#"{"name": "b", "price": 2.5}"#),
    ] {
        let headers =
            [("content-type", "application/json"), ("if-match", seen.as_str()), ("accept-encoding", "gzip")];
        let written = client.send(method, "/things/1", &headers, body).await;
        assert_eq!(written.status, StatusCode::OK, "{written:?}");
        assert_eq!(written.header("content-location"), "/things/1");
        let read = client.get("/things/1").await;
        assert_eq!(written.header("etag"), read.header("etag"), "{body}");
        assert_ne!(written.header("etag"), seen, "{body}");
        seen = read.header("etag").to_owned();
    }
    // Neither an answer without the row nor one with a part of it has the row's tag.
    let headers = [("content-type", "application/json"), ("prefer", "return=minimal")];
    let minimal = client.send(Method::PATCH, "/things/1", &headers, r#"{"price": 3}"#).await;
    assert_eq!((minimal.status, minimal.header("etag")), (StatusCode::NO_CONTENT, ""), "{minimal:?}");
    let part = client.json(Method::PATCH, "/things/1?select=id", &json!({"price": 4})).await;
    assert_eq!((part.json(), part.header("etag")), (json!({"id": 1}), ""), "{part:?}");
    let moved = client.json(Method::PATCH, "/things/1", &json!({"id": 9})).await;
    assert_eq!((moved.status, moved.header("etag")), (StatusCode::OK, ""), "the row is elsewhere: {moved:?}");
}

#[tokio::test]
async fn conditions_on_writes_name_the_row_in_any_of_its_forms_or_fail() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    insert(&client, json!({"name": "a", "note": "n".repeat(2_000)})).await;
    let write = async |method: Method, target: &str, field: (&str, &str)| {
        let body = if method == Method::DELETE { "" } else { r#"{"name": "z"}"# };
        client.send(method, target, &[("content-type", "application/json"), field], body).await.status
    };
    for accepted in ["gzip", "br", "zstd"] {
        let coded = client.get_with("/things/1", &[("accept-encoding", accepted)]).await;
        assert_eq!(coded.header("content-encoding"), accepted);
        let tag = coded.header("etag").to_owned();
        assert!(tag.ends_with(&format!("-{accepted}\"")), "{tag}");
        assert_eq!(write(Method::PATCH, "/things/1", ("if-match", &tag)).await, StatusCode::OK, "{tag}");
    }
    let tag = client.get("/things/1").await.header("etag").to_owned();
    let failed = StatusCode::PRECONDITION_FAILED;
    for (method, target, field, expected) in [
        (Method::PATCH, "/things/1", ("if-match", format!("\"x\", {tag}")), StatusCode::OK),
        (Method::PATCH, "/things/1", ("if-match", format!("W/{tag}")), failed),
        (Method::PATCH, "/things/1", ("if-match", "\"x\"".into()), failed),
        (Method::PATCH, "/things/1", ("if-match", "x".into()), failed),
        (Method::PATCH, "/things/1", ("if-match", "*".into()), StatusCode::OK),
        (
            Method::PATCH,
            "/things/1",
            ("if-unmodified-since", "Sat, 01 Nov 2025 00:00:00 GMT".into()),
            StatusCode::OK,
        ),
        (Method::PATCH, "/things/2", ("if-match", "*".into()), failed),
        (Method::PUT, "/things/2", ("if-match", tag.clone()), failed),
        (Method::DELETE, "/things/2", ("if-match", "*".into()), failed),
        (Method::PATCH, "/things/2", ("if-none-match", "*".into()), StatusCode::NOT_FOUND),
        (Method::PUT, "/things/1", ("if-none-match", "*".into()), failed),
        (Method::PUT, "/things/1", ("if-none-match", tag.clone()), failed),
        (Method::POST, "/things", ("if-none-match", "*".into()), failed),
        (Method::PATCH, "/things?id=eq.1", ("if-match", tag.clone()), failed),
        (Method::DELETE, "/things/1", ("if-match", "\"x\"".into()), failed),
        (Method::DELETE, "/things/1", ("if-match", tag.clone()), StatusCode::NO_CONTENT),
        (Method::PUT, "/things/1", ("if-none-match", "*".into()), StatusCode::CREATED),
    ] {
        let status = write(method.clone(), target, (field.0, &field.1)).await;
        assert_eq!(status, expected, "{method} {target} {field:?}");
    }
    assert_eq!(client.get("/things").await.json().as_array().unwrap().len(), 1, "what failed wrote nothing");
}

#[tokio::test]
async fn of_writers_who_saw_the_same_row_one_wins() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    insert(&client, json!({"name": "a"})).await;
    for round in 0..5 {
        let seen = client.get("/things/1").await.header("etag").to_owned();
        let writers = (0..8).map(|writer| {
            let (client, seen) = (kasoku.client(), seen.clone());
            tokio::spawn(async move {
                let headers = [("content-type", "application/json"), ("if-match", seen.as_str())];
                let body = format!(r#"{{"price": {}}}"#, 10 * round + writer + 1);
                (writer, client.send(Method::PATCH, "/things/1", &headers, body).await.status)
            })
        });
        let mut winners = Vec::new();
        for writer in writers.collect::<Vec<_>>() {
            match writer.await.unwrap() {
                (writer, StatusCode::OK) => winners.push(writer),
                (_, status) => assert_eq!(status, StatusCode::PRECONDITION_FAILED),
            }
        }
        let [winner] = winners[..] else { panic!("one winner, not {winners:?}") };
        let price = client.get("/things/1").await.json()["price"].as_f64();
        assert_eq!(price, Some(f64::from(10 * round + winner + 1)));
    }
}

#[tokio::test]
async fn a_repeated_conditional_write_gets_the_first_answer_and_its_tag_while_that_is_true() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    insert(&client, json!({"name": "a"})).await;
    let seen = client.get("/things/1").await.header("etag").to_owned();
    let write = async || {
        let headers =
            [("content-type", "application/json"), ("if-match", seen.as_str()), ("idempotency-key", "once")];
        client.send(Method::PATCH, "/things/1", &headers, r#"{"price": 1}"#).await
    };
    let (first, again) = (write().await, write().await);
    assert_eq!((first.status, again.status), (StatusCode::OK, StatusCode::OK), "{again:?}");
    assert_eq!((&first.body, first.header("etag")), (&again.body, again.header("etag")));
    client.json(Method::PATCH, "/things/1", &json!({"price": 2})).await;
    let late = write().await;
    assert_eq!((late.status, &late.body, late.header("etag")), (StatusCode::OK, &first.body, ""), "{late:?}");
}
