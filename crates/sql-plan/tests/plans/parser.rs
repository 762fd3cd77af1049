//! Whatever is asked: no panic, no value in any text, and one text for one shape.

use kasoku_sql_plan::{Dialect, ListPlan, Missing, Resolution, Target, Value, read_query};
use proptest::prelude::*;

use crate::fixture::{cursors, list, planner};

/// Pieces of the grammar in any order come further into the parser than arbitrary text does.
fn nearly_a_query() -> impl Strategy<Value = String> {
    let pieces = [
        "select=",
        "fields=",
        "order=",
        "limit=",
        "cursor=v1.",
        "offset=",
        "or=",
        "and=",
        "not.or=",
        "price=",
        "title=",
        "category=",
        "live=",
        "photo=",
        "(",
        ")",
        ",",
        ".",
        ":",
        "::",
        "\"",
        "\\",
        "*",
        "%",
        "%2C",
        "%00",
        "%C3%A9",
        "+",
        "&",
        "=",
        "eq.",
        "in.",
        "in.(",
        "not.",
        "is.null",
        "like.",
        "ilike.",
        "or(",
        "and(",
        "id",
        "price.desc",
        ".nullslast",
        "1",
        "-1",
        "1.5",
        "true",
        "é",
        "a,b",
        "AP8=",
        ";--",
        "'",
        " ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

fn encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

/// A query of a fixed shape with these values.
fn shaped(price: i64, title: &str, pattern: &str, list: &[i64; 3]) -> String {
    let quoted = format!("\"{}\"", title.replace('\\', "\\\\").replace('"', "\\\""));
    let [one, two, three] = list;
    format!(
        "price=gt.{price}&title=eq.{}&title=ilike.{}&or=(id.in.({one},{two},{three}),title.eq.{})&order=stock,title",
        encoded(title),
        encoded(pattern),
        encoded(&quoted),
    )
}

fn texts(plan: &ListPlan) -> (String, String) {
    (plan.statement.sql.to_string(), plan.statement.name.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_planner_panic(text in ".{0,80}", near in nearly_a_query()) {
        let planner = planner();
        for query in [&text, &near] {
            let _ = planner.list(Some(query), None, &cursors());
            let _ = planner.one(query, Some(query));
            let body = serde_json::Value::from(query.as_str());
            let _ = planner.update_each(Some(query), &body);
            let _ = planner.insert(Some(query), &body, Missing::Null);
            let _ = planner.upsert(Some(query), &body, Resolution::Merge, Missing::Null);
            let _ = planner.put(query, None, &body);
            let _ = planner.update(Target::Key(query), Some(query), &body, None);
            let _ = planner.delete(Target::Filters, Some(query), None, Value::Null);
            let _ = read_query(query, Dialect::SQLITE);
            let _ = read_query(query, Dialect::POSTGRES);
        }
    }

    #[test]
    fn the_same_shape_has_the_same_text_whatever_the_values(
        price: i64, title in "\\PC{0,12}", pattern in "\\PC{0,12}", list_values: [i64; 3],
    ) {
        let one = list(&planner(), &shaped(price, &title, &pattern, &list_values));
        let other = list(&planner(), &shaped(0, "x", "y*", &[1, 2, 3]));
        prop_assert_eq!(texts(&one), texts(&other));
        prop_assert_eq!(&one.statement.params[2], &Value::Integer(price));
        prop_assert!(one.statement.params.contains(&Value::Text(title)));
    }

    #[test]
    fn no_value_is_ever_part_of_a_text(value in "[a-z]{6}'[\";)-]{2}[a-z]{3}") {
        let encoded = encoded(&value);
        let queries = [
            format!("title=eq.{encoded}"),
            format!("title=like.{encoded}"),
            format!("title=in.({encoded})"),
            format!("or=(title.eq.{encoded})"),
            format!("category={encoded}"),
            format!("select={encoded}:id"),
        ];
        for query in queries {
            if let Ok(plan) = planner().list(Some(&query), None, &cursors()) {
                prop_assert!(!plan.statement.sql.contains(&value[..6]), "{}", plan.statement.sql);
            }
        }
    }
}

#[test]
fn a_known_shape_is_not_written_again() {
    let planner = planner();
    let (one, other) = (list(&planner, "price=eq.1"), list(&planner, "price=eq.2"));
    assert!(std::sync::Arc::ptr_eq(&one.statement.sql, &other.statement.sql));
    assert!(std::sync::Arc::ptr_eq(&one.columns, &other.columns));
}
