//! The condition that a row lies behind another in a sort.

use super::Term;
use crate::Value;
use crate::sql::SqlText;

/// A term and the value to lie behind.
pub(super) struct Bound<'a> {
    term: &'a Term,
    /// The number of the value's parameter; `None` if it is NULL.
    param: Option<usize>,
}

impl<'a> Bound<'a> {
    pub(super) fn new((term, value): (&'a Term, &Value), sql: &mut SqlText) -> Self {
        Self { term, param: (*value != Value::Null).then(|| sql.reserve()) }
    }

    fn operator(&self) -> &'static str {
        if self.term.descending { " < " } else { " > " }
    }
}

/// The condition of lying behind a row.
pub(super) struct Behind<'b, 'a> {
    pub(super) bounds: &'b [Bound<'a>],
    /// Whether the first column has a value in every row of the segment.
    pub(super) lead_valued: bool,
}

impl Behind<'_, '_> {
    pub(super) fn write(&self, sql: &mut SqlText) {
        let Some(first) = self.bounds.first() else {
            // The row's only column is NULL and unique, so nothing lies behind it within its segment.
            sql.condition().push("1 = 0");
            return;
        };
        let plain = |place: usize, bound: &Bound<'_>| {
            let valued = !bound.term.nullable || (place == 0 && self.lead_valued);
            valued && bound.term.descending == first.term.descending
        };
        if self.bounds.iter().enumerate().all(|(place, bound)| plain(place, bound)) {
            self.write_row_values(sql, first);
        } else {
            self.write_lexicographic(sql, first);
        }
    }

    /// `(a, b) > (?1, ?2)`, which an index in the same directions serves as one range.
    fn write_row_values(&self, sql: &mut SqlText, first: &Bound<'_>) {
        let several = self.bounds.len() > 1;
        sql.condition().push(if several { "(" } else { "" });
        sql.list(self.bounds.iter().map(|bound| &*bound.term.sql));
        sql.push(if several { ")" } else { "" }).push(first.operator()).push(if several { "(" } else { "" });
        for (place, bound) in self.bounds.iter().enumerate() {
            if place > 0 {
                sql.push(", ");
            }
            sql.param_again(bound.param.expect("values of columns that are never NULL"));
        }
        sql.push(if several { ")" } else { "" });
    }

    /// `a >= ?1 and (a > ?1 or (a = ?1 and b < ?2))`. The first part says nothing new, but an index can use it,
    /// while the second is hidden from indexes, which would serve its halves apart and then have to sort.
    fn write_lexicographic(&self, sql: &mut SqlText, first: &Bound<'_>) {
        let valued_behind = !first.term.nullable || self.lead_valued || first.term.nulls_first;
        if let (Some(param), true) = (first.param, valued_behind) {
            sql.condition().push(&first.term.sql);
            sql.push(if first.term.descending { " <= " } else { " >= " });
            sql.param_again(param);
        }
        sql.condition();
        self.write_from(sql, 0);
    }

    fn write_from(&self, sql: &mut SqlText, place: usize) {
        let bound = &self.bounds[place];
        let last = place + 1 == self.bounds.len();
        if last {
            return self.write_behind(sql, place);
        }
        sql.push("(");
        self.write_behind(sql, place);
        let unindexed = sql.dialect.unindexed;
        sql.push(" or (").push(unindexed).push(&bound.term.sql);
        match bound.param {
            Some(param) => {
                sql.push(" = ");
                sql.param_again(param);
            }
            None => {
                sql.push(" is null");
            }
        }
        sql.push(" and ");
        self.write_from(sql, place + 1);
        sql.push("))");
    }

    /// That one column alone puts a row behind.
    fn write_behind(&self, sql: &mut SqlText, place: usize) {
        let Bound { term, param } = &self.bounds[place];
        let column = &term.sql;
        let unindexed = sql.dialect.unindexed;
        let nulls_behind = term.nullable && !term.nulls_first && !(place == 0 && self.lead_valued);
        match param {
            Some(param) => {
                sql.push(if nulls_behind { "(" } else { "" }).push(unindexed).push(column);
                sql.push(self.bounds[place].operator());
                sql.param_again(*param);
                if nulls_behind {
                    sql.push(" or ").push(unindexed).push(column).push(" is null)");
                }
            }
            None if term.nulls_first => {
                sql.push(unindexed).push(column).push(" is not null");
            }
            None => {
                sql.push("1 = 0");
            }
        }
    }
}
