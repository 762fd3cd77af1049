//! Tags of tables: what an answer depends on and what a change touches, from the same rules.
//!
//! There are three: the table (`t`), a row by its key (`r`), and all rows where a column has a value (`p`). An
//! answer that holds one of them must lose it to every change that can alter it, so both sides write values in one
//! form: whatever the database takes for equal gives the same tag. Where a value leaves doubt, an answer holds the
//! table's tag, which every change carries.

mod form;
mod names;

use kasoku_coherence::{Tag, TagBuilder};

use crate::grammar::filter::{Check, Comparison, Is, Node, Quantifier, Test};
use crate::limits::IN_TAGS_MAX;
use crate::row_rule::equal_columns;
use crate::rules::TableRules;
use crate::schema::{Column, Table};
use crate::{ColumnKind, Value};

/// The tag of all rows of a table.
pub fn table_tag(table: &str) -> Tag {
    TagBuilder::new("t").part(table.to_ascii_lowercase().as_bytes()).build()
}

/// The tag that every answer from a table carries and no change of single rows does: for purges by the table's
/// name, and for changes of so many rows that they are not named one by one.
pub fn purge_tag(table: &str) -> Tag {
    TagBuilder::new("a").part(table.to_ascii_lowercase().as_bytes()).build()
}

/// How one table's answers and changes are named; made once from all routes that show the table.
#[derive(Debug, Clone)]
pub struct TagRules {
    /// The table's own tag, or those of all tables that a view reads.
    tables: Vec<Tag>,
    name: String,
    /// Whether a row can be named by its key.
    rows: bool,
    /// Columns of the key, as places in `watched`.
    key: Vec<usize>,
    /// Places in the table of all columns whose values changes must bring.
    watched: Vec<usize>,
    tagged: Vec<TaggedColumn>,
}

#[derive(Debug, Clone)]
struct TaggedColumn {
    /// Its place in the table.
    column: usize,
    /// Its place in `watched`.
    watched: usize,
    kind: ColumnKind,
    name: String,
}

impl TagRules {
    /// Rules for a table: equality of each column that one of these routes filters by is named, and of each column
    /// in `narrowed`, which queries compare with a parameter.
    pub fn new(table: &Table, routes: &[&TableRules], narrowed: &[&str]) -> Self {
        let mut rules = Self {
            tables: vec![table_tag(&table.name)],
            name: table.name.to_ascii_lowercase(),
            rows: !table.key.is_empty() && table.key.iter().all(|place| nameable(&table.columns[*place])),
            key: (0..table.key.len()).collect(),
            watched: table.key.clone(),
            tagged: Vec::new(),
        };
        let filters = routes.iter().flat_map(|route| &route.filter).map(String::as_str);
        let ruled: Vec<String> = routes
            .iter()
            .filter_map(|route| route.row_rule.as_ref())
            .flat_map(|rule| equal_columns(rule, table))
            .collect();
        let narrowed = narrowed.iter().copied().chain(ruled.iter().map(String::as_str));
        for (place, column) in filters.chain(narrowed).filter_map(|name| table.column(name)) {
            if nameable(column) && rules.tagged.iter().all(|tagged| tagged.column != place) {
                let watched = rules.watch(place);
                let name = column.name.to_ascii_lowercase();
                rules.tagged.push(TaggedColumn { column: place, watched, kind: column.kind, name });
            }
        }
        rules
    }

    /// Rules for a view: its answers depend on these tables as wholes.
    pub fn view<'a>(tables: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            tables: tables.into_iter().map(table_tag).collect(),
            name: String::new(),
            rows: false,
            key: Vec::new(),
            watched: Vec::new(),
            tagged: Vec::new(),
        }
    }

    /// The columns whose old and new values a change must bring, as places in the table, in this order.
    pub fn watched_columns(&self) -> &[usize] {
        &self.watched
    }

    /// Tags that stand for everything in the table.
    pub fn whole(&self) -> &[Tag] {
        &self.tables
    }

    /// The tags of an answer that is one row with this key, or its absence.
    pub fn row(&self, kinds: &[ColumnKind], key: &[Value], out: &mut Vec<Tag>) {
        match self.row_by(key.len(), |builder, place| form::asked(builder, kinds[place], &key[place])) {
            Some(tag) if self.rows && key.len() == self.key.len() => out.push(tag),
            _ => out.extend_from_slice(&self.tables),
        }
    }

    /// The tag of all rows where a column equals a value; `None` where that cannot be named with certainty.
    pub fn equal(&self, column: usize, value: &Value) -> Option<Tag> {
        let tagged = self.tagged.iter().find(|tagged| tagged.column == column)?;
        form::asked(self.column_tag(tagged), tagged.kind, value).map(|builder| builder.build())
    }

    /// The tags of a change of one row, given the values of the watched columns before and after it.
    pub fn tags_of_change(&self, old: Option<&[Value]>, new: Option<&[Value]>, out: &mut Vec<Tag>) {
        out.extend_from_slice(&self.tables);
        if self.rows {
            let row = |values: &[Value]| {
                self.row_by(self.key.len(), |builder, place| {
                    Some(form::stored(builder, &values[self.key[place]]))
                })
            };
            push_both(old.and_then(row), new.and_then(row), out);
        }
        for tagged in &self.tagged {
            let tag =
                |values: &[Value]| form::stored(self.column_tag(tagged), &values[tagged.watched]).build();
            push_both(old.map(tag), new.map(tag), out);
        }
    }

    /// The tags of a list with these filters, all of which hold for each of its rows. One column is enough: a row
    /// that enters or leaves the answer has the column's value before the change or after it.
    pub(crate) fn list(&self, order: impl Iterator<Item = usize>, nodes: &[Node], out: &mut Vec<Tag>) {
        for column in order {
            let tests = nodes.iter().filter_map(|node| match node {
                Node::Test(test) if test.subject.whole_column() == Some(column) && !test.negated => {
                    Some(test)
                }
                _ => None,
            });
            for test in tests {
                let before = out.len();
                if self.of_test(test, out) {
                    return;
                }
                out.truncate(before);
            }
        }
        out.extend_from_slice(&self.tables);
    }

    /// Adds the tags of a test; whether they name all rows that pass it.
    fn of_test(&self, test: &Test, out: &mut Vec<Tag>) -> bool {
        let mut add = |value: &Value| {
            let tag = self.equal(test.subject.column, value);
            out.extend(tag);
            tag.is_some()
        };
        let nameable = |values: usize| (1..=IN_TAGS_MAX).contains(&values);
        match &test.check {
            Check::Compare(Comparison::Eq, operand) => add(&operand.value),
            Check::In(operands) if nameable(operands.len()) => {
                operands.iter().all(|operand| add(&operand.value))
            }
            Check::Each(Quantifier::Any, checks) if nameable(checks.len()) => {
                checks.iter().all(|check| match check {
                    Check::Compare(Comparison::Eq, operand) => add(&operand.value),
                    _ => false,
                })
            }
            Check::Is(Is::Null) => add(&Value::Null),
            Check::Is(Is::True) => add(&Value::Integer(1)),
            Check::Is(Is::False) => add(&Value::Integer(0)),
            _ => false,
        }
    }

    fn watch(&mut self, place: usize) -> usize {
        self.watched.iter().position(|watched| *watched == place).unwrap_or_else(|| {
            self.watched.push(place);
            self.watched.len() - 1
        })
    }

    fn row_by(&self, parts: usize, part: impl Fn(TagBuilder, usize) -> Option<TagBuilder>) -> Option<Tag> {
        let begun = TagBuilder::new("r").part(self.name.as_bytes());
        (0..parts).try_fold(begun, part).map(|builder| builder.build())
    }

    fn column_tag(&self, tagged: &TaggedColumn) -> TagBuilder {
        TagBuilder::new("p").part(self.name.as_bytes()).part(tagged.name.as_bytes())
    }
}

/// Whether equality in this column can be named.
pub(crate) fn nameable(column: &Column) -> bool {
    column.exact_equality
}

fn push_both(old: Option<Tag>, new: Option<Tag>, out: &mut Vec<Tag>) {
    out.extend(old);
    out.extend(new.filter(|new| old != Some(*new)));
}
