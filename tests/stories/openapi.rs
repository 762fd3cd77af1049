//! The description of an API: printed by a command, served to operators, and true of what is served.

use std::path::Path;
use std::process::Command;

use http::{Method, StatusCode};
use kasoku_testkit::{Postgres, Start, TempApp};
use serde_json::Value;

use super::shop;

fn printed(app: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_kasoku")).arg("openapi").arg(app).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asks as the description says, and looks at what it says of the answer.
async fn told_true(app: &TempApp) {
    let described = printed(app.path());
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    let served = kasoku.admin().get("/openapi.json").await;
    assert_eq!((served.status, served.json()), (StatusCode::OK, described.clone()));
    let client = kasoku.client();
    let row = serde_json::json!({ "name": "one", "kind": "red" });
    assert_eq!(client.json(Method::POST, "/things", &row).await.status, StatusCode::CREATED);
    for (path, item) in described["paths"].as_object().unwrap() {
        let target = path.replace("{key}", "1").replace("{kind}", "red");
        for method in ["get", "post", "put", "patch", "delete"] {
            let answer = client.send(method.to_uppercase().parse().unwrap(), &target, &[], Vec::new()).await;
            let refused = answer.status == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(item[method].is_null(), refused, "{method} {target}: {answer:?}");
        }
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            let (Some(name), true) = (parameter["name"].as_str(), parameter["in"] == "query") else {
                continue;
            };
            let answer = client.get(&format!("{target}?{name}=")).await;
            let is_known = answer.status != StatusCode::BAD_REQUEST
                || !answer.json()["type"].as_str().unwrap().ends_with("unknown-parameter");
            assert!(is_known, "{target} does not take {name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_is_described_is_what_is_served() {
    told_true(&shop::app()).await;
}

#[tokio::test]
async fn on_postgresql_too() {
    let text = shop::KASOKU_TOML.replace("sqlite:shop.db", &Postgres::shared().database().url());
    told_true(&TempApp::new(&text).file("schema/001-shop.sql", super::postgres::shop::SCHEMA)).await;
}

#[tokio::test]
async fn callers_find_it_where_the_app_says_so() {
    let text = format!("[server]\nopenapi = \"/openapi.json\"\n{}", shop::KASOKU_TOML);
    let app = TempApp::new(&text).file("schema/001-shop.sql", shop::SCHEMA);
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let served = client.get("/openapi.json").await;
    assert_eq!((served.status, served.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(served.json(), kasoku.admin().get("/openapi.json").await.json());
    let again = client.get_with("/openapi.json", &[("if-none-match", served.header("etag"))]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{again:?}");
    let refused = client.send(Method::POST, "/openapi.json", &[], Vec::new()).await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{refused:?}");
    assert_eq!(shop::open(&shop::app()).client().get("/openapi.json").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_reload_is_described() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let before = kasoku.admin().get("/openapi.json").await.json();
    let more = format!(
        "{}\n[[route]]\npath = \"/more\"\ntable = \"letters\"\norder = [\"id\"]\n",
        shop::KASOKU_TOML
    );
    let app = app.file("kasoku.toml", more);
    kasoku.signal("HUP");
    let began = std::time::Instant::now();
    while kasoku.admin().get("/openapi.json").await.json()["paths"]["/more"].is_null() {
        assert!(began.elapsed().as_secs() < 20, "{}", kasoku.log());
    }
    let after = kasoku.admin().get("/openapi.json").await.json();
    assert_ne!(before["info"]["version"], after["info"]["version"]);
    drop(app);
}
