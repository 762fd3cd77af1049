//! Lists: filters, sorts, pages, totals, forms.

use http::{Method, StatusCode};
use kasoku_testkit::Client;
use serde_json::{Value, json};

use super::shop;

async fn stocked() -> (kasoku_testkit::TempApp, kasoku_testkit::Kasoku, Client) {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let client = kasoku.client();
    let rows: Vec<Value> = (1..=37)
        .map(|n| {
            let note = (n % 4 != 0).then(|| format!("note {}", n % 5));
            let price = (n % 7 != 0).then(|| f64::from(n % 6) + 0.5);
            let kind = ["red", "green", "blue"][n as usize % 3];
            json!({"name": format!("thing {n}"), "kind": kind, "price": price, "note": note})
        })
        .collect();
    let created = client.json(Method::POST, "/things", &Value::from(rows)).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    (app, kasoku, client)
}

fn ids(rows: &Value) -> Vec<i64> {
    rows.as_array().expect("a list").iter().map(|row| row["id"].as_i64().expect("an id")).collect()
}

/// The target of a relation in `Link`.
fn link(answer: &kasoku_testkit::Answer, relation: &str) -> Option<String> {
    let links = answer.header("link").split(", ").map(str::to_owned).collect::<Vec<_>>();
    let wanted = links.into_iter().find(|link| link.ends_with(&format!("rel=\"{relation}\"")))?;
    Some(wanted[1..wanted.find('>')?].to_owned())
}

#[tokio::test]
async fn filters_select_rows() {
    let (_app, _kasoku, client) = stocked().await;
    for (query, expected) in [
        ("id=eq.5", vec![5]),
        ("id=neq.5&id=lt.7&id=gt.3", vec![4, 6]),
        ("id=in.(1,3,99)", vec![1, 3]),
        ("id=not.in.(1,3)&id=lte.4", vec![2, 4]),
        ("name=eq.thing%207", vec![7]),
        ("name=like.thing%203*&id=lt.33", vec![3, 30, 31, 32]),
        ("name=ilike.THING%201&id=lt.9", vec![1]),
        ("price=is.null&id=lt.20", vec![7, 14]),
        ("note=not.is.null&id=lt.6", vec![1, 2, 3, 5]),
        ("or=(id.eq.1,and(id.gte.36,kind.eq.red))", vec![1, 36]),
        ("id=lt.10&not.or=(kind.eq.red,kind.eq.blue)", vec![1, 4, 7]),
        ("kind=green&id=lte.7", vec![1, 4, 7]),
        ("live=is.false", vec![]),
    ] {
        let answer = client.get(&format!("/things?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
        assert_eq!(ids(&answer.json()), expected, "{query}");
    }
}

#[tokio::test]
async fn columns_are_chosen_and_renamed() {
    let (_app, _kasoku, client) = stocked().await;
    let answer = client.get("/things?select=id,title:name&id=eq.2").await;
    assert_eq!(answer.text(), r#"[{"id":2,"title":"thing 2"}]"#);
    assert_eq!(client.get("/things/2?select=name").await.text(), r#"{"name":"thing 2"}"#);
}

#[tokio::test]
async fn every_sort_is_walked_to_its_end_and_back() {
    let (_app, _kasoku, client) = stocked().await;
    for order in [
        "id.asc",
        "id.desc",
        "price.desc",
        "price.asc",
        "kind.asc,price.desc",
        "note.asc",
        "note.desc",
        "note.asc.nullsfirst",
    ] {
        let all = client.get(&format!("/things?order={order}&limit=50")).await;
        assert_eq!(all.status, StatusCode::OK, "{order}: {all:?}");
        let expected = ids(&all.json());
        assert_eq!(expected.len(), 37, "{order}");
        let (mut seen, mut pages) = (Vec::new(), Vec::new());
        let mut next = Some(format!("/things?order={order}&limit=7"));
        while let Some(target) = next {
            let page = client.get(&target).await;
            assert_eq!(page.status, StatusCode::OK, "{target}: {page:?}");
            seen.extend(ids(&page.json()));
            next = link(&page, "next");
            pages.push(page);
        }
        assert_eq!(seen, expected, "{order} forward");
        let mut back = Vec::new();
        let mut previous = link(pages.last().unwrap(), "prev");
        while let Some(target) = previous {
            let page = client.get(&target).await;
            back.splice(0..0, ids(&page.json()));
            previous = link(&page, "prev");
        }
        assert_eq!(back, expected[..back.len()], "{order} back");
        assert_eq!(back.len(), 35, "{order} back reaches the first page");
    }
}

#[tokio::test]
async fn a_cursor_survives_a_restart() {
    let (app, kasoku, client) = stocked().await;
    let next = link(&client.get("/things?limit=5").await, "next").expect("there is more");
    drop(kasoku);
    let kasoku = shop::open(&app);
    assert_eq!(ids(&kasoku.client().get(&next).await.json()), [6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn totals_are_given_as_asked() {
    let (_app, _kasoku, client) = stocked().await;
    for (preference, query, total) in [
        ("count=exact", "", "37"),
        ("count=exact", "kind=eq.red", "12"),
        ("count=capped", "", ">20"),
        ("count=capped", "kind=eq.red", "12"),
    ] {
        let answer = client.get_with(&format!("/things?{query}&limit=3"), &[("prefer", preference)]).await;
        assert_eq!(answer.header("total-count"), total, "{preference} {query}: {answer:?}");
        assert_eq!(answer.header("preference-applied"), preference);
    }
    let exact = client.get_with("/things?limit=3", &[("prefer", "count=exact")]).await;
    assert_eq!(exact.header("content-range"), "0-2/37");
    assert_eq!(client.get("/things?limit=3").await.header("total-count"), "");
}

#[tokio::test]
async fn queries_take_parameters_and_answer_one_or_many() {
    let (_app, _kasoku, client) = stocked().await;
    let kinds = client.get("/kinds").await.json();
    assert_eq!(kinds[0]["kind"], "blue");
    assert_eq!(kinds.as_array().unwrap().iter().map(|row| row["things"].as_i64().unwrap()).sum::<i64>(), 37);
    assert_eq!(client.get("/kinds/red").await.json(), json!({"kind": "red", "things": 12}));
    assert_eq!(client.get("/kinds/none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn answers_are_validated_and_compressed() {
    let (_app, _kasoku, client) = stocked().await;
    let plain = client.get("/things?limit=50").await;
    let etag = plain.header("etag").to_owned();
    assert!(etag.starts_with('"'), "{plain:?}");
    let same = client.get_with("/things?limit=50", &[("if-none-match", &etag)]).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0), "{same:?}");
    for coding in ["gzip", "br", "zstd"] {
        for expected in ["MISS or HIT", "HIT"] {
            let coded = client.get_with("/things?limit=50", &[("accept-encoding", coding)]).await;
            assert_eq!(coded.header("content-encoding"), coding);
            assert!(coded.header("vary").to_ascii_lowercase().contains("accept-encoding"), "{coded:?}");
            assert_ne!(coded.header("etag"), etag, "another form has another tag");
            assert!(coded.body.len() < plain.body.len());
            assert!(expected.contains(coded.cache()), "{coded:?}");
        }
    }
    let head = client.send(Method::HEAD, "/things?limit=50", &[], "").await;
    assert_eq!(head.header("content-length"), plain.body.len().to_string());
    assert_eq!(head.body.len(), 0);
}
