//! How each database finds the rows that belong to many others at once.

use crate::Value;
use crate::convert::push_quoted;

/// How the rows are found that belong to many keys at once. The keys are one parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parents {
    /// The place of a row's key among the keys: what is written, or what is written around the parameter and the column
    /// that holds the key.
    pub(crate) place: (&'static str, Option<&'static str>, &'static str),
    /// What the keys are read from, around the parameter, if they are a table of their own.
    pub(crate) from: Option<(&'static str, &'static str)>,
    /// Behind a column: that it is one of the keys, before and after the parameter; and before the place of a part of
    /// the key, where it has several.
    pub(crate) equal: (&'static str, &'static str, &'static str),
    /// Whether a key may have several columns.
    pub(crate) composite: bool,
    /// The parameter's value; `None` if a key cannot be part of one.
    pub(crate) keys: fn(&[Vec<Value>]) -> Option<Value>,
}

impl Parents {
    /// SQLite, to which the keys are a table of their own.
    pub(super) const SQLITE: Self = Self {
        place: ("_p.key", None, ""),
        from: Some(("json_each(", ") _p cross join ")),
        equal: (" = _p.value", "", " ->> "),
        composite: true,
        keys: keys_as_json,
    };

    /// PostgreSQL, which learns the type of the keys from the column that they are compared with.
    pub(super) const POSTGRES: Self = Self {
        place: ("array_position(", Some(", "), ") - 1"),
        from: None,
        equal: (" = any(", ")", ""),
        composite: false,
        keys: keys_as_array,
    };
}

/// Keys as a JSON array; those of several columns are arrays in it.
fn keys_as_json(keys: &[Vec<Value>]) -> Option<Value> {
    fn part(value: &Value) -> Option<serde_json::Value> {
        Some(match value {
            Value::Null => serde_json::Value::Null,
            Value::Integer(number) => (*number).into(),
            Value::Real(number) => serde_json::Number::from_f64(*number)?.into(),
            Value::Text(text) => text.as_str().into(),
            Value::Blob(_) => return None,
        })
    }
    let key = |key: &Vec<Value>| match &key[..] {
        [only] => part(only),
        parts => parts.iter().map(part).collect::<Option<Vec<_>>>().map(serde_json::Value::from),
    };
    let keys: Option<Vec<serde_json::Value>> = keys.iter().map(key).collect();
    Some(Value::Text(serde_json::Value::from(keys?).to_string()))
}

/// Keys of one column as an array in PostgreSQL's own form.
fn keys_as_array(keys: &[Vec<Value>]) -> Option<Value> {
    let mut text = String::from("{");
    for (place, key) in keys.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        match &key[..] {
            [Value::Integer(number)] => text.push_str(&number.to_string()),
            [Value::Real(number)] => text.push_str(&number.to_string()),
            [Value::Text(value)] => push_quoted(&mut text, value),
            _ => return None,
        }
    }
    text.push('}');
    Some(Value::Text(text))
}
