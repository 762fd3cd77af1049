//! What an expert with bad intentions tries: the server stays right, well, and quiet about its inside.

use std::fmt::Write as _;
use std::process::Command;

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Peer, Start, TempApp};
use serde_json::{Value, json};

use crate::shop;

const JSON: (&str, &str) = ("content-type", "application/json");

/// A schema whose rules, triggers and hidden columns have words in them that no caller may ever see.
const LOOSE_TOML: &str = r#"
[database]
url = "sqlite:loose.db"
schema = "schema/"

[cache]
memory = "16MiB"

[[route]]
path = "/rows"
table = "rows"
select = ["id", "whole", "real", "text", "document", "data"]
filter = ["whole", "real", "text"]
order = ["id"]
write = ["insert", "update", "upsert", "delete"]

[[route]]
path = "/pairs"
table = "pairs"
order = ["name,place"]
write = ["insert", "update", "upsert", "delete"]

[[route]]
path = "/found"
query = "select rowid as id from words where words match :q order by rowid"

[[route]]
path = "/like-real"
query = "select id from rows where text = :real order by id"
params = { real = "real" }
"#;

const LOOSE_SQL: &str = "
create table rows (
    id integer primary key, whole integer, real real, text text check (text <> 'CANARY-CHECK'), document json, data blob,
    hidden text default 'CANARY-HIDDEN'
);
create index rows_by_text on rows (text);
create trigger refuse before insert on rows when new.text = 'refuse' begin select raise(abort, 'CANARY-TRIGGER'); end;
create table pairs (name text, place integer, note text, primary key (name, place)) without rowid;
create virtual table words using fts5 (text);
create trigger find after insert on rows begin insert into words (rowid, text) values (new.id, new.text); end;
";

fn loose() -> TempApp {
    TempApp::new(LOOSE_TOML).file("schema/001-loose.sql", LOOSE_SQL)
}

async fn insert(client: &Client, body: &str) -> Answer {
    client.send(Method::POST, "/rows", &[JSON], body.to_owned()).await
}

#[tokio::test]
async fn numbers_and_texts_come_back_as_they_were_sent_or_are_refused() {
    let app = loose();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    for (name, sent) in [
        ("whole", "9007199254740993"),
        ("whole", "-9223372036854775808"),
        ("whole", "9223372036854775807"),
        ("real", "0.1"),
        ("real", "5e-324"),
        ("real", "1.7976931348623157e308"),
        ("text", r#""a\u0000b""#),
        ("text", r#""\ud83d\udca9\u2028<script>""#),
        ("text", r#""'; drop table rows; --""#),
        ("document", r#"{"a":[1.5,null,{"b":18446744073709551615}]}"#),
        ("data", r#""AP8=""#),
    ] {
        let created = insert(&client, &format!("{{\"{name}\": {sent}}}")).await;
        assert_eq!(created.status, StatusCode::CREATED, "{name} {sent}: {created:?}");
        let expected: Value = serde_json::from_str(sent).unwrap();
        assert_eq!(created.json()[name], expected, "{name} {sent}");
        assert_eq!(
            client.get(created.header("location")).await.json()[name],
            expected,
            "{name} {sent}, read again"
        );
    }
    for (name, sent, status) in [
        ("whole", "9223372036854775808", 422),
        ("whole", "9007199254740993.0", 422),
        ("whole", "1.5", 422),
        ("real", "1e400", 400),
        ("real", "NaN", 400),
        ("text", r#""\ud800""#, 400),
        ("data", r#""?""#, 422),
    ] {
        let refused = insert(&client, &format!("{{\"{name}\": {sent}}}")).await;
        assert_eq!(refused.status.as_u16(), status, "{name} {sent}: {refused:?}");
    }
}

#[tokio::test]
async fn filters_take_any_text_for_a_value_and_none_for_sql() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    client
        .json(Method::POST, "/things", &json!([{"name": "a"}, {"name": "x' or 1=1 --", "note": "null"}]))
        .await;
    let in_list = |count: usize| format!("/things?id=in.({})", vec!["1"; count].join(","));
    let nested = |depth: usize| {
        format!("/things?{}id.eq.1{}", "or=(".to_owned() + &"or(".repeat(depth - 1), ")".repeat(depth))
    };
    for (target, rows) in [
        ("/things?name=eq.x%27%20or%201=1%20--".to_owned(), Ok(1)),
        ("/things?name=eq.%00".to_owned(), Ok(0)),
        ("/things?name=like.*%5Bax%5D*".to_owned(), Ok(0)),
        ("/things?note=eq.null".to_owned(), Ok(1)),
        ("/things?note=is.null".to_owned(), Ok(1)),
        ("/things?note=not.eq.x".to_owned(), Ok(1)),
        ("/things?id=in.()".to_owned(), Ok(0)),
        ("/things?id=not.in.()".to_owned(), Ok(2)),
        ("/things?price=gt.-1e308".to_owned(), Ok(0)),
        ("/things?price=eq.1e400".to_owned(), Err(400)),
        ("/things?price=eq.NaN".to_owned(), Err(400)),
        ("/things?live=is.unknown".to_owned(), Ok(0)),
        ("/things?live=is.perhaps".to_owned(), Err(400)),
        ("/things?limit=1&limit=2".to_owned(), Err(400)),
        ("/things?kind=eq.plain&kind=eq.odd".to_owned(), Ok(0)),
        (in_list(500), Ok(1)),
        (in_list(501), Err(400)),
        (nested(8), Ok(1)),
        (nested(9), Err(400)),
        (nested(2_000), Err(400)),
        (format!("/things?note=like.{}b", "*a".repeat(200)), Ok(0)),
    ] {
        let answer = client.get(&target).await;
        let found = match answer.status.as_u16() {
            200 => Ok(answer.json().as_array().unwrap().len()),
            status => Err(status),
        };
        assert_eq!(found, rows, "{}: {answer:?}", &target[..target.len().min(80)]);
    }
}

#[tokio::test]
async fn no_answer_shows_what_is_behind_it() {
    let app = loose();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let mut answers = vec![
        insert(&client, r#"{"text": "CANARY-CHECK"}"#).await,
        insert(&client, r#"{"text": "refuse"}"#).await,
        insert(&client, r#"{"text": "seen"}"#).await,
        insert(&client, r#"{"id": 1}"#).await,
        insert(&client, r#"{"hidden": "x"}"#).await,
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [422, 422, 201, 409, 422]);
    for target in [
        "/rows",
        "/rows/1",
        "/rows?select=hidden",
        "/rows?hidden=eq.x",
        "/rows?order=hidden",
        "/found?q=%22",
        "/found?q=AND",
    ] {
        answers.push(client.get(target).await);
    }
    for answer in &answers {
        let text = answer.text();
        for inside in ["CANARY", "sqlite", "fts5", "select ", "check constraint", "/tmp/"] {
            assert!(!text.to_lowercase().contains(&inside.to_lowercase()), "{inside}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn searches_know_of_the_writes_that_their_index_follows() {
    let app = loose();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    for expected in 1..=3 {
        assert_eq!(insert(&client, r#"{"text": "alpha"}"#).await.status, StatusCode::CREATED);
        for cache in ["MISS", "HIT"] {
            let found = client.get("/found?q=alpha").await;
            assert_eq!((found.json().as_array().unwrap().len(), found.cache()), (expected, cache));
        }
    }
}

#[tokio::test]
async fn a_text_that_equals_a_long_double_is_not_cached_past_its_change() {
    let app = loose();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    // The database writes the double with 15 digits to compare it with a text.
    let target = "/like-real?real=1234567890123456789";
    assert_eq!(client.get(target).await.json(), json!([]));
    for text in ["1.23456789012346e+18", "1.2345678901234568e+18", "1.23456789012345677e+18"] {
        insert(&client, &json!({ "text": text }).to_string()).await;
    }
    let found = client.get(target).await;
    assert_ne!((found.cache(), found.json()), ("HIT", json!([])), "one of them is equal to it");
    assert_eq!(found.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_location_of_a_row_leads_to_it_whatever_its_key_is() {
    let app = loose();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    for name in ["plain", "a,b", "\"quoted\"", "\"a\",1", "back\\slash,", "per%2Cent", "é/?#;", " "] {
        let created = client.json(Method::POST, "/pairs", &json!({"name": name, "place": 7})).await;
        assert_eq!(created.status, StatusCode::CREATED, "{name}: {created:?}");
        let read = client.get(created.header("location")).await;
        assert_eq!(read.status, StatusCode::OK, "{name}: {created:?} {read:?}");
        assert_eq!(read.json()["name"], name);
    }
}

#[tokio::test]
async fn an_idempotency_key_names_one_request_and_no_other() {
    let app = loose();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let send = async |key: &str, prefer: &str, body: &str| {
        client
            .send(
                Method::POST,
                "/rows",
                &[JSON, ("idempotency-key", key), ("prefer", prefer)],
                body.to_owned(),
            )
            .await
    };
    let (whole, body) = ("return=representation", r#"{"id": 5, "text": "a"}"#);
    assert_eq!(send("k", whole, body).await.status, StatusCode::CREATED);
    let again = send("k", whole, body).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, "true"));
    for (prefer, body) in
        [(whole, r#"{"id": 6}"#), ("return=minimal", body), ("resolution=merge-duplicates", body)]
    {
        let other = send("k", prefer, body).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{prefer} {body}: {other:?}");
    }
    for key in ["", "\"\"", &"k".repeat(256)] {
        assert_eq!(send(key, whole, "{}").await.status, StatusCode::BAD_REQUEST, "{key:?}");
    }
    let two = client
        .send(Method::POST, "/rows", &[JSON, ("idempotency-key", "a"), ("idempotency-key", "b")], "{}")
        .await;
    assert_eq!(two.status, StatusCode::BAD_REQUEST, "{two:?}");
    assert_eq!(client.get("/rows").await.json().as_array().unwrap().len(), 1, "all else wrote nothing");

    let equal: Vec<_> = (0..16)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                client.send(Method::POST, "/rows", &[JSON, ("idempotency-key", "same")], "{}").await
            })
        })
        .collect();
    let mut replayed = 0;
    for answer in equal {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, answer.header("location")), (StatusCode::CREATED, "/rows/6"));
        replayed += usize::from(answer.header("idempotent-replayed") == "true");
    }
    assert_eq!(replayed, 15);
}

#[tokio::test]
async fn what_a_cached_answer_is_does_not_depend_on_who_asked_first() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let rows: Vec<Value> =
        (0..30).map(|n| json!({"name": format!("n{n}"), "note": "n".repeat(100)})).collect();
    client.json(Method::POST, "/things", &rows.into()).await;
    let plain = client.get("/things?limit=20").await;
    for (place, field) in [
        ("authorization", "Bearer x"),
        ("cookie", "session=1"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/kinds"),
        ("x-http-method-override", "DELETE"),
        ("range", "bytes=0-0"),
        ("if-none-match", "\"x\""),
        ("if-modified-since", "Fri, 31 Dec 2100 00:00:00 GMT"),
        ("accept", "text/html, */*;q=0.8"),
        ("accept-language", "tlh"),
        ("upgrade", "websocket"),
        ("prefer", "return=minimal"),
    ]
    .into_iter()
    .enumerate()
    {
        // An answer that this request is the first to ask for, then asked for without it.
        let target = format!("/things?limit=20{}", "&".repeat(place + 1));
        let first = client.get_with(&target, &[field]).await;
        assert!(first.status.is_success() && first.cache() == "MISS", "{field:?}: {first:?}");
        let then = client.get(&target).await;
        assert_eq!((then.status, &then.body), (StatusCode::OK, &plain.body), "{field:?}");
        assert_eq!(then.header("etag"), plain.header("etag"), "{field:?}");
    }
    let fat = client.send(Method::GET, "/things?limit=20&fat", &[JSON], "{\"limit\": 1}").await;
    assert_eq!(fat.status, StatusCode::BAD_REQUEST, "an unknown parameter: {fat:?}");
    let head = client.send(Method::HEAD, "/kinds", &[], "").await;
    assert_eq!((head.cache(), head.body.len()), ("MISS", 0));
    let get = client.get("/kinds").await;
    assert_eq!((get.cache(), get.body.len().to_string()), ("HIT", head.header("content-length").to_owned()));
    for (wrong, right) in
        [("/things?prefer", ("prefer", "count=bogus")), ("/things/1", ("prefer", "count=exact"))]
    {
        client.get_with(wrong, &[right]).await;
    }
    assert_eq!(
        client.get_with("/things", &[("prefer", "count=bogus")]).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(client.get("/things").await.status, StatusCode::OK, "errors of other requests are not kept");
}

#[tokio::test]
async fn a_validated_head_tells_no_length() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let etag = client.get("/kinds").await.header("etag").to_owned();
    for tags in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        for method in [Method::GET, Method::HEAD] {
            let answer = client.send(method.clone(), "/kinds", &[("if-none-match", &tags)], "").await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{method} {tags}");
            assert_eq!(answer.header("content-length"), "", "{method} {tags}");
        }
    }
}

#[tokio::test]
async fn a_missing_row_is_there_as_soon_as_it_is_written() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    for _ in 0..2 {
        assert_eq!(client.get("/things/7").await.status, StatusCode::NOT_FOUND);
        assert_eq!(client.get("/kinds/red").await.status, StatusCode::NOT_FOUND);
    }
    client.json(Method::POST, "/things", &json!({"id": 7, "name": "seven", "kind": "red"})).await;
    assert_eq!(client.get("/things/7").await.status, StatusCode::OK);
    assert_eq!(client.get("/kinds/red").await.status, StatusCode::OK);
    let soft = json!({"key": "/things/7", "soft": true});
    kasoku.admin().json(Method::POST, "/api/cache/purge", &soft).await;
    client.json(Method::PATCH, "/things/7", &json!({"note": "new"})).await;
    assert_eq!(
        client.get("/things/7").await.json()["note"],
        "new",
        "a softened answer is no older than a write"
    );
    client.send(Method::DELETE, "/things/7", &[], "").await;
    assert_eq!(client.get("/things/7").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/kinds/red").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bodies_are_named_by_what_is_wrong_with_them_and_never_repeated_whole() {
    let app = loose();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let long = "k".repeat(200_000);
    for (body, status) in [
        (format!("{{\"{long}\": 1, \"{long}\": 2}}"), 400),
        (format!("{{\"{long}\": 1}}"), 422),
        (format!("{{\"whole\": \"{long}\"}}"), 422),
        ("[".repeat(500_000), 400),
        (format!("[{}1]", "{},".repeat(900)), 422),
        (format!("[{}{{}}]", "{},".repeat(100_000)), 422),
    ] {
        let refused = insert(&client, &body).await;
        assert_eq!(refused.status.as_u16(), status, "{refused:?}");
        assert!(refused.body.len() < 2_000, "{} bytes are repeated", refused.body.len());
    }
    let coded = client.send(Method::POST, "/rows", &[JSON, ("content-encoding", "gzip")], "\u{1f}").await;
    assert_eq!(coded.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{coded:?}");
    assert_eq!(client.get("/rows").await.text(), "[]", "nothing was written");
}

#[tokio::test]
async fn a_body_that_answers_did_not_wait_for_is_no_request() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let hidden = "PUT /things/66 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"name\": \"evil\"}";
    let length = hidden.len();
    for head in [
        "POST /nothing",
        "POST /things",
        "GET /kinds",
        "DELETE /things/5",
        "OPTIONS /things",
        "PURGE /things",
    ] {
        let mut peer = Peer::to(kasoku.address());
        peer.send(format!("{head} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{hidden}"));
        peer.send("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answers = peer.rest();
        let count = answers.matches("HTTP/1.1 ").count();
        assert!((1..=2).contains(&count), "{head}: {answers}");
    }
    assert_eq!(kasoku.client().get("/things/66").await.status, StatusCode::NOT_FOUND);
}

#[test]
fn a_thousand_requests_in_one_breath_are_answered_in_order() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let mut peer = Peer::to(kasoku.address());
    let mut requests = String::new();
    for n in 0..1_000 {
        write!(requests, "GET /things/{} HTTP/1.1\r\nHost: a\r\n\r\n", 1_000 + n).unwrap();
    }
    requests.push_str("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    std::thread::scope(|scope| {
        let answers = scope.spawn({
            let mut reading = Peer::to(kasoku.address());
            move || {
                reading.send(requests);
                reading.rest()
            }
        });
        // Another connection is served meanwhile.
        peer.send("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(peer.rest().starts_with("HTTP/1.1 200"));
        let answers = answers.join().unwrap();
        assert_eq!(answers.matches("HTTP/1.1 404").count(), 1_000);
        assert_eq!(answers.matches("HTTP/1.1 200").count(), 1);
    });
}

#[tokio::test]
async fn callers_that_hang_up_leave_nothing_behind() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    client.json(Method::POST, "/things", &json!({"name": "a"})).await;
    let files = || std::fs::read_dir(format!("/proc/{}/fd", kasoku.id())).unwrap().count();
    let before = files();
    for n in 0..150 {
        let body = format!("{{\"note\": \"{n}\"}}");
        let head = format!(
            "PATCH /things/1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        match n % 3 {
            0 => Peer::to(kasoku.address()).send(head + &body),
            1 => Peer::to(kasoku.address()).send(head),
            _ => Peer::to(kasoku.address()).send(&head[..30]),
        };
    }
    client.json(Method::PATCH, "/things/1", &json!({"note": "last"})).await;
    for _ in 0..400 {
        if files() <= before + 8 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert!(files() <= before + 8, "{} files are open, and {before} were", files());
    let cached = client.get("/things/1").await.json();
    let fresh = client.get_with("/things/1", &[("cache-control", "no-cache")]).await.json();
    assert_eq!(cached, fresh);
}

#[tokio::test]
async fn a_reload_with_another_meaning_serves_nothing_of_the_old_one() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    client.json(Method::POST, "/things", &json!({"name": "a", "kind": "red"})).await;
    assert_eq!(client.get("/kinds/red").await.json(), json!({"kind": "red", "things": 1}));
    let changed = shop::KASOKU_TOML.replace(
        "select kind, count(*) as things from things where",
        "select kind, 7 as things from things where",
    );
    assert_ne!(changed, shop::KASOKU_TOML);
    app.write("kasoku.toml", changed);
    kasoku.signal("HUP");
    for _ in 0..400 {
        if client.get("/kinds/red").await.json()["things"] == 7 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    for cache in ["HIT", "HIT"] {
        let answer = client.get("/kinds/red").await;
        assert_eq!((answer.json()["things"].as_i64(), answer.cache()), (Some(7), cache));
    }
    client.send(Method::DELETE, "/things/1", &[], "").await;
    assert_eq!(client.get("/kinds/red").await.status, StatusCode::NOT_FOUND, "changes reach the new store");
}

#[test]
fn files_of_rows_are_taken_as_they_are_or_refused_with_their_place() {
    let serves: [(&str, String, Value); 5] = [
        (
            "words.csv",
            "select,from,limit,or,rowid\n1,2,3,4,5\n".into(),
            json!([{"select": 1, "from": 2, "limit": 3, "or": 4, "rowid": 5}]),
        ),
        (
            "formula.csv",
            "a,b\n=cmd|calc!A0,1\n@SUM(1),2\n".into(),
            json!([{"a": "=cmd|calc!A0", "b": 1}, {"a": "@SUM(1)", "b": 2}]),
        ),
        ("same.csv", "a,a,A\n1,2,3\n".into(), json!([{"a": 1, "a_2": 2, "A_3": 3}])),
        (
            "quotes.csv",
            "\"; drop table x; --\",\"new\nline\"\n1,2\n".into(),
            json!([{"drop_table_x": 1, "new_line": 2}]),
        ),
        (
            "numbers.json",
            r#"[{"a": 123456789012345678901234567890, "b": 1e400, "c": 9007199254740993}]"#.into(),
            json!([{"a": "123456789012345678901234567890", "b": "1e400", "c": 9_007_199_254_740_993_i64}]),
        ),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, content, expected) in serves {
        let folder = TempApp::empty().file(name, content);
        let start = Start::serve(env!("CARGO_BIN_EXE_kasoku"), folder.join(name));
        let kasoku = start.env("XDG_CACHE_HOME", folder.join("cache")).ready();
        let path = format!("/{}", name.split('.').next().unwrap());
        let answer = runtime.block_on(kasoku.client().get(&path));
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected), "{name}");
    }
    let columns = (0..100_000).fold(String::new(), |text, n| text + &format!("c{n},")) + "\n1\n";
    let refuses: [(&str, Vec<u8>, &str); 7] = [
        ("columns.csv", columns.into(), "columns"),
        ("line.csv", format!("a,b\n\"{}", "x".repeat(17 << 20)).into(), "line.csv:2"),
        ("zero.csv", b"a,b\n1\0,2\n".to_vec(), "zero.csv"),
        ("bytes.csv", b"a,b\n\xff\xfe,2\n".to_vec(), "bytes.csv:2"),
        ("ragged.csv", b"a,b\n1,2,3\n".to_vec(), "ragged.csv:2"),
        ("open.json", b"[{\"a\": 1}, {\"a\"".to_vec(), "open.json:1"),
        ("no.db", b"this is no database".to_vec(), "no.db"),
    ];
    for (name, content, mentions) in refuses {
        let folder = TempApp::empty().file(name, content);
        let output = Command::new(env!("CARGO_BIN_EXE_kasoku"))
            .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .arg(folder.join(name))
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(
            said.contains(mentions) && !said.contains("panicked") && said.len() < 2_000,
            "{name}: {said}"
        );
    }
}

#[test]
fn a_secret_that_is_far_too_long_is_refused_before_it_is_read_whole() {
    let toml = format!("[server]\nsecret = \"file:secret\"\n{}", shop::KASOKU_TOML);
    let app =
        TempApp::new(&toml).file("schema/001-shop.sql", shop::SCHEMA).file("secret", "s".repeat(8 << 20));
    let check = Command::new(env!("CARGO_BIN_EXE_kasoku")).arg("check").arg(app.path()).output().unwrap();
    let said = String::from_utf8_lossy(&[check.stdout, check.stderr].concat()).into_owned();
    assert_eq!(check.status.code(), Some(1), "{said}");
    assert!(said.contains("kasoku.toml:2") && !said.contains("sssss"), "{said}");
}
