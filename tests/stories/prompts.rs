//! The prompt registry, on each kind of database: it fills itself, answers alike, and forgets exactly what a write changed.

use std::ops::Range;

use http::{Method, StatusCode};
use kasoku_testkit::tokens::Signer;
use kasoku_testkit::{Answer, Client, Kasoku, Postgres, Start, TempApp, sqlite};
use serde_json::{Value, json};

/// Prompts of the small seed; of results there are ten times as many.
const PROMPTS: u64 = 600;

/// What tokens are signed with.
const SECRET: &str = "a secret of tests that is long enough for all";

/// Who owns the prompts 1 to 4, and who the prompt 300.
const OWNER: &str = "ren-garcia";
const OTHER: &str = "ines-moreau";

/// What both kinds of databases are asked.
const REQUESTS: &[&str] = &[
    "/v1/prompts",
    "/v1/prompts?limit=100&order=score.desc&select=id,title,score,tags,created_at,updated_at",
    "/v1/prompts?status=active",
    "/v1/prompts?category=code&order=score.asc&limit=100",
    "/v1/prompts?parent_id=is.null&limit=50",
    "/v1/prompts?parent_id=eq.2",
    "/v1/prompts?tags=cs.%7Bjson%7D&select=id,tags",
    "/v1/prompts?title=eq.x",
    "/v1/prompts?id=in.(5,1,99999)",
    "/v1/prompts/4",
    "/v1/prompts/4?select=id,evaluations(score,comment,created_at),results(id,passed,ran_on,cost_micros),parent(version),versions(id)",
    "/v1/prompts/2?select=id,versions(id,version,status),results(id)&results.passed=is.false&results.limit=3",
    "/v1/prompts/99999",
    "/v1/prompts/x",
    "/v1/prompts?select=title,evaluations(score)&evaluations.order=score.desc&limit=3",
    "/v1/evaluations?limit=100",
    "/v1/evaluations?prompt_id=eq.7&order=score.desc",
    "/v1/results?limit=1000",
    "/v1/results?prompt_id=in.(1,2,3)",
    "/v1/templates",
    "/v1/templates?category=writing",
    "/v1/categories",
    "/v1/prompts.csv?category=eq.code",
    "/v1/results.ndjson",
    "/v1/best/code",
    "/v1/best/translate",
    "/v1/best/nothing",
    "/v1/usage",
    "/v1/statistics",
    "/v1/days",
];

/// The app, filled, on SQLite or on the server of this URL.
fn open(app: &TempApp, server: Option<&str>) -> Kasoku {
    let start = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path())
        .env("KASOKU_DATABASE_SEED_ROWS", PROMPTS.to_string())
        .env("KASOKU_SERVER_SECRET", "sixteen bytes and more")
        .env("KASOKU_IDENTITY_JWT_SECRET", SECRET)
        .env("KASOKU_CACHE_AUDIT", "1.0");
    match server {
        Some(url) => start.env("DATABASE_URL", url),
        None => start,
    }
    .ready()
}

/// Somebody who asks.
struct Asker {
    client: Client,
    bearer: String,
}

impl Asker {
    fn new(kasoku: &Kasoku, id: &str) -> Self {
        let claims = json!({"sub": id, "aud": "prompts", "roles": ["editor"]});
        let token = Signer::new("HS256", SECRET).token(&claims);
        Self { client: kasoku.client(), bearer: format!("Bearer {token}") }
    }

    async fn get(&self, target: &str) -> Answer {
        self.client.get_with(target, &[("authorization", &self.bearer)]).await
    }

    async fn send(&self, method: &Method, target: &str, body: &Value) -> Answer {
        let headers = [("authorization", &*self.bearer), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.client.send(method.clone(), target, &headers, body).await
    }
}

/// A prompt with what belongs to it.
fn whole(id: u64) -> String {
    format!("/v1/prompts/{id}?select=id,score,evaluations(id,score),results(id)")
}

#[tokio::test]
async fn the_registry_fills_itself_and_shows_a_page() {
    let app = TempApp::copy_of("prompts");
    let kasoku = open(&app, None);
    let client = kasoku.client();
    let page = client.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    for asset in ["/prompts.js", "/requests.js", "/prompts.css", "/icon.svg"] {
        assert_eq!(client.get(asset).await.status, StatusCode::OK, "{asset}");
    }
    assert_eq!(client.get("/v1/prompts").await.status, StatusCode::UNAUTHORIZED);
    let owner = Asker::new(&kasoku, OWNER);
    let prompt = owner.get("/v1/prompts/4?select=title,version,parent(id),evaluations(id),results(id)").await;
    let prompt = prompt.json();
    assert_eq!(prompt["title"], "Review a pull request", "the same rows on every machine");
    assert_eq!((&prompt["version"], &prompt["parent"]["id"]), (&json!(4), &json!(3)));
    let lengths = ["evaluations", "results"].map(|name| prompt[name].as_array().unwrap().len());
    assert_eq!(lengths, [2, 10]);
    let counted = sqlite(&app.join("prompts.db"), "select count(*) from test_results");
    assert_eq!(counted, [(PROMPTS * 10).to_string()]);
}

#[tokio::test]
async fn a_fill_that_was_interrupted_is_begun_anew() {
    let app = TempApp::copy_of("prompts");
    let file = app.join("prompts.db");
    open(&app, None).kill();
    let counts = "select (select count(*) from prompts), (select count(*) from test_results),
        (select count(*) from templates)";
    let before = sqlite(&file, counts);
    sqlite(&file, "delete from prompts where id > 100; delete from templates where id = 1");
    sqlite(&file, "insert into _kasoku_filling values ('seed')");
    open(&app, None).kill();
    assert_eq!(sqlite(&file, counts), before);
}

#[tokio::test]
async fn both_kinds_of_databases_answer_alike_byte_for_byte() {
    let place = Postgres::shared().database();
    let (one, other) = (TempApp::copy_of("prompts"), TempApp::copy_of("prompts"));
    let (sqlite, postgres) = (open(&one, None), open(&other, Some(&place.url())));
    let (sqlite, postgres) = (Asker::new(&sqlite, OWNER), Asker::new(&postgres, OWNER));
    for target in REQUESTS {
        same(&sqlite.get(target).await, &postgres.get(target).await, target);
    }
    // What is written, and what is read afterwards, with numbers that the databases gave.
    let at = "2026-01-01T00:00:00+00:00";
    let writes = [
        (
            Method::POST,
            "/v1/prompts",
            json!({"title": "New", "category": "code", "body": "Do {{it}}.",
            "tags": ["a", "ü"], "created_at": at, "updated_at": at}),
        ),
        (
            Method::POST,
            "/v1/prompts",
            json!([{"title": "Two", "category": "code", "body": "x", "parent_id": 601,
            "version": 2, "created_at": at, "updated_at": at}]),
        ),
        (Method::POST, "/v1/evaluations", json!({"prompt_id": 601, "score": 88, "created_at": at})),
        (Method::POST, "/v1/evaluations", json!({"prompt_id": 601, "score": 101, "created_at": at})),
        (Method::POST, "/v1/evaluations", json!({"prompt_id": 987_654, "score": 1, "created_at": at})),
        (Method::POST, "/v1/prompts", json!({"title": "No", "category": "nothing", "body": "x"})),
        (Method::POST, "/v1/prompts", json!({"category": "code", "body": "x"})),
        (
            Method::POST,
            "/v1/templates",
            json!({"user_id": "b", "name": "N", "category": "code", "body": "x", "created_at": at}),
        ),
        (
            Method::POST,
            "/v1/templates",
            json!({"user_id": "b", "name": "N", "category": "code", "body": "x", "created_at": at}),
        ),
        (
            Method::POST,
            "/v1/results",
            json!({"prompt_id": 601, "model": "m", "passed": true, "input_tokens": 1,
            "output_tokens": 2, "latency_ms": 3, "ran_on": "2026-01-01"}),
        ),
        (Method::PATCH, "/v1/evaluations/1201", json!({"score": 20})),
        (Method::PATCH, "/v1/evaluations?id=eq.7", json!({"score": 50})),
        (Method::DELETE, "/v1/evaluations/1201", Value::Null),
    ];
    for (method, target, body) in writes {
        let (one, other) =
            (sqlite.send(&method, target, &body).await, postgres.send(&method, target, &body).await);
        same(&one, &other, &format!("{method} {target} {body}"));
        for target in [
            "/v1/prompts/601?select=*,evaluations(*),results(*),versions(id)",
            "/v1/prompts?category=code&limit=5",
        ] {
            same(&sqlite.get(target).await, &postgres.get(target).await, target);
        }
    }
    for target in REQUESTS.iter().filter(|target| !target.contains("/prompts")) {
        same(&sqlite.get(target).await, &postgres.get(target).await, target);
    }
}

/// The same status, and the same bytes but for the names of requests and the signatures of cursors, which sign for the
/// sort as each kind of database is asked for it.
fn same(one: &Answer, other: &Answer, what: &str) {
    let text = |answer: &Answer| {
        let text = without(answer.text(), "\"request_id\":\"", |_| 0..32);
        without(&text, "\"next_cursor\":\"", |cursor| {
            let end = cursor.find('"').unwrap();
            end - 22..end
        })
    };
    let (one_text, other_text) = (text(one), text(other));
    let begin = one_text.bytes().zip(other_text.bytes()).take_while(|(one, other)| one == other).count();
    let rest =
        |text: &str| String::from_utf8_lossy(&text.as_bytes()[begin..]).chars().take(300).collect::<String>();
    assert_eq!((one.status, rest(&one_text)), (other.status, rest(&other_text)), "{what}");
}

/// A text without a part of what comes after a mark.
fn without(text: &str, mark: &str, part: impl Fn(&str) -> Range<usize>) -> String {
    let Some((before, after)) = text.split_once(mark) else { return text.to_owned() };
    let part = part(after);
    format!("{before}{mark}{}{}", &after[..part.start], &after[part.end..])
}

async fn lifetimes_are_as_declared_and_writes_remove_exactly_what_they_change(server: Option<&str>) {
    let app = TempApp::copy_of("prompts");
    let kasoku = open(&app, server);
    let (owner, other) = (Asker::new(&kasoku, OWNER), Asker::new(&kasoku, OTHER));
    let lifetime = async |asker: &Asker, target: &str| {
        let began = std::time::Instant::now();
        loop {
            let answer = asker.get(target).await;
            let said = answer.header("cache-status").to_owned();
            if let Some((_, ttl)) = said.split_once("; hit; ttl=") {
                return ttl.split(';').next().unwrap().parse::<u64>().unwrap();
            }
            assert!(began.elapsed().as_secs() < 20, "{target} is never reused: {said}");
        }
    };
    let (own, theirs) = (whole(4), whole(300));
    for (asker, target, seconds) in [
        (&owner, &*own, 600),
        (&other, &theirs, 600),
        (&owner, "/v1/prompts", 300),
        (&other, "/v1/prompts", 300),
        (&owner, "/v1/evaluations?prompt_id=eq.4", 3600),
        (&other, "/v1/evaluations?prompt_id=eq.300", 3600),
        (&owner, "/v1/templates", 3600),
        (&owner, "/v1/statistics", 1800),
        (&other, "/v1/usage", 1800),
        (&owner, "/v1/best/planning", 1800),
    ] {
        let left = lifetime(asker, target).await;
        assert!((seconds - 60..=seconds).contains(&left), "{target}: {left} s of {seconds}");
    }
    for (asker, target) in [(&owner, &theirs), (&other, &own)] {
        assert_eq!(asker.get(target).await.status, StatusCode::NOT_FOUND, "{target} is somebody else's");
    }
    let statistics = owner.get("/v1/statistics").await.json();
    let created = owner.send(&Method::POST, "/v1/evaluations", &json!({"prompt_id": 4, "score": 100})).await;
    assert_eq!((created.status, &created.json()["user_id"]), (StatusCode::CREATED, &json!(OWNER)));
    for (asker, target, stays) in [
        (&owner, &*own, false),
        (&other, &theirs, true),
        (&owner, "/v1/prompts", false),
        (&other, "/v1/prompts", true),
        (&owner, "/v1/evaluations?prompt_id=eq.4", false),
        (&other, "/v1/evaluations?prompt_id=eq.300", true),
        (&owner, "/v1/templates", true),
    ] {
        let answer = asker.get(target).await;
        assert_eq!(answer.cache() == "HIT", stays, "{target}: {answer:?}");
    }
    let counted = |statistics: &Value| statistics["evaluations"].as_i64().unwrap();
    assert_eq!(counted(&owner.get("/v1/statistics").await.json()), counted(&statistics) + 1);
    let read = owner.get(&own).await.json();
    let scores: Vec<i64> =
        read["evaluations"].as_array().unwrap().iter().map(|row| row["score"].as_i64().unwrap()).collect();
    assert_eq!((scores.len(), &read["score"]), (3, &json!(scores.iter().sum::<i64>() / 3)), "it follows");
    let refused = other.send(&Method::DELETE, "/v1/prompts/4", &Value::Null).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let gone = owner.send(&Method::DELETE, "/v1/prompts/4", &Value::Null).await;
    assert!(gone.status.is_success(), "{gone:?}");
    assert_eq!(owner.get(&own).await.status, StatusCode::NOT_FOUND);
    assert_eq!(other.get(&theirs).await.cache(), "HIT");
}

#[tokio::test]
async fn a_write_removes_exactly_what_it_changes_on_sqlite() {
    lifetimes_are_as_declared_and_writes_remove_exactly_what_they_change(None).await;
}

#[tokio::test]
async fn a_write_removes_exactly_what_it_changes_on_postgresql() {
    let place = Postgres::shared().database();
    lifetimes_are_as_declared_and_writes_remove_exactly_what_they_change(Some(&place.url())).await;
}

#[test]
fn every_request_of_the_registry_is_proven_to_have_its_index() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kasoku"))
        .arg("check")
        .arg(TempApp::copy_of("prompts").path())
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("0 refused"), "{said}");
}
