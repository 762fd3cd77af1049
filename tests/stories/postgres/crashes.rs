//! Crashes of either side: what was acknowledged is there, nothing is half-done, and nobody has to be started again but what
//! crashed.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Kasoku, Postgres, PostgresDatabase, TempApp};
use serde_json::json;

use super::shop;

const WRITERS: i64 = 4;

/// A server whose commits are on the disk when they are said to be.
fn durable() -> Postgres {
    Postgres::with(&[("fsync", "on"), ("synchronous_commit", "on")])
}

/// Asks until the answer is a success.
async fn recovered(client: &Client, target: &str) -> Answer {
    let began = Instant::now();
    loop {
        match client.try_send(Method::GET, target, &[], "").await {
            Ok(answer) if answer.status.is_success() => return answer,
            other => {
                assert!(began.elapsed() < Duration::from_secs(20), "{target} does not recover: {other:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Rows that were asked for in pairs, and the pairs of them that were acknowledged.
#[derive(Default)]
struct Pairs {
    asked: BTreeSet<i64>,
    acknowledged: BTreeSet<i64>,
}

async fn write(client: Client, first: i64, stop: Arc<AtomicBool>) -> Pairs {
    let mut pairs = Pairs::default();
    for id in (first..).step_by(2) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        pairs.asked.insert(id);
        let rows = json!([{"id": id, "name": id.to_string()}, {"id": id + 1, "name": (id + 1).to_string()}]);
        let headers = [("content-type", "application/json"), ("prefer", "return=minimal")];
        match client.try_send(Method::POST, "/things", &headers, rows.to_string()).await {
            Ok(answer) if answer.status.is_success() => {
                pairs.acknowledged.insert(id);
            }
            Ok(answer) => assert!(answer.status.is_server_error(), "{answer:?}"),
            Err(_) => {}
        }
    }
    pairs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_lose_no_acknowledged_write_and_leave_none_half_done() {
    let mut server = durable();
    let place = server.database();
    let app = shop::on(&place.url());
    let mut running = Some(shop::open(&app));
    let (mut pairs, mut next) = (Pairs::default(), 1_i64);
    for round in 0..6 {
        let stop = Arc::new(AtomicBool::new(false));
        let kasoku = running.take().unwrap_or_else(|| shop::open(&app));
        let client = kasoku.client();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                next += 100_000;
                tokio::spawn(write(kasoku.client(), next, Arc::clone(&stop)))
            })
            .collect();
        // The moment of the crash is what varies; nothing is awaited by this sleep.
        tokio::time::sleep(Duration::from_millis(60 + 41 * round % 130)).await;
        let spared = if round % 2 == 0 {
            kasoku.kill();
            None
        } else {
            server.kill();
            Some(kasoku)
        };
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            let own = writer.await.unwrap();
            pairs.asked.extend(own.asked);
            pairs.acknowledged.extend(own.acknowledged);
        }
        if spared.is_some() {
            server.restart();
            recovered(&client, "/things?limit=1").await;
        }
        running = spared;
        verify(&place, &pairs);
    }
    assert!(pairs.acknowledged.len() > 50, "only {} were acknowledged", pairs.acknowledged.len());
}

fn verify(place: &PostgresDatabase, pairs: &Pairs) {
    let found: BTreeSet<i64> =
        place.psql("select id from things").lines().map(|id| id.parse().unwrap()).collect();
    for id in &pairs.asked {
        assert_eq!(found.contains(id), found.contains(&(id + 1)), "half of the request for {id} was done");
    }
    let lost: Vec<_> = pairs.acknowledged.iter().filter(|id| !found.contains(id)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let known = found.iter().all(|id| pairs.asked.contains(id) || pairs.asked.contains(&(id - 1)));
    assert!(known, "rows that nobody asked for");
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_applies_once_whoever_crashed_in_between() {
    let mut server = durable();
    let place = server.database();
    let app = shop::on(&place.url());
    let mut kasoku = shop::open(&app);
    kasoku.client().json(Method::POST, "/things", &json!({"id": 1, "name": "a"})).await;
    for (turn, crash) in ["nobody", "ours", "theirs"].into_iter().enumerate() {
        let body = json!({"thing": 1, "body": crash}).to_string();
        let key = format!("letter-{turn}");
        ask_and_leave(&kasoku, &key, &body);
        let written = format!("select count(*) from letters where body = '{crash}'");
        let began = Instant::now();
        while place.psql(&written) != "1" {
            assert!(began.elapsed() < Duration::from_secs(20), "the first request does not arrive");
        }
        match crash {
            "ours" => {
                kasoku.kill();
                kasoku = shop::open(&app);
            }
            "theirs" => {
                server.kill();
                server.restart();
            }
            _ => {}
        }
        let client = kasoku.client();
        recovered(&client, "/things?limit=1").await;
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let again = client.send(Method::POST, "/letters", &headers, body).await;
        assert_eq!((again.status, &again.json()["body"]), (StatusCode::CREATED, &json!(crash)), "{again:?}");
        assert_eq!(place.psql(&written), "1", "{crash}");
    }
}

/// Sends a request whose answer nobody reads.
fn ask_and_leave(kasoku: &Kasoku, key: &str, body: &str) {
    let mut connection = TcpStream::connect(kasoku.address()).unwrap();
    let length = body.len();
    write!(
        connection,
        "POST /letters HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    // The answer stays unread until the connection goes with the test's own end of it.
    std::mem::forget(connection);
}

#[tokio::test]
async fn a_server_that_restarts_is_a_503_and_then_used_again_without_a_restart_of_ours() {
    const PASSWORD: &str = "correct-horse-battery";
    let mut server = Postgres::start();
    let place = server.database();
    // Everybody is trusted there, so that a password is sent to nobody, but it must not be shown either.
    let url = place.url().replace("postgres@", &format!("postgres:{PASSWORD}@"));
    let app = shop::on(&url);
    // Nobody wants to wait here for a connection that will not come.
    let text = app
        .read("kasoku.toml")
        .replace("[cache]", "proof = \"off\"\npool = { wait = \"100ms\", reconnect = \"200ms\" }\n[cache]");
    app.write("kasoku.toml", text);
    let kasoku = shop::open(&app);
    let (client, admin) = (kasoku.client(), kasoku.admin());
    client.json(Method::POST, "/things", &json!({"id": 1, "name": "a"})).await;
    let mut shown = Vec::new();
    for _ in 0..2 {
        server.stop();
        for (method, target) in [
            (Method::GET, "/things?id=eq.1&select=id,name"),
            (Method::GET, "/kinds"),
            (Method::POST, "/things"),
            (Method::DELETE, "/things/7"),
        ] {
            let headers = [("content-type", "application/json"), ("cache-control", "no-cache")];
            let answer = client.send(method.clone(), target, &headers, r#"{"name": "b"}"#).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {target}: {answer:?}");
            assert!(!answer.header("retry-after").is_empty(), "{method} {target}: {answer:?}");
            shown.push(answer.text().to_owned());
        }
        for target in ["/health/detail", "/health/ready", "/metrics"] {
            shown.push(admin.get(target).await.text().to_owned());
        }
        shown.push(check(&app));
        server.restart();
        recovered(&client, "/things?id=eq.1&select=id").await;
        let wrote = client.json(Method::PATCH, "/things/1", &json!({"note": "still here"})).await;
        assert_eq!(wrote.status, StatusCode::OK, "{wrote:?}");
    }
    shown.push(check(&app));
    shown.push(admin.get("/health/detail").await.text().to_owned());
    shown.push(kasoku.log());
    for text in shown {
        assert!(!text.contains(PASSWORD), "the password is shown: {text}");
    }
}

/// What `kasoku check` says.
fn check(app: &TempApp) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kasoku"));
    let output = command.arg("check").arg(app.path()).env_remove("DATABASE_URL").output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
