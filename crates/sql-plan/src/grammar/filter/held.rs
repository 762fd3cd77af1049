//! What arrays and documents are asked to hold: `cs.{a,b}`, `cs.["a","b"]`, `cs.{"k":1}`.

use serde_json::Value as Json;

use super::{Held, Hold};
use crate::dialect::Dialect;
use crate::grammar::braces;
use crate::limits::HELD_VALUES_MAX;

/// A value in the database's own form.
pub(super) fn native(text: String) -> Held {
    Held::Native(text)
}

/// What a document is asked to hold. JSON is meant by its values and members; a list in braces, whose values have no
/// type, by their texts.
pub(super) fn in_document(dialect: &Dialect, operator: &str, hold: Hold, text: &str) -> Result<Held, String> {
    let held = match serde_json::from_str(text) {
        Ok(Json::Array(values)) => {
            scalars(dialect, operator, &values)?;
            Held::Values(Json::Array(values).to_string())
        }
        // `{}` is the list without values as well; it holds nothing in either form.
        Ok(object @ Json::Object(_)) if hold == Hold::Contains => {
            members(dialect, operator, &object, &mut 0)?;
            Held::Members(object.to_string())
        }
        Ok(Json::Object(_)) if text != "{}" => {
            return Err(format!("`{operator}` compares arrays, and objects only by `cs`"));
        }
        _ => {
            let items = braces::items(text, HELD_VALUES_MAX)
                .map_err(|fault| format!("{fault}, a JSON array, or for `cs` a JSON object"))?;
            Held::Texts(Json::from(items.iter().map(AsRef::as_ref).collect::<Vec<&str>>()).to_string())
        }
    };
    Ok(held)
}

fn scalars(dialect: &Dialect, operator: &str, values: &[Json]) -> Result<(), String> {
    if values.len() > HELD_VALUES_MAX {
        return Err(format!("the array has more than {HELD_VALUES_MAX} values"));
    }
    let is_nested = |value: &Json| value.is_array() || value.is_object();
    if !dialect.compares_documents && values.iter().any(is_nested) {
        let name = dialect.name;
        return Err(format!("`{operator}` on {name} compares arrays of texts, numbers and words only"));
    }
    Ok(())
}

/// Objects within objects are compared by their ways; an array's values have none that says anything.
fn members(dialect: &Dialect, operator: &str, value: &Json, seen: &mut usize) -> Result<(), String> {
    *seen += 1;
    if *seen > HELD_VALUES_MAX {
        return Err(format!("the object has more than {HELD_VALUES_MAX} members"));
    }
    match value {
        Json::Object(object) => object.values().try_for_each(|value| members(dialect, operator, value, seen)),
        Json::Array(values) if dialect.compares_documents => {
            values.iter().try_for_each(|value| members(dialect, operator, value, seen))
        }
        Json::Array(_) => Err(format!(
            "`{operator}` on {} compares no arrays within objects; name the way to the array",
            dialect.name
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_held_is_read_by_its_form() {
        let check = |hold, text: &str, expected: Held| {
            assert_eq!(in_document(Dialect::SQLITE, "cs", hold, text).unwrap(), expected, "{text}");
        };
        check(Hold::Contains, r#"["a", 1]"#, Held::Values(r#"["a",1]"#.into()));
        check(Hold::Contains, "{a,1}", Held::Texts(r#"["a","1"]"#.into()));
        check(Hold::Contains, r#"{"a","b,c"}"#, Held::Texts(r#"["a","b,c"]"#.into()));
        check(Hold::Contains, r#"{"a": {"b": null}}"#, Held::Members(r#"{"a":{"b":null}}"#.into()));
        check(Hold::Contains, "{}", Held::Members("{}".into()));
        check(Hold::Overlaps, "{}", Held::Texts("[]".into()));
    }

    #[test]
    fn what_a_database_cannot_compare_is_refused() {
        let long = format!("[{}1]", "1,".repeat(HELD_VALUES_MAX));
        let check = |hold, text: &str, sqlite: bool, postgres: bool| {
            for (dialect, accepted) in [(Dialect::SQLITE, sqlite), (Dialect::POSTGRES, postgres)] {
                let read = in_document(dialect, "cs", hold, text);
                assert_eq!(read.is_ok(), accepted, "{} {text}: {read:?}", dialect.name);
            }
        };
        check(Hold::Contains, "[[1]]", false, true);
        check(Hold::Contains, r#"{"a":[1]}"#, false, true);
        check(Hold::Contained, r#"{"a":1}"#, false, false);
        check(Hold::Contains, r#""a""#, false, false);
        check(Hold::Contains, "1", false, false);
        check(Hold::Contains, "{a,{b}}", false, false);
        check(Hold::Contains, &long, false, false);
    }
}
