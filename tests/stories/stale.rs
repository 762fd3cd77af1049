//! Stale answers: given where the route allows it, and never where a change says otherwise.
//!
//! Lifetimes here are as short as can be, and nothing is asserted about how long anything takes: each story asks
//! until it has seen what it is about.

use std::time::Duration;

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Kasoku, Start, TempApp};
use serde_json::json;

/// Two queries work in even seconds and not in odd ones, as a source does that is in trouble: one fails, the other
/// does not end.
const KASOKU_TOML: &str = r#"
[database]
url = "sqlite:stale.db"
schema = "schema/"
statement_timeout = "200ms"

[[route]]
path = "/failing"
query = "select 'well' as state, case unixepoch() % 2 when 1 then abs(-9223372036854775807 - 1) end as n"
cache = { fresh = "50ms", stale_if_error = "1h", stale_while_revalidate = "0s" }

[[route]]
path = "/endless"
query = "with recursive n (i) as (select 1 union all select i + 1 from n where unixepoch() % 2 = 1) select 'well' as state, max(i) as n from n"
cache = { fresh = "50ms", stale_if_error = "1h", stale_while_revalidate = "0s" }

[[route]]
path = "/strict"
query = "select 'well' as state, case unixepoch() % 2 when 1 then abs(-9223372036854775807 - 1) end as n"
cache = { fresh = "50ms", stale_if_error = "0s", stale_while_revalidate = "0s" }

[[route]]
path = "/dice"
query = "select hex(randomblob(16)) as n"
one = true
cache = { fresh = "50ms", stale_while_revalidate = "1h" }

[[route]]
path = "/rows"
table = "rows"
order = ["id"]
write = ["insert", "update"]
cache = { fresh = "50ms", stale_while_revalidate = "1h", stale_if_error = "1h" }

[[route]]
path = "/lasting"
table = "rows"
order = ["id"]
cache = { fresh = "1h", stale_while_revalidate = "1h" }

[[route]]
path = "/unforgiving"
table = "rows"
order = ["id"]
cache = { fresh = "1h", stale_while_revalidate = "0s", stale_if_error = "0s" }
"#;

const SCHEMA: &str = "create table rows (id integer primary key, text text not null);";

fn start() -> (TempApp, Kasoku) {
    let app = TempApp::new(KASOKU_TOML).file("schema/001-rows.sql", SCHEMA);
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    (app, kasoku)
}

/// Asks until an answer is as wanted, and returns it. Every answer before it is shown to `always`.
async fn until(
    client: &Client,
    target: &str,
    wanted: impl Fn(&Answer) -> bool,
    always: impl Fn(&Answer),
) -> Answer {
    for _ in 0..2_000 {
        let answer = client.get(target).await;
        always(&answer);
        if wanted(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{target} never was as wanted: {:?}", client.get(target).await);
}

#[tokio::test]
async fn a_source_in_trouble_is_covered_by_what_it_said_before() {
    let (_app, kasoku) = start();
    let client = kasoku.client();
    for target in ["/failing", "/endless"] {
        let is_first = |answer: &Answer| answer.status == StatusCode::OK;
        let first = until(&client, target, is_first, |_| ()).await;
        let well = |answer: &Answer| {
            assert_eq!(answer.status, StatusCode::OK, "{target}: {answer:?}");
            assert_eq!(answer.body, first.body, "{target}");
        };
        // In trouble, out of it, and in trouble again.
        for _ in 0..2 {
            let stale = until(&client, target, |answer| answer.cache() == "STALE", well).await;
            assert!(
                stale.header("cache-status").contains("ttl=-")
                    || stale.header("cache-status").contains("ttl=0"),
                "{stale:?}"
            );
            assert!(!stale.header("age").is_empty(), "{stale:?}");
            until(&client, target, |answer| answer.cache() == "MISS", well).await;
        }
    }
}

#[tokio::test]
async fn without_leave_a_source_in_trouble_is_shown_as_it_is() {
    let (_app, kasoku) = start();
    let client = kasoku.client();
    let never_stale = |answer: &Answer| assert_ne!(answer.cache(), "STALE", "{answer:?}");
    until(&client, "/strict", |answer| answer.status == StatusCode::OK, never_stale).await;
    let failed = until(&client, "/strict", |answer| answer.status != StatusCode::OK, never_stale).await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR, "{failed:?}");
    assert!(!failed.text().contains("overflow") && !failed.text().contains("select"), "{failed:?}");
    until(&client, "/strict", |answer| answer.status == StatusCode::OK, never_stale).await;
}

#[tokio::test]
async fn a_stale_answer_is_given_at_once_and_renewed_behind_it() {
    let (_app, kasoku) = start();
    let client = kasoku.client();
    let first = client.get("/dice").await;
    assert_eq!((first.status, first.cache()), (StatusCode::OK, "MISS"), "{first:?}");
    let never_waits = |answer: &Answer| assert_ne!(answer.cache(), "MISS", "{answer:?}");
    let stale = until(&client, "/dice", |answer| answer.cache() == "STALE", never_waits).await;
    assert_eq!(stale.body, first.body, "what is stale is what was there");
    until(&client, "/dice", |answer| answer.body != first.body, never_waits).await;
}

#[tokio::test]
async fn a_change_is_not_hidden_by_leave_to_be_stale() {
    let (_app, kasoku) = start();
    let client = kasoku.client();
    client.json(Method::POST, "/rows", &json!({"id": 1, "text": "0"})).await;
    for turn in 1..40 {
        client.get("/rows/1").await;
        let stale_or_not =
            until(&client, "/rows/1", |answer| turn % 2 == 0 || answer.cache() == "STALE", |_| ()).await;
        assert_eq!(stale_or_not.json()["text"], (turn - 1).to_string());
        client.json(Method::PATCH, "/rows/1", &json!({"text": turn.to_string()})).await;
        let after = client.get("/rows/1").await;
        assert_ne!(after.cache(), "STALE", "{after:?}");
        assert_eq!(after.json()["text"], turn.to_string(), "{after:?}");
    }
}

#[tokio::test]
async fn a_soft_purge_makes_stale_and_a_hard_one_makes_absent() {
    let (_app, kasoku) = start();
    let (client, admin) = (kasoku.client(), kasoku.admin());
    client.json(Method::POST, "/rows", &json!([{"id": 1, "text": "one"}, {"id": 2, "text": "two"}])).await;
    let targets = ["/lasting", "/lasting/1", "/lasting/2", "/unforgiving"];
    for (what, reached) in [
        (json!({"all": true}), &targets[..]),
        (json!({"prefix": "/lasting"}), &targets[..3]),
        (json!({"key": "/lasting/1"}), &targets[1..2]),
        (json!({"tag": "rows"}), &["/lasting", "/unforgiving"]),
    ] {
        for (soft, verdict) in [(true, "STALE"), (false, "MISS")] {
            for target in targets {
                until(&client, target, |answer| answer.cache() == "HIT", |_| ()).await;
            }
            let mut order = what.clone();
            order["soft"] = json!(soft);
            let purged = admin.json(Method::POST, "/api/cache/purge", &order).await;
            assert!(purged.status.is_success(), "{order}: {purged:?}");
            for target in targets {
                let answer = client.get(target).await;
                let expected = match reached.contains(&target) {
                    true if target == "/unforgiving" => "MISS",
                    true => verdict,
                    // A tag of the table may name its rows too.
                    false if answer.cache() == verdict && what["tag"].is_string() => continue,
                    false => "HIT",
                };
                assert_eq!(answer.cache(), expected, "{target} after {order}");
            }
        }
    }
}
