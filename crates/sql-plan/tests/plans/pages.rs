//! Keyset pages on a real database: every row once, in order, forward and back, by the index where there is one.

use std::cmp::Ordering;

use kasoku_problem::Kind;
use kasoku_sql_plan::{OrderTerm, Sort, TablePlanner, Value};
use proptest::prelude::*;
use rusqlite::{Connection, params_from_iter};

use crate::fixture::{
    CREATE_ITEMS, cursors, explain, list, planner, planner_of, rules, run_list, schema, stored, text,
};

/// `id, title, price, category, stock, score`, of few different values, so that many are equal.
type Row = [Value; 6];

const COLUMNS: [&str; 6] = ["id", "title", "price", "category", "stock", "score"];

fn row() -> impl Strategy<Value = Row> {
    let price = prop_oneof![2 => Just(Value::Null), 5 => (0..4i64).prop_map(Value::Integer)];
    let score = prop_oneof![1 => Just(Value::Null), 3 => prop::sample::select(vec![0.5, -0.0, 1e300]).prop_map(Value::Real)];
    let category = prop_oneof![1 => Just(Value::Null), 3 => "[ab]".prop_map(Value::Text)];
    ("[aAé]{0,2}", price, category, 0..3i64, score).prop_map(|(title, price, category, stock, score)| {
        [Value::Null, Value::Text(title), price, category, Value::Integer(stock), score]
    })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 0..40).prop_map(|mut rows| {
        for (id, row) in rows.iter_mut().enumerate() {
            row[0] = Value::Integer(id as i64 * 3);
        }
        rows
    })
}

/// A sort of some columns, and where its NULLs are asked to be.
fn sort() -> impl Strategy<Value = Vec<(usize, bool, Option<bool>)>> {
    let columns = prop::sample::subsequence((0..6).collect::<Vec<usize>>(), 1..4).prop_shuffle();
    columns.prop_flat_map(|columns| {
        let terms = columns.into_iter().map(|column| (Just(column), any::<bool>(), any::<Option<bool>>()));
        terms.collect::<Vec<_>>()
    })
}

fn database(rows: &[Row]) -> Connection {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(CREATE_ITEMS).unwrap();
    for row in rows {
        let values = params_from_iter(row.iter().map(stored));
        let sql = "insert into items (id, title, price, category, stock, score) values (?, ?, ?, ?, ?, ?)";
        database.execute(sql, values).unwrap();
    }
    database
}

fn planner_with(sort: &[(usize, bool, Option<bool>)]) -> TablePlanner {
    let mut rules = rules();
    let terms = sort.iter().map(|(column, descending, _)| OrderTerm {
        column: COLUMNS[*column].into(),
        descending: *descending,
    });
    rules.order = vec![Sort(terms.collect())];
    planner_of(&schema(), &rules)
}

fn spelled(sort: &[(usize, bool, Option<bool>)], reversed: bool) -> String {
    let terms = sort.iter().map(|(column, descending, nulls_first)| {
        let direction = if *descending == reversed { "asc" } else { "desc" };
        let nulls = match nulls_first {
            None => "",
            Some(true) => ".nullsfirst",
            Some(false) => ".nullslast",
        };
        format!("{}.{direction}{nulls}", COLUMNS[*column])
    });
    terms.collect::<Vec<_>>().join(",")
}

/// The order that a list promises; NULL is the smallest unless it was asked to be elsewhere.
fn compare(one: &Row, other: &Row, sort: &[(usize, bool, Option<bool>)], reversed: bool) -> Ordering {
    let mut last = false;
    for (column, descending, nulls_first) in sort {
        let descending = *descending != reversed;
        last = descending;
        let ordering = match (&one[*column], &other[*column]) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => {
                if nulls_first.unwrap_or(!descending) {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, Value::Null) => {
                if nulls_first.unwrap_or(!descending) {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (one, other) => {
                let ordering = plain(one, other);
                if descending { ordering.reverse() } else { ordering }
            }
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    let ordering = plain(&one[0], &other[0]);
    if last { ordering.reverse() } else { ordering }
}

fn plain(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Real(one), Value::Real(other)) => one.partial_cmp(other).unwrap(),
        (Value::Text(one), Value::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        other => panic!("{other:?}"),
    }
}

fn ids(rows: &[Vec<Value>]) -> Vec<i64> {
    rows.iter()
        .map(|row| match row[0] {
            Value::Integer(id) => id,
            ref other => panic!("{other:?}"),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_to_the_end_and_back_shows_every_row_once_and_in_order(
        rows in rows(),
        sort in sort(),
        reversed: bool,
        limit in 1usize..8,
        filtered in prop::option::of(0..3i64),
    ) {
        let database = database(&rows);
        let planner = planner_with(&sort);
        let filter = filtered.map_or(String::new(), |stock| format!("&stock=lte.{stock}"));
        let query = format!("select=id&limit={limit}&order={}{filter}", spelled(&sort, reversed));
        let mut expected: Vec<&Row> = rows
            .iter()
            .filter(|row| filtered.is_none_or(|most| plain(&row[4], &Value::Integer(most)).is_le()))
            .collect();
        expected.sort_by(|one, other| compare(one, other, &sort, reversed));
        let expected: Vec<i64> = expected.iter().map(|row| ids(&[row.to_vec()])[0]).collect();

        let mut pages: Vec<Vec<i64>> = Vec::new();
        let (first, mut page) = run_list(&database, &list(&planner, &query));
        prop_assert_eq!(&page.prev, &None);
        pages.push(ids(&first));
        while let Some(next) = &page.next {
            prop_assert!(pages.len() <= rows.len());
            let (further, following) = run_list(&database, &list(&planner, &format!("{query}&cursor={next}")));
            prop_assert!(following.prev.is_some());
            pages.push(ids(&further));
            page = following;
        }
        prop_assert_eq!(pages.concat(), expected);
        prop_assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == limit));

        let mut back = Vec::new();
        while let Some(prev) = &page.prev {
            prop_assert!(back.len() <= rows.len());
            let (further, following) = run_list(&database, &list(&planner, &format!("{query}&cursor={prev}")));
            prop_assert!(following.has_more, "the page that it came from is behind it");
            back.push(ids(&further));
            page = following;
        }
        back.reverse();
        prop_assert_eq!(back.concat(), pages[..pages.len() - 1].concat());
    }

    #[test]
    fn a_row_that_goes_away_between_pages_takes_no_other_row_with_it(
        rows in rows(), sort in sort(), limit in 1usize..5, gone: prop::sample::Index,
    ) {
        prop_assume!(rows.len() > limit);
        let database = database(&rows);
        let planner = planner_with(&sort);
        let query = format!("select=id&limit={limit}&order={}", spelled(&sort, false));
        let (first, page) = run_list(&database, &list(&planner, &query));
        let mut seen = ids(&first);
        let gone = seen[gone.index(seen.len())];
        database.execute("delete from items where id = ?1", [gone]).unwrap();
        let mut next = page.next;
        while let Some(cursor) = next {
            let (further, page) = run_list(&database, &list(&planner, &format!("{query}&cursor={cursor}")));
            seen.extend(ids(&further));
            next = page.next;
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..rows.len() as i64).map(|id| id * 3).collect::<Vec<_>>());
    }
}

#[test]
fn rows_without_a_key_are_told_apart_by_their_identity() {
    let mut schema = schema();
    schema.tables[0].key = Vec::new();
    let mut rules = rules();
    rules.order = vec![kasoku_sql_plan::parse_sort("stock").unwrap()];
    rules.write.upsert = false;
    let planner = planner_of(&schema, &rules);
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(&CREATE_ITEMS.replace("integer primary key", "integer")).unwrap();
    for id in 0..10 {
        database.execute("insert into items (id, title, stock) values (?1, 't', 0)", [id]).unwrap();
    }
    let (mut seen, mut query) = (Vec::new(), "select=id&limit=3".to_owned());
    loop {
        let (rows, page) = run_list(&database, &list(&planner, &query));
        seen.extend(ids(&rows));
        match page.next {
            Some(next) => query = format!("select=id&limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
}

#[test]
fn a_cursor_is_good_for_its_list_alone() {
    let database = database(&[]);
    for id in 0..5 {
        database.execute("insert into items (id, title, price) values (?1, 't', 1)", [id]).unwrap();
    }
    let planner = planner();
    let base = "price=eq.1&limit=2";
    let next = run_list(&database, &list(&planner, base)).1.next.unwrap();
    let good =
        ["price=eq.1&limit=3", "limit=2&price=eq.1", "price=eq.1&select=title", "price=eq.1&order=id.desc"];
    for query in good {
        list(&planner, &format!("{query}&cursor={next}"));
    }
    let bad = [
        "",
        "price=eq.2",
        "price=neq.1",
        "stock=eq.1",
        "price=eq.1&stock=eq.1",
        "price=eq.1&order=id",
        "price=eq.1&order=price",
        "or=(price.eq.1)",
    ];
    let check = |planner: &TablePlanner, query: &str, next: &str| {
        let query = format!("{query}&cursor={next}");
        let problem = planner.list(Some(&query), None, &cursors()).expect_err(&query);
        assert_eq!(problem.kind(), Kind::CursorInvalid, "{query}");
    };
    for query in bad {
        check(&planner, query, &next);
    }
    for place in 0..next.len() {
        let mut changed = next.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        check(&planner, base, &String::from_utf8(changed).unwrap());
        check(&planner, base, &next[..place]);
    }
    let rules = rules();
    let tags = std::sync::Arc::clone(planner.tag_rules());
    let elsewhere =
        TablePlanner::new("/v2/items", &schema(), &rules, kasoku_sql_plan::Dialect::SQLITE, &|_| {
            tags.clone()
        })
        .unwrap();
    check(&elsewhere, base, &next);
}

#[test]
fn a_sort_value_too_long_for_a_cursor_is_a_problem_and_not_a_wrong_page() {
    let database = database(&[]);
    for _ in 0..3 {
        database.execute("insert into items (title) values (?1)", ["x".repeat(5000)]).unwrap();
    }
    let plan = list(&planner(), "order=title,id&limit=1");
    let mut rows = crate::fixture::run(&database, &plan.statement);
    let problem = plan.page(&mut rows, |row, place| row[place].clone(), &cursors()).unwrap_err();
    assert_eq!(problem.kind(), Kind::Internal);
}

#[test]
fn seeks_are_written_by_what_the_sort_needs() {
    let database = database(&[]);
    let insert = "insert into items (id, title, price, stock) values (?1, 't', ?2, 1)";
    for (id, price) in [(1, Some(1)), (2, Some(1)), (3, None), (4, None)] {
        database.execute(insert, rusqlite::params![id, price]).unwrap();
    }
    let seek = |query: &str, cursors_ahead: usize| {
        let mut cursor = String::new();
        for _ in 0..cursors_ahead {
            let (_, page) = run_list(&database, &list(&planner(), &format!("{query}&limit=1{cursor}")));
            cursor = format!("&cursor={}", page.next.unwrap());
        }
        let plan = list(&planner(), &format!("{query}&limit=1{cursor}"));
        let sql = plan.statement.sql.split(" from \"items\"").nth(1).unwrap().to_owned();
        let rest = plan.follow_up(0).map(|rest| rest.sql.split(" from \"items\"").nth(1).unwrap().to_owned());
        (sql, rest.unwrap_or_default())
    };
    let check = |query: &str, ahead, sql: &str, rest: &str| {
        assert_eq!(seek(query, ahead), (sql.to_owned(), rest.to_owned()), "{query} {ahead}");
    };
    check("order=id", 1, r#" where "id" > ?1 order by "id" limit ?2"#, "");
    check(
        "order=stock,title",
        1,
        r#" where ("stock", "title", "id") > (?1, ?2, ?3) order by "stock", "title", "id" limit ?4"#,
        "",
    );
    check(
        "order=price.desc",
        1,
        r#" where ("price", "id") < (?1, ?2) order by "price" desc, "id" desc limit ?3"#,
        r#" where "price" is null order by "id" desc limit ?1"#,
    );
    check("order=price.desc", 3, r#" where "price" is null and "id" < ?1 order by "id" desc limit ?2"#, "");
    check(
        "order=price",
        1,
        r#" where "price" is null and "id" > ?1 order by "id" limit ?2"#,
        r#" where "price" is not null order by "price", "id" limit ?1"#,
    );
    check(
        "order=price.desc,title",
        1,
        r#" where "price" <= ?1 and (+"price" < ?1 or (+"price" = ?1 and (+"title" > ?2 or (+"title" = ?2 and +"id" > ?3)))) order by "price" desc, "title", "id" limit ?4"#,
        r#" where "price" is null order by "title", "id" limit ?1"#,
    );
}

#[test]
fn an_index_serves_every_page_without_sorting() {
    let indexes = "create index by_price on items (price);
        create index by_price_title on items (price desc, title, id);
        create index by_stock_title on items (stock, title);
        create index by_score on items (score);
        create index by_category on items (category, price);";
    let database = database(&[]);
    let insert =
        "insert into items (id, title, price, stock, score, category) values (?1, ?2, ?3, ?4, ?3, 'a')";
    for id in 0..200i64 {
        let price = (id % 3 > 0).then_some(id % 7);
        database.execute(insert, rusqlite::params![id, format!("t{}", id % 5), price, id % 4]).unwrap();
    }
    let sorted = |database: &Connection, query: &str| {
        let mut plans = Vec::new();
        let mut plan = list(&planner(), query);
        let mut forward = true;
        loop {
            plans.push(explain(database, &plan.statement));
            plans.extend(plan.follow_up(0).map(|rest| explain(database, &rest)));
            let (_, page) = run_list(database, &plan);
            forward &= page.next.is_some();
            let Some(cursor) = (if forward { page.next } else { page.prev }) else { return plans };
            plan = list(&planner(), &format!("{query}&cursor={cursor}"));
        }
    };
    let queries = [
        "order=id",
        "order=id.desc",
        "order=price",
        "order=price.desc",
        "order=price.desc.nullsfirst",
        "order=price.asc.nullslast",
        "order=price.desc,title.asc",
        "order=price.asc,title.desc",
        "order=stock,title",
        "order=stock.desc,title.desc",
        "order=score.desc,id.desc",
        "category=a&order=price",
        "category=a&order=price.desc",
    ];
    for query in queries {
        let query = format!("{query}&limit=60");
        if query.contains("price") || query.contains("stock") {
            let plans = sorted(&database, &query);
            assert!(plans.iter().any(|plan| plan.contains("TEMP B-TREE")), "the case can fail: {query}");
        }
    }
    database.execute_batch(indexes).unwrap();
    for query in queries {
        for (at, plan) in sorted(&database, &format!("{query}&limit=60")).iter().enumerate() {
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("MULTI-INDEX"), "{query}: {plan}");
            assert!(at == 0 || plan.starts_with("SEARCH"), "{query}: {plan}");
        }
    }
}

#[test]
fn values_survive_cursors_without_loss() {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(CREATE_ITEMS).unwrap();
    let scores =
        [0.1, 0.1 + f64::EPSILON, 1e-300, 5e-324, f64::MAX, -0.0, 3.0, f64::INFINITY, f64::NEG_INFINITY];
    for score in scores {
        database.execute("insert into items (title, score) values ('', ?1)", [score]).unwrap();
    }
    let mut query = "select=score&order=score.desc,id.desc&limit=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let (rows, page) = run_list(&database, &list(&planner(), &query));
        seen.extend(rows.into_iter().map(|row| row[0].clone()));
        let Some(next) = page.next else { break };
        query = format!("select=score&order=score.desc,id.desc&limit=1&cursor={next}");
    }
    let mut expected = scores.to_vec();
    expected.sort_by(|one, other| other.total_cmp(one));
    assert_eq!(seen, expected.into_iter().map(Value::Real).collect::<Vec<_>>());
    assert_ne!(text("a"), Value::Null);
}
