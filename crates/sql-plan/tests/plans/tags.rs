//! Tags: an answer that changes shares a tag with the change.

use kasoku_coherence::Tag;
use kasoku_sql_plan::{TagRules, Value, table_tag};
use proptest::prelude::*;
use rusqlite::{Connection, params_from_iter};

use crate::fixture::{
    CREATE_ITEMS, items, list, planner, planner_of, regexp, rules, run, schema, stored, text,
};

fn tag_rules() -> TagRules {
    TagRules::new(&items(), &[&rules()], &[])
}

/// The tags of a change, given whole rows.
fn of_change(old: Option<&[Value]>, new: Option<&[Value]>) -> Vec<Tag> {
    let rules = tag_rules();
    let watched =
        |row: &[Value]| rules.watched_columns().iter().map(|place| row[*place].clone()).collect::<Vec<_>>();
    let (old, new) = (old.map(watched), new.map(watched));
    let mut tags = Vec::new();
    rules.tags_of_change(old.as_deref(), new.as_deref(), &mut tags);
    tags
}

fn of_list(query: &str) -> Vec<Tag> {
    list(&planner(), query).tags
}

#[test]
fn a_list_is_named_by_its_first_certain_equality() {
    let rules = tag_rules();
    let category = |value: &str| rules.equal(3, &text(value)).unwrap();
    let whole = vec![table_tag("items")];
    let cases = [
        ("", whole.clone()),
        ("price=gt.1", whole.clone()),
        ("category=books", vec![category("books")]),
        ("price=eq.1&category=books", vec![category("books")]),
        ("price=eq.1", vec![rules.equal(2, &Value::Integer(1)).unwrap()]),
        ("category=in.(a,b)", vec![category("a"), category("b")]),
        ("category=is.null", vec![rules.equal(3, &Value::Null).unwrap()]),
        ("live=is.true", vec![rules.equal(5, &Value::Integer(1)).unwrap()]),
        ("live=eq.false", vec![rules.equal(5, &Value::Integer(0)).unwrap()]),
        ("category=not.eq.books", whole.clone()),
        ("category=not.is.null", whole.clone()),
        ("category=is.not_null", whole.clone()),
        ("or=(category.eq.books,category.eq.toys)", whole.clone()),
        ("and=(category.eq.books)", whole.clone()),
        ("category=like.books", whole.clone()),
        ("category=12.50", whole.clone()),
        ("category=in.(a,12.50)", whole.clone()),
        ("category=in.()", whole.clone()),
        ("category=eq(any).{a,b}", vec![category("a"), category("b")]),
        ("category=eq(all).{a,b}", whole.clone()),
        ("category=eq(any).{a,12.50}", whole.clone()),
        ("category=eq(any).{}", whole.clone()),
        ("category=like(any).{a,b}", whole.clone()),
        ("category=isdistinct.a", whole.clone()),
        ("category=not.isdistinct.a", whole.clone()),
        ("category=match.^a$", whole.clone()),
        ("live=is.unknown", vec![rules.equal(5, &Value::Null).unwrap()]),
        ("note->>a=eq.b", whole.clone()),
        ("note->a=eq.1", whole.clone()),
        ("note->a=is.null", whole.clone()),
        ("note=cs.{a}", whole.clone()),
        ("note->>a=eq.b&category=books", vec![category("books")]),
    ];
    for (query, expected) in cases {
        assert_eq!(of_list(query), expected, "{query}");
    }
    let many = format!("category=in.({})", (0..17).map(|at| format!("c{at}")).collect::<Vec<_>>().join(","));
    assert_eq!(of_list(&many), whole);
}

#[test]
fn a_row_is_named_by_its_key_and_a_change_by_both_rows() {
    let row = |id: i64, category: &str| {
        let mut row = vec![Value::Null; 13];
        row[0] = Value::Integer(id);
        row[3] = text(category);
        row
    };
    let (old, new) = (row(1, "books"), row(2, "toys"));
    let change = of_change(Some(&old), Some(&new));
    let planner = planner();
    for key in ["1", "2"] {
        assert!(change.contains(&planner.one(key, None).unwrap().tags[0]), "{key}");
    }
    assert!(!change.contains(&planner.one("3", None).unwrap().tags[0]));
    for query in ["", "category=books", "category=toys", "price=is.null"] {
        assert!(change.contains(&of_list(query)[0]), "{query}");
    }
    for query in ["category=games", "price=eq.1"] {
        assert!(!change.contains(&of_list(query)[0]), "{query}");
    }
    let mut once = change.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), change.len(), "no tag comes twice");
}

#[test]
fn columns_whose_equality_folds_are_not_named() {
    let mut schema = schema();
    schema.tables[0].columns[3].exact_equality = false;
    schema.tables[0].columns[0].exact_equality = false;
    let planner = planner_of(&schema, &rules());
    assert_eq!(list(&planner, "category=books").tags, [table_tag("items")]);
    assert_eq!(planner.one("1", None).unwrap().tags, [table_tag("items")]);
}

#[test]
fn rows_are_named_by_a_key_that_numbers_itself_and_cannot_be_written() {
    let mut schema = schema();
    schema.tables[0].columns[0].generated = true;
    let planner = planner_of(&schema, &rules());
    assert_ne!(planner.one("1", None).unwrap().tags, [table_tag("items")]);
}

#[test]
fn a_view_is_named_by_the_tables_that_it_reads() {
    let rules = TagRules::view(["Items", "makers"]);
    assert_eq!(rules.whole(), [table_tag("items"), table_tag("makers")]);
    assert!(rules.watched_columns().is_empty());
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        4 => prop::sample::select(vec![-1i64, 0, 1, 12, i64::MAX]).prop_map(Value::Integer),
        3 => prop::sample::select(vec![-0.0, 0.5, 1.0, 12.5, 1e300, 9_223_372_036_854_775_808.0]).prop_map(Value::Real),
        2 => prop::sample::select(vec![r#"["a", 1]"#, r#"{"a": "a"}"#, r#"{"a": 1}"#, r#"{"a": ["a"]}"#, "null"]).prop_map(text),
        5 => prop::sample::select(vec!["", "0", "-0", "1", "01", "1.0", " 1 ", "1e0", "0.5", ".5", "12.5", "a", "A", "a ", "inf", "9223372036854775808"]).prop_map(text),
        1 => prop::sample::select(vec![b"a".to_vec(), b"1".to_vec()]).prop_map(Value::Blob),
    ]
}

/// Rows in a real table: the database decides how a value is kept and what equals what.
fn row(id: i64) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(value(), 12).prop_map(move |mut values| {
        values.insert(0, Value::Integer(id));
        for required in [1, 4] {
            if values[required] == Value::Null {
                values[required] = Value::Integer(0);
            }
        }
        values
    })
}

fn filter() -> impl Strategy<Value = String> {
    let columns = [
        "category", "live", "title", "price", "stock", "score", "made", "note", "loose", "id", "note->a",
        "note->>a",
    ];
    let operand = prop::sample::select(vec![
        "0",
        "1",
        "-0",
        "01",
        "0.5",
        "1.0",
        ".5",
        "12.5",
        "a",
        "A",
        "true",
        "false",
        "",
        "1e0",
        "9223372036854775807",
    ]);
    let operators = vec![
        "eq",
        "neq",
        "gt",
        "in",
        "is",
        "not.eq",
        "eq(any)",
        "gt(all)",
        "like",
        "imatch",
        "isdistinct",
        "cs",
        "ov",
        "cd",
        "is.unknown",
        "not.in",
        "cs[]",
    ];
    let test = (prop::sample::select(columns.to_vec()), prop::sample::select(operators), operand);
    let test = test.prop_map(|(column, operator, operand)| match operator {
        "in" | "not.in" => format!("{column}={operator}.({operand},1)"),
        "is" => format!("{column}=is.null"),
        "is.unknown" => format!("{column}=is.unknown"),
        "eq(any)" | "gt(all)" => format!("{column}={operator}.{{{operand},1}}"),
        "cs" | "ov" | "cd" => format!("{column}={operator}.{{{operand}}}"),
        "cs[]" => format!("{column}=cs.[{operand}]"),
        operator => format!("{column}={operator}.{operand}"),
    });
    let one = prop::collection::vec(test.clone(), 0..3).prop_map(|tests| tests.join("&"));
    let group =
        (prop::collection::vec(test, 1..3), prop::sample::select(vec!["or", "and", "not.or", "not.and"]));
    let group = group.prop_map(|(tests, name)| {
        let members: Vec<String> = tests.iter().map(|test| test.replacen('=', ".", 1)).collect();
        format!("{name}=({})", members.join(","))
    });
    prop_oneof![3 => one.clone(), 1 => (one, group).prop_map(|(one, group)| format!("{one}&{group}"))]
}

fn stored_row(database: &Connection, id: i64) -> Option<Vec<Value>> {
    let statement = kasoku_sql_plan::Statement {
        name: "test".into(),
        sql: "select * from items where id = ?1".into(),
        params: vec![Value::Integer(id)],
    };
    run(database, &statement).pop()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_that_changes_loses_a_tag_to_the_change(
        others in row(1), before in prop::option::of(row(2)), after in prop::option::of(row(2)), filter in filter(),
    ) {
        let Ok(plan) = planner().list(Some(&filter), None, &crate::fixture::cursors()) else {
            // The operand is no value of the column.
            return Ok(());
        };
        let database = Connection::open_in_memory().unwrap();
        regexp(&database);
        database.execute_batch(CREATE_ITEMS).unwrap();
        let write = |row: &Vec<Value>| {
            let sql = "insert or replace into items values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
            database.execute(sql, params_from_iter(row.iter().map(stored))).unwrap();
        };
        write(&others);
        before.iter().for_each(write);
        let old = stored_row(&database, 2);
        let answer = run(&database, &plan.statement);
        match &after {
            Some(row) => write(row),
            None => { database.execute("delete from items where id = 2", []).unwrap(); }
        }
        let new = stored_row(&database, 2);
        if run(&database, &plan.statement) != answer {
            let change = of_change(old.as_deref(), new.as_deref());
            prop_assert!(plan.tags.iter().any(|tag| change.contains(tag)), "{:?} -> {:?}", old, new);
        }
    }
}
