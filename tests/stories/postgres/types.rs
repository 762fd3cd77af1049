//! Values that no column of their type takes: in filters, keys and parameters the request is wrong, in bodies its content.

use http::{Method, StatusCode};
use kasoku_testkit::{Postgres, Start, TempApp};
use serde_json::json;

const SCHEMA: &str = "
create type mood as enum ('glad', 'sad');
create table facts (
    id uuid primary key, address inet, spell interval, mood mood, hour time, many int[], span int4range, spot point,
    bits bit(3), price numeric(6, 2), small smallint, cost money, doc jsonb, due date, seen timestamptz
);
create table days (day date primary key, small smallint not null);
insert into facts (id, address) values ('00000000-0000-0000-0000-000000000001', '10.0.0.1');";

const KASOKU_TOML: &str = r#"
[database]
url = "DATABASE"
schema = "schema/"
proof = "off"

[[route]]
path = "/facts"
table = "facts"
filter = ["id", "address", "spell", "mood", "hour", "many", "span", "bits", "price", "small", "due", "seen"]
write = ["insert", "update", "delete"]

[[route]]
path = "/days"
table = "days"

[[route]]
path = "/near/{small}"
query = "select id from facts where small = :small::smallint and address = :address::inet"
"#;

#[tokio::test]
async fn a_value_that_its_column_cannot_hold_is_a_wrong_request_and_in_a_body_wrong_content() {
    let place = Postgres::shared().database();
    let app = TempApp::new(&KASOKU_TOML.replace("DATABASE", &place.url())).file("schema/001.sql", SCHEMA);
    let kasoku = Start::serve(env!("CARGO_BIN_EXE_kasoku"), app.path()).ready();
    let client = kasoku.client();
    for query in [
        "id=eq.1",
        "address=eq.here",
        "address=eq.12",
        "address=in.(10.0.0.1,here)",
        "spell=gt.long",
        "mood=eq.angry",
        "mood=in.(glad,angry)",
        "hour=lt.25:00",
        "many=cs.{a}",
        "many=eq.1",
        "span=ov.[5,1]",
        "span=eq.1",
        "bits=eq.12",
        "price=eq.dear",
        "small=eq.70000",
        "small=lt.a",
        "due=gt.never",
        "due=gt.2020-02-30",
        "seen=eq.10000000-01-01T00:00:00Z",
        "or=(address.eq.here,small.eq.1)",
    ] {
        for method in [Method::GET, Method::DELETE] {
            let answer = client.send(method.clone(), &format!("/facts?{query}"), &[], Vec::new()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {query}: {answer:?}");
            assert_eq!(answer.json()["code"], "22P02", "{query}: {answer:?}");
        }
    }
    // A path that cannot be a row's names none.
    for (target, status) in [
        ("/facts/1", StatusCode::NOT_FOUND),
        ("/days/2020-13-01", StatusCode::NOT_FOUND),
        ("/near/1?address=here", StatusCode::BAD_REQUEST),
        ("/near/70000?address=10.0.0.1", StatusCode::BAD_REQUEST),
    ] {
        let answer = client.get(target).await;
        assert_eq!(answer.status, status, "{target}: {answer:?}");
    }
    for body in [
        json!({"address": "here"}),
        json!({"mood": "angry"}),
        json!({"small": 70_000}),
        json!({"bits": "12"}),
    ] {
        let answer = client.json(Method::PATCH, "/facts/00000000-0000-0000-0000-000000000001", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {answer:?}");
    }
    let found = client.get("/facts?address=eq.10.0.0.1").await;
    assert_eq!((found.status, found.json().as_array().map(Vec::len)), (StatusCode::OK, Some(1)), "{found:?}");
}
