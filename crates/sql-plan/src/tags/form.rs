//! The one form of a value in tags.
//!
//! SQLite compares by the column's affinity: 5, 5.0 and, in a numeric column, '5' are equal. The form merges more
//! than the database does, which costs a needless refill at the worst, and never splits what it holds equal.

use std::cmp::Ordering;

use kasoku_coherence::TagBuilder;

use crate::{ColumnKind, Value, forms};

/// Adds a value that an answer was asked for; `None` if some other stored value might equal it and have another
/// form.
pub(super) fn asked(builder: TagBuilder, kind: ColumnKind, value: &Value) -> Option<TagBuilder> {
    let certain = match value {
        Value::Null | Value::Integer(_) | Value::Blob(_) => true,
        // A double compared with text is first written out by the database, with fewer digits than it has: a
        // fraction, or a number that needs an exponent.
        Value::Real(number) => {
            const DIGITS_KEPT: f64 = 1e15;
            matches!(kind, ColumnKind::Integer | ColumnKind::Real | ColumnKind::Number)
                || (whole(*number).is_some() && number.abs() < DIGITS_KEPT)
        }
        Value::Text(text) => match kind {
            // A server reads it by the column's type, in more spellings than are known here.
            ColumnKind::Boolean | ColumnKind::Blob => false,
            ColumnKind::Integer => plain_integer(text).is_some(),
            ColumnKind::Uuid => return forms::uuid(text).map(|uuid| stored(builder, &Value::Text(uuid))),
            // A text that is a number may be read as one by the database, with rounding of its own.
            _ => plain_integer(text).is_some() || numeric(text).is_none(),
        },
    };
    certain.then(|| stored(builder, value))
}

/// Adds a value that a row holds.
pub(super) fn stored(builder: TagBuilder, value: &Value) -> TagBuilder {
    match value {
        Value::Null => builder.part(b"0"),
        Value::Integer(number) => integer(builder, *number),
        Value::Real(number) => real(builder, *number),
        Value::Text(text) => match plain_integer(text) {
            Some(number) => integer(builder, number),
            None => match numeric(text) {
                Some(number) => real(builder, number),
                None => builder.part(b"t").part(text.as_bytes()),
            },
        },
        Value::Blob(bytes) => builder.part(b"b").part(bytes),
    }
}

fn integer(builder: TagBuilder, number: i64) -> TagBuilder {
    builder.part(b"i").part(&number.to_le_bytes())
}

fn real(builder: TagBuilder, number: f64) -> TagBuilder {
    match whole(number) {
        Some(number) => integer(builder, number),
        None => builder.part(b"f").part(&number.to_bits().to_le_bytes()),
    }
}

/// The integer that equals a double exactly; zero has no sign.
fn whole(number: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let fits =
        number.fract().partial_cmp(&0.0) == Some(Ordering::Equal) && (-BEYOND..BEYOND).contains(&number);
    fits.then_some(number as i64)
}

fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A text that the database may take for a number: blanks around, a sign, digits, a point, an exponent.
fn numeric(text: &str) -> Option<f64> {
    let text = text.trim_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_holds_equal_has_one_form() {
        let text = |text: &str| Value::Text(text.into());
        let same = [
            (Value::Integer(5), Value::Real(5.0)),
            (Value::Integer(0), Value::Real(-0.0)),
            (Value::Integer(5), text("5")),
            (Value::Integer(5), text("5.0")),
            (Value::Integer(5), text(" 5e0 ")),
            (Value::Integer(9_007_199_254_740_993), text("9007199254740993")),
            (Value::Real(0.5), text("0.5")),
            (Value::Integer(i64::MIN), Value::Real(-9_223_372_036_854_775_808.0)),
        ];
        let tag = |value: &Value| stored(TagBuilder::new("x"), value).build();
        for (one, other) in same {
            assert_eq!(tag(&one), tag(&other), "{one:?} {other:?}");
        }
        let apart = [
            (Value::Null, text("")),
            (Value::Integer(5), Value::Integer(6)),
            (text("a"), Value::Blob(b"a".to_vec())),
            (Value::Integer(i64::MAX), Value::Real(9_223_372_036_854_775_808.0)),
        ];
        for (one, other) in apart {
            assert_ne!(tag(&one), tag(&other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_uuid_is_named_alike_however_it_was_asked_for() {
        let written = Value::Text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".into());
        let held = stored(TagBuilder::new("x"), &written).build();
        for spelt in ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"] {
            let tag = asked(TagBuilder::new("x"), ColumnKind::Uuid, &Value::Text(spelt.into()));
            assert_eq!(tag.map(|tag| tag.build()), Some(held), "{spelt}");
        }
    }

    #[test]
    fn what_leaves_doubt_is_not_named() {
        let certain = |kind, value: Value| asked(TagBuilder::new("x"), kind, &value).is_some();
        assert!(certain(ColumnKind::Text, Value::Text("books".into())));
        assert!(certain(ColumnKind::Text, Value::Text("12".into())));
        assert!(!certain(ColumnKind::Text, Value::Text("12.50".into())));
        assert!(!certain(ColumnKind::Text, Value::Text("99999999999999999999".into())));
        for text in ["t", "true", "on"] {
            assert!(!certain(ColumnKind::Boolean, Value::Text(text.into())), "{text}");
        }
        assert!(certain(ColumnKind::Boolean, Value::Integer(1)));
        assert!(!certain(ColumnKind::Blob, Value::Text("\\x00".into())));
        assert!(certain(ColumnKind::Integer, Value::Text("-12".into())));
        assert!(!certain(ColumnKind::Integer, Value::Text("0x10".into())));
        assert!(!certain(ColumnKind::Uuid, Value::Text("x".into())));
        assert!(certain(ColumnKind::Real, Value::Real(0.1)));
        assert!(!certain(ColumnKind::Text, Value::Real(0.1)));
        assert!(certain(ColumnKind::Text, Value::Real(12.0)));
        assert!(!certain(ColumnKind::Text, Value::Real(1_234_567_890_123_456_768.0)), "1.23456789012346e+18");
    }
}
