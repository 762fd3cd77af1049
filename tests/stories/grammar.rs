//! The grammar of requests in full: operators, documents, offsets, ranges, preferences, changes row by row.

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Kasoku, Start, TempApp};
use serde_json::{Value, json};

const KASOKU_TOML: &str = r#"
[database]
url = "sqlite:library.db"
schema = "schema/"

[cache]
memory = "16MiB"
audit = 1.0

[[route]]
path = "/books"
table = "books"
filter = ["id", "title", "shelf", "pages", "lent", "facts"]
order = ["id", "pages", "-shelf,id"]
page = { default = 5, most = 50, offset = 100 }
count = { default = "none", allowed = ["exact", "capped"], cap = 3 }
write = ["insert", "update", "update-each", "upsert", "delete"]
cache = { fresh = "1h" }

[[route]]
path = "/shelves"
table = "books"
select = ["id", "shelf"]
order = ["id"]
write = ["update"]
cache = { fresh = "1h" }
"#;

const SCHEMA: &str = "
create table books (
    id integer primary key, title text not null, shelf text, pages integer default 100, lent boolean, facts json text
);
create index books_by_pages on books (pages, id);
create index books_by_shelf on books (shelf, id);
create unique index first_of_shelf on books (shelf) where lent = 1;";

async fn library() -> (TempApp, Kasoku, Client) {
    let app = TempApp::new(KASOKU_TOML).file("schema/001-library.sql", SCHEMA);
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    let client = kasoku.client();
    let rows: Vec<Value> = (1..=12)
        .map(|n| {
            let tags = [json!(["new"]), json!(["old", "torn"]), json!([n])][n % 3].clone();
            let facts = json!({"tags": tags, "year": 1990 + n, "by": {"name": format!("A. {n}")}});
            let shelf = ["east", "west"][n % 2];
            json!({"title": format!("Book {n}"), "shelf": shelf, "pages": n * 10, "facts": facts})
        })
        .collect();
    let made = client.json(Method::POST, "/books", &Value::from(rows)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    (app, kasoku, client)
}

fn ids(answer: &Answer) -> Vec<i64> {
    let rows = answer.json();
    rows.as_array().expect("a list").iter().map(|row| row["id"].as_i64().expect("an id")).collect()
}

/// A target as clients spell it.
fn encoded(target: &str) -> String {
    target.replace('"', "%22").replace('>', "%3E").replace(' ', "%20")
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn operators_find_rows_and_what_is_not_there_is_refused() {
    let (_app, _kasoku, client) = library().await;
    for (query, expected) in [
        ("title=match.%201.$", vec![10, 11, 12]),
        ("title=imatch(all).{^BOOK,2$}", vec![2, 12]),
        ("title=like(any).{*2,*3}", vec![2, 3, 12]),
        ("id=eq(any).{1,2}", vec![1, 2]),
        ("pages=gte(all).{30,110}", vec![11, 12]),
        ("lent=is.unknown&id=lt.3", vec![1, 2]),
        ("lent=isdistinct.true&id=lt.3", vec![1, 2]),
        ("facts->>year=eq.1995", vec![5]),
        ("facts->year=lt.1993", vec![1, 2]),
        ("facts->by->>name=like.*1", vec![1, 11]),
        ("facts->tags->>0=eq.old", vec![1, 4, 7, 10]),
        ("facts->tags=cs.{old,torn}", vec![1, 4, 7, 10]),
        ("facts->tags=ov.[2,5]", vec![2, 5]),
        ("facts=cs.{\"by\":{\"name\":\"A. 3\"}}", vec![3]),
        ("or=(facts->>year.eq.1991,and(title.in.(\"Book 2\",\"B\"k\"),shelf.eq.east))", vec![1, 2]),
    ] {
        let answer = client.get(&encoded(&format!("/books?{query}&limit=50"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
        assert_eq!(ids(&answer), expected, "{query}");
    }
    for (query, mentions) in [
        ("title=fts(english).book", "`fts` searches text, which SQLite cannot do here; `title` is text"),
        ("pages=sl.[1,2)", "`sl` is for ranges; `pages` is a whole number on SQLite"),
        ("title=ov.{a}", "`ov` is for arrays, ranges and JSON documents"),
        ("title=match.(", "this is no regular expression"),
        ("facts->tags=eq.[1]", "`eq` cannot compare whole arrays and objects on SQLite"),
        ("title->a=eq.1", "into which no way leads"),
    ] {
        let answer = client.get(&encoded(&format!("/books?{query}"))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {answer:?}");
        let problem = answer.json();
        assert_eq!(
            (&problem["code"], &problem["parameter"].is_string()),
            (&json!("PGRST100"), &true),
            "{query}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(mentions), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn pages_are_found_by_offset_and_by_range_where_the_route_allows_it() {
    let (_app, _kasoku, client) = library().await;
    let page = client.get("/books?offset=3&limit=2").await;
    assert_eq!(
        (ids(&page), page.header("content-range"), page.status),
        (vec![4, 5], "3-4/*", StatusCode::OK)
    );
    let link = page.header("link");
    assert!(link.contains("</books?limit=2&cursor=") && !link.contains("offset"), "{link}");
    for ((range, unit), expected, content_range, status) in [
        (("0-2", "items"), vec![1, 2, 3], "0-2/*", 206),
        (("10-", "items"), vec![11, 12], "10-11/*", 206),
        (("0-49", "items"), (1..=12).collect(), "0-11/*", 200),
        (("0-2", "bytes"), vec![1, 2, 3, 4, 5], "0-4/*", 200),
    ] {
        let answer = client.get_with("/books", &[("range", range), ("range-unit", unit)]).await;
        assert_eq!(
            (ids(&answer), answer.header("content-range")),
            (expected, content_range),
            "{range} {unit}"
        );
        assert_eq!(answer.status.as_u16(), status, "{range} {unit}");
        assert!(answer.header("vary").to_ascii_lowercase().contains("range"), "{answer:?}");
    }
    let backwards = client.get_with("/books", &[("range", "5-2")]).await;
    assert_eq!(
        (backwards.status.as_u16(), &backwards.json()["code"]),
        (416, &json!("PGRST103")),
        "{backwards:?}"
    );
    let beyond = [("range", "50-60"), ("prefer", "count=exact")];
    let beyond = client.get_with("/books", &beyond).await;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, "*/12"), "{beyond:?}");
    assert_eq!(client.get("/books?offset=101").await.status, StatusCode::BAD_REQUEST);
    let refused = client.get("/shelves?offset=5").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.json()["detail"].as_str().unwrap().contains("`cursor`"), "{refused:?}");
    let ignored = client.get_with("/shelves", &[("range", "3-4")]).await;
    assert_eq!((ignored.status, ignored.header("content-range")), (StatusCode::OK, "0-11/*"), "{ignored:?}");
}

#[tokio::test]
async fn counts_are_given_refused_or_left_out_as_the_caller_handles_it() {
    let (_app, _kasoku, client) = library().await;
    for (prefer, range, applied) in [
        ("count=exact", "0-4/12", "count=exact"),
        ("count=planned", "0-4/6", "count=planned"),
        ("count=estimated", "0-4/6", "count=estimated"),
        ("count=capped", "0-4/*", "count=capped"),
        ("count=exact, handling=lenient", "0-4/12", "handling=lenient, count=exact"),
        ("count=none", "0-4/*", ""),
    ] {
        let answer = client.get_with("/books", &[("prefer", prefer)]).await;
        assert_eq!(
            (answer.header("content-range"), answer.header("preference-applied")),
            (range, applied),
            "{prefer}"
        );
    }
    let refused = client.get_with("/shelves", &[("prefer", "count=exact")]).await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::BAD_REQUEST, &json!("PGRST122")));
    let lenient = client.get_with("/shelves", &[("prefer", "count=exact, handling=lenient")]).await;
    assert_eq!((lenient.status, lenient.header("content-range")), (StatusCode::OK, "0-11/*"), "{lenient:?}");
    assert_eq!(lenient.header("preference-applied"), "handling=lenient");
    let write = [JSON, ("prefer", "count=exact, return=minimal")];
    for (method, target, body, range) in [
        (Method::POST, "/books", r#"[{"title": "a"}, {"title": "b"}]"#, "*/2"),
        (Method::PATCH, "/books?id=gt.10", r#"{"shelf": "south"}"#, "0-3/4"),
        (Method::DELETE, "/books?id=gt.12", "", "0-1/2"),
        (Method::DELETE, "/books?id=gt.12", "", "*/0"),
    ] {
        let answer = client.send(method.clone(), target, &write, body).await;
        assert_eq!(answer.header("content-range"), range, "{method} {target}: {answer:?}");
        assert_eq!(answer.header("preference-applied"), "return=minimal, count=exact");
    }
}

#[tokio::test]
async fn a_write_that_is_rolled_back_answers_as_usual_and_changes_nothing() {
    let (_app, _kasoku, client) = library().await;
    let before = client.get("/books?limit=50").await;
    assert_eq!(client.get("/books?limit=50").await.cache(), "HIT");
    let prefer = [JSON, ("prefer", "tx=rollback, return=representation")];
    for (method, target, body, status) in [
        (Method::POST, "/books", r#"{"id": 99, "title": "x"}"#, StatusCode::CREATED),
        (Method::PATCH, "/books/1", r#"{"title": "x"}"#, StatusCode::OK),
        (Method::PUT, "/books/77", r#"{"title": "x"}"#, StatusCode::CREATED),
        (Method::DELETE, "/books?id=lt.5", "", StatusCode::OK),
    ] {
        let answer = client.send(method.clone(), target, &prefer, body).await;
        assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
        assert_eq!(answer.header("preference-applied"), "return=representation, tx=rollback", "{method}");
        assert!(answer.text().contains("\"title\""), "{answer:?}");
        let after = client.get("/books?limit=50").await;
        assert_eq!((after.cache(), &after.body), ("HIT", &before.body), "{method} {target}");
    }
    let keyed = [JSON, ("prefer", "tx=rollback"), ("idempotency-key", "once")];
    client.send(Method::POST, "/books", &keyed, r#"{"title": "kept"}"#).await;
    let kept = client
        .send(Method::POST, "/books", &[JSON, ("idempotency-key", "once")], r#"{"title": "kept"}"#)
        .await;
    assert_eq!((kept.status, kept.header("idempotent-replayed")), (StatusCode::CREATED, ""), "{kept:?}");
    assert_eq!(client.get("/books?title=eq.kept").await.json().as_array().unwrap().len(), 1);
    let refused = client.send(Method::POST, "/books", &prefer, r#"{"id": 1, "title": "x"}"#).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "what fails, fails: {refused:?}");
}

#[tokio::test]
async fn rows_are_changed_one_by_one_all_or_none() {
    let (_app, _kasoku, client) = library().await;
    let patch = async |target: &str, body: &Value| client.json(Method::PATCH, target, body).await;
    client.get("/books/1").await;
    let changed =
        patch("/books?select=id,pages", &json!([{"id": 1, "pages": 7}, {"id": 3, "pages": 9}])).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    assert_eq!(changed.json(), json!([{"id": 1, "pages": 7}, {"id": 3, "pages": 9}]));
    assert_eq!(client.get("/books/1").await.json()["pages"], 7);
    let missing =
        patch("/books", &json!([{"id": 1, "pages": 0}, {"id": 50, "pages": 0}, {"id": 51, "pages": 0}]))
            .await;
    assert_eq!(
        (missing.status, &missing.json()["rows"]),
        (StatusCode::NOT_FOUND, &json!([1, 2])),
        "{missing:?}"
    );
    assert_eq!(client.get("/books/1").await.json()["pages"], 7, "nothing was written");
    let headers = [JSON, ("prefer", "max-affected=1")];
    let body = r#"[{"id": 1, "pages": 0}, {"id": 2, "pages": 0}]"#;
    let many = client.send(Method::PATCH, "/books", &headers, body).await;
    assert_eq!(
        (many.status, &many.json()["code"]),
        (StatusCode::BAD_REQUEST, &json!("PGRST124")),
        "{many:?}"
    );
    let twice = patch("/books", &json!([{"id": 1, "pages": 0}, {"id": 1, "pages": 1}])).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "{twice:?}");
    let closed = patch("/shelves", &json!([{"id": 1, "shelf": "x"}])).await;
    assert_eq!(closed.status, StatusCode::UNPROCESSABLE_ENTITY, "{closed:?}");
    assert!(closed.json()["detail"].as_str().unwrap().contains("update-each"), "{closed:?}");
}

#[tokio::test]
async fn the_first_of_the_rows_that_a_filter_leaves_are_changed() {
    let (_app, _kasoku, client) = library().await;
    let longest = client
        .send(
            Method::DELETE,
            "/books?shelf=eq.east&order=pages.desc&limit=2&select=id",
            &[("prefer", "return=representation")],
            "",
        )
        .await;
    assert_eq!(longest.status, StatusCode::OK, "{longest:?}");
    let mut gone = ids(&longest);
    gone.sort_unstable();
    assert_eq!(gone, [10, 12]);
    let refused = client.send(Method::DELETE, "/books?shelf=eq.east&limit=2", &[], "").await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (StatusCode::BAD_REQUEST, &json!("PGRST109")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn rows_of_one_insert_have_the_columns_that_it_names() {
    let (_app, _kasoku, client) = library().await;
    let target = "/books?columns=%22id%22,%22title%22,%22pages%22&select=pages";
    let body = r#"[{"id": 20, "title": "a", "pages": 1, "unknown": 2}, {"id": 21, "title": "b"}]"#;
    let filled = client.send(Method::POST, target, &[JSON], body).await;
    assert_eq!(filled.json(), json!([{"pages": 1}, {"pages": null}]), "{filled:?}");
    let body = body.replace("20", "30").replace("21", "31");
    let defaulted = client.send(Method::POST, target, &[JSON, ("prefer", "missing=default")], body).await;
    assert_eq!(defaulted.json(), json!([{"pages": 1}, {"pages": 100}]), "{defaulted:?}");
    assert_eq!(defaulted.header("preference-applied"), "missing=default");
    let merge = [JSON, ("prefer", "resolution=merge-duplicates")];
    for title in ["one", "two"] {
        let body = format!(r#"[{{"title": "{title}", "shelf": "north", "lent": true}}]"#);
        let merged = client.send(Method::POST, "/books?on_conflict=shelf", &merge, body).await;
        assert!(merged.status.is_success(), "{merged:?}");
    }
    let north = client.get("/books?shelf=eq.north&select=title").await;
    assert_eq!(north.json(), json!([{"title": "two"}]), "by an index that holds for some rows");
}

#[tokio::test]
async fn a_stored_answer_of_any_filter_goes_when_its_rows_change() {
    let (_app, kasoku, client) = library().await;
    let targets = [
        "/books?facts->>year=eq.1995",
        "/books?facts->tags=cs.{new}",
        "/books?title=match.^Book",
        "/books?title=like(any).{*1,*2}",
        "/books?id=eq(any).{1,2}",
        "/books?pages=isdistinct.10",
        "/books?lent=is.unknown",
        "/books?offset=2&limit=3",
        "/books?or=(facts->>year.eq.1995,shelf.eq.west)",
    ];
    let targets = targets.map(encoded);
    let writes: [(Method, &str, Value); 5] = [
        (
            Method::PATCH,
            "/books",
            json!([{"id": 1, "title": "Other", "lent": true}, {"id": 5, "facts": {"year": 1}}]),
        ),
        (
            Method::POST,
            "/books",
            json!({"title": "Book 2", "shelf": "west", "facts": {"year": 1995, "tags": ["new"]}}),
        ),
        (Method::PATCH, "/books?facts->>year=eq.1993", json!({"facts": null, "pages": 10})),
        (Method::DELETE, "/books?id=lt.9&order=pages.desc&limit=1", Value::Null),
        (Method::PATCH, "/books/2", json!({"id": 40, "facts": {"tags": ["new"]}})),
    ];
    for (method, target, body) in writes {
        let mut before = Vec::new();
        for target in &targets {
            before.push(client.get(target).await.body);
        }
        let written = client.json(method.clone(), &encoded(target), &body).await;
        assert!(written.status.is_success(), "{method} {target}: {written:?}");
        for (target, before) in targets.iter().zip(before) {
            let after = client.get(target).await;
            // `audit` compares each hit with the database, and a write that is answered is seen by every read after it.
            let fresh = client.get_with(target, &[("cache-control", "no-cache")]).await;
            assert_eq!(after.body, fresh.body, "{method} {target}");
            assert!(after.body == before || after.cache() != "HIT", "{method} {target}: {after:?}");
        }
    }
    let metrics = kasoku.admin().get("/metrics").await;
    let audited = |line: &&str| line.starts_with("kasoku_cache_audited_total{") && line.contains("\"false\"");
    for line in metrics.text().lines().filter(audited) {
        assert!(line.ends_with(" 0"), "{line}");
    }
}
