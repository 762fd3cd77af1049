//! Which index would do: columns that are held to a value, then the order or the range, then what tells rows apart.

use super::ProofRules;
use super::facts::{Index, IndexColumn};
use super::shape::{Access, Purpose, Shape};
use crate::dialect::Dialect;

/// What an index must be to serve a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The table.
    pub table: String,
    /// Columns that come first, in any order.
    pub equal: Vec<String>,
    /// Columns that come then, in this order or its reverse.
    pub then: Vec<IndexColumn>,
    /// Only rows where this column is NULL need to be in it.
    pub null: Option<String>,
}

/// An index that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What it is.
    pub index: Index,
    /// The statement that makes it.
    pub create: String,
    /// The statement that takes it away.
    pub undo: String,
}

/// The indexes that would serve a statement; none where no index gives what it asks for.
pub fn wanted(shape: &Shape, rules: &ProofRules, dialect: &Dialect) -> Vec<Wanted> {
    let is_query = matches!(shape.purpose, Purpose::Query { .. });
    shape.access.iter().filter_map(|access| of_access(access, is_query, rules, dialect)).collect()
}

fn of_access(access: &Access, is_query: bool, rules: &ProofRules, dialect: &Dialect) -> Option<Wanted> {
    let skipped = |name: &String| rules.may_skip.contains(name);
    let order: Vec<IndexColumn> = access.open_order().filter(|term| term.name.is_some()).cloned().collect();
    let leads = |name: &String| order.first().is_some_and(|term| term.name.as_ref() == Some(name));
    let sorts = access.filters().any(|name| rules.may_sort.contains(name));
    let only = |name: &String| {
        vec![IndexColumn { name: Some(name.clone()), descending: false, nulls_first: dialect.nulls_smallest }]
    };
    let then = match &access.range {
        _ if access.order.is_empty() => access.range.iter().flat_map(only).collect(),
        None if sorts => Vec::new(),
        None => order,
        Some(range) if leads(range) => order,
        Some(range) if skipped(range) => order,
        // An index finds the range, and the sort is accepted.
        Some(range) if sorts || is_query => only(range),
        Some(_) => return None,
    };
    // A database whose indexes have NULLs at one end only gives no other order.
    let natural = |column: &IndexColumn| {
        dialect.nulls_in_indexes || column.nulls_first == (column.descending != dialect.nulls_smallest)
    };
    let equal = access.equal.clone();
    if (equal.is_empty() && then.is_empty()) || !(access.nulls_chosen || then.iter().all(natural)) {
        return None;
    }
    let null = access.null.clone().filter(|column| !equal.contains(column));
    Some(Wanted { table: access.table.clone(), equal, then, null })
}

/// As few indexes as serve all that is wanted: one whose beginning serves another takes its place. Names are free
/// among `existing`.
pub fn merge(mut wanted: Vec<Wanted>, existing: &[Index], dialect: &Dialect) -> Vec<Offer> {
    wanted.sort_by_key(|want| std::cmp::Reverse(want.equal.len() + want.then.len()));
    let mut offers: Vec<Offer> = Vec::new();
    for want in wanted {
        if offers.iter().any(|offer| want.is_served_by(&offer.index, dialect)) {
            continue;
        }
        let name = free_name(&want, existing, &offers);
        offers.push(want.offer(name, dialect));
    }
    offers
}

impl Wanted {
    /// Whether an index begins as it must.
    pub fn is_served_by(&self, index: &Index, dialect: &Dialect) -> bool {
        let holds_all = match (&index.condition, &self.null) {
            (None, _) => true,
            (Some(_), Some(column)) => index.holds_where_null(column),
            (Some(_), None) => false,
        };
        let length = self.equal.len();
        if !holds_all || !index.table.eq_ignore_ascii_case(&self.table) || index.columns.len() < length {
            return false;
        }
        let (first, rest) = index.columns.split_at(length);
        let has = |name: &String| first.iter().any(|column| column.name.as_ref() == Some(name));
        let begins = |wanted: &mut dyn Iterator<Item = IndexColumn>| {
            wanted.zip(rest).all(|(wanted, column)| {
                wanted.name == column.name
                    && wanted.descending == column.descending
                    && (wanted.nulls_first == column.nulls_first || !dialect.nulls_in_indexes)
            })
        };
        self.equal.iter().all(has)
            && rest.len() >= self.then.len()
            && (begins(&mut self.then.iter().cloned()) || begins(&mut self.then.iter().map(turned)))
    }

    fn offer(&self, name: String, dialect: &Dialect) -> Offer {
        let upwards = |name: &String| IndexColumn {
            name: Some(name.clone()),
            descending: false,
            nulls_first: dialect.nulls_smallest,
        };
        // An index is read both ways; upwards first is how people write it.
        let turn = self.then.first().is_some_and(|column| column.descending);
        let then = self.then.iter().map(|column| if turn { turned(column) } else { column.clone() });
        let columns: Vec<IndexColumn> = self.equal.iter().map(upwards).chain(then).collect();
        let texts: Vec<String> = columns.iter().map(|column| written(column, dialect)).collect();
        let condition = self.null.as_ref().map(|column| format!("{} is null", dialect.plain(column)));
        let where_clause = condition.as_ref().map(|text| format!(" where {text}")).unwrap_or_default();
        let create = format!(
            "create index {} on {} ({}){where_clause};",
            dialect.plain(&name),
            dialect.plain(&self.table),
            texts.join(", ")
        );
        let undo = format!("drop index {};", dialect.plain(&name));
        let table = self.table.clone();
        Offer { index: Index { name, table, columns, unique: false, owned: false, condition }, create, undo }
    }
}

fn turned(column: &IndexColumn) -> IndexColumn {
    IndexColumn {
        name: column.name.clone(),
        descending: !column.descending,
        nulls_first: !column.nulls_first,
    }
}

fn written(column: &IndexColumn, dialect: &Dialect) -> String {
    let mut text = dialect.plain(column.name.as_deref().unwrap_or_default());
    if column.descending {
        text.push_str(" desc");
    }
    let natural = column.nulls_first == (column.descending != dialect.nulls_smallest);
    if !natural && dialect.nulls_in_indexes {
        text.push_str(if column.nulls_first { " nulls first" } else { " nulls last" });
    }
    text
}

/// PostgreSQL cuts longer names.
const NAME_BYTES_MAX: usize = 63;

fn free_name(want: &Wanted, existing: &[Index], offers: &[Offer]) -> String {
    let columns = want.equal.iter().chain(want.then.iter().filter_map(|column| column.name.as_ref()));
    let mut names: Vec<&str> = columns.map(String::as_str).collect();
    // What tells rows apart ends most indexes and says little about them.
    if names.len() > 1 && want.then.len() > 1 {
        names.pop();
    }
    let mut base = format!("{}_by_{}", want.table, names.join("_and_"));
    base.truncate(base.floor_char_boundary(NAME_BYTES_MAX - 4));
    let taken = |name: &str| {
        let mut indexes = existing.iter().chain(offers.iter().map(|offer| &offer.index));
        indexes.any(|index| index.name.eq_ignore_ascii_case(name))
    };
    let mut names = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}_{number}")));
    names.find(|name| !taken(name)).expect("there are more numbers than indexes")
}
