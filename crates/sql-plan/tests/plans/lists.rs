//! Requests for lists and rows, and the SQL that they become.

use kasoku_problem::Kind;
use kasoku_sql_plan::{CountRule, Total, Value};
use rusqlite::Connection;

use crate::fixture::{CREATE_ITEMS, cursors, list, planner, planner_of, rules, run, run_list, schema, text};

/// What comes before `where`, when everything is selected.
const ALL: &str = r#"select "id", "title", "price", "category", "stock", "live", "score", "made", "note", "photo", "loose" from "items""#;

fn check(query: &str, conditions: &str, params: &[Value]) {
    let plan = list(&planner(), query);
    let limit = params.len() + 1;
    let expected = format!(r#"{ALL}{conditions} order by "id" desc limit ?{limit}"#);
    assert_eq!(&*plan.statement.sql, expected, "{query}");
    let mut expected = params.to_vec();
    expected.push(Value::Integer(21));
    assert_eq!(plan.statement.params, expected, "{query}");
}

#[test]
fn filters_become_conditions_with_bound_values() {
    let n = Value::Integer;
    check("", "", &[]);
    check("price=eq.10", r#" where "price" = ?1"#, &[n(10)]);
    check("price=neq.10", r#" where "price" <> ?1"#, &[n(10)]);
    check("price=gt.1&price=lte.9", r#" where "price" > ?1 and "price" <= ?2"#, &[n(1), n(9)]);
    check("price=lte.9&price=gt.1", r#" where "price" > ?1 and "price" <= ?2"#, &[n(1), n(9)]);
    check("price=not.gte.1", r#" where not ("price" >= ?1)"#, &[n(1)]);
    check("score=lt.1.5", r#" where "score" < ?1"#, &[Value::Real(1.5)]);
    check("made=eq.2.0", r#" where "made" = ?1"#, &[n(2)]);
    check("live=eq.true", r#" where "live" = ?1"#, &[n(1)]);
    check("live=is.true", r#" where "live" is 1"#, &[]);
    check("live=not.is.false", r#" where "live" is not 0"#, &[]);
    check("price=is.null", r#" where "price" is null"#, &[]);
    check("price=is.not_null", r#" where "price" is not null"#, &[]);
    check("price=not.is.null", r#" where "price" is not null"#, &[]);
    check("photo=eq.AP8%3D", r#" where "photo" = ?1"#, &[Value::Blob(vec![0, 255])]);
    check("title=like.A*%25", r#" where "title" glob ?1"#, &[text("A*")]);
    check("title=ilike.*a_b*", r#" where "title" like ?1 escape '\'"#, &[text("%a_b%")]);
    check("category=books", r#" where "category" = ?1"#, &[text("books")]);
    check("category=neq.books", r#" where "category" <> ?1"#, &[text("books")]);
    check("category=a.b", r#" where "category" = ?1"#, &[text("a.b")]);
    check("category=eq.eq.b", r#" where "category" = ?1"#, &[text("eq.b")]);
    check("category=a%26b+c%252C", r#" where "category" = ?1"#, &[text("a&b c%2C")]);
    check("title=eq.%22q%22", r#" where "title" = ?1"#, &[text("\"q\"")]);
}

#[test]
fn lists_of_values_share_texts_and_tolerate_bare_quotes() {
    let n = Value::Integer;
    check("id=in.(7)", r#" where "id" in (?1)"#, &[n(7)]);
    check("id=in.(1,2,3)", r#" where "id" in (?1, ?2, ?3, ?4)"#, &[n(1), n(2), n(3), n(3)]);
    check("id=in.()", " where 1 = 0", &[]);
    check("id=not.in.()", " where not (1 = 0)", &[]);
    check(
        r#"title=in.("a,b",c,"d\"e",f"g)"#,
        r#" where "title" in (?1, ?2, ?3, ?4)"#,
        &[text("a,b"), text("c"), text("d\"e"), text("f\"g")],
    );
}

#[test]
fn groups_nest() {
    let n = Value::Integer;
    check(
        "or=(price.eq.1,and(stock.gt.2,title.is.null),not.or(id.in.(1,2),title.like.a*))",
        r#" where ("price" = ?1 or ("stock" > ?2 and "title" is null) or not ("id" in (?3, ?4) or "title" glob ?5))"#,
        &[n(1), n(2), n(1), n(2), text("a*")],
    );
    check(
        r#"and=(title.eq."a,(b)",stock.not.eq.1)"#,
        r#" where ("title" = ?1 and not ("stock" = ?2))"#,
        &[text("a,(b)"), n(1)],
    );
    check("not.and=(id.eq.1, id.eq.2)", r#" where not ("id" = ?1 and "id" = ?2)"#, &[n(1), n(2)]);
    check("or=(id.eq.1)&price=gt.0", r#" where "price" > ?1 and ("id" = ?2)"#, &[n(0), n(1)]);
}

#[test]
fn sorts_end_with_the_key_in_their_last_direction() {
    let cases = [
        ("", r#""id" desc"#),
        ("order=id", r#""id""#),
        ("order=id.desc", r#""id" desc"#),
        ("order=price", r#""price", "id""#),
        ("order=price.desc", r#""price" desc, "id" desc"#),
        ("order=price.desc.nullsfirst", r#""price" desc, "id" desc"#),
        ("order=price.asc,id.asc", r#""price", "id""#),
        ("order=price.desc,title.asc", r#""price" desc, "title", "id""#),
        ("order=price.asc,title.desc", r#""price", "title" desc, "id" desc"#),
        ("order=stock,title", r#""stock", "title", "id""#),
        ("order=title,id", r#""title", "id""#),
    ];
    for (query, order) in cases {
        let plan = list(&planner(), query);
        let written = plan.statement.sql.split(" order by ").nth(1).unwrap();
        let written = written.split(" limit ").next().unwrap();
        if query == "order=price.desc.nullsfirst" {
            assert_eq!(written, r#""id" desc"#, "the rows without a price come first, by themselves");
            assert!(plan.follow_up(0).unwrap().sql.contains(order));
        } else {
            assert_eq!(written, order, "{query}");
            assert_eq!(plan.follow_up(0), None, "{query}");
        }
    }
}

#[test]
fn selected_columns_are_answered_in_order_and_the_sort_is_read_behind_them() {
    let plan = list(&planner(), "select=title,cost:price&order=price");
    assert_eq!(
        &*plan.statement.sql,
        r#"select "title", "price", "id" from "items" order by "price", "id" limit ?1"#
    );
    let shown: Vec<_> = plan.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(shown, ["title", "cost"]);
    assert_eq!(&*plan.columns[1].json_key, "\"cost\":");
    let spelled = ["select=id,title", "fields=id,title", "select=%22id%22,title", "select=id,+title"];
    for query in spelled {
        let plan = list(&planner(), query);
        assert_eq!(&*plan.statement.sql, r#"select "id", "title" from "items" order by "id" desc limit ?1"#);
    }
    assert!(list(&planner(), "select=*").statement.sql.starts_with(ALL));
    assert!(list(&planner(), "select=").statement.sql.starts_with(ALL));
}

#[test]
fn what_cannot_be_answered_is_refused_with_the_place_and_a_hint() {
    use Kind::{CursorInvalid, InvalidParameter, UnknownParameter};
    let cases = [
        ("pirce=eq.1", UnknownParameter, "there is no parameter `pirce`; did you mean `price`?"),
        ("secret=eq.1", UnknownParameter, "there is no parameter `secret`"),
        ("deleted_at=is.null", UnknownParameter, "there is no parameter `deleted_at`"),
        ("on_conflict=id", UnknownParameter, "there is no parameter `on_conflict`"),
        ("price=1", InvalidParameter, "expected `operator.value`, such as `eq.1`"),
        ("price=eqq.1", InvalidParameter, "there is no operator `eqq`; did you mean `eq`?"),
        ("price=not.not.eq.1", InvalidParameter, "there is no operator `not`"),
        ("price=eq.x", InvalidParameter, "`x` is not a whole number of 64 bits, which `price` holds"),
        ("price=eq.", InvalidParameter, "`` is not a whole number of 64 bits, which `price` holds"),
        ("price=eq.9223372036854775808", InvalidParameter, "`9223372036854775808` is not a whole number"),
        ("price=eq.null", InvalidParameter, "for NULL, ask `is.null`"),
        ("score=eq.NaN", InvalidParameter, "`NaN` is not a finite number"),
        ("live=eq.1", InvalidParameter, "`1` is not `true` or `false`"),
        ("price=is.true", InvalidParameter, "there is no value of `is` here `true`"),
        ("price=like.1*", InvalidParameter, "`price` holds no text"),
        ("id=in.1", InvalidParameter, "expected a list"),
        ("id=in.(1", InvalidParameter, "not closed"),
        ("id=in.(1)x", InvalidParameter, "expected `,` or `)` before `x`"),
        ("or=price.eq.1", InvalidParameter, "expected `(`"),
        ("or=()", InvalidParameter, "there is no column to filter by ``"),
        ("or=(price.eq.1", InvalidParameter, "a group is not closed"),
        ("or=(price.eq.1))", InvalidParameter, "before `)`"),
        ("or=(prize.eq.1)", InvalidParameter, "did you mean `price`?"),
        ("or=(secret.eq.1)", InvalidParameter, "there is no column to filter by `secret`"),
        ("select=secret", InvalidParameter, "there is no column `secret`"),
        ("select=id,id", InvalidParameter, "`id` is there twice"),
        ("select=id,title:id,title", InvalidParameter, "`title` is there twice"),
        ("select=title::txt", InvalidParameter, "there is no type to cast to `txt`; did you mean `text`?"),
        ("select=author(name)", InvalidParameter, "nothing can be embedded here, so `author` cannot"),
        ("select=id(x)", InvalidParameter, "nothing can be embedded here, so `id` cannot"),
        ("select=count()", InvalidParameter, "nothing can be summed up here"),
        ("select=price.sum()", InvalidParameter, "nothing can be summed up here"),
        ("select=id,", InvalidParameter, "there is no column ``"),
        ("select=id&fields=title", InvalidParameter, "`fields` is given more than once"),
        ("order=stock", InvalidParameter, "ask for one of those allowed"),
        ("order=stock.desc,title", InvalidParameter, "ask for one of those allowed"),
        ("order=category", InvalidParameter, "there is no column to sort by `category`"),
        ("order=price.down", InvalidParameter, "there is no direction `down`"),
        ("order=price.desc.desc", InvalidParameter, "there is no direction `desc`"),
        ("order=price,price", InvalidParameter, "`price` is there twice"),
        ("order=", InvalidParameter, "there is no column to sort by ``"),
        ("limit=-1", InvalidParameter, "`-1` is not a number from 0 to 100"),
        ("limit=101", InvalidParameter, "`101` is not a number from 0 to 100"),
        ("limit=-1", InvalidParameter, "not a number"),
        ("limit=+1", InvalidParameter, "not a number"),
        ("limit=99999999999999999999", InvalidParameter, "not a number"),
        ("limit=1&limit=1", InvalidParameter, "given more than once"),
        ("offset=20", InvalidParameter, "this list is not paged by offset"),
        ("offset=x", InvalidParameter, "`next` link"),
        ("cursor=abc", CursorInvalid, "the cursor was changed"),
        ("title=eq.%ff", InvalidParameter, "UTF-8"),
    ];
    for (query, kind, detail) in cases {
        let problem = planner().list(Some(query), None, &cursors()).expect_err(query);
        assert_eq!(problem.kind(), kind, "{query}: {problem}");
        let told = problem.detail_text().unwrap_or_default();
        assert!(told.contains(detail), "{query}: {told}");
    }
}

#[test]
fn problems_name_the_parameter_and_what_is_allowed() {
    let document = |query: &str| {
        let problem = planner().list(Some(query), None, &cursors()).unwrap_err();
        serde_json::from_slice::<serde_json::Value>(&problem.document("r")).unwrap()
    };
    let unknown = document("pirce=eq.1");
    assert_eq!(unknown["parameter"], "pirce");
    assert!(unknown["allowed"].as_array().unwrap().contains(&"price".into()));
    assert!(!unknown["allowed"].as_array().unwrap().contains(&"secret".into()));
    let sort = document("order=stock");
    assert_eq!(sort["parameter"], "order");
    assert_eq!(sort["allowed"][0], "id.desc");
    assert_eq!(sort["allowed"][1], "id.asc");
    let long = document(&format!("{}=1", "x".repeat(1000)));
    assert!(long["parameter"].as_str().unwrap().len() < 100);
}

#[test]
fn every_limit_holds() {
    let many = |count: usize| vec!["id.eq.1"; count].join(",");
    let nested = |depth: usize| format!("or={}id.eq.1{}", "(and".repeat(depth - 1) + "(", ")".repeat(depth));
    let ids = |count: usize| format!("id=in.({})", vec!["1"; count].join(","));
    let cases = [
        (format!("or=({})", many(64)), true),
        (format!("or=({})", many(65)), false),
        (format!("or=({})&price=eq.1", many(64)), false),
        (nested(8), true),
        (nested(9), false),
        (nested(2000), false),
        (ids(500), true),
        (ids(501), false),
        ("&".repeat(127), true),
        ("&".repeat(128), false),
        (format!("category={}", "x".repeat(16_000)), true),
        (format!("category={}", "x".repeat(17_000)), false),
        ("select=".to_owned() + &(0..300).map(|at| format!("a{at}:id")).collect::<Vec<_>>().join(","), false),
    ];
    for (query, allowed) in cases {
        let planned = planner().list(Some(&query), None, &cursors());
        assert_eq!(planned.is_ok(), allowed, "{}", &query[..query.len().min(60)]);
    }
}

#[test]
fn offset_zero_is_where_every_list_begins() {
    assert_eq!(list(&planner(), "offset=0&limit=10").limit, 10);
}

#[test]
fn one_row_is_found_by_its_key() {
    let planner = planner();
    let plan = planner.one("7", None).unwrap();
    assert_eq!(&*plan.statement.sql, format!(r#"{ALL} where "id" = ?1"#));
    assert_eq!(plan.statement.params, [Value::Integer(7)]);
    let plan = planner.one("7", Some("select=name:title")).unwrap();
    assert_eq!(&*plan.statement.sql, r#"select "title" from "items" where "id" = ?1"#);
    assert_eq!(&*plan.columns[0].name, "name");
    for key in ["abc", "", "7.0", "99999999999999999999", "7,8"] {
        assert_eq!(planner.one(key, None).unwrap_err().kind(), Kind::NotFound, "{key}");
    }
    assert_eq!(planner.one("7", Some("price=eq.1")).unwrap_err().kind(), Kind::UnknownParameter);
}

#[test]
fn a_key_of_several_columns_has_commas_and_may_be_quoted() {
    let mut schema = schema();
    schema.tables[0].key = vec![0, 1];
    let planner = planner_of(&schema, &rules());
    let plan = planner.one("7,\"a,b\"", None).unwrap();
    assert!(plan.statement.sql.ends_with(r#" where "id" = ?1 and "title" = ?2"#));
    assert_eq!(plan.statement.params, [Value::Integer(7), text("a,b")]);
    assert_eq!(planner.one("7", None).unwrap_err().kind(), Kind::NotFound);
    assert_eq!(planner.one("7,a,b", None).unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn deleted_rows_are_in_no_answer() {
    let mut rules = rules();
    rules.soft_delete = Some("deleted_at".into());
    let planner = planner_of(&schema(), &rules);
    assert!(
        list(&planner, "price=eq.1")
            .statement
            .sql
            .contains(r#" where "deleted_at" is null and "price" = ?1"#)
    );
    assert!(planner.one("1", None).unwrap().statement.sql.ends_with(r#""deleted_at" is null and "id" = ?1"#));
    let plan = planner.list(None, Some(CountRule::Exact), &cursors()).unwrap();
    assert!(plan.count.unwrap().statement.sql.ends_with(r#" where "deleted_at" is null"#));
}

#[test]
fn patterns_mind_case_or_fold_it_and_their_literals_are_literal() {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(CREATE_ITEMS).unwrap();
    for title in ["Apple", "apple", "a*c", "a?c", "a[b]c", "50%", "50x", "a_c", "abc", r"a\c"] {
        database.execute("insert into items (title) values (?1)", [title]).unwrap();
    }
    let cases = [
        ("title=like.A*", "Apple"),
        ("title=ilike.A*e", "apple Apple"),
        (r"title=like.a\*c", "a*c"),
        ("title=like.a?c", "a?c"),
        ("title=like.a[b]c", "a[b]c"),
        (r"title=like.50\%25", "50%"),
        (r"title=ilike.50\%25", "50%"),
        (r"title=ilike.A\_C", "a_c"),
        (r"title=ilike.a\\c", r"a\c"),
        ("title=like.a_c", r"a\c abc a_c a?c a*c"),
        ("title=like.a%5B*", "a[b]c"),
    ];
    for (query, expected) in cases {
        let (rows, _) = run_list(&database, &list(&planner(), &format!("{query}&select=title")));
        let found: Vec<_> = rows
            .iter()
            .map(|row| match &row[0] {
                Value::Text(title) => title.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found.join(" "), expected, "{query}");
    }
}

#[test]
fn counts_say_what_they_are() {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(CREATE_ITEMS).unwrap();
    for id in 1..=5 {
        database.execute("insert into items (id, title, price) values (?1, 't', ?1)", [id]).unwrap();
    }
    let mut rules = rules();
    rules.counts.cap = 3;
    let planner = planner_of(&schema(), &rules);
    let total = |query: &str, rule| {
        let count = planner.list(Some(query), Some(rule), &cursors()).unwrap().count?;
        let number = |statement| match run(&database, statement)[0][0] {
            Value::Integer(number) => Some(number),
            _ => None,
        };
        let prepared = database.prepare(&count.statement.sql).is_ok();
        let counted = if prepared { number(&count.statement) } else { None };
        Some(count.total(counted.or_else(|| count.otherwise.as_ref().and_then(number))))
    };
    assert_eq!(total("", CountRule::None), None);
    assert_eq!(total("", CountRule::Exact), Some(Total::Exact(5)));
    assert_eq!(total("price=lt.4", CountRule::Exact), Some(Total::Exact(3)));
    assert_eq!(total("", CountRule::Capped), Some(Total::AtLeast(3)));
    assert_eq!(total("price=lt.4", CountRule::Capped), Some(Total::Exact(3)));
    assert_eq!(total("", CountRule::Estimated), Some(Total::Estimated(5)), "by the largest key");
    database.execute_batch("create index by_price on items (price); analyze; delete from items").unwrap();
    assert_eq!(total("", CountRule::Estimated), Some(Total::Estimated(5)), "by the statistics");
    assert_eq!(total("price=lt.4", CountRule::Estimated), Some(Total::Exact(0)), "filters are counted");
}

#[test]
fn a_count_that_the_route_does_not_allow_is_not_made() {
    let mut rules = rules();
    rules.counts.allowed = Vec::new();
    let planner = planner_of(&schema(), &rules);
    assert_eq!(planner.list(None, Some(CountRule::Exact), &cursors()).unwrap().count, None);
    rules.counts.default = CountRule::Exact;
    let planner = planner_of(&schema(), &rules);
    assert!(planner.list(None, None, &cursors()).unwrap().count.is_some());
}

#[test]
fn identifiers_are_quoted() {
    let mut schema = schema();
    schema.tables[0].name = "it\"ems; drop".into();
    schema.tables[0].columns[1].name = "ti\"tle".into();
    let mut rules = rules();
    rules.table = "it\"ems; drop".into();
    rules.order = vec![kasoku_sql_plan::parse_sort("id").unwrap()];
    for names in [&mut rules.select, &mut rules.filter] {
        for name in names.iter_mut().filter(|name| *name == "title") {
            *name = "ti\"tle".into();
        }
    }
    let plan = list(&planner_of(&schema, &rules), "select=id&ti%22tle=eq.x&or=(%22ti\\%22tle%22.eq.y)");
    assert_eq!(
        &*plan.statement.sql,
        r#"select "id" from "it""ems; drop" where "ti""tle" = ?1 and ("ti""tle" = ?2) order by "id" limit ?3"#
    );
}
