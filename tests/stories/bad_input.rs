//! Bad input gets a clear problem and the right status; nothing is written, nothing leaks, the server stays well.

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, TempApp};
use serde_json::json;

use super::shop;

/// Every problem names its kind and its request, and shows nothing of the inside.
fn assert_problem(answer: &Answer, status: u16, kind: &str, about: &str) {
    assert_eq!(answer.status.as_u16(), status, "{about}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{about}");
    let problem = answer.json();
    assert_eq!(problem["type"], format!("urn:problem-type:kasoku:{kind}"), "{about}");
    assert_eq!(problem["request_id"], answer.header("x-request-id"), "{about}");
    let text = answer.text().to_ascii_lowercase();
    for inside in ["sqlite", "shop.db", "postgres", "select \"", "insert into", "/tmp/", "panicked"] {
        assert!(!text.contains(inside), "{about} shows {inside}: {text}");
    }
}

async fn assert_well_and_empty(client: &Client) {
    assert_eq!(client.get("/health").await.status, StatusCode::OK);
    assert_eq!(client.get("/things?select=id&limit=1").await.text(), "[]", "nothing was written");
}

#[tokio::test]
async fn wrong_queries_are_explained() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    for (target, kind, mentions) in [
        ("/things?pricee=eq.1", "unknown-parameter", "price"),
        ("/things?extra=eq.1", "unknown-parameter", "extra"),
        ("/things?select=id,secret", "invalid-parameter", "secret"),
        ("/things?price=near.1", "invalid-parameter", "near"),
        ("/things?price=eq.cheap", "invalid-parameter", "price"),
        ("/things?id=eq.1.5", "invalid-parameter", "id"),
        ("/things?id=eq.99999999999999999999", "invalid-parameter", "id"),
        ("/things?live=eq.maybe", "invalid-parameter", "live"),
        ("/things?order=version.asc", "invalid-parameter", "version"),
        ("/things?order=id.sideways", "invalid-parameter", "sideways"),
        ("/things?limit=51", "invalid-parameter", "50"),
        ("/things?limit=-1", "invalid-parameter", "limit"),
        ("/things?limit=ten", "invalid-parameter", "limit"),
        ("/things?offset=10", "invalid-parameter", "cursor"),
        ("/things?or=(id.eq.1", "invalid-parameter", "or"),
        ("/things?id=in.1,2", "invalid-parameter", "in"),
        ("/things?name=eq.%ff", "invalid-parameter", "UTF-8"),
        ("/things?cursor=v1.AAAA.BBBB", "cursor-invalid", "cursor"),
        ("/things/1?color=red", "unknown-parameter", "color"),
        ("/kinds?color=red", "unknown-parameter", "color"),
    ] {
        let answer = client.get(target).await;
        assert_problem(&answer, 400, kind, target);
        assert!(answer.text().contains(mentions), "{target} does not mention {mentions}: {}", answer.text());
    }
    assert_problem(&client.get("/things/seven").await, 404, "not-found", "a key that no row can have");
    assert_well_and_empty(&client).await;
}

#[tokio::test]
async fn a_cursor_fits_only_the_list_that_it_was_made_for() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let rows: Vec<_> = (0..30).map(|n| json!({"name": format!("{n}"), "kind": "red"})).collect();
    client.json(Method::POST, "/things", &rows.into()).await;
    let link = client.get("/things?limit=5&kind=red").await.header("link").to_owned();
    let cursor = link.split("cursor=").nth(1).unwrap().split(['&', '>']).next().unwrap().to_owned();
    assert_eq!(client.get(&format!("/things?limit=5&kind=red&cursor={cursor}")).await.status, StatusCode::OK);
    for target in [
        format!("/things?limit=5&kind=blue&cursor={cursor}"),
        format!("/things?limit=5&cursor={cursor}"),
        format!("/things?limit=5&kind=red&order=price.desc&cursor={cursor}"),
        format!("/letters?cursor={cursor}"),
        format!("/things?limit=5&kind=red&cursor={}", &cursor[..cursor.len() - 3]),
        format!("/things?limit=5&kind=red&cursor={}", cursor.replacen('.', "..", 1)),
    ] {
        assert_problem(&client.get(&target).await, 400, "cursor-invalid", &target);
    }
}

#[tokio::test]
async fn wrong_bodies_are_refused_and_nothing_is_written() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let deep = format!("{{\"name\": \"a\", \"extra\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    for (body, status, kind) in [
        ("", 400, "invalid-body"),
        ("{", 400, "invalid-body"),
        ("{\"name\": \"a\",}", 400, "invalid-body"),
        ("{\"name\": \"a\", \"name\": \"b\"}", 400, "invalid-body"),
        ("\u{feff}{}", 400, "invalid-body"),
        (deep.as_str(), 400, "invalid-body"),
        ("7", 422, "unprocessable"),
        ("[1, 2]", 422, "unprocessable"),
        ("{}", 422, "unprocessable"),
        ("{\"name\": null}", 422, "unprocessable"),
        ("{\"name\": 7}", 422, "unprocessable"),
        ("{\"name\": \"a\", \"colour\": \"red\"}", 422, "unprocessable"),
        ("{\"name\": \"a\", \"price\": \"dear\"}", 422, "unprocessable"),
        ("{\"name\": \"a\", \"price\": 1e999}", 400, "invalid-body"),
        ("{\"name\": \"a\", \"version\": 1.5}", 422, "unprocessable"),
        ("{\"name\": \"a\", \"live\": 7}", 422, "unprocessable"),
        ("{\"name\": \"a\", \"picture\": \"not base64!\"}", 422, "unprocessable"),
    ] {
        let answer = client
            .send(Method::POST, "/things", &[("content-type", "application/json")], body.to_owned())
            .await;
        assert_problem(&answer, status, kind, &body[..body.len().min(60)]);
    }
    let invalid = [b"{\"name\": \"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
    let answer = client.send(Method::POST, "/things", &[("content-type", "application/json")], invalid).await;
    assert_problem(&answer, 400, "invalid-body", "invalid UTF-8");
    for media_type in ["text/plain", "application/xml", ""] {
        let answer =
            client.send(Method::POST, "/things", &[("content-type", media_type)], "{\"name\": \"a\"}").await;
        assert_problem(&answer, 415, "unsupported-media-type", media_type);
    }
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(3 << 20));
    let answer = client.send(Method::POST, "/things", &[("content-type", "application/json")], large).await;
    assert_problem(&answer, 413, "body-too-large", "3 MiB");
    assert_well_and_empty(&client).await;
}

#[tokio::test]
async fn contradictions_are_conflicts_and_broken_rules_unprocessable() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    client.json(Method::POST, "/things", &json!({"name": "a"})).await;
    for (method, target, body, status, kind) in [
        (Method::POST, "/things", json!({"name": "a"}), 409, "conflict"),
        (Method::POST, "/things", json!({"id": 1, "name": "b"}), 409, "conflict"),
        (Method::POST, "/letters", json!({"thing": 99, "body": "x"}), 409, "conflict"),
        (Method::PATCH, "/things/1", json!({"name": null}), 422, "unprocessable"),
        (Method::PATCH, "/things/1", json!({}), 422, "unprocessable"),
        (Method::PATCH, "/things/9", json!({"price": 1}), 404, "not-found"),
    ] {
        let answer = client.json(method, target, &body).await;
        assert_problem(&answer, status, kind, &format!("{target} {body}"));
    }
    assert_eq!(client.get("/things").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn wrong_methods_and_paths_are_told_what_there_is() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    assert_problem(&client.get("/thing").await, 404, "not-found", "/thing");
    let answer = client.send(Method::PUT, "/kinds", &[], "").await;
    assert_problem(&answer, 405, "method-not-allowed", "PUT /kinds");
    assert!(answer.header("allow").contains("GET"), "{answer:?}");
    let options = client.send(Method::OPTIONS, "/things", &[], "").await;
    assert_eq!(options.status, StatusCode::NO_CONTENT);
    for method in ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"] {
        assert!(options.header("allow").contains(method), "{options:?}");
    }
    let unknown = client.send(Method::from_bytes(b"BREW").unwrap(), "/things", &[], "").await;
    assert!([405, 501].contains(&unknown.status.as_u16()), "{unknown:?}");
}

const SLOW_TOML: &str = r#"
[database]
url = "DATABASE"
schema = "schema/"

[[route]]
path = "/slow"
query = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000000) select count(*) as n from n"
cache = false
deadline = "300ms"
admit = { concurrent = 1, queue = 1, wait = "100ms" }

[[route]]
path = "/quick"
query = "select 1 as n"
cache = false
"#;

#[tokio::test]
async fn slow_work_meets_its_deadline_and_too_much_of_it_is_shed() {
    let app = TempApp::new(&SLOW_TOML.replace("DATABASE", &shop::empty()))
        .file("schema/001-slow.sql", "create table unused (id integer primary key);");
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let late = client.get("/slow").await;
    assert_problem(&late, 504, "deadline-exceeded", "a query without end");
    assert!(!late.header("retry-after").is_empty(), "{late:?}");
    let answers = futures(12, |_| {
        let client = client.clone();
        async move { client.get("/slow?").await }
    })
    .await;
    let shed = answers.iter().filter(|answer| answer.status == StatusCode::SERVICE_UNAVAILABLE).count();
    assert_eq!(answers.iter().filter(|answer| answer.status.is_success()).count(), 0);
    // Equal requests share one forward, but each takes its place at the door before.
    assert!(shed >= 10, "{answers:?}");
    assert_eq!(client.get("/quick").await.text(), r#"[{"n":1}]"#, "the stopped statements hold nothing up");
}

async fn futures<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    count: usize,
    make: impl Fn(usize) -> F,
) -> Vec<T> {
    let tasks: Vec<_> = (0..count).map(|place| tokio::spawn(make(place))).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("no task panics"));
    }
    outcomes
}
