//! The declared sorts of a table, made complete: no two rows are equal in them.

use std::sync::Arc;

use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::keyset::{By, Sorting, Term};
use crate::rules::Sort;
use crate::schema::Table;

/// The columns that tell rows apart, as terms without a direction: those of the key, or of the first unique index
/// that has no NULLs; for want of both, the table's hidden row identity, after the key where that may be NULL.
pub(crate) fn identity(table: &Table, dialect: &Dialect) -> Option<Vec<Option<usize>>> {
    let valued = |places: &[usize]| places.iter().all(|place| !table.columns[*place].nullable);
    let mut known =
        std::iter::once(&table.key).chain(exactly_unique(table)).filter(|places| !places.is_empty());
    if let Some(places) = known.find(|places| valued(places)) {
        return Some(places.iter().copied().map(Some).collect());
    }
    row_identity(table, dialect)?;
    Some(table.key.iter().copied().map(Some).chain([None]).collect())
}

/// The same as SQL.
pub(super) fn identity_as_sql(table: &Table, columns: &Columns, dialect: &Dialect) -> Vec<Box<str>> {
    let hidden = || row_identity(table, dialect).unwrap_or_default().into();
    let quoted =
        |place: Option<usize>| place.map_or_else(hidden, |place| columns.field(place).quoted.clone());
    identity(table, dialect).expect("the rules were checked").into_iter().map(quoted).collect()
}

/// The unique indexes that prove rows apart in a sort. An index may tell letters apart that its column's own order
/// takes for equal.
fn exactly_unique(table: &Table) -> impl Iterator<Item = &Vec<usize>> {
    let exact = |places: &&Vec<usize>| places.iter().all(|place| table.columns[*place].exact_equality);
    table.unique.iter().filter(exact)
}

/// The hidden column's name, unless the table is a view or columns of its own have all of its names.
fn row_identity(table: &Table, dialect: &Dialect) -> Option<&'static str> {
    let free = |name: &&&str| table.column(name).is_none();
    dialect.row_identity.iter().find(free).copied().filter(|_| !table.view)
}

/// What `author(name)` sorts by, and its SQL.
pub(crate) type RelatedTerm = (By, Box<str>);

/// The declared sorts, each followed by its reverse. `related` knows what `author(name)` stands for, and its SQL.
pub(crate) fn sorts(
    table: &Table,
    columns: &Columns,
    declared: &[Sort],
    dialect: &Dialect,
    related: &dyn Fn(&str) -> Option<RelatedTerm>,
) -> Vec<Arc<Sorting>> {
    let written = |by: By, sql: Box<str>, nullable: bool, descending: bool| {
        let nulls_first = Term::native_nulls_first(descending, dialect);
        Term { by, sql, nullable, descending, nulls_first }
    };
    let term = |by: By, descending: bool| {
        if let By::Column(place) = by {
            let field = columns.field(place);
            return written(by, field.quoted.clone(), field.nullable, descending);
        }
        let identity = row_identity(table, dialect).unwrap_or_default();
        written(by, columns.qualified(identity).into(), false, descending)
    };
    let identity = identity(table, dialect).expect("the rules were checked");
    let complete = |sort: &Sort| {
        let places = sort.0.iter().filter_map(|asked| match table.column(&asked.column) {
            Some((place, _)) => Some(term(By::Column(place), asked.descending)),
            None => related(&asked.column).map(|(by, sql)| written(by, sql, true, asked.descending)),
        });
        let mut terms: Vec<Term> = places.collect();
        let unique = |places: &Vec<usize>| {
            let has = |place: &usize| terms.iter().any(|term| term.by == By::Column(*place));
            !places.is_empty() && places.iter().all(|place| has(place) && !table.columns[*place].nullable)
        };
        if !unique(&table.key) && !exactly_unique(table).any(unique) {
            let descending = terms.last().is_some_and(|term| term.descending);
            for by in identity.iter().map(|place| place.map_or(By::Identity, By::Column)) {
                if terms.iter().all(|known| known.by != by) {
                    terms.push(term(by, descending));
                }
            }
        }
        let sorting = Sorting::new(terms, sort.0.len());
        let reversed = sorting.reversed();
        [Arc::new(sorting), Arc::new(reversed)]
    };
    declared.iter().flat_map(complete).collect()
}
