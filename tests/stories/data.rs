//! A file of rows, served with no configuration at all.

use std::process::Command;

use http::StatusCode;
use kasoku_testkit::{Start, TempApp};
use serde_json::json;

const CSV: &str = "id,name,born,height,active,note\r\n\
    1,Ada,1815-12-10,1.65,true,\"first, of all\"\r\n\
    2,\"O\"\"Hara\",,1.8,false,\"two\nlines\"\r\n\
    3,Søren 智子,1813-05-05,,true,\r\n";

fn serve(app: &TempApp, file: &str) -> Start {
    // What is imported is kept in a folder of the test's own.
    Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.join(file)).env("XDG_CACHE_HOME", app.join("kept"))
}

#[tokio::test]
async fn a_csv_file_is_an_api() {
    let app = TempApp::empty().file("people.csv", CSV);
    let kasoku = serve(&app, "people.csv").ready();
    let client = kasoku.client();
    let people = client.get("/people").await;
    assert_eq!(people.status, StatusCode::OK, "{people:?}");
    let people = people.json();
    assert_eq!(people.as_array().unwrap().len(), 3);
    assert_eq!(people[1]["name"], "O\"Hara");
    assert_eq!(people[1]["note"], "two\nlines");
    assert_eq!((&people[1]["born"], &people[2]["height"]), (&json!(null), &json!(null)));
    assert_eq!(client.get("/people/3").await.json()["name"], "Søren 智子");
    assert_eq!(client.get("/people?height=gt.1.7").await.json().as_array().unwrap().len(), 1);
    assert_eq!(client.get("/people?active=is.true").await.json().as_array().unwrap().len(), 2);
    let refused = client.json(http::Method::POST, "/people", &json!({"name": "x"})).await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "reading only, unless asked: {refused:?}");
}

#[tokio::test]
async fn json_and_ndjson_files_are_apis() {
    let app = TempApp::empty()
        .file("towns.json", r#"[{"code": "a", "names": ["A", "Á"], "size": 3}, {"code": "b", "size": null}]"#)
        .file(
            "logs.ndjson",
            "{\"at\": \"2026-01-01\", \"level\": 3}\n{\"at\": \"2026-01-02\", \"level\": 4.5}\n",
        );
    let towns = serve(&app, "towns.json").ready();
    assert_eq!(towns.client().get("/towns/a").await.json()["names"], json!(["A", "Á"]));
    let logs = serve(&app, "logs.ndjson").ready();
    assert_eq!(logs.client().get("/logs?level=gte.4").await.json()[0]["at"], "2026-01-02");
}

#[tokio::test]
async fn an_existing_database_is_served_as_it_is() {
    // The first start makes a database; the second serves that file alone.
    let app = crate::shop::app();
    let kasoku = crate::shop::open(&app);
    kasoku.client().json(http::Method::POST, "/things", &json!({"name": "a"})).await;
    kasoku.signal("TERM");
    kasoku.wait();
    let kasoku = serve(&app, "shop.db").ready();
    assert_eq!(kasoku.client().get("/things/1").await.json()["name"], "a");
    assert_eq!(kasoku.client().json(http::Method::POST, "/things", &json!({"name": "b"})).await.status, 405);
    drop(kasoku);
    let kasoku = serve(&app, "shop.db").arg("--write").ready();
    assert_eq!(kasoku.client().json(http::Method::POST, "/things", &json!({"name": "b"})).await.status, 201);
}

#[tokio::test]
async fn the_same_file_becomes_an_app_to_edit() {
    let app = TempApp::empty().file("people.csv", CSV);
    let made = app.join("people-app");
    let run = |arguments: &[&std::ffi::OsStr]| {
        Command::new(env!("CARGO_BIN_EXE_kasoku")).args(arguments).output().unwrap()
    };
    let output =
        run(&["new".as_ref(), made.as_os_str(), "--from".as_ref(), app.join("people.csv").as_os_str()]);
    assert!(output.status.success(), "{output:?}");
    let again = run(&["new".as_ref(), made.as_os_str()]);
    assert_eq!(again.status.code(), Some(1), "what is there is not overwritten: {again:?}");
    let check = run(&["check".as_ref(), made.as_os_str()]);
    assert!(check.status.success(), "{check:?}");
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), &made).ready();
    assert_eq!(kasoku.client().get("/people/1").await.json()["name"], "Ada");
}

#[test]
fn what_cannot_be_served_is_explained() {
    let app = TempApp::empty()
        .file("empty.csv", "")
        .file("ragged.csv", "a,b\n1,2\n1,2,3\n")
        .file("broken.json", "[{\"a\": 1},")
        .file("picture.png", [0x89, b'P', b'N', b'G', 0, 1, 2]);
    for (file, mentions) in [
        ("empty.csv", "empty"),
        ("ragged.csv", "3"),
        ("broken.json", "broken.json:1"),
        ("picture.png", "csv"),
        ("gone.csv", "gone.csv"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_kasoku"))
            .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .arg(app.join(file))
            .env("XDG_CACHE_HOME", app.join("kept"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(1), "{file}: {said}");
        assert!(said.contains(mentions), "{file}: {said}");
    }
}
