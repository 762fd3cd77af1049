//! What is chosen for an `Accept`, and what rows look like in each form.

use kasoku_sql_plan::ColumnKind;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn chosen(accept: &[&str], offers: &[Media]) -> Option<Media> {
    let mut headers = HeaderMap::new();
    for line in accept {
        headers.append(ACCEPT, line.parse().unwrap());
    }
    accept::choose(&headers, offers)
}

#[test]
fn the_form_is_the_one_that_the_caller_likes_best() {
    let check = |accept: &str, expected| assert_eq!(chosen(&[accept], OF_ROWS), expected, "{accept}");
    let object = Media::Object(Nulls::Kept);
    assert_eq!(chosen(&[], OF_ROWS), Some(Media::Json));
    check("", Some(Media::Json));
    check("*/*", Some(Media::Json));
    check("application/json; charset=utf-8", Some(Media::Json));
    check("APPLICATION/*", Some(Media::Json));
    check("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Media::Json));
    check("text/csv", Some(Media::Csv));
    check("Text/CSV;header=present", Some(Media::Csv));
    check("text/*", Some(Media::Csv));
    check("text/csv, */*", Some(Media::Csv));
    check("text/csv, application/json", Some(Media::Csv));
    check("application/json, text/csv", Some(Media::Json));
    check("text/csv;q=0.5, application/json", Some(Media::Json));
    check("application/json;q=0.001, text/csv;q=0.01", Some(Media::Csv));
    check("*/*, application/json;q=0", Some(Media::Array(Nulls::Kept)));
    check("application/vnd.pgrst.object+json", Some(object));
    check("application/vnd.pgrst.object+json;nulls=stripped", Some(Media::Object(Nulls::Stripped)));
    check(
        "application/vnd.pgrst.object+json; nulls=\"stripped\"; q=1.0",
        Some(Media::Object(Nulls::Stripped)),
    );
    check("application/vnd.pgrst.array+json;nulls=stripped", Some(Media::Array(Nulls::Stripped)));
    check("image/png;a=\"x, text/csv\", application/vnd.pgrst.object+json", Some(object));
    check("image/png;a=\"\\\", text/csv\"", None);
    check("application/geo+json", None);
    check("application/json;q=0", None);
    check("text/csv;q=2", None);
    check("text", None);
    assert_eq!(chosen(&["image/png", "text/csv"], OF_ROWS), Some(Media::Csv));
    assert_eq!(chosen(&["application/vnd.pgrst.array+json"], OF_ROW), None);
    let plan = "application/vnd.pgrst.plan+text; for=\"application/json\"; options=analyze|verbose;";
    assert_eq!(chosen(&[plan], OF_ROWS), None);
    assert_eq!(chosen(&[plan], OF_ROWS_AND_PLANS), Some(Media::Plan(PlanText::Plain)));
    assert_eq!(chosen(&["application/*"], OF_ROWS_AND_PLANS), Some(Media::Json));
}

#[test]
fn a_choice_is_left_in_one_spelling_and_schemas_must_exist() {
    let check = |method: Method, fields: &[(&'static str, &str)], expected: Result<Option<&str>, &str>| {
        let mut request = Request::new(method, "/".parse().unwrap());
        for (name, value) in fields {
            request.headers.append(*name, value.parse().unwrap());
        }
        let verdict = negotiate(&mut request, OF_ROWS).map_err(|problem| problem.code_text());
        let left = request.headers.get(ACCEPT).map(|left| left.to_str().unwrap());
        assert_eq!(verdict.map(|()| left), expected, "{fields:?}");
    };
    check(Method::GET, &[("accept", "*/*")], Ok(None));
    check(Method::GET, &[("accept", "image/png;q=0.3"), ("accept", "TEXT/csv")], Ok(Some("text/csv")));
    check(Method::GET, &[("accept", "image/png")], Err("PGRST107"));
    check(Method::GET, &[("accept-profile", "public")], Ok(None));
    check(Method::GET, &[("accept-profile", "private")], Err("PGRST106"));
    check(Method::GET, &[("content-profile", "private")], Ok(None));
    check(Method::POST, &[("content-profile", "public"), ("accept-profile", "private")], Ok(None));
    check(Method::POST, &[("content-profile", "")], Err("PGRST106"));
}

fn in_form(media: Media, rows: &Value) -> Result<String, Problem> {
    let columns = [OutputColumn::new("a", ColumnKind::Integer), OutputColumn::new("b,c", ColumnKind::Text)];
    media.of_rows(rows.to_string().into_bytes(), &columns).map(|text| String::from_utf8(text).unwrap())
}

#[test]
fn rows_are_lines_whose_fields_are_quoted_where_they_must_be() {
    let check =
        |rows: Value, expected: &str| assert_eq!(in_form(Media::Csv, &rows).unwrap(), expected, "{rows}");
    check(json!([]), "a,\"b,c\"\r\n");
    check(json!([{"a": 1, "b": null}, {"a": null, "b": ""}]), "a,b\r\n1,\r\n,\"\"\r\n");
    check(json!([{"a": true, "b": -1.5}]), "a,b\r\ntrue,-1.5\r\n");
    check(
        json!([{"a": "x,y"}, {"a": "say \"no\""}, {"a": "1\n2"}, {"a": "1\r2"}]),
        "a\r\n\"x,y\"\r\n\"say \"\"no\"\"\"\r\n\"1\n2\"\r\n\"1\r2\"\r\n",
    );
    check(json!([{"a": " é\tü "}]), "a\r\n é\tü \r\n");
    check(json!([{"a": {"k": [1, null]}, "b": []}]), "a,b\r\n\"{\"\"k\"\":[1,null]}\",[]\r\n");
}

#[test]
fn members_that_are_null_can_be_left_out_at_any_depth() {
    let rows = json!([{"a": null, "b": {"c": null, "d": [null, {"e": null}]}, "f": "null"}]);
    let stripped = in_form(Media::Array(Nulls::Stripped), &rows).unwrap();
    assert_eq!(stripped, r#"[{"b":{"d":[null,{}]},"f":"null"}]"#);
    let one = in_form(Media::Object(Nulls::Stripped), &rows).unwrap();
    assert_eq!(format!("[{one}]"), stripped);
    let deep = format!("{}{{\"a\":null}}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(scan::without_nulls(deep.as_bytes()), deep.as_bytes(), "what is too deep stays");
}

#[test]
fn an_object_is_answered_for_exactly_one_row() {
    let kept = Media::Object(Nulls::Kept);
    assert_eq!(in_form(kept, &json!([{"a": null}])).unwrap(), r#"{"a":null}"#);
    for (rows, said) in [(json!([]), "contains 0 rows"), (json!([{}, {}, {}]), "contains 3 rows")] {
        let problem = in_form(kept, &rows).unwrap_err();
        assert_eq!((problem.kind(), problem.code_text()), (Kind::NotAcceptable, "PGRST116"));
        let document = String::from_utf8(problem.coded_document("r")).unwrap();
        assert!(document.contains(said), "{document}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn stripped(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, stripped(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(stripped).collect()),
        other => other,
    }
}

proptest! {
    #[test]
    fn stripping_the_text_is_stripping_the_tree(value in any_json(), pretty: bool) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        let left: Value = serde_json::from_slice(&scan::without_nulls(&text)).unwrap();
        prop_assert_eq!(left, stripped(value));
    }

    #[test]
    fn any_text_can_be_walked_over(bytes: Vec<u8>) {
        let _ = scan::without_nulls(&bytes);
        let _ = csv::of_rows(scan::elements(&bytes), &[]);
    }

    #[test]
    fn any_accept_can_be_read(accept in "[ -~]*") {
        let _ = chosen(&[&accept], OF_ROWS);
    }
}
