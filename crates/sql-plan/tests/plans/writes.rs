//! Bodies of writes, the statements that they become, and what those do.

use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{Missing, Resolution, TablePlanner, Target, Value, WritePlan};
use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::fixture::{CREATE_ITEMS, planner, planner_of, rules, run, schema, text};

fn insert(body: &Json) -> Result<WritePlan, Problem> {
    planner().insert(None, body, Missing::Null)
}

fn database() -> Connection {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(CREATE_ITEMS).unwrap();
    database
}

fn apply(database: &Connection, plan: &WritePlan) -> Vec<Vec<Value>> {
    plan.statements.iter().flat_map(|write| run(database, &write.statement)).collect()
}

fn column(database: &Connection, name: &str) -> Vec<Value> {
    let plan = kasoku_sql_plan::Statement {
        name: "test".into(),
        sql: format!("select {name} from items order by id").into(),
        params: Vec::new(),
    };
    run(database, &plan).into_iter().map(|mut row| row.remove(0)).collect()
}

fn soft_planner() -> TablePlanner {
    let mut rules = rules();
    rules.soft_delete = Some("deleted_at".into());
    planner_of(&schema(), &rules)
}

#[test]
fn rows_with_the_same_columns_share_a_statement_and_keep_their_order() {
    let body = json!([{"title": "a", "price": 1}, {"title": "b"}, {"price": 3, "title": "c"}]);
    let plan = planner().insert(Some("select=title"), &body, Missing::Null).unwrap();
    let sql: Vec<_> = plan.statements.iter().map(|write| &*write.statement.sql).collect();
    assert_eq!(sql[0], r#"insert into "items" ("title", "price") values (?1, ?2) returning "title", "id""#);
    assert_eq!(sql[1], r#"insert into "items" ("title") values (?1) returning "title", "id""#);
    assert!(std::sync::Arc::ptr_eq(&plan.statements[0].statement.sql, &plan.statements[2].statement.sql));
    assert_eq!(plan.statements[2].statement.params, [text("c"), Value::Integer(3)]);
    assert_eq!(plan.statements.iter().map(|write| write.row).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((plan.columns.len(), plan.key), (1, vec![1]));
}

#[test]
fn inserted_rows_come_back_with_their_key() {
    let database = database();
    let plan = planner()
        .insert(Some("select=title"), &json!([{"title": "a"}, {"title": "b", "live": true}]), Missing::Null)
        .unwrap();
    assert_eq!(apply(&database, &plan), [[text("a"), Value::Integer(1)], [text("b"), Value::Integer(2)]]);
    assert_eq!(column(&database, "live"), [Value::Null, Value::Integer(1)]);
    assert!(insert(&json!([])).unwrap().statements.is_empty());
}

#[test]
fn rows_that_cannot_be_stored_are_refused_with_row_and_column() {
    let cases = [
        (json!({"titel": "a"}), 0, Some("titel"), "there is no column `titel`; did you mean `title`?"),
        (
            json!([{"title": "a"}, {"title": "b", "secret": "s"}]),
            1,
            Some("secret"),
            "there is no column `secret`",
        ),
        (
            json!({"title": "a", "price": "12"}),
            0,
            Some("price"),
            "`price` holds a whole number of 64 bits, and a string was given",
        ),
        (json!({"title": "a", "price": 1.5}), 0, Some("price"), "a number with a fraction"),
        (json!({"title": 5}), 0, Some("title"), "`title` holds a string, and a whole number was given"),
        (json!({"title": null}), 0, Some("title"), "`title` cannot be null"),
        (json!({"title": "a", "id": null}), 0, Some("id"), "`id` cannot be null"),
        (json!({"price": 1}), 0, Some("title"), "`title` is missing"),
        (json!([{"title": "a"}, 5]), 1, None, "row 1 is not an object"),
        (json!("x"), 0, None, "row 0 is not an object"),
        (json!({"title": "a", "loose": [1]}), 0, Some("loose"), "an array was given"),
    ];
    for (body, row, column, detail) in cases {
        let problem = insert(&body).expect_err(detail);
        assert_eq!(problem.kind(), Kind::Unprocessable, "{body}");
        assert!(problem.detail_text().unwrap().contains(detail), "{body}: {problem}");
        let document: Json = serde_json::from_slice(&problem.document("r")).unwrap();
        assert_eq!(document["row"], row, "{body}");
        assert_eq!(document.get("column").and_then(Json::as_str), column, "{body}");
    }
    let row = json!({"title": "a"});
    let many = insert(&json!([row, row, row, row])).unwrap_err();
    assert_eq!(many.kind(), Kind::Unprocessable);
    assert!(many.detail_text().unwrap().contains("a request may have 3"));
}

#[test]
fn values_are_stored_as_their_columns_hold_them() {
    let body = json!({"title": "t", "live": false, "score": 2, "made": 2.5, "note": {"a": [1]}, "photo": "AP8=", "loose": "5"});
    let plan = insert(&body).unwrap();
    let expected = [
        text("t"),
        Value::Integer(0),
        Value::Real(2.0),
        Value::Real(2.5),
        text(r#"{"a":[1]}"#),
        Value::Blob(vec![0, 255]),
        text("5"),
    ];
    assert_eq!(plan.statements[0].statement.params, expected);
}

#[test]
fn columns_names_the_members_that_count() {
    let body = json!({"title": "a", "price": 1, "unknown": 2});
    let plan = planner().insert(Some("columns=%22title%22"), &body, Missing::Null).unwrap();
    assert!(plan.statements[0].statement.sql.starts_with(r#"insert into "items" ("title") values (?1)"#));
    let problem = planner().insert(Some("columns=titel"), &body, Missing::Null).unwrap_err();
    assert_eq!(problem.kind(), Kind::InvalidParameter);
}

#[test]
fn a_row_without_columns_has_its_defaults() {
    let mut schema = schema();
    schema.tables[0].columns[1].optional = true;
    let plan = planner_of(&schema, &rules()).insert(Some("select=id"), &json!({}), Missing::Null).unwrap();
    assert_eq!(&*plan.statements[0].statement.sql, r#"insert into "items" default values returning "id""#);
}

#[test]
fn upserts_merge_or_leave_what_is_there() {
    let database = database();
    let planner = planner();
    apply(
        &database,
        &planner.insert(None, &json!({"id": 1, "title": "a", "price": 1}), Missing::Null).unwrap(),
    );
    let body = json!([{"id": 1, "title": "b"}, {"id": 2, "title": "c"}]);
    let ignored = planner.upsert(Some("select=title"), &body, Resolution::Ignore, Missing::Null).unwrap();
    assert_eq!(apply(&database, &ignored), [[text("c"), Value::Integer(2)]]);
    assert_eq!(column(&database, "title"), [text("a"), text("c")]);
    let merged = planner.upsert(Some("select=title,price"), &body, Resolution::Merge, Missing::Null).unwrap();
    assert_eq!(apply(&database, &merged)[0], [text("b"), Value::Integer(1), Value::Integer(1)]);
    let by_title =
        planner.upsert(Some("on_conflict=title"), &body, Resolution::Merge, Missing::Null).unwrap_err();
    assert_eq!(by_title.kind(), Kind::InvalidParameter);
}

#[test]
fn a_put_makes_the_row_what_the_body_says() {
    let database = database();
    let planner = planner();
    let put = |key: &str, body: &Json| planner.put(key, Some("select=title,price,stock"), body);
    apply(&database, &put("7", &json!({"title": "a", "price": 1, "stock": 9})).unwrap());
    let rows = apply(&database, &put("7", &json!({"id": 7, "title": "b"})).unwrap());
    assert_eq!(rows, [[text("b"), Value::Null, Value::Integer(0), Value::Integer(7)]]);
    assert_eq!(column(&database, "id"), [Value::Integer(7)]);
    let cases = [
        ("7", json!({"id": 8, "title": "b"}), Kind::Unprocessable),
        ("7", json!({"price": 1}), Kind::Unprocessable),
        ("7", json!([{"title": "b"}]), Kind::Unprocessable),
        ("x", json!({"title": "b"}), Kind::InvalidParameter),
    ];
    for (key, body, kind) in cases {
        assert_eq!(put(key, &body).unwrap_err().kind(), kind, "{body}");
    }
}

#[test]
fn updates_and_deletes_need_a_key_or_a_filter() {
    let planner = planner();
    let patch = json!({"price": 5, "title": "x"});
    let by_key = planner.update(Target::Key("7"), Some("select=id"), &patch, None).unwrap();
    assert_eq!(
        &*by_key.statements[0].statement.sql,
        r#"update "items" set "title" = ?1, "price" = ?2 where "id" = ?3 returning "id""#
    );
    assert_eq!(by_key.statements[0].statement.params, [text("x"), Value::Integer(5), Value::Integer(7)]);
    assert_eq!(by_key.rows_most, 1);
    let by_filter =
        planner.update(Target::Filters, Some("price=gt.1&select=id"), &json!({"price": 0}), Some(2)).unwrap();
    assert_eq!(
        &*by_filter.statements[0].statement.sql,
        r#"update "items" set "price" = ?1 where "price" > ?2 returning "id""#
    );
    assert_eq!(by_filter.rows_most, 2);
    let deleted =
        planner.delete(Target::Filters, Some("or=(id.eq.1,id.eq.2)"), Some(99), Value::Null).unwrap();
    assert!(
        deleted.statements[0]
            .statement
            .sql
            .starts_with(r#"delete from "items" where ("id" = ?1 or "id" = ?2) returning "#)
    );
    assert_eq!(deleted.rows_most, 3, "the route's own bound holds");

    let refused = [
        planner.update(Target::Filters, None, &patch, None).unwrap_err(),
        planner.update(Target::Filters, Some("select=id"), &patch, None).unwrap_err(),
        planner.delete(Target::Filters, Some(""), None, Value::Null).unwrap_err(),
    ];
    for problem in refused {
        assert_eq!(problem.kind(), Kind::InvalidParameter);
        assert!(problem.detail_text().unwrap().contains("name at least one"));
    }
    let kind = |planned: Result<WritePlan, Problem>| planned.unwrap_err().kind();
    assert_eq!(kind(planner.update(Target::Key("7"), None, &json!({}), None)), Kind::Unprocessable);
    assert_eq!(kind(planner.update(Target::Key("x"), None, &patch, None)), Kind::NotFound);
    assert_eq!(
        kind(planner.update(Target::Key("7"), Some("price=eq.1"), &patch, None)),
        Kind::UnknownParameter
    );
    assert_eq!(
        kind(planner.delete(Target::Filters, Some("offset=1"), None, Value::Null)),
        Kind::UnknownParameter
    );
}

#[test]
fn a_deleted_row_is_hidden_and_a_put_brings_it_back() {
    let database = database();
    let planner = soft_planner();
    apply(&database, &planner.insert(None, &json!({"id": 1, "title": "a"}), Missing::Null).unwrap());
    let now = text("2024-05-06T07:08:09Z");
    let delete = planner.delete(Target::Key("1"), Some("select=id"), None, now.clone()).unwrap();
    assert_eq!(
        &*delete.statements[0].statement.sql,
        r#"update "items" set "deleted_at" = ?1 where "deleted_at" is null and "id" = ?2 returning "id""#
    );
    assert_eq!(apply(&database, &delete).len(), 1);
    assert_eq!(apply(&database, &delete).len(), 0, "it is not there any more");
    assert_eq!(column(&database, "deleted_at"), [now]);
    let update = planner.update(Target::Key("1"), None, &json!({"title": "b"}), None).unwrap();
    assert_eq!(apply(&database, &update).len(), 0);
    assert_eq!(apply(&database, &planner.put("1", None, &json!({"title": "c"})).unwrap()).len(), 1);
    assert_eq!(column(&database, "deleted_at"), [Value::Null]);
}

#[test]
fn the_column_that_hides_rows_and_computed_columns_are_not_written() {
    let mut schema = schema();
    schema.tables[0].columns[2].generated = true;
    let mut rules = rules();
    rules.soft_delete = Some("category".into());
    let planner = planner_of(&schema, &rules);
    for name in ["category", "price"] {
        let problem = planner.insert(None, &json!({"title": "a", name: "x"}), Missing::Null).unwrap_err();
        assert_eq!(problem.kind(), Kind::Unprocessable, "{name}");
        assert!(problem.detail_text().unwrap().contains("does not write"), "{name}");
    }
}
