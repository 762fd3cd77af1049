//! Changes of some rows, of rows one by one, and upserts by indexes that hold for some rows.

use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{Missing, Resolution, Table, TablePlanner, Target, Unique, Value, WritePlan};
use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::fixture::{CREATE_ITEMS, names, planner, planner_of, rules, run, schema, text};

fn database() -> Connection {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(CREATE_ITEMS).unwrap();
    for (id, price) in [(1, Some(5)), (2, None), (3, Some(1)), (4, Some(5))] {
        database.execute("insert into items (id, title, price) values (?, 't', ?)", (id, price)).unwrap();
    }
    database
}

fn apply(database: &Connection, plan: &WritePlan) -> Vec<Vec<Value>> {
    plan.statements.iter().flat_map(|write| run(database, &write.statement)).collect()
}

fn detail(problem: &Problem) -> &str {
    problem.detail_text().unwrap_or_default()
}

#[test]
fn the_first_rows_of_an_order_are_changed_and_no_others() {
    let database = database();
    let delete = planner()
        .delete(Target::Filters, Some("title=eq.t&order=price.asc&limit=2&select=id"), None, Value::Null)
        .unwrap();
    assert_eq!(
        &*delete.statements[0].statement.sql,
        r#"delete from "items" where "id" in (select "id" from "items" where "title" = ?1 order by "price", "id" limit ?2) returning "id""#
    );
    let mut ids = apply(&database, &delete);
    ids.sort_by_key(|row| format!("{row:?}"));
    assert_eq!(ids, [[Value::Integer(2)], [Value::Integer(3)]], "NULL is the smallest");
    let update = planner().update(
        Target::Filters,
        Some("price=eq.5&order=id&limit=1&select=id"),
        &json!({"title": "first"}),
        Some(9),
    );
    assert_eq!(apply(&database, &update.unwrap()), [[Value::Integer(1)]]);
}

#[test]
fn of_hidden_rows_none_is_among_the_first() {
    let mut rules = rules();
    rules.soft_delete = Some("deleted_at".into());
    let planner = planner_of(&schema(), &rules);
    let plan =
        planner.delete(Target::Filters, Some("price=gt.0&order=id&limit=1"), None, text("now")).unwrap();
    assert!(
        plan.statements[0].statement.sql.contains(
            r#"set "deleted_at" = ?1 where "id" in (select "id" from "items" where "deleted_at" is null and "price" > ?2 order by "id" limit ?3) returning"#
        ),
        "{}",
        plan.statements[0].statement.sql
    );
}

#[test]
fn some_of_several_rows_need_an_order_and_a_filter() {
    let delete = |query: &str| planner().delete(Target::Filters, Some(query), None, Value::Null).unwrap_err();
    assert!(detail(&delete("price=eq.1&limit=1")).contains("only sure with an `order`"));
    assert!(detail(&delete("order=id&limit=1")).contains("without a filter"));
    assert!(detail(&delete("price=eq.1&order=id&limit=4")).contains("`4` is not a number from 0 to 3"));
    assert!(detail(&delete("price=eq.1&order=category&limit=1")).contains("no column to sort by"));
    assert_eq!(delete("price=eq.1&offset=1").kind(), Kind::UnknownParameter);
}

fn each(body: &Json) -> Result<WritePlan, Problem> {
    planner().update_each(Some("select=id,price"), body)
}

#[test]
fn rows_are_changed_one_by_one_each_by_its_key() {
    let database = database();
    let plan =
        each(&json!([{"id": 1, "price": 7}, {"price": 8, "id": 4}, {"id": 2, "title": "x", "price": null}]))
            .unwrap();
    assert!(plan.each_touches);
    assert_eq!(plan.rows_most, 3);
    let sql: Vec<_> = plan.statements.iter().map(|write| &*write.statement.sql).collect();
    assert_eq!(sql[0], r#"update "items" set "price" = ?1 where "id" = ?2 returning "id", "price""#);
    assert_eq!(
        (sql[0], sql[2]),
        (sql[1], r#"update "items" set "title" = ?1, "price" = ?2 where "id" = ?3 returning "id", "price""#)
    );
    let n = Value::Integer;
    assert_eq!(apply(&database, &plan), [[n(1), n(7)], [n(4), n(8)], [n(2), Value::Null]]);
    assert_eq!(plan.statements.iter().map(|write| write.row).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn rows_that_name_no_row_or_one_twice_are_refused() {
    let check = |body: Json, kind, mentions: &str| {
        let problem = each(&body).expect_err(mentions);
        assert_eq!(problem.kind(), kind, "{body}");
        assert!(detail(&problem).contains(mentions), "{body}: {problem}");
    };
    check(
        json!([{"price": 1}]),
        Kind::Unprocessable,
        "row 0: `id` is missing, which says which row is meant",
    );
    check(json!([{"id": 1}]), Kind::Unprocessable, "row 0 sets no column");
    check(
        json!([{"id": 1, "price": 1}, {"id": 1, "price": 2}]),
        Kind::Unprocessable,
        "row 1: an earlier row has the same key",
    );
    check(json!([{"id": null, "price": 1}]), Kind::Unprocessable, "`id` cannot be null");
    check(json!([{"id": 1, "secret": 1}]), Kind::Unprocessable, "there is no column `secret`");
    check(json!([5]), Kind::Unprocessable, "row 0 is not an object");
    check(json!([]), Kind::InvalidParameter, "the body has no row");
    let row = |id: i64| json!({"id": id, "price": 1});
    check(json!([row(1), row(2), row(3), row(4)]), Kind::Unprocessable, "a request may have 3");
    let mut rules = rules();
    rules.write.update_each = false;
    let refused = planner_of(&schema(), &rules).update_each(None, &json!([row(1)])).unwrap_err();
    assert!(detail(&refused).contains("lacks update-each"));
}

#[test]
fn columns_that_are_named_and_missing_are_null_unless_their_default_is_preferred() {
    let body = json!([{"title": "a"}, {"price": 2, "title": "b"}]);
    let check = |missing, expected: &[&[&str]]| {
        let plan =
            planner().insert(Some("columns=%22title%22,%22price%22&select=id"), &body, missing).unwrap();
        let columns: Vec<Vec<String>> = plan
            .statements
            .iter()
            .map(|write| {
                let given = write.statement.sql.split(['(', ')']).nth(1).unwrap();
                given.split(", ").map(|name| name.trim_matches('"').to_owned()).collect()
            })
            .collect();
        assert_eq!(columns, expected, "{missing:?}");
        plan
    };
    let filled = check(Missing::Null, &[&["title", "price"], &["title", "price"]]);
    assert_eq!(filled.statements[0].statement.params, [text("a"), Value::Null]);
    check(Missing::Default, &[&["title"], &["title", "price"]]);
    let refused = planner().insert(Some("columns=title,stock"), &body, Missing::Null).unwrap_err();
    assert!(detail(&refused).contains("`stock` is missing and cannot be null; `Prefer: missing=default`"));
    planner().insert(Some("columns=title,stock"), &body, Missing::Default).unwrap();
}

/// A table with one open item for each category.
fn partial() -> (TablePlanner, Connection) {
    let mut schema = schema();
    let table: &mut Table = &mut schema.tables[0];
    table.partial.push(Unique { columns: vec![3], condition: Some("live = 1".into()) });
    let mut rules = rules();
    rules.filter = names(&["category"]);
    let database = database();
    database.execute_batch("create unique index open_items on items (category) where live = 1").unwrap();
    (planner_of(&schema, &rules), database)
}

#[test]
fn an_index_that_holds_for_some_rows_tells_which_rows_are_the_same() {
    let (planner, database) = partial();
    let upsert = |body: Json, resolution| {
        let plan = planner
            .upsert(Some("on_conflict=category&select=title,live"), &body, resolution, Missing::Null)
            .unwrap();
        assert!(plan.statements[0].statement.sql.contains(r#"on conflict ("category") where live = 1 do"#));
        apply(&database, &plan).into_iter().map(|row| row[0].clone()).collect::<Vec<_>>()
    };
    let row = |title: &str, live: bool| json!({"title": title, "category": "a", "live": live});
    assert_eq!(upsert(row("one", true), Resolution::Merge), [text("one")]);
    assert_eq!(upsert(row("two", true), Resolution::Merge), [text("two")]);
    assert!(upsert(row("three", true), Resolution::Ignore).is_empty());
    assert_eq!(
        upsert(row("closed", false), Resolution::Merge),
        [text("closed")],
        "the index does not hold for it"
    );
    let count: i64 =
        database.query_row("select count(*) from items where category = 'a'", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2);
}
