//! The columns of a table as one route sees them: what may be read, filtered, sorted by and written.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::dialect::Dialect;
use crate::rules::TableRules;
use crate::schema::{ColumnKind, Table};

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name in the answer.
    pub name: Arc<str>,
    /// The name as JSON, with quotes and a colon: `"title":`.
    pub json_key: Arc<str>,
    /// How its values are shown.
    pub kind: ColumnKind,
}

impl OutputColumn {
    /// A column of that name.
    pub fn new(name: &str, kind: ColumnKind) -> Self {
        let json_key = format!("{}:", serde_json::Value::from(name));
        Self { name: name.into(), json_key: json_key.into(), kind }
    }
}

/// A column of a route's table.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact or a permission of its own")]
pub(crate) struct Field {
    pub(crate) output: OutputColumn,
    /// The name as SQL.
    pub(crate) quoted: Box<str>,
    pub(crate) kind: ColumnKind,
    pub(crate) nullable: bool,
    pub(crate) optional: bool,
    /// Its place in the table.
    pub(crate) place: usize,
    pub(crate) selectable: bool,
    pub(crate) filterable: bool,
    pub(crate) plain: bool,
    pub(crate) sortable: bool,
    pub(crate) writable: bool,
}

impl Field {
    pub(crate) fn name(&self) -> &str {
        &self.output.name
    }
}

/// All columns of a route's table.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) dialect: &'static Dialect,
    fields: Vec<Field>,
    /// What statements call the table, with a point behind; empty where they leave it out.
    prefix: Box<str>,
    /// Places of what may be read, in the order that the route declares.
    selectable: Vec<usize>,
    /// Places of what may be filtered by, in the order that the route declares.
    filterable: Vec<usize>,
}

impl Columns {
    /// The rules have been checked: every name is a column of the table.
    pub(crate) fn new(table: &Table, rules: &TableRules, dialect: &'static Dialect) -> Self {
        Self::aliased(table, rules, dialect, None)
    }

    /// The same, of a table that statements call by another name.
    pub(crate) fn aliased(
        table: &Table,
        rules: &TableRules,
        dialect: &'static Dialect,
        alias: Option<&str>,
    ) -> Self {
        let places = |names: &[String]| -> Vec<usize> {
            names.iter().filter_map(|name| table.column(name)).map(|(place, _)| place).collect()
        };
        let (selectable, filterable) = (places(&rules.select), places(&rules.filter));
        let plain = places(&rules.plain);
        // Looked up once: a table may have two thousand columns, and a list as many orders.
        let sorted: BTreeSet<usize> = rules
            .order
            .iter()
            .flat_map(|sort| &sort.0)
            .filter_map(|term| table.column(&term.column))
            .map(|(place, _)| place)
            .collect();
        let hidden = rules.soft_delete.as_deref().and_then(|name| table.column(name)).map(|(place, _)| place);
        let before = alias.map(|alias| format!("{alias}.")).unwrap_or_default();
        let field = |(place, column): (usize, &crate::Column)| Field {
            output: OutputColumn::new(&column.name, column.kind),
            quoted: format!("{before}{}", dialect.quote(&column.name)).into(),
            kind: column.kind,
            nullable: column.nullable,
            optional: column.optional,
            place,
            selectable: selectable.contains(&place),
            filterable: filterable.contains(&place),
            plain: plain.contains(&place),
            sortable: sorted.contains(&place) || table.key.contains(&place),
            writable: selectable.contains(&place) && !column.generated && hidden != Some(place),
        };
        let fields = table.columns.iter().enumerate().map(field).collect();
        Self { dialect, fields, prefix: before.into(), selectable, filterable }
    }

    /// Something else of the table, as statements call it.
    pub(crate) fn qualified(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn field(&self, place: usize) -> &Field {
        &self.fields[place]
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(crate) fn selectable(&self, name: &str) -> Option<usize> {
        self.find(name, |field| field.selectable)
    }

    pub(crate) fn filterable(&self, name: &str) -> Option<usize> {
        self.find(name, |field| field.filterable)
    }

    pub(crate) fn sortable(&self, name: &str) -> Option<usize> {
        self.find(name, |field| field.sortable)
    }

    pub(crate) fn selectable_places(&self) -> impl Iterator<Item = usize> + Clone {
        self.selectable.iter().copied()
    }

    pub(crate) fn filterable_places(&self) -> impl Iterator<Item = usize> + Clone {
        self.filterable.iter().copied()
    }

    pub(crate) fn selectable_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.selectable.iter().map(|place| self.fields[*place].name())
    }

    pub(crate) fn filterable_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.filterable.iter().map(|place| self.fields[*place].name())
    }

    pub(crate) fn sortable_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.fields.iter().filter(|field| field.sortable).map(Field::name)
    }

    pub(crate) fn writable_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.fields.iter().filter(|field| field.writable).map(Field::name)
    }

    /// Names of requests are the declared ones, letter for letter: two spellings would be two cached answers.
    fn find(&self, name: &str, may: impl Fn(&Field) -> bool) -> Option<usize> {
        self.fields.iter().position(|field| may(field) && field.name() == name)
    }
}
