//! Chooses keys and indexes by what was counted, and says why.

use kasoku_sql_plan::ColumnKind;

use crate::shape::{ColumnShape, IndexShape};

/// Indexes of a table besides its key, at the most. Each costs time at the import and room on the disk.
pub const INDEXES_MAX: usize = 8;

/// A table with fewer rows is scanned as fast as an index is searched.
const ROWS_WORTH_AN_INDEX: u64 = 1_000;

/// Longer texts are prose: nobody sorts by them, or looks them up as a whole.
const INDEXED_BYTES_MAX: usize = 200;

/// Longer texts make no good part of a path.
const KEY_BYTES_MAX: usize = 128;

/// A column as a choice is made of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) column: &'a ColumnShape,
    pub(crate) unique: bool,
    pub(crate) shortest: usize,
    pub(crate) longest: usize,
}

/// How much a column's name and place look like a key's; less is more. `None` if not at all.
pub(crate) fn key_rank(name: &str, place: usize) -> Option<u8> {
    let lower = name.trim().to_lowercase();
    let ends_in_id = lower.ends_with("_id")
        || lower.ends_with(" id")
        || lower.ends_with("-id")
        || (name.len() > 2 && name.ends_with("Id"))
        || (name.len() > 2 && name.ends_with("ID"));
    match lower.as_str() {
        "id" => Some(0),
        "uuid" | "guid" | "key" | "pk" | "code" | "slug" => Some(1),
        _ if place == 0 => Some(2),
        _ if ends_in_id => Some(3),
        _ => None,
    }
}

/// The column that may serve as the key: unique, never missing, and it looks like one.
pub(crate) fn key(candidates: &[Candidate<'_>]) -> Option<usize> {
    candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| {
            let column = candidate.column;
            let fits = match column.kind {
                ColumnKind::Integer => true,
                ColumnKind::Text => candidate.shortest > 0 && candidate.longest <= KEY_BYTES_MAX,
                _ => false,
            };
            fits && candidate.unique && !column.nullable
        })
        .filter_map(|(place, candidate)| {
            let name = candidate.column.written.as_ref().unwrap_or(&candidate.column.name);
            key_rank(name, place).map(|rank| (rank, place))
        })
        .min()
        .map(|(_, place)| place)
}

/// The columns that are worth an index, the best first.
pub(crate) fn indexes(candidates: &[Candidate<'_>], key: Option<usize>, rows: u64) -> Vec<IndexShape> {
    if rows < ROWS_WORTH_AN_INDEX {
        return Vec::new();
    }
    let mut ranked: Vec<(u8, usize, String)> = candidates
        .iter()
        .enumerate()
        .filter(|(place, candidate)| Some(*place) != key && candidate.longest <= INDEXED_BYTES_MAX)
        .filter_map(|(place, candidate)| worth(candidate.column, rows).map(|(rank, why)| (rank, place, why)))
        .collect();
    ranked.sort();
    ranked.truncate(INDEXES_MAX);
    ranked.into_iter().map(|(_, column, reason)| IndexShape { column, reason }).collect()
}

/// What an index on a column would be for; less is more useful.
fn worth(column: &ColumnShape, rows: u64) -> Option<(u8, String)> {
    let distinct = column.distinct.unwrap_or(0);
    if distinct < 3 {
        return None;
    }
    let each = (rows / distinct).max(1);
    let filters = || format!("filters: about {distinct} different values, {each} rows each");
    let sorts = |what: &str| format!("sorts and ranges of {what}: about {distinct} different values");
    let is_category = distinct <= rows / 20;
    let refers = column.name.to_lowercase().ends_with("_id");
    match column.kind {
        ColumnKind::Text if column.dates.is_some() => Some((0, sorts("dates"))),
        ColumnKind::Integer | ColumnKind::Text if refers => Some((1, filters())),
        ColumnKind::Text if is_category => Some((1, filters())),
        ColumnKind::Real => Some((2, sorts("numbers"))),
        ColumnKind::Integer if distinct >= 50 => Some((2, sorts("numbers"))),
        ColumnKind::Text => Some((3, format!("look-ups and sorts: about {distinct} different values"))),
        ColumnKind::Integer => Some((4, filters())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: ColumnKind, distinct: u64) -> ColumnShape {
        ColumnShape {
            name: name.into(),
            written: None,
            kind,
            nullable: false,
            distinct: Some(distinct),
            dates: None,
            example: None,
            why: None,
        }
    }

    fn unique(column: &ColumnShape) -> Candidate<'_> {
        Candidate { column, unique: true, shortest: 1, longest: 10 }
    }

    fn chosen_key(columns: &[ColumnShape]) -> Option<usize> {
        key(&columns.iter().map(unique).collect::<Vec<_>>())
    }

    #[test]
    fn the_column_that_looks_most_like_a_key_is_taken() {
        use ColumnKind::{Integer, Real, Text};
        let check = |names: &[(&str, ColumnKind)], expected: Option<usize>| {
            let columns: Vec<_> = names.iter().map(|(name, kind)| column(name, *kind, 10)).collect();
            assert_eq!(chosen_key(&columns), expected, "{names:?}");
        };
        check(&[("name", Text), ("id", Integer)], Some(1));
        check(&[("name", Text), ("ID", Text)], Some(1));
        check(&[("name", Text), ("code", Text)], Some(1));
        check(&[("name", Text), ("owner_id", Integer)], Some(0));
        check(&[("x", Real), ("movie_id", Integer)], Some(1));
        check(&[("x", Real), ("movieId", Integer)], Some(1));
        check(&[("x", Real), ("paid", Integer)], None);
        check(&[("x", Real), ("y", Integer)], None);
        check(&[], None);
    }

    #[test]
    fn a_column_with_gaps_repetitions_or_long_texts_is_no_key() {
        let id = column("id", ColumnKind::Text, 10);
        let nullable = ColumnShape { nullable: true, ..id.clone() };
        assert_eq!(key(&[unique(&id)]), Some(0));
        assert_eq!(key(&[unique(&nullable)]), None);
        assert_eq!(key(&[Candidate { unique: false, ..unique(&id) }]), None);
        assert_eq!(key(&[Candidate { longest: 1_000, ..unique(&id) }]), None);
        assert_eq!(key(&[Candidate { shortest: 0, ..unique(&id) }]), None);
    }

    #[test]
    fn the_most_useful_indexes_are_kept_and_no_more_than_allowed() {
        use ColumnKind::{Boolean, Integer, Json, Real, Text};
        let mut columns = vec![
            column("id", Integer, 100_000),
            column("constant", Integer, 1),
            column("yes_or_no", Boolean, 2),
            column("month", Integer, 12),
            column("title", Text, 90_000),
            column("price", Real, 3_000),
            column("category", Text, 12),
            column("shop_id", Integer, 40),
            column("tags", Json, 500),
            column("day", Text, 365),
        ];
        columns[9].dates = Some(crate::cell::DateForm::Date);
        columns.extend((0..6).map(|number| column(&format!("measure_{number}"), Real, 5_000)));
        let candidates: Vec<_> = columns.iter().map(unique).collect();
        let names = |indexes: Vec<IndexShape>| -> Vec<String> {
            indexes.into_iter().map(|index| columns[index.column].name.clone()).collect()
        };
        assert_eq!(
            names(indexes(&candidates, Some(0), 100_000)),
            ["day", "category", "shop_id", "price", "measure_0", "measure_1", "measure_2", "measure_3"]
        );
        assert_eq!(names(indexes(&candidates, Some(0), 999)), Vec::<String>::new());
        let few = &candidates[..5];
        assert_eq!(names(indexes(few, Some(0), 100_000)), ["title", "month"]);
    }
}
