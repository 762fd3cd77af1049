//! Reads JSON bodies strictly: UTF-8, no duplicate names, bounded depth, errors with their place.
//!
//! A name that occurs twice is refused rather than decided, because readers disagree on which one counts
//! (RFC 8259 §4).

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use kasoku_pipeline::RequestBody;
use kasoku_problem::{Kind, Problem};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads the body of a write: its bytes and what they say.
pub(crate) async fn read(headers: &HeaderMap, body: RequestBody) -> Result<(Bytes, Value), Problem> {
    require_json(headers)?;
    require_plain(headers)?;
    let bytes = body.read().await?;
    let value = parse(&bytes)?;
    Ok((bytes, value))
}

/// The media type must say JSON (RFC 6839 §3.1 for the suffix).
fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    {
        return Ok(());
    }
    let problem = Problem::new(Kind::UnsupportedMediaType).member("allowed", vec!["application/json"]);
    Err(match given {
        "" => problem.detail("the body needs a `Content-Type`; this route reads application/json"),
        _ => problem.detail("this route reads application/json"),
    })
}

/// Coded bodies are not decoded, and saying so beats calling them bad JSON (RFC 9110 §15.5.16).
fn require_plain(headers: &HeaderMap) -> Result<(), Problem> {
    let coded = headers.get_all(header::CONTENT_ENCODING).iter().any(|value| {
        let codings = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        codings.into_iter().any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
    });
    if !coded {
        return Ok(());
    }
    Err(Problem::new(Kind::UnsupportedMediaType)
        .detail("this route reads bodies without a `Content-Encoding`")
        .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
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

/// As much of a caller's text as a problem repeats.
fn beginning(text: &str) -> &str {
    const BYTES_MAX: usize = 80;
    &text[..text.floor_char_boundary(BYTES_MAX)]
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

    #[test]
    fn coded_bodies_are_refused_by_name() {
        for (given, accepted) in [
            (None, true),
            (Some("identity"), true),
            (Some(""), true),
            (Some("gzip"), false),
            (Some("identity, br"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::CONTENT_ENCODING, given.parse().unwrap());
            }
            let refusal = require_plain(&headers).err().map(|problem| problem.kind());
            assert_eq!(refusal, (!accepted).then_some(Kind::UnsupportedMediaType), "{given:?}");
        }
    }

    #[test]
    fn the_media_type_must_say_json() {
        for (given, accepted) in [
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("application/vnd.shop+json"), true),
            (Some("text/json"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::CONTENT_TYPE, given.parse().unwrap());
            }
            assert_eq!(require_json(&headers).is_ok(), accepted, "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
