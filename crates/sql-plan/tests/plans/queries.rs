//! Declared queries: what is read of them, and what their requests become.

use std::sync::Arc;

use kasoku_problem::Kind;
use kasoku_sql_plan::{
    ColumnKind, Dialect, QueryFault, QueryParam, QueryPlanner, QueryRules, TagRules, Value, read_query,
    table_tag,
};

use crate::fixture::{items, schema, text};

fn param(name: &str, kind: ColumnKind, default: Option<Value>) -> QueryParam {
    QueryParam { name: name.into(), kind, default, caller: None }
}

fn rules(sql: &str, params: Vec<QueryParam>) -> QueryRules {
    QueryRules { sql: sql.into(), params, one: false, rows_most: 100, columns: Vec::new() }
}

#[test]
fn one_select_with_named_parameters_is_read() {
    let cases: [(&str, &[&str]); 6] = [
        ("select 1", &[]),
        ("select * from items where id = :id and price > :low or price < :low;", &["id", "low"]),
        ("with a as (select 1) select * from a union select 2", &[]),
        ("select ':text', \"a:b\", x -- :comment\n from items where y = :y", &["y"]),
        (
            "select category, count(*) as items from items group by category having count(*) > :n order by 1",
            &["n"],
        ),
        (
            "select json_extract(note, '$.a') from items where title like '%' || :part || '%' limit :n",
            &["part", "n"],
        ),
    ];
    for (sql, params) in cases {
        assert_eq!(
            read_query(sql, Dialect::SQLITE).unwrap_or_else(|fault| panic!("{sql}: {fault}")).params,
            params,
            "{sql}"
        );
    }
}

#[test]
fn what_is_not_one_select_is_refused() {
    let check = |sql: &str, expected: QueryFault| {
        assert_eq!(read_query(sql, Dialect::SQLITE).expect_err(sql), expected, "{sql}");
    };
    check("", QueryFault::Statements(0));
    check("select 1; select 2", QueryFault::Statements(2));
    check("insert into items values (1)", QueryFault::Writes);
    check("delete from items", QueryFault::Writes);
    check("update items set id = 1", QueryFault::Writes);
    check("drop table items", QueryFault::NotSelect);
    check("select ?", QueryFault::Unnamed("?".into()));
    check("select ?1", QueryFault::Unnamed("?1".into()));
    check("select $a", QueryFault::Unnamed("$a".into()));
    check("select @a", QueryFault::Unnamed("@".into()));
    check("replace into items values (1)", QueryFault::NotSelect);
    check("explain select 1", QueryFault::NotSelect);
    check("create table t as select 1", QueryFault::NotSelect);
    check("pragma user_version", QueryFault::NotSelect);
    check("with a as (select 1) delete from items where id is :id", QueryFault::Writes);
    check("with a as (select 1) replace into items select * from a where 1 is :id", QueryFault::Writes);
    check("select 1 is :a; select 2 is :a", QueryFault::Statements(2));
    assert!(matches!(read_query("select 'open", Dialect::SQLITE), Err(QueryFault::Syntax(_))));
    assert!(
        read_query("with a as (delete from items returning id) select * from a", Dialect::SQLITE).is_err()
    );
}

#[test]
fn what_only_the_database_understands_is_read_without_narrowing() {
    let sql = "select replace(title, 'a', ';') from items where category is :c and price = :p; -- the end";
    let read = read_query(sql, Dialect::SQLITE).unwrap();
    assert_eq!(read.params, ["c", "p"]);
    assert_eq!(read.narrow(&schema()), None);
}

#[test]
fn a_certain_equality_narrows_and_an_uncertain_one_does_not() {
    let narrow = |sql: &str| {
        let narrow = read_query(sql, Dialect::SQLITE)
            .unwrap_or_else(|fault| panic!("{sql}: {fault}"))
            .narrow(&schema())?;
        Some(format!("{}.{}=:{}", narrow.table, narrow.column, narrow.param))
    };
    let certain = [
        ("select * from items where category = :c", "items.category=:c"),
        ("select count(*) from Items where :c = Category and price > 5 limit 3", "items.category=:c"),
        ("select * from items as i where (i.category = :c and i.price = 1) order by id", "items.category=:c"),
        ("select * from items where price > 1 and (title = 'x' or 1) and stock = :s", "items.stock=:s"),
    ];
    for (sql, expected) in certain {
        assert_eq!(narrow(sql).as_deref(), Some(expected), "{sql}");
    }
    let uncertain = [
        "select * from items",
        "select * from items where category = 'books'",
        "select * from items where category = :c or price = 1",
        "select * from items where not (category = :c)",
        "select * from items where lower(category) = :c",
        "select * from items where category = :c collate nocase",
        "select * from items where category is :c",
        "select * from items where nothing = :c",
        "select * from items i where items.category = :c",
        "select * from items, items as b where items.category = :c",
        "select * from items join items as b on b.id = items.id where items.category = :c",
        "select (select count(*) from items) from items where category = :c",
        "select * from items where category = :c union select * from items",
        "with items as (select * from other) select * from items where category = :c",
        "select * from (select * from items) where category = :c",
        "select * from other where category = :c",
        "select 1 where 1 = :c",
    ];
    for sql in uncertain {
        assert_eq!(narrow(sql), None, "{sql}");
    }
}

#[test]
fn parameters_are_bound_by_first_use_and_kind() {
    let sql = "select * from items where price < :most and category = :category and price > :least - :most";
    let params = vec![
        param("category", ColumnKind::Text, None),
        param("least", ColumnKind::Integer, Some(Value::Integer(0))),
        param("most", ColumnKind::Integer, None),
    ];
    let planner =
        QueryPlanner::new("cheap", &rules(sql, params), &schema(), Dialect::SQLITE, &["items"]).unwrap();
    let plan = planner.plan(&[("category", "a b"), ("other", "x")], Some("most=9")).unwrap();
    assert_eq!(&*plan.statement.sql, sql);
    assert!(plan.statement.name.starts_with("cheap.query."));
    assert_eq!(plan.statement.params, [Value::Integer(9), text("a b"), Value::Integer(0)]);
    let cases = [
        ("most=x", Kind::InvalidParameter, "`x` is not a whole number"),
        ("", Kind::InvalidParameter, "the parameter `most` is missing"),
        ("most=1&most=2", Kind::InvalidParameter, "more than once"),
        ("most=1&category=b", Kind::InvalidParameter, "more than once"),
        ("mots=1", Kind::UnknownParameter, "did you mean `most`?"),
    ];
    for (query, kind, detail) in cases {
        let problem = planner.plan(&[("category", "a")], Some(query)).expect_err(query);
        assert_eq!(problem.kind(), kind, "{query}");
        assert!(problem.detail_text().unwrap().contains(detail), "{query}: {problem}");
    }
}

#[test]
fn answers_are_named_by_the_narrowed_rows_or_by_all_tables() {
    let sql = "select * from items where category = :c";
    let declared = rules(sql, vec![param("c", ColumnKind::Text, None)]);
    let planner = QueryPlanner::new("q", &declared, &schema(), Dialect::SQLITE, &["items"]).unwrap();
    let narrowed = planner.narrowed().unwrap().column.clone();
    let tags = |planner: &QueryPlanner, value: &str| planner.plan(&[("c", value)], None).unwrap().tags;
    assert_eq!(tags(&planner, "books"), [table_tag("items")]);
    let row_rules = Arc::new(TagRules::new(&items(), &[], &[&narrowed]));
    let planner = planner.with_tag_rules(Arc::clone(&row_rules));
    assert_eq!(tags(&planner, "books"), [row_rules.equal(3, &text("books")).unwrap()]);
    assert_eq!(tags(&planner, "12.50"), [table_tag("items")]);
    let more = QueryPlanner::new("q", &declared, &schema(), Dialect::SQLITE, &["items", "makers"])
        .unwrap()
        .with_tag_rules(row_rules);
    assert_eq!(tags(&more, "books"), [table_tag("items"), table_tag("makers")]);
}

#[test]
fn used_and_declared_parameters_must_be_the_same() {
    let fault = |sql, params| {
        QueryPlanner::new("q", &rules(sql, params), &schema(), Dialect::SQLITE, &[]).unwrap_err()
    };
    assert_eq!(fault("select :a", Vec::new()), QueryFault::Undeclared("a".into()));
    assert_eq!(fault("select 1", vec![param("a", ColumnKind::Any, None)]), QueryFault::Unused("a".into()));
}
