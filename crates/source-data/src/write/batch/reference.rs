//! References to what earlier operations were answered with.
//!
//! A reference is a JSON Pointer (RFC 6901) whose first segment is the `id` of an operation and whose rest leads into the
//! body of its answer. In a body it stands as `{"$ref": "/order/id"}` in the place of a column's value; what lies deeper
//! inside of a document is left as it is. In a path it stands in braces: `/orders/{/order/id}`.

use std::borrow::Cow;

use kasoku_problem::{Kind, Problem};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};

/// The one member of a reference.
const MEMBER: &str = "$ref";

/// The body with values in the places of references.
pub(super) fn in_body(body: &Json, known: &Map<String, Json>) -> Result<Json, Problem> {
    match body {
        Json::Array(rows) => {
            rows.iter().map(|row| in_row(row, known)).collect::<Result<_, _>>().map(Json::Array)
        }
        row => in_row(row, known),
    }
}

/// The path with values in the places of references, percent-encoded.
pub(super) fn in_path<'p>(path: &'p str, known: &Map<String, Json>) -> Result<Cow<'p, str>, Problem> {
    if !path.contains('{') {
        return Ok(path.into());
    }
    let mut parts = path.split('{');
    let mut resolved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((pointer, behind)) = part.split_once('}') else {
            return Err(Problem::new(Kind::Unprocessable).detail("a brace in the path does not end"));
        };
        let text = match value(pointer, known)? {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            Json::Bool(is) => is.to_string(),
            Json::Null | Json::Array(_) | Json::Object(_) => {
                let detail =
                    format!("`{}` is no value that a path can have", crate::body::beginning(pointer));
                return Err(Problem::new(Kind::Unprocessable).detail(detail));
            }
        };
        resolved.extend(utf8_percent_encode(&text, NON_ALPHANUMERIC));
        resolved.push_str(behind);
    }
    Ok(resolved.into())
}

/// The path with its references left out, to see what else is in it.
pub(super) fn without(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('}').map_or(part, |(_, behind)| behind))
}

fn in_row(row: &Json, known: &Map<String, Json>) -> Result<Json, Problem> {
    let Json::Object(members) = row else { return Ok(row.clone()) };
    let resolved = members.iter().map(|(name, member)| {
        let value = match pointer(member) {
            Some(pointer) => value(pointer, known)?.clone(),
            None => member.clone(),
        };
        Ok((name.clone(), value))
    });
    resolved.collect::<Result<Map<_, _>, Problem>>().map(Json::Object)
}

fn pointer(member: &Json) -> Option<&str> {
    let members = member.as_object().filter(|members| members.len() == 1)?;
    members.get(MEMBER)?.as_str()
}

fn value<'k>(pointer: &str, known: &'k Map<String, Json>) -> Result<&'k Json, Problem> {
    let found = pointer.strip_prefix('/').and_then(|rest| {
        let (id, inner) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        known.get(id)?.pointer(inner)
    });
    found.ok_or_else(|| {
        let detail = format!(
            "`{}` leads to nothing that an operation before this one was answered with",
            crate::body::beginning(pointer)
        );
        Problem::new(Kind::Unprocessable).detail(detail).member("reference", crate::body::beginning(pointer))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known() -> Map<String, Json> {
        let Json::Object(known) = json!({
            "order": {"id": 7, "a/b": "x", "name": "é /?", "none": null, "doc": {"k": [1]}},
            "rows": [{"id": 1}, {"id": 2}],
        }) else {
            unreachable!("it is an object")
        };
        known
    }

    #[test]
    fn values_take_the_places_of_references() {
        let check = |body: Json, expected: Option<Json>| {
            assert_eq!(in_body(&body, &known()).ok(), expected, "{body}");
        };
        check(json!(null), Some(json!(null)));
        check(json!({"a": {"$ref": "/order/id"}, "b": 1}), Some(json!({"a": 7, "b": 1})));
        check(json!([{"a": {"$ref": "/rows/1/id"}}, {"a": 3}]), Some(json!([{"a": 2}, {"a": 3}])));
        check(json!({"a": {"$ref": "/order/a~1b"}}), Some(json!({"a": "x"})));
        check(json!({"a": {"$ref": "/order/none"}}), Some(json!({"a": null})));
        check(json!({"a": {"$ref": "/order/doc"}}), Some(json!({"a": {"k": [1]}})));
        let deeper = json!({"doc": {"schema": {"$ref": "#/x"}}, "two": {"$ref": "/order/id", "x": 1}});
        check(deeper.clone(), Some(deeper));
        for wrong in ["/other/id", "/order/colour", "order/id", "", "/rows/2/id", "#/order/id"] {
            check(json!({"a": {"$ref": wrong}}), None);
        }
    }

    #[test]
    fn references_in_a_path_are_encoded() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(in_path(path, &known()).ok().as_deref(), expected, "{path}");
        };
        check("/orders/1?x=eq.1", Some("/orders/1?x=eq.1"));
        check("/orders/{/order/id}", Some("/orders/7"));
        check(
            "/lines?order=eq.{/order/id}&name=eq.{/order/name}",
            Some("/lines?order=eq.7&name=eq.%C3%A9%20%2F%3F"),
        );
        check("/orders/{/order/none}", None);
        check("/orders/{/order/doc}", None);
        check("/orders/{/order/id", None);
        check("/orders/{}", None);
        assert_eq!(without("/orders/{/order/id}/x"), "/orders//x");
    }
}
