//! Starting, reloading, draining, watching.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use http::{Method, StatusCode};
use kasoku_testkit::{Client, Kasoku};
use serde_json::json;

use crate::shop;

/// Asks until the answer is as wanted; the server acts on its own time.
async fn until(client: &Client, target: &str, wanted: impl Fn(&kasoku_testkit::Answer) -> bool) {
    for _ in 0..400 {
        if wanted(&client.get(target).await) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{target} never became as wanted: {:?}", client.get(target).await);
}

/// Waits until the log, which is written behind, has this word.
async fn until_logged(kasoku: &Kasoku, word: &str) {
    for _ in 0..400 {
        if kasoku.log().contains(word) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the log does not say `{word}`:\n{}", kasoku.log());
}

#[tokio::test]
async fn a_good_edit_is_put_in_force_and_a_bad_one_is_not() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let more = "\n[[route]]\npath = \"/extra\"\nquery = \"select 1 as n\"\ncache = { fresh = \"1h\" }\n";
    app.write("kasoku.toml", format!("{}{more}", shop::KASOKU_TOML));
    until(&client, "/extra", |answer| answer.status == StatusCode::OK).await;

    app.write("kasoku.toml", format!("{}\n[[route]]\npath = 7\n", shop::KASOKU_TOML));
    kasoku.signal("HUP");
    until(&kasoku.admin(), "/metrics", |metrics| {
        metrics
            .text()
            .lines()
            .any(|line| line.starts_with("kasoku_reloads_refused_total") && !line.ends_with(" 0"))
    })
    .await;
    assert_eq!(client.get("/extra").await.status, StatusCode::OK, "the old configuration stays");
    until_logged(&kasoku, "path").await;

    app.write("kasoku.toml", shop::KASOKU_TOML);
    kasoku.signal("HUP");
    until(&client, "/extra", |answer| answer.status == StatusCode::NOT_FOUND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_good_and_bad_configurations_come_and_go() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    client.json(Method::POST, "/things", &json!({"name": "a"})).await;
    let load: Vec<_> = (0..8)
        .map(|number| {
            let client = if number % 2 == 0 { client.clone() } else { Client::http2(kasoku.address()) };
            tokio::spawn(async move {
                for _ in 0..1_250 {
                    assert_eq!(client.get("/things/1").await.status, StatusCode::OK);
                    assert_eq!(
                        client.get("/never").await.status,
                        StatusCode::NOT_FOUND,
                        "the bad one is in force"
                    );
                }
            })
        })
        .collect();
    let route = |path: &str| format!("\n[[route]]\npath = \"{path}\"\nquery = \"select 1 as n\"\n");
    let mut turn = 0;
    while load.iter().any(|task| !task.is_finished()) {
        let more = match turn % 3 {
            0 => route(&format!("/extra/{turn}")),
            1 => format!("{}{}", route("/never"), "[[route]]\npath = 7\n"),
            _ => format!("{}{}", route("/never"), route("/things")),
        };
        app.write("kasoku.toml", format!("{}{more}", shop::KASOKU_TOML));
        kasoku.signal("HUP");
        turn += 1;
        // Not to wait for anything: to let some requests meet each configuration.
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    }
    for task in load {
        task.await.expect("every request was answered");
    }
    let metrics = kasoku.admin().get("/metrics").await;
    let count = |name: &str| -> f64 {
        let value = metrics.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.expect("it is counted").parse().expect("a number")
    };
    let (good, bad) = (count("kasoku_reloads_total"), count("kasoku_reloads_refused_total"));
    assert!(good >= 3.0 && bad >= 3.0, "{good} were put in force and {bad} refused, of {turn}");
}

#[tokio::test]
async fn a_request_in_progress_is_finished_before_the_end() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    // The head of a write has arrived; its body comes only after the signal.
    let mut connection = TcpStream::connect(kasoku.address()).unwrap();
    let body = r#"{"name": "late"}"#;
    let head = format!(
        "POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut interim = [0; 25];
    connection.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    kasoku.signal("TERM");
    until_refused(&kasoku).await;
    connection.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(kasoku.wait().code(), Some(0));
}

/// Waits until the public listener takes no more connections.
async fn until_refused(kasoku: &Kasoku) {
    for _ in 0..400 {
        if TcpStream::connect(kasoku.address()).is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the listener is still open");
}

#[tokio::test]
async fn the_admin_listener_tells_how_it_is() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let (client, admin) = (kasoku.client(), kasoku.admin());
    client.json(Method::POST, "/things", &json!({"name": "a"})).await;
    client.get("/things").await;
    client.get("/things").await;
    for (target, status) in
        [("/health/live", 200), ("/health/ready", 200), ("/health/detail", 200), ("/nothing", 404)]
    {
        assert_eq!(admin.get(target).await.status.as_u16(), status, "{target}");
    }
    let metrics = admin.get("/metrics").await;
    for line in [
        r"kasoku_http_requests_total{",
        r"kasoku_cache_requests_total{",
        "kasoku_http_request_duration_seconds_bucket{",
        "kasoku_cache_bytes ",
        "kasoku_build_info{",
    ] {
        assert!(metrics.text().contains(line), "no {line} in:\n{}", metrics.text());
    }
    for target in ["/metrics", "/health/detail", "/api/cache/purge"] {
        assert_eq!(client.get(target).await.status, StatusCode::NOT_FOUND, "{target} is not public");
    }
    assert_eq!(client.get("/health").await.json()["status"], "ok");
    // A page of another site cannot make the browser purge.
    let headers = [
        ("content-type", "application/json"),
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let forged = admin.send(Method::POST, "/api/cache/purge", &headers, r#"{"all": true}"#).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "{forged:?}");
}

#[test]
fn commands_explain_themselves_and_exit_as_promised() {
    let run =
        |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_kasoku")).args(arguments).output().unwrap();
    for (arguments, code, mentions) in [
        (["--help"].as_slice(), 0, "serve"),
        (&["serve", "--help"], 0, "--listen"),
        (&["--version"], 0, "kasoku"),
        (&["sevre"], 2, "serve"),
        (&["check", "/nonexistent"], 1, "/nonexistent"),
        (&["schema"], 0, "stale_while_revalidate"),
    ] {
        let output = run(arguments);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(mentions), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn the_command_purges_a_running_server() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    client.get("/things").await;
    assert_eq!(client.get("/things").await.cache(), "HIT");
    let admin = kasoku.admin_address().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_kasoku"))
        .args(["purge", "--admin", &admin, "--all"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(client.get("/things").await.cache(), "MISS");
}
