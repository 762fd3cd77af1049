//! Which kind of value a type holds.

use kasoku_sql_plan::ColumnKind;
use tokio_postgres::types::{Kind, Type};

/// A type that is no domain, as the catalogue describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Described<'a> {
    pub(super) name: &'a str,
    /// Whether it is one of the server's own.
    pub(super) own: bool,
    pub(super) group: Group,
}

/// What sort of type it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Array,
    Range,
    Enum,
    Other,
}

impl<'a> Described<'a> {
    /// A type as the driver describes it.
    pub(super) fn of(of: &'a Type) -> Self {
        let group = match of.kind() {
            Kind::Domain(inner) => return Self::of(inner),
            Kind::Array(_) => Group::Array,
            Kind::Range(_) | Kind::Multirange(_) => Group::Range,
            Kind::Enum(_) => Group::Enum,
            _ => Group::Other,
        };
        Self { name: of.name(), own: of.schema() == "pg_catalog", group }
    }

    /// How its values are read.
    pub(super) fn kind(self) -> ColumnKind {
        match (self.group, self.own, self.name) {
            (Group::Array, ..) => ColumnKind::Array,
            (Group::Range, ..) => ColumnKind::Range,
            (_, true, "int2" | "int4" | "int8" | "oid") => ColumnKind::Integer,
            (_, true, "float4" | "float8") => ColumnKind::Real,
            (_, true, "numeric") => ColumnKind::Decimal,
            (_, true, "bool") => ColumnKind::Boolean,
            (_, true, "json" | "jsonb") => ColumnKind::Json,
            (_, true, "bytea") => ColumnKind::Blob,
            (_, true, "tsvector") => ColumnKind::Search,
            (_, true, "uuid") => ColumnKind::Uuid,
            (_, true, "date") => ColumnKind::Date,
            (_, true, "timestamp" | "timestamptz") => ColumnKind::Timestamp,
            _ => ColumnKind::Text,
        }
    }

    /// Whether its name alone says that its values are read in their own form; of the others, the driver knows.
    pub(super) fn is_surely_understood(self) -> bool {
        const TEXTS: &[&str] =
            &["text", "varchar", "bpchar", "name", "time", "timetz", "interval", "inet", "cidr"];
        match self.group {
            Group::Enum => true,
            Group::Array | Group::Range => false,
            Group::Other => self.own && (self.kind() != ColumnKind::Text || TEXTS.contains(&self.name)),
        }
    }

    /// Whether values that the server finds equal have one spelling, so that equality can be named; a UUID has one once
    /// it is planned. Times, numbers with a fraction and documents are written in several ways; `char(n)` ignores
    /// blanks, `citext` case; a `name` that is asked for is cut short.
    pub(super) fn equal_values_are_equal_texts(self) -> bool {
        self.group == Group::Enum
            || (self.own
                && matches!(
                    self.name,
                    "int2" | "int4" | "int8" | "oid" | "bool" | "text" | "varchar" | "uuid"
                ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_by_what_they_hold() {
        let check = |of: Type, kind, exact| {
            let described = Described::of(&of);
            assert_eq!((described.kind(), described.equal_values_are_equal_texts()), (kind, exact), "{of}");
        };
        check(Type::INT8, ColumnKind::Integer, true);
        check(Type::FLOAT4, ColumnKind::Real, false);
        check(Type::NUMERIC, ColumnKind::Decimal, false);
        check(Type::BOOL, ColumnKind::Boolean, true);
        check(Type::JSONB, ColumnKind::Json, false);
        check(Type::TEXT, ColumnKind::Text, true);
        check(Type::BPCHAR, ColumnKind::Text, false);
        check(Type::NAME, ColumnKind::Text, false);
        check(Type::UUID, ColumnKind::Uuid, true);
        check(Type::DATE, ColumnKind::Date, false);
        check(Type::TIMESTAMPTZ, ColumnKind::Timestamp, false);
        check(Type::TIMETZ, ColumnKind::Text, false);
        check(Type::BYTEA, ColumnKind::Blob, false);
        check(Type::INT4_ARRAY, ColumnKind::Array, false);
        check(Type::INT4_RANGE, ColumnKind::Range, false);
        check(Type::INT4MULTI_RANGE, ColumnKind::Range, false);
        check(Type::TS_VECTOR, ColumnKind::Search, false);
        let named = |kind| Type::new("own".into(), 1, kind, "public".into());
        check(named(Kind::Enum(vec!["a".into()])), ColumnKind::Text, true);
        check(named(Kind::Domain(Type::INT4)), ColumnKind::Integer, true);
        check(Type::new("citext".into(), 1, Kind::Simple, "public".into()), ColumnKind::Text, false);
    }
}
