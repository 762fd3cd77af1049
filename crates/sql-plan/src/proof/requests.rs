//! Requests as a caller would write them, once with `…` for values and once with values to plan them by.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::columns::{Columns, Field};
use crate::convert::value_of_text;
use crate::grammar::RESERVED_PARAMETERS;
use crate::plan::TablePlanner;
use crate::{ColumnKind, Value};

/// How a filter holds a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// To one value.
    Equal,
    /// To several.
    In,
    /// To NULL.
    Null,
    /// To `true`.
    True,
    /// From a value on.
    From,
    /// Up to a value.
    UpTo,
}

/// Filters that stand together.
pub(super) type FilterSet = Vec<(usize, Class)>;

/// A query string, as it is shown and as it is planned.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    pub(super) shown: String,
    pub(super) text: String,
}

/// Texts out of which each kind of column reads at least one.
const SAMPLES: [&str; 14] = [
    "1",
    "true",
    "2024-01-01T00:00:00Z",
    "2024-01-01 00:00:00",
    "2024-01-01",
    "00:00:00",
    "00000000-0000-0000-0000-000000000000",
    "AAAA",
    "127.0.0.1",
    "1 day",
    "{}",
    "[]",
    "a",
    "[1,2)",
];

impl Class {
    pub(super) fn is_range(self) -> bool {
        matches!(self, Self::From | Self::UpTo)
    }

    /// The filter, with a value in its place.
    fn written(self, value: &str) -> String {
        match self {
            Self::Equal => format!("eq.{value}"),
            Self::In => format!("in.({value},{value})"),
            Self::Null => "is.null".to_owned(),
            Self::True => "is.true".to_owned(),
            Self::From => format!("gte.{value}"),
            Self::UpTo => format!("lte.{value}"),
        }
    }

    fn shown(self) -> String {
        if self == Self::In { "in.(…)".to_owned() } else { self.written("…") }
    }
}

/// The ways in which a column may be held that a proof is about.
pub(super) fn classes(field: &Field) -> Vec<Class> {
    let mut classes = vec![Class::Equal];
    // Of two values, several are all.
    if field.kind != ColumnKind::Boolean {
        classes.push(Class::In);
    }
    if field.nullable {
        classes.push(Class::Null);
    }
    match field.kind {
        ColumnKind::Boolean => classes.push(Class::True),
        ColumnKind::Json | ColumnKind::Blob | ColumnKind::Array | ColumnKind::Range | ColumnKind::Search => {}
        // What has an order.
        _ => classes.extend([Class::From, Class::UpTo]),
    }
    classes
}

/// A text that a column of this kind reads.
pub(super) fn sample(kind: ColumnKind) -> &'static str {
    SAMPLES.into_iter().find(|text| value_of_text(kind, text).is_ok()).unwrap_or("1")
}

/// A value that a column of this kind may hold.
pub(super) fn sample_value(kind: ColumnKind) -> Value {
    value_of_text(kind, sample(kind)).unwrap_or(Value::Integer(1))
}

impl Query {
    /// The query string of a set of filters.
    pub(super) fn of_filters(set: &[(usize, Class)], columns: &Columns) -> Self {
        let mut query = Self::default();
        for (place, class) in set {
            let field = columns.field(*place);
            let value = class.written(sample(field.kind));
            if RESERVED_PARAMETERS.contains(&field.name()) {
                let shown = format!("({}.{})", field.name(), class.shown());
                query.add("and", &shown, &format!("(\"{}\".{value})", field.name()));
            } else {
                query.add(field.name(), &class.shown(), &value);
            }
        }
        query
    }

    /// Adds a parameter.
    pub(super) fn add(&mut self, name: &str, shown: &str, text: &str) {
        let and = if self.text.is_empty() { "" } else { "&" };
        for part in [and, name, "=", shown] {
            self.shown.push_str(part);
        }
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        for part in [and, &encoded(name), "=", &encoded(text)] {
            self.text.push_str(part);
        }
    }

    /// With a further parameter.
    pub(super) fn with(&self, name: &str, shown: &str, text: &str) -> Self {
        let mut more = self.clone();
        more.add(name, shown, text);
        more
    }

    /// The request that it belongs to.
    pub(super) fn of(&self, method: &str, path: &str) -> String {
        let mark = if self.shown.is_empty() { "" } else { "?" };
        format!("{method} {path}{mark}{}", self.shown)
    }
}

/// A key as a path gives it.
pub(super) fn key_text(planner: &TablePlanner) -> String {
    let parts = planner.key.iter().map(|place| sample(planner.columns.field(*place).kind));
    parts.collect::<Vec<_>>().join(",")
}
