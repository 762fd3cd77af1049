//! What a single field may be: the forms of numbers, truth values, missing values and dates.
//!
//! The rules refuse to lose anything: what a number cannot give back as it was written (`02134`, `+49 30 …`,
//! digits beyond 64 bits) is not taken for one.

use std::borrow::Cow;

use kasoku_sql_plan::{ColumnKind, Value};

/// A field of a row, as much as its format says about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    /// There is none, or JSON's `null`.
    Null,
    /// From a delimited file: a type has yet to be found out.
    Loose(&'a str),
    /// A JSON string.
    Text(Cow<'a, str>),
    /// A JSON number, as written.
    Number(&'a str),
    /// A JSON truth value.
    Boolean(bool),
    /// A JSON object or array, as written.
    Json(&'a str),
}

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// Nothing, or only spaces.
    Empty,
    /// One of the usual words for a missing value, which only counts as one in a column of numbers.
    Missing,
    /// A whole number of 64 bits that would be printed as it was written.
    Integer(i64),
    /// A whole number that does not fit into 64 bits.
    Oversized,
    /// A decimal number.
    Real(f64),
    /// `true` or `false`, in lower case, upper case or capitalised.
    Boolean(bool),
    /// A JSON object or array.
    Json,
    /// Any other text.
    Other,
}

/// What a text column of dates holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateForm {
    /// `2013-07-20`
    Date,
    /// `2013-07-20T10:00:00Z`, also with a space, without seconds, with a fraction or an offset.
    DateTime,
}

/// The words for a missing value: R's, Python's, SQL's dumps', spreadsheets' and statisticians' own.
const MISSING: [&str; 16] = [
    "NA", "N/A", "n/a", "na", "NaN", "nan", "NULL", "null", "Null", "None", "none", "#N/A", "\\N", "-", "?",
    ".",
];

/// Says what a text looks like; spaces around it do not count.
pub(crate) fn form_of(text: &str) -> Form {
    let text = trim(text);
    let Some(first) = text.bytes().next() else { return Form::Empty };
    match first {
        b'0'..=b'9' | b'-' | b'.' => match number(text) {
            Form::Other if MISSING.contains(&text) => Form::Missing,
            form => form,
        },
        b't' | b'f' | b'T' | b'F' => truth(text).map_or(Form::Other, Form::Boolean),
        b'{' | b'[' if is_json(text) => Form::Json,
        b'N' | b'n' | b'#' | b'\\' | b'?' if MISSING.contains(&text) => Form::Missing,
        _ => Form::Other,
    }
}

/// Says what a JSON number is. JSON's grammar is wider than that of delimited files: `12E5` is a number there.
pub(crate) fn json_number(text: &str) -> Form {
    match number(text) {
        Form::Other => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Form::Real(number),
            _ => Form::Oversized,
        },
        form => form,
    }
}

/// The text without spaces and tabs around it.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Gives the value that a cell has in a column of this kind; `None` if it cannot be one.
pub(crate) fn value_of(cell: &Cell<'_>, kind: ColumnKind) -> Option<Value> {
    match cell {
        Cell::Null => Some(Value::Null),
        Cell::Loose(text) => loose_value(text, kind),
        Cell::Text(text) => match kind {
            ColumnKind::Text | ColumnKind::Any => Some(Value::Text(text.as_ref().to_owned())),
            ColumnKind::Json => serde_json::to_string(text).ok().map(Value::Text),
            _ => None,
        },
        Cell::Number(text) => match (kind, json_number(text)) {
            (ColumnKind::Text | ColumnKind::Json, _) => Some(Value::Text((*text).to_owned())),
            (ColumnKind::Integer | ColumnKind::Any, Form::Integer(number)) => Some(Value::Integer(number)),
            (ColumnKind::Real, Form::Integer(number)) => Some(Value::Real(number as f64)),
            (ColumnKind::Real | ColumnKind::Any, Form::Real(number)) => Some(Value::Real(number)),
            _ => None,
        },
        Cell::Boolean(truth) => match kind {
            ColumnKind::Boolean => Some(Value::Integer(i64::from(*truth))),
            ColumnKind::Json => Some(Value::Text(truth.to_string())),
            _ => None,
        },
        Cell::Json(text) => (kind == ColumnKind::Json).then(|| Value::Text(without_spaces(text))),
    }
}

/// Says whether all of a text is a date, or a date and time, in the order of RFC 3339.
pub(crate) fn date_form(text: &str) -> Option<DateForm> {
    let bytes = text.as_bytes();
    let digits =
        |from: usize, to: usize| bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let sign = |at: usize, signs: &[u8]| bytes.get(at).is_some_and(|byte| signs.contains(byte));
    let within = |at: usize, low: u8, high: u8| {
        let number = (bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0');
        (low..=high).contains(&number)
    };
    if !(digits(0, 4) && sign(4, b"-") && digits(5, 7) && sign(7, b"-") && digits(8, 10)) {
        return None;
    }
    if !(within(5, 1, 12) && within(8, 1, 31)) {
        return None;
    }
    if bytes.len() == 10 {
        return Some(DateForm::Date);
    }
    if !(sign(10, b"Tt ") && digits(11, 13) && sign(13, b":") && digits(14, 16)) {
        return None;
    }
    let zone = bytes[16..].iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
    let (seconds, zone) = bytes[16..].split_at(zone.unwrap_or(bytes.len() - 16));
    let seconds_fit = match seconds {
        [] => true,
        [b':', a, b, rest @ ..] => {
            let fraction = match rest {
                [] => true,
                [b'.', fraction @ ..] => !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit),
                _ => false,
            };
            a.is_ascii_digit() && b.is_ascii_digit() && fraction
        }
        _ => false,
    };
    let zone_fits = match zone {
        [] | [b'Z' | b'z'] => true,
        [_, a, b, b':', c, d] => [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    (seconds_fit && zone_fits).then_some(DateForm::DateTime)
}

fn loose_value(text: &str, kind: ColumnKind) -> Option<Value> {
    if text.is_empty() {
        return Some(Value::Null);
    }
    if kind == ColumnKind::Text {
        return Some(Value::Text(text.to_owned()));
    }
    match (kind, form_of(text)) {
        (_, Form::Empty | Form::Missing) => Some(Value::Null),
        (ColumnKind::Integer, Form::Integer(number)) => Some(Value::Integer(number)),
        (ColumnKind::Real, Form::Integer(number)) => Some(Value::Real(number as f64)),
        (ColumnKind::Real, Form::Real(number)) => Some(Value::Real(number)),
        (ColumnKind::Boolean, Form::Boolean(truth)) => Some(Value::Integer(i64::from(truth))),
        (ColumnKind::Json, Form::Json) => Some(Value::Text(without_spaces(trim(text)))),
        _ => None,
    }
}

/// Reads a number strictly: no leading zeros, no plus sign, nothing left over.
///
/// An exponent counts only with a decimal point or a sign of its own (`1.5e10`, `1e-05`): `12E5` is more often a
/// code than a number.
fn number(text: &str) -> Form {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let whole = unsigned.len() - unsigned.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = unsigned.split_at(whole);
    if digits.len() > 1 && digits.starts_with('0') {
        return Form::Other;
    }
    if rest.is_empty() {
        return match text.parse() {
            Ok(_) if text == "-0" => Form::Real(-0.0),
            Ok(number) => Form::Integer(number),
            Err(_) if digits.is_empty() => Form::Other,
            Err(_) => Form::Oversized,
        };
    }
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let fraction_digits = fraction.strip_prefix('.').unwrap_or("");
    let fraction_fits = fraction.is_empty() && !digits.is_empty()
        || !fraction_digits.is_empty() && fraction_digits.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let marked = digits.len() < exponent.len() || !fraction.is_empty();
        marked && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    match text.parse::<f64>() {
        Ok(number) if fraction_fits && exponent_fits && number.is_finite() => Form::Real(number),
        _ => Form::Other,
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A JSON text without the spaces between its parts.
fn without_spaces(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in text.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = character == '\\' && !escaped;
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        compact.push(character);
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_for_numbers_only_where_nothing_is_lost() {
        use Form::{Boolean, Empty, Integer, Json, Missing, Other, Oversized, Real};
        for (text, expected) in [
            ("0", Integer(0)),
            ("-17", Integer(-17)),
            (" 12 ", Integer(12)),
            ("9223372036854775807", Integer(i64::MAX)),
            ("-9223372036854775808", Integer(i64::MIN)),
            ("9223372036854775808", Oversized),
            ("-0", Real(-0.0)),
            ("02134", Other),
            ("00", Other),
            ("+49", Other),
            ("1 000", Other),
            ("1,5", Other),
            ("1_000", Other),
            ("0x10", Other),
            ("0.5", Real(0.5)),
            (".5", Real(0.5)),
            ("-.5", Real(-0.5)),
            ("-12.50", Real(-12.5)),
            ("10.357019999999999", Real(10.357_019_999_999_999)),
            ("1.", Other),
            ("1.2.3", Other),
            ("00.5", Other),
            ("1.5e10", Real(1.5e10)),
            ("1e-05", Real(1e-5)),
            ("1E+06", Real(1e6)),
            ("12E5", Other),
            ("1e", Other),
            ("1e-", Other),
            ("e5", Other),
            ("1e+999", Other),
            ("inf", Other),
            ("Infinity", Other),
            ("--1", Other),
            ("12a", Other),
            ("", Empty),
            ("  ", Empty),
            ("NA", Missing),
            ("NaN", Missing),
            ("-", Missing),
            (".", Missing),
            ("\\N", Missing),
            ("Nairobi", Other),
            ("true", Boolean(true)),
            ("FALSE", Boolean(false)),
            ("tRue", Other),
            ("T", Other),
            ("{\"a\": [1]}", Json),
            ("[]", Json),
            ("[1", Other),
            ("['a']", Other),
            ("東京", Other),
        ] {
            assert_eq!(form_of(text), expected, "{text:?}");
        }
    }

    #[test]
    fn dates_and_times_are_told_from_other_texts() {
        use DateForm::{Date, DateTime};
        for (text, expected) in [
            ("2013-07-20", Some(Date)),
            ("2013-13-20", None),
            ("2013-07-32", None),
            ("2013-7-20", None),
            ("20130720", None),
            ("2013-07-20T10:00:00Z", Some(DateTime)),
            ("2013-07-20 10:00", Some(DateTime)),
            ("2013-07-20T10:00:00.123+02:00", Some(DateTime)),
            ("2013-07-20T10:00-02:00", Some(DateTime)),
            ("2013-07-20T10:00:00.", None),
            ("2013-07-20T10:00:00+2", None),
            ("2013-07-20T1", None),
            ("2013-07-20 and later", None),
            ("2013-07-20é", None),
        ] {
            assert_eq!(date_form(text), expected, "{text:?}");
        }
    }

    #[test]
    fn spaces_between_the_parts_of_a_document_go_and_those_in_strings_stay() {
        let text = "{ \"a b\" : [ 1,\n 2 ], \"c\\\" d\" : \" \\\\\" }";
        assert_eq!(without_spaces(text), r#"{"a b":[1,2],"c\" d":" \\"}"#);
    }
}
