//! Several writes in one transaction: all or none, or those that can be done; later ones with values out of earlier ones.

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client};
use serde_json::{Value, json};

use super::shop;

async fn batch(client: &Client, prefer: &str, operations: Value) -> Answer {
    let fields = [("content-type", "application/json"), ("prefer", prefer)];
    client.send(Method::POST, "/_batch", &fields, json!({"operations": operations}).to_string()).await
}

async fn names(client: &Client) -> Value {
    client.get("/things?select=name").await.json()
}

#[tokio::test]
async fn operations_happen_together_and_later_ones_know_what_earlier_ones_did() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let before =
        [client.get("/things?kind=eq.x").await, client.get("/letters").await, client.get("/things/1").await];
    assert_eq!(before[2].status, StatusCode::NOT_FOUND);
    let answer = batch(&client, "", json!([
        {"id": "lamp", "method": "POST", "path": "/things", "body": {"name": "lamp", "kind": "x", "price": 2.5}},
        {"id": "all", "method": "POST", "path": "/letters", "body": [
            {"thing": {"$ref": "/lamp/id"}, "body": "one"}, {"thing": {"$ref": "/lamp/id"}, "body": {"$ref": "/lamp/name"}},
        ]},
        {"method": "PATCH", "path": "/things/{/lamp/id}", "body": {"note": {"$ref": "/all/1/body"}, "extra": {"$ref": "#/x", "y": 1}}},
        {"method": "PATCH", "path": "/things?id=eq.{/lamp/id}", "prefer": "return=minimal, count=exact", "body": {"version": 3}},
        {"method": "DELETE", "path": "/letters/{/all/0/id}"},
        {"method": "PUT", "path": "/things/9", "body": {"name": "nine"}},
    ])).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let results = answer.json()["results"].clone();
    let statuses: Vec<_> =
        results.as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 200, 204, 204, 201], "{results}");
    assert_eq!(
        (&results[0]["id"], &results[0]["location"], &results[0]["body"]["price"]),
        (&json!("lamp"), &json!("/things/1"), &json!(2.5))
    );
    assert_eq!(
        (&results[2]["body"]["note"], &results[2]["body"]["extra"]),
        (&json!("lamp"), &json!({"$ref": "#/x", "y": 1}))
    );
    assert_eq!((&results[3]["content_range"], results[3].get("body")), (&json!("0-0/1"), None));
    assert_eq!(
        results[2]["etag"].as_str().unwrap().len(),
        client.get("/things/1").await.header("etag").len()
    );
    assert_eq!(results[5]["location"], "/things/9");
    // What was stored before is not answered again.
    assert_eq!(client.get("/things?kind=eq.x").await.json()[0]["version"], 3);
    assert_eq!(client.get("/things/1").await.json()["note"], "lamp");
    let letters = client.get("/letters").await.json();
    assert_eq!(letters["letters"], json!([{"id": 2, "thing": 1, "body": "lamp", "deleted_at": null}]));
}

#[tokio::test]
async fn one_operation_that_fails_undoes_all_and_is_named() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let lamp = json!({"id": "lamp", "method": "POST", "path": "/things", "body": {"name": "lamp"}});
    for (second, status, code, mentions) in [
        (
            json!({"id": "two", "method": "POST", "path": "/things", "body": {"name": "lamp"}}),
            409,
            "23505",
            "operation 1 (`two`)",
        ),
        (
            json!({"method": "POST", "path": "/letters", "body": {"thing": 99, "body": "x"}}),
            409,
            "23503",
            "operation 1:",
        ),
        (
            json!({"method": "PATCH", "path": "/things/99", "body": {"note": "x"}}),
            404,
            "PGRST116",
            "no such row",
        ),
        (json!({"method": "PATCH", "path": "/things", "body": {"note": "x"}}), 400, "PGRST100", "every row"),
        (
            json!({"method": "PATCH", "path": "/things/{/lamp/id}", "if_match": "\"x\"", "body": {"note": "x"}}),
            412,
            "412",
            "If-Match",
        ),
        (
            json!({"method": "POST", "path": "/things", "body": {"name": {"$ref": "/lamp/colour"}}}),
            422,
            "22023",
            "leads to nothing",
        ),
        (
            json!({"method": "POST", "path": "/things", "body": {"price": {"$ref": "/lamp/name"}, "name": "b"}}),
            422,
            "22P02",
            "`price` holds",
        ),
        (
            json!({"method": "POST", "path": "/things", "prefer": "tx=rollback", "body": {"name": "b"}}),
            422,
            "22023",
            "`tx`",
        ),
    ] {
        let refused = batch(&client, "", json!([lamp, second])).await;
        assert_eq!(refused.status.as_u16(), status, "{second}: {refused:?}");
        let problem = refused.json();
        assert!(problem["detail"].as_str().unwrap().contains(mentions), "{problem}");
        assert_eq!(problem["operation"], 1, "{problem}");
        assert!(code.len() < 5 || problem["code"] == code, "{problem}");
        assert_eq!(names(&client).await, json!([]), "{second}");
    }
}

#[tokio::test]
async fn those_that_can_be_done_are_kept_where_the_caller_prefers_it() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let operations = json!([
        {"id": "a", "method": "POST", "path": "/things", "body": {"name": "a"}},
        {"id": "b", "method": "POST", "path": "/things", "body": [{"name": "b"}, {"name": "a"}]},
        {"method": "POST", "path": "/things", "body": {"name": {"$ref": "/b/0/name"}}},
        {"method": "POST", "path": "/things", "body": {"name": "c", "note": {"$ref": "/a/name"}}},
    ]);
    let dry = batch(&client, "continue-on-error, tx=rollback", operations.clone()).await;
    assert_eq!(dry.status, StatusCode::OK, "{dry:?}");
    assert_eq!(names(&client).await, json!([]));
    let answer = batch(&client, "continue-on-error", operations).await;
    assert_eq!(
        (answer.status, answer.header("preference-applied")),
        (StatusCode::OK, "continue-on-error"),
        "{answer:?}"
    );
    let results = answer.json()["results"].clone();
    let statuses: Vec<_> =
        results.as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 409, 422, 201], "{results}");
    assert_eq!((&results[1]["problem"]["code"], &results[1]["id"]), (&json!("23505"), &json!("b")));
    assert_eq!(
        names(&client).await,
        json!([{"name": "a"}, {"name": "c"}]),
        "an operation is kept as a whole or not at all"
    );
    let all = batch(&client, "tx=rollback", json!([{"method": "DELETE", "path": "/things?id=gt.0"}])).await;
    assert_eq!((all.status, all.header("preference-applied")), (StatusCode::OK, "tx=rollback"), "{all:?}");
    assert_eq!(names(&client).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_before_anything_happens() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let post = |body: Value| json!({"method": "POST", "path": "/things", "body": body});
    let cases = [
        (json!([]), 422, "from 1 to 20 operations"),
        (Value::Array(vec![post(json!({"name": "a"})); 21]), 422, "this one has 21"),
        (json!([7]), 422, "operation 0: it is not an object"),
        (json!([{"path": "/things"}]), 422, "`method` is missing"),
        (json!([{"method": "POST"}]), 422, "`path` is missing"),
        (json!([{"method": 7, "path": "/things"}]), 422, "`method` must be a string"),
        (json!([{"method": "POST", "path": "/things", "headers": {}}]), 422, "has no `headers`"),
        (json!([{"method": "GET", "path": "/things"}]), 405, "`GET` is no way to write"),
        (json!([{"method": "DELETE", "path": "/letters/1", "body": {}}]), 422, "has no `body`"),
        (json!([{"method": "PUT", "path": "/letters/1", "body": {}}]), 405, "`PUT` is no way"),
        (json!([{"method": "POST", "path": "/kinds", "body": {}}]), 404, "sends nothing to that path"),
        (json!([{"method": "POST", "path": "/_batch", "body": {}}]), 404, "sends nothing to that path"),
        (json!([{"method": "PATCH", "path": "/things/1/2", "body": {}}]), 404, "sends nothing to that path"),
        (json!([{"method": "PATCH", "path": "http://other/things/1", "body": {}}]), 404, "sends nothing"),
        (json!([{"id": "a/b", "method": "POST", "path": "/things", "body": {}}]), 422, "an `id` has"),
        (
            json!([{"id": "a", "method": "POST", "path": "/things", "body": {"name": "a"}}, {"id": "a", "method": "POST", "path": "/things", "body": {"name": "b"}}]),
            422,
            "the same `id`",
        ),
        (
            json!([{"method": "POST", "path": "/things", "prefer": "a\nb", "body": {"name": "a"}}]),
            422,
            "no field can have",
        ),
        (
            json!([{"method": "POST", "path": "/things?colour=red", "body": {"name": "a"}}]),
            400,
            "no parameter `colour`",
        ),
        (
            json!([{"method": "PATCH", "path": "/things?id=eq.{/a/id", "body": {"name": "a"}}]),
            422,
            "does not end",
        ),
    ];
    for (operations, status, mentions) in cases {
        let refused = batch(&client, "", operations.clone()).await;
        assert_eq!(refused.status.as_u16(), status, "{operations}: {refused:?}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(mentions), "{operations}: {refused:?}");
    }
    for (body, media_type, status) in [
        ("[]", "application/json", 422),
        ("{}", "application/json", 422),
        ("{\"operations\": [], \"atomic\": true}", "application/json", 422),
        ("{\"operations\"", "application/json", 400),
        ("operations", "text/csv", 415),
    ] {
        let refused = client.send(Method::POST, "/_batch", &[("content-type", media_type)], body).await;
        assert_eq!(refused.status.as_u16(), status, "{body}: {refused:?}");
    }
    assert_eq!(client.get("/_batch").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(names(&client).await, json!([]));
}

#[tokio::test]
async fn a_repeated_batch_happens_once() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let send = async |name: &str| {
        let fields = [("content-type", "application/json"), ("idempotency-key", "b-1")];
        let body = json!({"operations": [{"method": "POST", "path": "/things", "body": {"name": name}}]});
        client.send(Method::POST, "/_batch", &fields, body.to_string()).await
    };
    let (first, again) = (send("a").await, send("a").await);
    assert_eq!(
        (first.status, first.text(), again.text()),
        (StatusCode::OK, again.text(), first.text()),
        "{again:?}"
    );
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    assert_eq!(send("b").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(names(&client).await, json!([{"name": "a"}]));
}
