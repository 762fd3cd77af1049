//! Pages by offset and by range, on routes that allow them.

use kasoku_problem::Kind;
use kasoku_sql_plan::{Dialect, ListPlan, RowRange, TablePlanner, Value};
use rusqlite::Connection;

use crate::fixture::{CREATE_ITEMS, cursors, planner, planner_in, planner_of, rules, run_list, schema};

fn by_offset() -> TablePlanner {
    let mut rules = rules();
    rules.page.offset_most = 50;
    planner_of(&schema(), &rules)
}

fn planned(query: &str) -> ListPlan {
    by_offset().list(Some(query), None, &cursors()).unwrap_or_else(|problem| panic!("{query}: {problem}"))
}

fn within(query: &str, first: u32, last: Option<u32>) -> Result<ListPlan, kasoku_problem::Problem> {
    by_offset().list_within(Some(query), Some(RowRange { first, last }), None, &cursors())
}

#[test]
fn an_offset_is_bound_behind_the_limit() {
    let check = |query: &str, ends: &str, values: &[i64]| {
        let plan = planned(query);
        assert!(plan.statement.sql.ends_with(ends), "{query}: {}", plan.statement.sql);
        let expected: Vec<Value> = values.iter().copied().map(Value::Integer).collect();
        assert_eq!(plan.statement.params, expected, "{query}");
    };
    check("offset=10&limit=5", r#""items" order by "id" desc limit ?1 offset ?2"#, &[6, 10]);
    check("offset=0&limit=5", r#""items" order by "id" desc limit ?1"#, &[6]);
    check(
        "price=eq.1&offset=50",
        r#"where "price" = ?1 order by "id" desc limit ?2 offset ?3"#,
        &[1, 21, 50],
    );
    check(
        "order=price.desc.nullsfirst&offset=1",
        r#"order by "price" desc nulls first, "id" desc limit ?1 offset ?2"#,
        &[21, 1],
    );
    check("limit=0", r#"order by "id" desc limit ?1"#, &[1]);
    let mut rules = rules();
    rules.page.offset_most = 1;
    let postgres = planner_in(Dialect::POSTGRES, &schema(), &rules);
    let plan = postgres.list(Some("offset=1&order=price"), None, &cursors()).unwrap();
    assert!(
        plan.statement.sql.ends_with(r#"order by "price" nulls first, "id" limit $1 offset $2"#)
            || plan.statement.sql.ends_with(r#"order by "price", "id" limit $1 offset $2"#)
    );
}

#[test]
fn a_range_is_a_limit_and_an_offset_and_may_be_answered_in_part() {
    let check = |first, last, limit, from| {
        let plan = within("", first, last).unwrap();
        assert_eq!((plan.limit, plan.from, plan.by_range), (limit, Some(from), true), "{first} {last:?}");
    };
    check(0, Some(24), 25, 0);
    check(5, Some(5), 1, 5);
    check(7, None, 20, 7);
    check(0, Some(1_000), 100, 0);
    check(0, Some(u32::MAX), 100, 0);
}

#[test]
fn what_says_twice_where_a_page_begins_or_begins_too_far_is_refused() {
    let check = |problem: kasoku_problem::Problem, detail: &str| {
        assert_eq!(problem.kind(), Kind::InvalidParameter, "{problem}");
        assert!(problem.detail_text().unwrap().contains(detail), "{problem}");
    };
    let refused = |query: &str| by_offset().list(Some(query), None, &cursors()).unwrap_err();
    check(refused("offset=51"), "`51` is not a number from 0 to 50");
    check(refused("offset=5&cursor=v1.a.b"), "a `cursor` says where the page begins");
    check(refused("offset=1&offset=2"), "more than once");
    check(within("limit=5", 0, None).unwrap_err(), "the query string says which page is wanted");
    check(within("", 51, None).unwrap_err(), "`51` is not a number from 0 to 50");
    let range = Some(RowRange { first: 1, last: None });
    check(planner().list_within(None, range, None, &cursors()).unwrap_err(), "not paged by offset");
}

#[test]
fn cursors_lead_on_from_a_page_by_offset_and_back() {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(CREATE_ITEMS).unwrap();
    for id in 1..=10 {
        let price = (id % 3 != 0).then_some(id % 4);
        database.execute("insert into items (id, title, price) values (?, 't', ?)", (id, price)).unwrap();
    }
    let planner = by_offset();
    let ids = |rows: &[Vec<Value>]| rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    for order in ["id.asc", "price.asc", "price.desc", "price.asc.nullslast", "price.desc.nullsfirst"] {
        let read = |rest: &str| {
            let query = format!("order={order}&{rest}");
            run_list(&database, &planner.list(Some(&query), None, &cursors()).unwrap())
        };
        let (all, _) = read("limit=50");
        let all = ids(&all);
        for offset in 0..=10 {
            let (rows, page) = read(&format!("limit=3&offset={offset}"));
            assert_eq!(ids(&rows), all[offset..(offset + 3).min(10)], "{order} {offset}");
            assert_eq!(page.has_more, offset + 3 < 10, "{order} {offset}");
            if let Some(next) = page.next {
                let (next, _) = read(&format!("limit=3&cursor={next}"));
                assert_eq!(ids(&next), all[offset + 3..(offset + 6).min(10)], "{order} {offset} next");
            }
            assert_eq!(page.prev.is_some(), (1..10).contains(&offset), "{order} {offset}");
            if let Some(prev) = page.prev {
                let (prev, _) = read(&format!("limit=3&cursor={prev}"));
                assert_eq!(ids(&prev), all[offset.saturating_sub(3)..offset], "{order} {offset} prev");
            }
        }
    }
    let (rows, page) = run_list(&database, &planner.list(Some("limit=0"), None, &cursors()).unwrap());
    assert_eq!((rows.len(), page.next), (0, None));
}
