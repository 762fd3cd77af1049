//! Files into a table: all of a file or none of it, or what can be had of it; whatever is wrong is told with its line.

use std::fmt::Write as _;

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Peer};
use serde_json::{Value, json};

use super::shop;

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

async fn import(client: &Client, target: &str, prefer: &str, body: impl Into<String>) -> Answer {
    let media_type = match target.split('?').next().unwrap().rsplit('.').next().unwrap() {
        "csv" => CSV,
        "ndjson" => NDJSON,
        _ => "application/json",
    };
    let fields = [("content-type", media_type), ("prefer", prefer)];
    client.send(Method::POST, target, &fields, body.into()).await
}

async fn count(client: &Client) -> i64 {
    let counted = client.get_with("/things?select=id&limit=1", &[("prefer", "count=exact")]).await;
    counted.header("content-range").rsplit('/').next().unwrap().parse().unwrap()
}

fn report(received: u64, written: u64, ignored: u64, refused: u64) -> Value {
    json!({"received": received, "written": written, "ignored": ignored, "refused": refused})
}

/// The numbers of a report, and what it says of each row that was refused.
fn told(answer: &Answer) -> (Value, Vec<(u64, String, String)>) {
    let mut body = answer.json();
    let errors = body.as_object_mut().unwrap().remove("errors").unwrap();
    let error = |error: &Value| {
        let text = |name| error[name].as_str().unwrap().to_owned();
        (error["line"].as_u64().unwrap(), text("code"), text("message"))
    };
    (body, errors.as_array().unwrap().iter().map(error).collect())
}

#[tokio::test]
async fn what_was_let_out_can_be_let_in_again() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let rows = json!([
        {"name": "a,b", "kind": "q\"q", "price": 1.5, "note": "", "extra": {"k": [1, null, "x,\"y\""]}},
        {"name": "line\nbreak", "kind": "cr\rcr", "note": null, "live": false},
        {"name": "=1+1", "kind": "NULL", "price": -0.25, "note": " both ", "picture": "AP8="},
        {"name": "森", "price": 9_007_199_254_740_991_i64, "note": "NULL"},
    ]);
    assert_eq!(client.json(Method::POST, "/things", &rows).await.status, StatusCode::CREATED);
    let before = client.get("/things").await;
    for (form, columns) in
        [("csv", ""), ("ndjson", ""), ("csv", "?select=name,id,kind,price,note,extra,picture,live,version")]
    {
        let file = client.get(&format!("/things.{form}{columns}")).await;
        assert_eq!(
            client.send(Method::DELETE, "/things?id=gt.0", &[], "").await.status,
            StatusCode::NO_CONTENT
        );
        let imported = import(&client, &format!("/things.{form}"), "", file.text()).await;
        assert_eq!(
            (imported.status, told(&imported)),
            (StatusCode::OK, (report(4, 4, 0, 0), vec![])),
            "{imported:?}"
        );
        assert_eq!(client.get("/things").await.json(), before.json(), "{form}");
    }
    client.send(Method::DELETE, "/things?id=gt.0", &[], "").await;
    let imported = import(&client, "/things.json", "", format!("\n{}\n", before.text())).await;
    assert_eq!(told(&imported).0, report(4, 4, 0, 0), "{imported:?}");
    assert_eq!(client.get("/things").await.json(), before.json());
}

#[tokio::test]
async fn all_of_a_file_is_written_or_none_and_the_cache_knows() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let list = client.get("/things?kind=eq.x").await;
    assert_eq!(list.json(), json!([]));
    client.get("/kinds").await;
    let mut file = String::from("name,kind,price\r\n");
    for row in 0..3_000 {
        write!(file, "n{row},{},{row}\r\n", if row % 2 == 0 { "x" } else { "y" }).unwrap();
    }
    let dry = import(&client, "/things.csv", "tx=rollback", file.as_str()).await;
    assert_eq!(
        (told(&dry), dry.header("preference-applied")),
        ((report(3_000, 3_000, 0, 0), vec![]), "tx=rollback")
    );
    assert_eq!(count(&client).await, 0, "it was to be undone");
    // The last row has a name that is taken: that is known only once it is written.
    let refused = import(&client, "/things.csv", "", format!("{file}n7,z,1\r\n")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
    let problem = refused.json();
    assert_eq!(
        (&problem["refused"], &problem["errors"][0]["line"], &problem["errors"][0]["code"]),
        (&json!(1), &json!(3_002), &json!("23505"))
    );
    assert_eq!(count(&client).await, 0, "nothing was written");
    let written = import(&client, "/things.csv", "", file.as_str()).await;
    assert_eq!(
        (written.status, told(&written).0),
        (StatusCode::OK, report(3_000, 3_000, 0, 0)),
        "{written:?}"
    );
    assert_eq!(
        client.get("/things?kind=eq.x").await.json().as_array().unwrap().len(),
        10,
        "the stored list is gone"
    );
    assert_eq!(client.get("/kinds").await.json()[0]["things"], 1_500);
    assert_eq!(count(&client).await, 3_000);
}

#[tokio::test]
async fn what_is_wrong_in_a_file_is_told_with_its_line_and_nothing_is_written() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let long = "x".repeat(3 << 20);
    for (target, body, status, expected) in [
        ("/things.csv", "name,price\na,1\nb,cheap\n", 422, "3 22P02 row 1: `price` holds a number"),
        ("/things.csv", "name,price\na,1\nb\n", 400, "3 PGRST102 there are 1 fields"),
        ("/things.csv", "name,colour\na,red\n", 422, "2 PGRST204 row 0: there is no column `colour`"),
        ("/things.csv", "price\n1\n", 422, "2 23502 row 0: `name` is missing"),
        ("/things.csv", "name\n\"a\nb\n", 400, "a quoted field does not end"),
        ("/things.csv", "name,name\na,b\n", 400, "occurs twice"),
        ("/things.csv", "", 400, "the first line must name the columns"),
        ("/things.csv", long.as_str(), 413, "a row may have at most"),
        ("/things.ndjson", "{\"name\":\"a\"}\n\n{\"name\":\"b\",}\n", 400, "3 "),
        ("/things.ndjson", "{\"name\":\"a\"}\n7\n", 422, "2 "),
        ("/things.ndjson", "{\"name\":\"a\",\"name\":\"b\"}", 400, "occurs twice"),
        ("/things.json", "[{\"name\":\"a\"},\n{\"name\":null}]", 422, "2 23502 row 1: `name` cannot be null"),
        ("/things.json", "{\"name\":\"a\"}", 400, "an array is expected"),
        ("/things.json", "[{\"name\":\"a\"}", 400, "the array does not end"),
    ] {
        // What is refused before it has come ends its connection.
        let refused = import(&kasoku.client(), target, "", body).await;
        let problem = refused.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let line = |error: &Value| {
            format!(
                "{} {} {}",
                error["line"],
                error["code"].as_str().unwrap(),
                error["message"].as_str().unwrap()
            )
        };
        let said = errors.first().map_or_else(|| problem["detail"].as_str().unwrap().to_owned(), line);
        assert_eq!(refused.status.as_u16(), status, "{said}");
        assert!(said.contains(expected), "{said} is not {expected}");
    }
    let many = import(&client, "/things.ndjson", "", "1\n".repeat(9)).await;
    assert_eq!(many.json()["detail"], "at least 3 rows cannot be written; nothing was written");
    assert_eq!(many.json()["errors"].as_array().unwrap().len(), 3, "as many are named as the route says");
    for (target, fields, status) in [
        ("/things.csv", vec![("content-type", "application/json")], 415),
        ("/things.csv", vec![("content-type", CSV), ("content-encoding", "gzip")], 415),
        ("/things.csv?on_conflict=name", vec![("content-type", CSV)], 400),
        ("/things.csv?kind=eq.x", vec![("content-type", CSV)], 400),
        ("/things.csv", vec![("prefer", "continue-on-error, tx=rollback")], 400),
        ("/things.csv", vec![("prefer", "continue-on-error"), ("idempotency-key", "a")], 400),
        ("/things.csv", vec![("prefer", "continue-on-error=perhaps")], 400),
        ("/letters.csv", vec![], 404),
    ] {
        let refused = client.send(Method::POST, target, &fields, "name\na\n").await;
        assert_eq!(refused.status.as_u16(), status, "{target} {fields:?}: {refused:?}");
    }
    assert_eq!(count(&client).await, 0);
}

#[tokio::test]
async fn an_import_can_go_on_behind_what_is_wrong() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let mut file = String::new();
    for row in 0..450 {
        match row {
            150 => file.push_str("{\"name\":\"n3\"}\n"),
            151 => file.push_str("{\"name\":}\n"),
            152 => file.push_str("{\"name\":\"bad\",\"price\":\"x\"}\n"),
            _ => writeln!(file, "{{\"name\":\"n{row}\",\"price\":{row}}}").unwrap(),
        }
    }
    let imported = import(&client, "/things.ndjson", "continue-on-error", file.as_str()).await;
    assert_eq!(
        (imported.status, imported.header("preference-applied")),
        (StatusCode::OK, "continue-on-error"),
        "{imported:?}"
    );
    let (numbers, mut errors) = told(&imported);
    errors.sort();
    assert_eq!(numbers, report(450, 447, 0, 3));
    let places: Vec<_> = errors.iter().map(|(line, code, _)| (*line, code.as_str())).collect();
    assert_eq!(places, [(151, "23505"), (152, "PGRST102"), (153, "22P02")]);
    assert_eq!(count(&client).await, 447);
    // What cannot be divided into rows any more ends it; what was before is told.
    let broken = import(&client, "/things.csv", "continue-on-error", "name\nz1\nz2\n\"z3\n").await;
    assert_eq!(
        (broken.status, &broken.json()["written"]),
        (StatusCode::BAD_REQUEST, &json!(2)),
        "{broken:?}"
    );
    assert_eq!(count(&client).await, 449);
}

#[tokio::test]
async fn rows_that_are_there_are_merged_or_left_alone_as_the_caller_prefers() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    import(&client, "/things.csv", "", "name,price\na,1\nb,2\n").await;
    let file = "name,price\na,10\nc,3\nc,4\n";
    let ignored = import(&client, "/things.csv?on_conflict=name", "resolution=ignore-duplicates", file).await;
    assert_eq!(told(&ignored).0, report(3, 1, 2, 0), "{ignored:?}");
    let merged = import(&client, "/things.csv?on_conflict=name", "resolution=merge-duplicates", file).await;
    assert_eq!(told(&merged).0, report(3, 3, 0, 0), "{merged:?}");
    let rows = client.get("/things?select=name,price").await.json();
    let prices: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["price"].as_f64().unwrap()).collect();
    assert_eq!(prices, [10.0, 2.0, 4.0], "the later of two rows counts: {rows}");
    let columns =
        import(&client, "/things.ndjson?columns=name,note", "missing=null", "{\"name\":\"d\",\"price\":9}\n")
            .await;
    assert_eq!(told(&columns).0, report(1, 1, 0, 0), "{columns:?}");
    assert_eq!(
        client.get("/things?name=eq.d&select=price,note").await.json(),
        json!([{"price": null, "note": null}])
    );
}

#[tokio::test]
async fn a_repeated_import_happens_once() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let send = async |body: &'static str| {
        let fields = [("content-type", CSV), ("idempotency-key", "load-1")];
        client.send(Method::POST, "/things.csv", &fields, body).await
    };
    let (first, again) = (send("name\na\nb\n").await, send("name\na\nb\n").await);
    assert_eq!((first.status, first.text()), (again.status, again.text()), "{again:?}");
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    assert_eq!(send("name\nc\n").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(count(&client).await, 2);
}

#[tokio::test]
async fn a_file_that_stops_coming_is_not_half_written_and_keeps_nobody_from_writing() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let mut peer = Peer::to(kasoku.address());
    peer.send("POST /things.csv HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: 1000\r\n\r\nname\na\nb\n");
    let created = client.json(Method::POST, "/things", &json!({"name": "a"})).await;
    assert_eq!(created.status, StatusCode::CREATED, "nothing of the file holds the writer: {created:?}");
    drop(peer);
    assert_eq!(count(&client).await, 1);
}
