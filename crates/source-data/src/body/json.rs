//! JSON, read strictly: UTF-8, no duplicate names, bounded depth, errors with their place.
//!
//! A name that occurs twice is refused rather than decided, because readers disagree on which one counts
//! (RFC 8259 §4).

use std::fmt;

use kasoku_problem::{Kind, Problem};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::beginning;

pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = Strict.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    parsed.map_err(|error| {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        Problem::new(Kind::InvalidBody)
            .detail(format!(
                "the body is not valid JSON: {what} at line {}, column {}",
                error.line(),
                error.column()
            ))
            .member("line", error.line())
            .member("column", error.column())
    })
}

/// Builds a value, refusing duplicate names. Depth is bounded by the parser, at 128.
#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(de::Error::custom(format_args!("the name `{}` occurs twice", beginning(&name))));
            }
            let value = members.next_value_seed(self)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_json_that_all_readers_agree_on_is_read() {
        assert_eq!(parse(br#"{"a": [1, -2, 3.5, true, null, "x"]}"#).unwrap()["a"][2], 3.5);
        for (body, mentions) in [
            ("", "line 1"),
            ("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "`a` occurs twice"),
            ("{\"a\": {\"b\": 1, \"b\": 1}}", "`b` occurs twice"),
            ("1e999", "out of range"),
            ("[1] 2", "trailing"),
            ("\u{feff}1", "line 1"),
        ] {
            let problem = parse(body.as_bytes()).unwrap_err();
            assert_eq!(problem.kind(), Kind::InvalidBody, "{body:?}");
            assert!(problem.detail_text().unwrap().contains(mentions), "{body:?}: {problem}");
        }
        assert_eq!(parse(b"\"\xff\"").unwrap_err().kind(), Kind::InvalidBody);
        assert_eq!(parse("[".repeat(100_000).as_bytes()).unwrap_err().kind(), Kind::InvalidBody);
    }

    #[test]
    fn a_problem_repeats_only_the_beginning_of_a_name() {
        let name = "é".repeat(100_000);
        let problem = parse(format!("{{\"{name}\": 1, \"{name}\": 2}}").as_bytes()).unwrap_err();
        let detail = problem.detail_text().unwrap();
        assert!(detail.len() < 300 && detail.contains("éé"), "{} bytes", detail.len());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
