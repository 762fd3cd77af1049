//! How each database looks into JSON documents, as texts with places to fill.
//!
//! `{c}` is the column, `{p}` the way into its document, `{j}` the document at the end of the way, `{v}` the value
//! to compare with. Both databases give the same answers: a test of a document's value is false for values of other
//! types, and NULL where nothing is. SQLite keeps documents as text, which may be none; that is as if nothing were.

use crate::Value;
use crate::grammar::filter::{Class, Operand};
use crate::grammar::path::JsonPath;

/// The texts of one database.
#[derive(Debug)]
pub(crate) struct JsonForms {
    /// The document that a way leads to.
    pub(crate) at: &'static str,
    /// The document of a column.
    pub(crate) whole: &'static str,
    /// What a document says as text.
    pub(crate) text: &'static str,
    /// That a document is this number, text, word, or array or object.
    pub(crate) equal: [&'static str; 4],
    /// The number or text that a document is, for comparing; else NULL.
    pub(crate) ordered: [&'static str; 2],
    /// What that is compared with.
    pub(crate) value: &'static str,
    /// For `cs`, `cd` and `ov`: by values, and by texts.
    pub(crate) hold: [[&'static str; 2]; 3],
    /// That a document holds these members.
    pub(crate) members: &'static str,
    /// A way as it is bound.
    pub(crate) path: fn(&JsonPath) -> String,
    /// A value as it is bound.
    pub(crate) operand: fn(&Operand) -> Value,
}

impl JsonForms {
    /// That a document equals a value of a class.
    pub(crate) fn equal(&self, class: Class) -> &'static str {
        match class {
            Class::JsonNumber => self.equal[0],
            Class::Plain | Class::JsonText => self.equal[1],
            Class::JsonWord => self.equal[2],
            Class::JsonDocument => self.equal[3],
        }
    }

    /// What of a document can be greater or less than a value of a class.
    pub(crate) fn ordered(&self, class: Class) -> &'static str {
        self.ordered[usize::from(class != Class::JsonNumber)]
    }

    /// SQLite, whose `json_type` tells whole numbers from others, and whose `value` of an array's item is SQL's.
    pub(super) const SQLITE: Self = Self {
        at: "(case when json_valid({c}) then {c} -> {p} end)",
        whole: "(case when json_valid({c}) then {c} end)",
        text: "(case json_type({j}) when 'true' then 'true' when 'false' then 'false' \
               else cast({j} ->> '$' as text) end)",
        equal: [
            "(json_type({j}) in ('integer', 'real') and {j} ->> '$' = {v})",
            "(json_type({j}) = 'text' and {j} ->> '$' = {v})",
            "json_type({j}) = {v}",
            "json({j}) = {v}",
        ],
        ordered: [
            "(case when json_type({j}) in ('integer', 'real') then {j} ->> '$' end)",
            "(case json_type({j}) when 'text' then {j} ->> '$' end)",
        ],
        value: "{v}",
        hold: [
            [
                "(case json_type({j}) when 'array' then not exists (select 1 from json_each({v}) as w \
                 where not exists (select 1 from json_each({j}) as h where h.value is w.value \
                 and replace(h.type, 'integer', 'real') = replace(w.type, 'integer', 'real'))) \
                 else nullif({j} is null, 1) end)",
                "(case json_type({j}) when 'array' then not exists (select 1 from json_each({v}) as w \
                 where not exists (select 1 from json_each({j}) as h where case h.type when 'true' then 'true' \
                 when 'false' then 'false' else cast(h.value as text) end = w.value)) \
                 else nullif({j} is null, 1) end)",
            ],
            [
                "(case json_type({j}) when 'object' then 0 when 'null' then 0 else \
                 iif({j} is null, null, not exists (select 1 from json_each({j}) as h \
                 where not exists (select 1 from json_each({v}) as w where h.value is w.value \
                 and replace(h.type, 'integer', 'real') = replace(w.type, 'integer', 'real')))) end)",
                "(case json_type({j}) when 'array' then not exists (select 1 from json_each({j}) as h \
                 where not exists (select 1 from json_each({v}) as w where case h.type when 'true' then 'true' \
                 when 'false' then 'false' else cast(h.value as text) end = w.value)) \
                 else nullif({j} is null, 1) end)",
            ],
            [
                "(case json_type({j}) when 'array' then exists (select 1 from json_each({v}) as w, \
                 json_each({j}) as h where h.value is w.value \
                 and replace(h.type, 'integer', 'real') = replace(w.type, 'integer', 'real')) \
                 else nullif({j} is null, 1) end)",
                "(case json_type({j}) when 'array' then exists (select 1 from json_each({v}) as w, \
                 json_each({j}) as h where case h.type when 'true' then 'true' when 'false' then 'false' \
                 else cast(h.value as text) end = w.value) else nullif({j} is null, 1) end)",
            ],
        ],
        members: "(case json_type({j}) when 'object' then not exists (select 1 from json_tree({v}) as w \
                  where coalesce(replace(json_type({j}, w.fullkey), 'integer', 'real') \
                  = replace(w.type, 'integer', 'real') and (w.type = 'object' \
                  or json_extract({j}, w.fullkey) is w.atom), 0) = 0) else nullif({j} is null, 1) end)",
        path: JsonPath::dollar,
        operand: |operand| operand.value.clone(),
    };

    /// PostgreSQL, whose `jsonb` compares and holds by itself. What is bound is text, so that the database has
    /// nothing to guess.
    pub(super) const POSTGRES: Self = Self {
        at: "({c} #> cast({p} as text)::text[])::jsonb",
        whole: "{c}::jsonb",
        text: "({j} #>> '{}')",
        equal: ["{j} = cast({v} as text)::jsonb"; 4],
        ordered: [
            "(case jsonb_typeof({j}) when 'number' then {j} end)",
            "(case jsonb_typeof({j}) when 'string' then {j} end)",
        ],
        value: "cast({v} as text)::jsonb",
        hold: [
            [
                "{j} @> cast({v} as text)::jsonb",
                "(case jsonb_typeof({j}) when 'array' then not exists (select 1 \
                 from jsonb_array_elements_text(cast({v} as text)::jsonb) as w(value) where not exists (select 1 \
                 from jsonb_array_elements_text({j}) as h(value) where h.value = w.value)) \
                 else nullif({j} is null, true) end)",
            ],
            [
                "{j} <@ cast({v} as text)::jsonb",
                "(case jsonb_typeof({j}) when 'array' then not exists (select 1 \
                 from jsonb_array_elements_text({j}) as h(value) where not exists (select 1 \
                 from jsonb_array_elements_text(cast({v} as text)::jsonb) as w(value) where h.value = w.value)) \
                 else nullif({j} is null, true) end)",
            ],
            [
                "(case jsonb_typeof({j}) when 'array' then exists (select 1 from jsonb_array_elements({j}) as h(value) \
                 join jsonb_array_elements(cast({v} as text)::jsonb) as w(value) on h.value = w.value) \
                 else nullif({j} is null, true) end)",
                "(case jsonb_typeof({j}) when 'array' then exists (select 1 \
                 from jsonb_array_elements_text({j}) as h(value) \
                 join jsonb_array_elements_text(cast({v} as text)::jsonb) as w(value) on h.value = w.value) \
                 else nullif({j} is null, true) end)",
            ],
        ],
        members: "{j} @> cast({v} as text)::jsonb",
        path: JsonPath::array,
        operand: |operand| match (&operand.class, &operand.value) {
            (Class::JsonNumber, Value::Integer(number)) => Value::Text(number.to_string()),
            (Class::JsonNumber, Value::Real(number)) => {
                Value::Text(serde_json::Value::from(*number).to_string())
            }
            (Class::JsonText, Value::Text(text)) => {
                Value::Text(serde_json::Value::from(text.as_str()).to_string())
            }
            _ => operand.value.clone(),
        },
    };
}
