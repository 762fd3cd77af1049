//! Tags in words, for people who want to know what an answer depends on.
//!
//! A tag is a number, from which nothing can be read. So the tags that an answer could have are made once more, by the
//! rules that made its own, until they meet.

use kasoku_coherence::Tag;

use super::TagRules;
use crate::{ColumnKind, Value};

/// Longer values are cut short.
const VALUE_CHARS_MAX: usize = 40;

impl TagRules {
    /// The tags of an answer in words. `values` are those of its statement, and `key_kinds` the kinds of the key's
    /// columns.
    pub(crate) fn names(&self, key_kinds: &[ColumnKind], tags: &[Tag], values: &[Value]) -> Vec<String> {
        tags.iter().map(|tag| self.name(key_kinds, *tag, values)).collect()
    }

    fn name(&self, key_kinds: &[ColumnKind], tag: Tag, values: &[Value]) -> String {
        let table = &self.name;
        if self.tables.contains(&tag) {
            return if table.is_empty() {
                "all rows of a table that is read".to_owned()
            } else {
                format!("all rows of {table}")
            };
        }
        let mut row = Vec::with_capacity(1);
        if let Some(key) = values.get(..key_kinds.len()).filter(|key| !key.is_empty()) {
            self.row(key_kinds, key, &mut row);
            if row == [tag] {
                let key: Vec<String> = key.iter().map(Value::in_words).collect();
                return format!("the row of {table} with the key {}", key.join(","));
            }
        }
        let usual = [Value::Null, Value::Integer(0), Value::Integer(1)];
        for tagged in &self.tagged {
            let is_it = |value: &&Value| self.equal(tagged.column, value) == Some(tag);
            if let Some(value) = values.iter().chain(&usual).find(is_it) {
                return format!("rows of {table} where {} is {}", tagged.name, value.in_words());
            }
        }
        format!("some rows of {table}")
    }
}

impl Value {
    /// The value as people write it, for explanations.
    pub fn in_words(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Integer(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => match text.char_indices().nth(VALUE_CHARS_MAX) {
                Some((end, _)) => format!("{:?}…", &text[..end]),
                None => format!("{text:?}"),
            },
            Self::Blob(bytes) => format!("{} bytes", bytes.len()),
        }
    }
}
