//! Warming: what is asked for before the server is ready, and what one run tells the next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Kasoku, RecordingOrigin, Start, TempApp};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_kasoku");

const SCHEMA: &str = "create table things (id integer primary key, name text not null);
insert into things (name) select 'thing ' || value from (with recursive n (value) as
    (select 1 union all select value + 1 from n where value < 100) select value from n);";

const HOST: (&str, &str) = ("host", "www.example.com");

/// An app over a table and an origin, with settings of `[cache]`.
fn app(cache: &str, origin: &RecordingOrigin) -> TempApp {
    TempApp::new(&text(cache, origin)).file("schema/001.sql", SCHEMA)
}

fn text(cache: &str, origin: &RecordingOrigin) -> String {
    format!(
        r#"
[database]
url = "sqlite::memory:"
schema = "schema/"

[cache]
{cache}

[[route]]
path = "/things"
table = "things"
page = {{ default = 50, most = 100 }}

[[route]]
path = "/{{*rest}}"
origin = "{}"
"#,
        origin.url()
    )
}

/// Answers everything with its number, to be kept for a while; `/gone` is not there, and `/own` is for one alone.
fn origin() -> RecordingOrigin {
    RecordingOrigin::new(|exchange| {
        let (status, control) = match exchange.target() {
            "/gone" => ("404 Not Found", "no-store"),
            "/own" => ("200 OK", "private"),
            _ => ("200 OK", "max-age=600"),
        };
        let body = exchange.number().to_string();
        let length = body.len();
        exchange.send(format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\ncache-control: {control}\r\n\r\n{body}"
        ));
    })
}

fn start(app: &TempApp) -> Kasoku {
    Start::serve(BINARY, app.path()).ready()
}

async fn until_ready(kasoku: &Kasoku) {
    until(&kasoku.admin(), "/health/ready", |answer| answer.status == StatusCode::OK).await;
}

async fn until(client: &Client, target: &str, wanted: impl Fn(&Answer) -> bool) {
    while !wanted(&client.get(target).await) {
        tokio::task::yield_now().await;
    }
}

/// Waits until the log, which is written behind, says something.
async fn until_logged(kasoku: &Kasoku, said: &str) {
    while !kasoku.log().contains(said) {
        tokio::task::yield_now().await;
    }
}

async fn warming(kasoku: &Kasoku) -> Value {
    kasoku.admin().get("/health/detail").await.json()["warming"].clone()
}

#[tokio::test]
async fn the_server_is_ready_when_everything_named_is_warm() {
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let origin = RecordingOrigin::new(move |exchange| {
        if exchange.target() == "/page?n=1" {
            // It ends when the other side is dropped.
            let _ended = released.lock().unwrap().recv();
        }
        exchange.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncache-control: max-age=600\r\n\r\nfour");
    });
    let warm = "warm = [\"/things\", \"/things/7\", \"http://WWW.example.com/page?n=1\"]";
    let app = app(&format!("{warm}\nwarm_timeout = \"1h\""), &origin);
    let kasoku = start(&app);
    let (client, admin) = (kasoku.client(), kasoku.admin());
    until(&admin, "/health/detail", |answer| answer.json()["warming"]["done"] == json!(2)).await;
    let waiting = admin.get("/health/ready").await;
    assert_eq!(waiting.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        waiting.json(),
        json!({ "status": "not-ready", "reasons": ["the cache is being warmed: 2 of 3 targets"] })
    );
    assert_eq!(client.get("/things?limit=1").await.status, StatusCode::OK, "those who come are answered");
    drop(release);
    until_ready(&kasoku).await;
    assert_eq!(warming(&kasoku).await, json!({ "targets": 3, "done": 3, "failed": 0 }));
    for target in ["/things", "/things/7", "/page?n=1"] {
        for coding in ["gzip, deflate, br, zstd", "identity"] {
            let answer = client.get_with(target, &[HOST, ("accept-encoding", coding)]).await;
            assert_eq!(answer.cache(), "HIT", "{target} {coding}");
        }
    }
    assert_eq!(client.get_with("/page?n=1", &[("host", "other.example")]).await.cache(), "MISS");
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn the_server_is_ready_after_its_time_whatever_is_warm() {
    let is_over = Arc::new(AtomicBool::new(false));
    let origin = RecordingOrigin::new({
        let is_over = Arc::clone(&is_over);
        move |exchange| {
            while exchange.target() == "/slow" && !is_over.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            exchange.close();
        }
    });
    let warm = "warm = [\"/things\", \"http://www.example.com/slow\"]\nwarm_timeout = \"300ms\"";
    let app = app(warm, &origin);
    let kasoku = start(&app);
    until_ready(&kasoku).await;
    assert_eq!(warming(&kasoku).await, json!({ "targets": 2, "done": 1, "failed": 0 }));
    assert_eq!(kasoku.client().get("/things").await.cache(), "HIT");
    is_over.store(true, Ordering::SeqCst);
    until_logged(&kasoku, "the time for warming the cache is over").await;
}

#[tokio::test]
async fn what_cannot_be_warmed_is_told_and_keeps_nobody_waiting() {
    let origin = origin();
    let url = |path: &str| format!("\"http://www.example.com{path}\"");
    let warm = format!("warm = [{}, {}, {}, \"/things/1000\"]", url("/gone"), url("/own"), url("/page"));
    let app = app(&warm, &origin);
    let kasoku = start(&app);
    until_ready(&kasoku).await;
    assert_eq!(warming(&kasoku).await, json!({ "targets": 4, "done": 4, "failed": 3 }));
    assert_eq!(kasoku.client().get_with("/page", &[HOST]).await.cache(), "HIT");
    for said in [
        "http://www.example.com/gone",
        "it was answered 404",
        "http://www.example.com/own",
        "its answer was not stored",
        "/things/1000",
    ] {
        until_logged(&kasoku, said).await;
    }
}

#[tokio::test]
async fn what_was_hot_in_one_run_is_warm_in_the_next() {
    let origin = origin();
    let app = app("hot = \"hot.keys\"\nhot_count = 4", &origin);
    let first = start(&app);
    assert_eq!(warming(&first).await, Value::Null, "nothing is known yet");
    let client = first.client();
    // What comes with cookies or preferences is not asked for again, nor what was never found.
    for (target, fields, times) in [
        ("/hottest?a=%20&b", &[HOST][..], 9),
        ("/things?limit=3", &[], 8),
        ("/own", &[HOST], 8),
        ("/mine", &[HOST, ("cookie", "session=1")], 8),
        ("/things?limit=9", &[("prefer", "count=none")], 8),
        ("/hot", &[HOST], 7),
        ("/things/7", &[], 6),
        ("/cool", &[HOST], 5),
        ("/once", &[HOST], 1),
    ] {
        for _ in 0..times {
            assert_eq!(client.get_with(target, fields).await.status, StatusCode::OK);
        }
    }
    let asked = origin.requests().len();
    first.signal("TERM");
    assert_eq!(first.wait().code(), Some(0));
    let expected = [
        "http://www.example.com/hottest?a=%20&b",
        "/things?limit=3",
        "http://www.example.com/hot",
        "/things/7",
    ];
    let file = app.read("hot.keys");
    assert_eq!(file.lines().skip(1).collect::<Vec<_>>(), expected, "{file}");

    let second = start(&app);
    until_ready(&second).await;
    assert_eq!(warming(&second).await, json!({ "targets": 4, "done": 4, "failed": 0 }));
    let warmed = origin.requests().split_off(asked);
    assert_eq!(warmed.len(), 2, "{warmed:?}");
    assert!(warmed.iter().all(|request| !request.to_ascii_lowercase().contains("cookie")), "{warmed:?}");
    let client = second.client();
    for (target, fields) in
        [("/hottest?a=%20&b", &[HOST][..]), ("/hot", &[HOST]), ("/things?limit=3", &[]), ("/things/7", &[])]
    {
        assert_eq!(client.get_with(target, fields).await.cache(), "HIT", "{target}");
    }
    // A short run does not forget what a long one knew.
    client.get_with("/hot", &[HOST]).await;
    second.signal("TERM");
    assert_eq!(second.wait().code(), Some(0));
    let file = app.read("hot.keys");
    let lines: Vec<_> = file.lines().skip(1).collect();
    assert_eq!(lines[0], "http://www.example.com/hot", "{file}");
    assert_eq!(lines.len(), 4, "{file}");
}

#[tokio::test]
async fn a_list_of_hot_targets_that_others_have_spoiled_does_no_harm() {
    let origin = origin();
    let app = app("hot = \"hot.keys\"", &origin);
    let lines = "http://www.example.com/gone\nftp://a/b\n\u{0}\n/nowhere\u{7f}\n/things/7\nhttp://www.example.com/own\n";
    app.write("hot.keys", lines);
    let kasoku = start(&app);
    until_ready(&kasoku).await;
    assert_eq!(warming(&kasoku).await, json!({ "targets": 3, "done": 3, "failed": 2 }));
    kasoku.signal("TERM");
    assert_eq!(kasoku.wait().code(), Some(0));
    let file = app.read("hot.keys");
    assert_eq!(
        file.lines().skip(1).collect::<Vec<_>>(),
        ["/things/7"],
        "what could not be warmed is forgotten"
    );
}

#[tokio::test]
async fn a_reload_warms_its_own_cache_and_the_server_stays_ready() {
    let origin = origin();
    let settings = "warm = [\"/things?limit=1\"]\nhot = \"hot.keys\"";
    let app = app(settings, &origin);
    let kasoku = start(&app);
    until_ready(&kasoku).await;
    let (client, admin) = (kasoku.client(), kasoku.admin());
    for _ in 0..3 {
        client.get_with("/hot", &[HOST]).await;
    }
    app.write("kasoku.toml", text(&format!("{settings}\nmemory = \"32MiB\""), &origin));
    kasoku.signal("HUP");
    until(&admin, "/health/detail", |answer| {
        let detail = answer.json();
        assert_eq!(detail["ready"], json!(true));
        detail["generation"] == json!(2) && detail["warming"]["done"] == json!(2)
    })
    .await;
    assert_eq!(client.get("/things?limit=1").await.cache(), "HIT");
    assert_eq!(client.get_with("/hot", &[HOST]).await.cache(), "HIT");
    assert_eq!(client.send(Method::HEAD, "/hot", &[HOST], "").await.cache(), "HIT");
}
