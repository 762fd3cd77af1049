//! A form as browsers send it (WHATWG URL §5.1): the names and values of one row.

use std::borrow::Cow;

use kasoku_problem::{Kind, Problem};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use super::beginning;

/// Reads a form; `typed` says what a text is in a column. An empty field is an empty text.
pub(super) fn parse(bytes: &[u8], typed: impl Fn(&str, &str) -> Value) -> Result<Value, Problem> {
    let mut row = Map::new();
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, text) = (decoded(&pair[..at])?, decoded(pair.get(at + 1..).unwrap_or_default())?);
        if row.contains_key(&name) {
            let detail = format!("the name `{}` occurs twice", beginning(&name));
            return Err(Problem::new(Kind::InvalidBody).detail(detail));
        }
        let value = typed(&name, &text);
        row.insert(name, value);
    }
    Ok(Value::Object(row))
}

fn decoded(text: &[u8]) -> Result<String, Problem> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text = percent_decode(&spaced).decode_utf8().map(Cow::into_owned);
    text.map_err(|_| Problem::new(Kind::InvalidBody).detail("the form is not UTF-8 once it is decoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_one_row() {
        let check = |body: &str, expected: Option<&str>| {
            let read = parse(body.as_bytes(), |name, text| match name {
                "n" => text.parse::<i64>().map_or(text.into(), Value::from),
                _ => text.into(),
            });
            assert_eq!(read.ok().map(|row| row.to_string()).as_deref(), expected, "{body}");
        };
        check("", Some("{}"));
        check("n=1&t=1", Some(r#"{"n":1,"t":"1"}"#));
        check("a+b=c+%2B%26%3D%E6%A3%AE&", Some(r#"{"a b":"c +&=森"}"#));
        check("empty=&bare", Some(r#"{"bare":"","empty":""}"#));
        check("n=x=y", Some(r#"{"n":"x=y"}"#));
        check("a=1&%61=2", None);
        check("a=%FF", None);
    }
}
