//! Texts of a URL and values of a JSON body as values of a column.
//!
//! A URL has nothing but text, so its text is read by the column's kind; a JSON body has types, so they must be
//! the column's: `"12"` is no integer. Both answer what was expected, in words for the caller.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value as Json;

use crate::{ColumnKind, Value, forms};

/// What was expected, to follow "expected".
pub(crate) type Expected = &'static str;

/// Reads a text of a URL.
///
/// A column without a declared kind takes text that is a number in plain form as that number, and everything else
/// as text: such columns mostly come from expressions of views, where numbers are what is computed.
pub fn value_of_text(kind: ColumnKind, text: &str) -> Result<Value, Expected> {
    match kind {
        ColumnKind::Integer => integer(text).map(Value::Integer).ok_or("a whole number of 64 bits"),
        ColumnKind::Real => real(text).map(Value::Real).ok_or("a finite number"),
        ColumnKind::Number => number(text).ok_or("a finite number"),
        ColumnKind::Text | ColumnKind::Json | ColumnKind::Search => Ok(Value::Text(text.to_owned())),
        ColumnKind::Array => wrapped(text, "{", "}").ok_or("an array such as `{1,2}`"),
        ColumnKind::Range => range(text).ok_or("a range such as `[1,5)`"),
        ColumnKind::Boolean => match text {
            "true" => Ok(Value::Integer(1)),
            "false" => Ok(Value::Integer(0)),
            _ => Err("`true` or `false`"),
        },
        ColumnKind::Blob => bytes(text).ok_or("base64, or hexadecimal digits behind `\\x`"),
        ColumnKind::Decimal | ColumnKind::Uuid | ColumnKind::Date | ColumnKind::Timestamp => {
            spelt(kind, text)
        }
        ColumnKind::Any => Ok(number(text).unwrap_or_else(|| Value::Text(text.to_owned()))),
    }
}

/// Reads a value of a JSON body; `null` is for the caller to judge, who knows whether the column may be NULL.
pub(crate) fn value_of_json(kind: ColumnKind, json: &Json) -> Result<Value, Expected> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    match kind {
        ColumnKind::Integer => whole(json).map(Value::Integer).ok_or("a whole number of 64 bits"),
        ColumnKind::Real => json.as_f64().map(Value::Real).ok_or("a number"),
        ColumnKind::Number => number_of_json(json).ok_or("a number"),
        ColumnKind::Text | ColumnKind::Search => {
            json.as_str().map(|text| Value::Text(text.to_owned())).ok_or("a string")
        }
        ColumnKind::Array => array_of_json(json).ok_or("an array of values of one type"),
        ColumnKind::Range => json.as_str().and_then(range).ok_or("a range such as \"[1,5)\""),
        ColumnKind::Boolean => json.as_bool().map(|is| Value::Integer(is.into())).ok_or("`true` or `false`"),
        ColumnKind::Json => Ok(Value::Text(json.to_string())),
        ColumnKind::Blob => json.as_str().and_then(bytes_of_body).ok_or("a string in base64"),
        ColumnKind::Decimal => match json {
            Json::Number(number) => Ok(Value::Text(number.to_string())),
            Json::String(text) => spelt(kind, text),
            _ => Err("a number"),
        },
        ColumnKind::Uuid | ColumnKind::Date | ColumnKind::Timestamp => {
            json.as_str().ok_or("a string").and_then(|text| spelt(kind, text))
        }
        ColumnKind::Any => match json {
            Json::String(text) => Ok(Value::Text(text.clone())),
            Json::Bool(is) => Ok(Value::Integer((*is).into())),
            other => number_of_json(other).ok_or("a string, a number, `true` or `false`"),
        },
    }
}

/// Texts that a database reads in several spellings.
fn spelt(kind: ColumnKind, text: &str) -> Result<Value, Expected> {
    let given = |is: bool| is.then(|| text.to_owned());
    let (read, expected) = match kind {
        ColumnKind::Decimal => (given(forms::is_decimal(text)), "a decimal number"),
        ColumnKind::Uuid => (forms::uuid(text), "a UUID"),
        // Of an instant, the server takes the day.
        ColumnKind::Date => (given(forms::is_timestamp(text)), "a date such as `2020-02-29`"),
        _ => (given(forms::is_timestamp(text)), "a date and time such as `2020-02-29T10:00:00Z`"),
    };
    read.map(Value::Text).ok_or(expected)
}

/// Base64 in either alphabet, or hexadecimal digits as PostgreSQL writes them.
fn bytes(text: &str) -> Option<Value> {
    if text.starts_with("\\x") {
        return bytes_of_body(text);
    }
    STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok().map(Value::Blob)
}

fn bytes_of_body(text: &str) -> Option<Value> {
    let Some(digits) = text.strip_prefix("\\x") else {
        return STANDARD.decode(text).ok().map(Value::Blob);
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4 | digit(*low)?) as u8);
    let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>()?;
    rest.is_empty().then_some(Value::Blob(bytes))
}

fn wrapped(text: &str, begin: &str, end: &str) -> Option<Value> {
    let is_whole = text.len() > 1 && text.starts_with(begin) && text.ends_with(end);
    is_whole.then(|| Value::Text(text.to_owned()))
}

fn range(text: &str) -> Option<Value> {
    // In braces stand several ranges.
    let bounds = [("[", "]"), ("[", ")"), ("(", "]"), ("(", ")"), ("{", "}")];
    let bounded =
        bounds.iter().filter(|_| text.contains(',')).find_map(|(begin, end)| wrapped(text, begin, end));
    bounded.or_else(|| (text == "empty").then(|| Value::Text(text.to_owned())))
}

/// An array in PostgreSQL's own form: every value but NULL in quotes, arrays within arrays.
fn array_of_json(json: &Json) -> Option<Value> {
    fn write(items: &[Json], out: &mut String) -> Option<()> {
        out.push('{');
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            match item {
                Json::Null => out.push_str("NULL"),
                Json::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
                Json::Number(number) => out.push_str(&number.to_string()),
                Json::String(text) => push_quoted(out, text),
                Json::Array(items) => write(items, out)?,
                Json::Object(_) => return None,
            }
        }
        out.push('}');
        Some(())
    }
    let mut out = String::new();
    write(json.as_array()?, &mut out)?;
    Some(Value::Text(out))
}

/// Writes a text between quotes, `"` and `\` behind a `\`.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
}

/// A text as the JSON that a body would have for it; what is none of the column's values stays a text, to be refused as
/// one.
pub(crate) fn json_of_text(kind: ColumnKind, text: &str) -> Json {
    let read = match kind {
        ColumnKind::Integer => integer(text).map(Json::from),
        ColumnKind::Real => real(text).map(Json::from),
        ColumnKind::Number => integer(text).map(Json::from).or_else(|| real(text).map(Json::from)),
        ColumnKind::Boolean => text.parse::<bool>().ok().map(Json::from),
        ColumnKind::Json => serde_json::from_str(text).ok(),
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

/// Digits with an optional minus and nothing else.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A decimal number, with an exponent or without; never infinite, never "nan".
fn real(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let begins = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if !begins || !plain {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// An integer where the number is whole and fits, else a double.
fn number(text: &str) -> Option<Value> {
    integer(text).map(Value::Integer).or_else(|| real(text).map(narrowed))
}

fn narrowed(number: f64) -> Value {
    // From 2^53 on a double stands for several integers, so it stays a double.
    let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    if exact { Value::Integer(number as i64) } else { Value::Real(number) }
}

/// JSON does not tell 12 from 12.0, and neither do we.
fn whole(json: &Json) -> Option<i64> {
    json.as_i64().or_else(|| match narrowed(json.as_f64().filter(|_| json.is_f64())?) {
        Value::Integer(number) => Some(number),
        _ => None,
    })
}

pub(crate) fn number_of_json(json: &Json) -> Option<Value> {
    json.as_i64().map(Value::Integer).or_else(|| json.as_f64().map(narrowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_by_the_kind_of_the_column() {
        use ColumnKind::{
            Any, Array, Blob, Boolean, Date, Decimal, Integer, Json, Number, Range, Real, Text, Timestamp,
            Uuid,
        };
        let text = |value: &str| Some(Value::Text(value.into()));
        let cases = [
            (Integer, "42", Some(Value::Integer(42))),
            (Integer, "-9223372036854775808", Some(Value::Integer(i64::MIN))),
            (Integer, "9223372036854775808", None),
            (Integer, "+1", None),
            (Integer, " 1", None),
            (Integer, "1.0", None),
            (Integer, "", None),
            (Integer, "-", None),
            (Real, "1.5", Some(Value::Real(1.5))),
            (Real, "1e400", None),
            (Real, "inf", None),
            (Real, "nan", None),
            (Real, "--1", None),
            (Number, "12", Some(Value::Integer(12))),
            (Number, "12.0", Some(Value::Integer(12))),
            (Number, "12.5", Some(Value::Real(12.5))),
            (Text, "", text("")),
            (Text, "12", text("12")),
            (Json, "{}", text("{}")),
            (Boolean, "true", Some(Value::Integer(1))),
            (Boolean, "1", None),
            (Blob, "AP8=", Some(Value::Blob(vec![0, 255]))),
            (Blob, "AP8", Some(Value::Blob(vec![0, 255]))),
            (Blob, "A", None),
            (Blob, "\\x00fF", Some(Value::Blob(vec![0, 255]))),
            (Blob, "\\x0", None),
            (Blob, "\\x0g", None),
            (Decimal, "1.50", text("1.50")),
            (Decimal, "NaN", None),
            (Uuid, "A0EEBC999C0B4EF8BB6D6BB9BD380A11", text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
            (Uuid, "x", None),
            (Date, "2020-02-30", None),
            (Date, "2020-02-29T10:00:00Z", text("2020-02-29T10:00:00Z")),
            (Timestamp, "2020-02-29T10:00:00Z", text("2020-02-29T10:00:00Z")),
            (Timestamp, "now", None),
            (Any, "12", Some(Value::Integer(12))),
            (Any, "12a", text("12a")),
            (Array, "{1,2}", text("{1,2}")),
            (Array, "1,2", None),
            (Array, "{", None),
            (Range, "[1,5)", text("[1,5)")),
            (Range, "empty", text("empty")),
            (Range, "[15)", None),
            (Range, "1,5", None),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(value_of_text(kind, text).ok(), expected, "{kind:?} {text:?}");
        }
    }

    #[test]
    fn json_values_must_have_the_type_of_the_column() {
        use ColumnKind::{
            Any, Array, Blob, Boolean, Date, Decimal, Integer, Json as Document, Number, Range, Real, Text,
        };
        let cases = [
            (Integer, "12", Some(Value::Integer(12))),
            (Integer, "12.0", Some(Value::Integer(12))),
            (Integer, "12.5", None),
            (Integer, "9007199254740993", Some(Value::Integer(9_007_199_254_740_993))),
            (Integer, "9007199254740993.0", None),
            (Integer, "\"12\"", None),
            (Integer, "18446744073709551615", None),
            (Real, "12", Some(Value::Real(12.0))),
            (Real, "\"12\"", None),
            (Number, "12.5", Some(Value::Real(12.5))),
            (Text, "\"a\"", Some(Value::Text("a".into()))),
            (Text, "1", None),
            (Boolean, "true", Some(Value::Integer(1))),
            (Boolean, "1", None),
            (Document, "{\"a\":[1]}", Some(Value::Text("{\"a\":[1]}".into()))),
            (Blob, "\"AP8=\"", Some(Value::Blob(vec![0, 255]))),
            (Blob, "\"?\"", None),
            (Blob, "\"\\\\x00ff\"", Some(Value::Blob(vec![0, 255]))),
            (Decimal, "12.5", Some(Value::Text("12.5".into()))),
            (Decimal, "\"12345678901234567890.5\"", Some(Value::Text("12345678901234567890.5".into()))),
            (Decimal, "\"x\"", None),
            (Date, "\"2020-02-29\"", Some(Value::Text("2020-02-29".into()))),
            (Date, "20200229", None),
            (Any, "[1]", None),
            (Any, "false", Some(Value::Integer(0))),
            (Integer, "null", Some(Value::Null)),
            (
                Array,
                r#"["a\"b\\", null, 1, [true]]"#,
                Some(Value::Text(r#"{"a\"b\\",NULL,1,{true}}"#.into())),
            ),
            (Array, r#"[{"a": 1}]"#, None),
            (Array, "\"{}\"", None),
            (Range, "\"[1,)\"", Some(Value::Text("[1,)".into()))),
            (Range, "1", None),
        ];
        for (kind, json, expected) in cases {
            let json: Json = serde_json::from_str(json).unwrap();
            assert_eq!(value_of_json(kind, &json).ok(), expected, "{kind:?} {json}");
        }
    }
}
