//! Whole lists as files: every row once, whatever the sort; broken off, never cut; resumed from any row.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use kasoku_testkit::{Answer, Client, Peer};
use serde_json::{Value, json};

use super::shop;

/// Rows with everything that a line can trip over, and more of them than two parts have.
async fn fill(client: &Client) {
    let odd = json!([
        {"name": "a,b", "kind": "q\"q", "price": 1.5, "note": "", "extra": {"k": [1, null, "x,\"y\""]}},
        {"name": "line\nbreak", "kind": "cr\rcr", "price": null, "note": null, "live": false},
        {"name": "=1+1", "kind": "NULL", "price": -0.25, "note": " both ", "picture": "AP8="},
        {"name": "森,é", "kind": "plain", "price": 9_007_199_254_740_991_i64, "note": "NULL"},
    ]);
    let created = client.json(Method::POST, "/things", &odd).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    for part in 0..3_u32 {
        let rows = (0..100_u32).map(|row| {
            let number = part * 100 + row;
            let price = (number % 7 > 0).then_some(f64::from(number % 5));
            json!({"name": format!("n{number}"), "kind": (["x", "y", "z"][number as usize % 3]), "price": price,
                "note": (number % 4 == 0).then_some("seen")})
        });
        let created = client.json(Method::POST, "/things", &rows.collect()).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    }
}

/// The rows of a list, page by page.
async fn walked(client: &Client, query: &str) -> Vec<Value> {
    let (mut rows, mut target) = (Vec::new(), format!("/things?{query}"));
    loop {
        let page = client.get(&target).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        rows.extend(page.json().as_array().unwrap().iter().cloned());
        let links = page.header("link").to_owned();
        let next = links.split(", ").find(|link| link.ends_with("rel=\"next\""));
        let Some(next) = next.and_then(|link| link.strip_prefix('<')?.split('>').next()) else { return rows };
        next.clone_into(&mut target);
    }
}

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_row_comes_out_once_and_in_order_whatever_the_sort() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    fill(&client).await;
    for query in [
        "",
        "order=id.desc",
        "order=price.desc",
        "order=price.asc.nullsfirst",
        "order=note",
        "order=note.desc.nullslast",
        "order=kind.asc,price.desc",
        "kind=eq.x",
        "kind=x&order=price.asc",
        "note=is.null&order=note",
        "select=id,called:name,extra-%3Ek",
        "select=id&kind=eq.none",
    ] {
        let file = client.get(&format!("/things.ndjson?{query}")).await;
        assert_eq!(lines(&file), walked(&client, query).await, "{query}");
        assert_eq!(file.header("content-type"), "application/x-ndjson");
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"things.ndjson\"");
        assert_eq!((file.header("cache-control"), file.header("etag")), ("no-store", ""), "{file:?}");
    }
    for limit in [0, 1, 63, 64, 65, 300, 304, 305, 4_294_967_295_u32] {
        let file = client.get(&format!("/things.ndjson?select=id&limit={limit}")).await;
        assert_eq!(lines(&file).len(), limit.min(304) as usize, "{limit}");
    }
}

#[tokio::test]
async fn lines_of_text_are_read_back_as_what_they_were() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    fill(&client).await;
    let file = client.get("/things.csv?select=id,name,kind,price,note,extra,picture,live").await;
    assert_eq!(file.status, StatusCode::OK, "{file:?}");
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"things.csv\"");
    let text = file.text();
    assert!(
        text.starts_with("id,name,kind,price,note,extra,picture,live\r\n1,\"a,b\",\"q\"\"q\",1.5,\"\","),
        "{text}"
    );
    assert!(
        text.contains(
            "\r\n2,\"line\nbreak\",\"cr\rcr\",,,,,false\r\n3,=1+1,\"NULL\",-0.25, both ,,AP8=,true\r\n"
        ),
        "{text}"
    );
    // A page of the same list is written in the same way.
    let page = client
        .get_with(
            "/things?select=id,name,kind,price,note,extra,picture,live&limit=50",
            &[("accept", "text/csv")],
        )
        .await;
    assert!(text.starts_with(page.text()), "{text}");
    let empty = client.get("/things.csv?select=id,name&kind=eq.none").await;
    assert_eq!(empty.text(), "id,name\r\n");
    let bare =
        client.get_with("/things.csv?select=id&limit=2", &[("accept", "text/csv; header=absent")]).await;
    assert_eq!(
        (bare.text(), bare.header("content-type")),
        ("1\r\n2\r\n", "text/csv; charset=utf-8; header=absent")
    );
    let head = client.send(Method::HEAD, "/things.csv", &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{head:?}");
}

#[tokio::test]
async fn an_export_goes_on_from_any_of_its_rows() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    fill(&client).await;
    let cursors = [("prefer", "cursor=row")];
    let query = "select=id,price&order=price.desc";
    let whole = client.get_with(&format!("/things.ndjson?{query}"), &cursors).await;
    assert_eq!(whole.header("preference-applied"), "cursor=row");
    let rows = lines(&whole);
    for at in [0, 62, 63, 64, 150, 302, 303] {
        let cursor = rows[at]["cursor"].as_str().unwrap();
        let rest = client.get_with(&format!("/things.ndjson?{query}&cursor={cursor}"), &cursors).await;
        assert_eq!(lines(&rest), rows[at + 1..], "{at}");
        let page = client.get(&format!("/things?{query}&limit=1&cursor={cursor}")).await.json();
        assert_eq!(page[0]["id"], rows.get(at + 1).map_or(Value::Null, |row| row["id"].clone()), "{at}");
    }
    let text = client.get_with(&format!("/things.csv?{query}"), &cursors).await;
    let mut expected = String::from("id,price,cursor\r\n");
    for row in &rows {
        let price = if row["price"].is_null() { String::new() } else { row["price"].to_string() };
        write!(expected, "{},{price},{}\r\n", row["id"], row["cursor"].as_str().unwrap()).unwrap();
    }
    assert_eq!(text.text(), expected);
    let taken = client.get_with("/things.csv?select=cursor:id", &cursors).await;
    assert_eq!(taken.status, StatusCode::BAD_REQUEST, "{taken:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_before_the_file_begins() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    fill(&client).await;
    let last = client.get("/things?limit=2").await;
    let next = last.header("link").split("cursor=").nth(1).unwrap().split('>').next().unwrap().to_owned();
    let second = client.get(&format!("/things?limit=2&cursor={next}")).await;
    let back = second.header("link").rsplit("cursor=").next().unwrap().split('>').next().unwrap().to_owned();
    for (target, prefer, expected) in [
        ("/things.csv?colour=eq.red".to_owned(), "", "unknown-parameter"),
        ("/things.csv?select=nothing".into(), "", "invalid-parameter"),
        ("/things.csv?order=extra".into(), "", "invalid-parameter"),
        ("/things.csv?limit=-1".into(), "", "invalid-parameter"),
        ("/things.csv?limit=4294967296".into(), "", "invalid-parameter"),
        ("/things.csv?offset=5".into(), "", "invalid-parameter"),
        ("/things.csv?cursor=v1.x.y".into(), "", "cursor-invalid"),
        (format!("/things.csv?cursor={next}&kind=eq.x"), "", "cursor-invalid"),
        (format!("/things.csv?cursor={back}"), "", "cursor-invalid"),
        ("/things.csv".into(), "cursor=page", "invalid-parameter"),
        ("/things.json".into(), "", "method-not-allowed"),
        ("/letters.json".into(), "", "not-found"),
        ("/letters.csv".into(), "", "not-found"),
    ] {
        let refused = client.get_with(&target, &[("prefer", prefer)]).await;
        assert!(refused.json()["type"].as_str().unwrap().ends_with(expected), "{target}: {refused:?}");
        assert_eq!(refused.header("content-disposition"), "", "{refused:?}");
    }
    let posted = client.send(Method::DELETE, "/things.csv", &[], "").await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED, "{posted:?}");
}

/// Begins an export and takes nothing but its head.
fn begin(kasoku: &kasoku_testkit::Kasoku, target: &str) -> Peer {
    let mut peer = Peer::to(kasoku.address());
    peer.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    let head = peer.until("\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("transfer-encoding: chunked"), "{head}");
    peer
}

/// More rows than the sockets between take.
const MANY: u32 = 60_000;

#[tokio::test]
async fn while_its_caller_rests_an_export_holds_nothing_and_breaks_off_if_it_cannot_go_on() {
    let app = shop::app().file("schema/002-many.sql", shop::many(MANY));
    let kasoku = shop::open(&app);
    let mut whole = begin(&kasoku, "/things.ndjson?select=id,note");
    let complete = whole.rest();
    assert!(complete.ends_with("\r\n0\r\n\r\n") && complete.contains(&format!("{{\"id\":{MANY},")));
    let mut resting = begin(&kasoku, "/things.ndjson?select=id,note");
    // It would wait for a statement or a transaction that is still open.
    shop::run(&app, "drop table letters");
    shop::run(&app, "drop table things");
    let broken = tokio::task::spawn_blocking(move || resting.rest()).await.unwrap();
    assert!(!broken.ends_with("0\r\n\r\n"), "it must not look whole");
    assert!(broken.contains("{\"id\":1,") && !broken.contains(&format!("{{\"id\":{MANY},")));
    assert!(kasoku.log().contains("export"), "{}", kasoku.log());
}

#[tokio::test]
async fn as_many_exports_are_in_progress_as_the_route_allows() {
    let app = shop::app().file("schema/002-many.sql", shop::many(MANY));
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let resting: Vec<Peer> = (0..2).map(|_| begin(&kasoku, "/things.ndjson?select=id,note")).collect();
    let refused = client.get("/things.csv?limit=1").await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "10"),
        "{refused:?}"
    );
    assert_eq!(client.get("/things?limit=1").await.status, StatusCode::OK, "the list has places of its own");
    drop(resting);
    // The server learns of it when it next writes.
    let began = Instant::now();
    loop {
        let answer = client.get("/things.csv?limit=1").await;
        if answer.status == StatusCode::OK {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{answer:?}");
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    }
}
