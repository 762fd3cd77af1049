//! Indexes that another one replaces, by what they are. Whether plans are as good without one, the database must say.

use super::facts::Index;

/// An index that another one may replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redundancy {
    /// The one that may go.
    pub index: String,
    /// Its table.
    pub table: String,
    /// The one that stays.
    pub by: String,
    /// Whether both are the same, and not one the beginning of the other.
    pub duplicate: bool,
}

/// Indexes that are the same as another, or its beginning. An index that keeps values apart, or belongs to a key or a
/// constraint, is never one of them.
pub fn redundant(indexes: &[Index]) -> Vec<Redundancy> {
    let mut found: Vec<Redundancy> = Vec::new();
    for (at, index) in indexes.iter().enumerate().filter(|(_, index)| !index.unique && !index.owned) {
        let replaces = |(other_at, other): &(usize, &Index)| {
            *other_at != at
                && other.table.eq_ignore_ascii_case(&index.table)
                && other.condition == index.condition
                && begins(index, other)
                // Of two that are the same, the later one goes.
                && (other.columns.len() > index.columns.len() || other.unique || other.owned || *other_at < at)
        };
        let longest =
            indexes.iter().enumerate().filter(replaces).max_by_key(|(_, other)| other.columns.len());
        if let Some((_, other)) = longest {
            found.push(Redundancy {
                index: index.name.clone(),
                table: index.table.clone(),
                by: other.name.clone(),
                duplicate: other.columns.len() == index.columns.len(),
            });
        }
    }
    found
}

/// Whether an index is the beginning of another. Expressions are equal to nothing.
fn begins(index: &Index, other: &Index) -> bool {
    index.columns.len() <= other.columns.len()
        && index.columns.iter().zip(&other.columns).all(|(one, two)| one.name.is_some() && one == two)
}
