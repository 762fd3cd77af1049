//! Keyset pages: the order of a list, and the condition that a row lies behind another.
//!
//! The columns that tell rows apart are added to a sort that is not provably unique, in the direction of its last
//! term, so that one index serves all. NULLs are never compared. Where the first column may be NULL, its rows are
//! two segments, those with a value and those without, which are read by two statements; where a later column may
//! be NULL, its rows are told apart by a condition that no index serves, within rows that are equal before it.

mod behind;

use crate::Value;
use crate::branch::Scope;
use crate::cursor::Direction;
use crate::dialect::Dialect;
use crate::grammar::order::AskedTerm;
use crate::sql::SqlText;
use behind::{Behind, Bound};

/// A term of a complete sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) by: By,
    /// What is sorted by, as SQL.
    pub(crate) sql: Box<str>,
    pub(crate) nullable: bool,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// What a term sorts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// A column, by its place in the table.
    Column(usize),
    /// The hidden row identity.
    Identity,
    /// A column of the only row that an embed has: the embed's place among the route's, the column's in its table.
    Related(usize, usize),
}

/// A complete sort, in both directions.
#[derive(Debug, Clone)]
pub(crate) struct Sorting {
    pub(crate) forward: Vec<Term>,
    pub(crate) back: Vec<Term>,
    /// How many terms the route declared; those behind tell rows apart.
    declared: usize,
    /// The sort in bytes, by column names: it means the same after a restart with other rules.
    pub(crate) encoded: Vec<u8>,
}

/// Which rows of a list a statement reads, seen by the first column of the sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    /// All of them.
    Whole,
    /// Those with a value.
    Valued,
    /// Those with NULL.
    Null,
}

/// What one statement reads: a segment, from its start or from behind a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seek<'a> {
    /// In the direction of the walk.
    pub(crate) terms: &'a [Term],
    pub(crate) segment: Segment,
    /// The values of the row, one for each term.
    pub(crate) after: Option<&'a [Value]>,
}

impl Term {
    fn flipped(&self) -> Self {
        Self { descending: !self.descending, nulls_first: !self.nulls_first, ..self.clone() }
    }

    /// The column, if it is one of the table.
    pub(crate) fn column(&self) -> Option<usize> {
        match self.by {
            By::Column(place) => Some(place),
            By::Identity | By::Related(..) => None,
        }
    }

    /// Where an index in the term's direction has its NULLs.
    pub(crate) fn native_nulls_first(descending: bool, dialect: &Dialect) -> bool {
        descending != dialect.nulls_smallest
    }

    fn is_native(&self, dialect: &Dialect) -> bool {
        self.nulls_first == Self::native_nulls_first(self.descending, dialect)
    }
}

impl Sorting {
    pub(crate) fn new(forward: Vec<Term>, declared: usize) -> Self {
        let back = forward.iter().map(Term::flipped).collect();
        let mut encoded = Vec::new();
        for term in &forward {
            encoded.extend_from_slice(&(term.sql.len() as u16).to_le_bytes());
            encoded.extend_from_slice(term.sql.as_bytes());
            encoded.push(u8::from(term.descending) | u8::from(term.nulls_first) << 1);
        }
        Self { forward, back, declared, encoded }
    }

    pub(crate) fn reversed(&self) -> Self {
        Self::new(self.back.clone(), self.declared)
    }

    pub(crate) fn terms(&self, direction: Direction) -> &[Term] {
        match direction {
            Direction::Forward => &self.forward,
            Direction::Back => &self.back,
        }
    }

    /// The terms that the route declared.
    pub(crate) fn declared(&self) -> &[Term] {
        &self.forward[..self.declared]
    }

    /// The sort with the NULLs of one of its terms at the other end.
    pub(crate) fn with_nulls_turned(&self, at: usize) -> Self {
        let mut terms = self.forward.clone();
        terms[at].nulls_first = !terms[at].nulls_first;
        Self::new(terms, self.declared)
    }

    /// Whether a request asks for this sort, with the terms that were added to it or without.
    pub(crate) fn is(&self, asked: &[AskedTerm]) -> bool {
        let same =
            |(term, asked): (&Term, &AskedTerm)| term.by == asked.by && term.descending == asked.descending;
        let length = asked.len() == self.declared || asked.len() == self.forward.len();
        length && self.forward.iter().zip(asked).all(same)
    }

    /// The sort with NULLs where a request wants them; `None` if that changes nothing.
    pub(crate) fn with_nulls(&self, asked: &[AskedTerm]) -> Option<Self> {
        let mut terms = self.forward.clone();
        for (term, asked) in terms.iter_mut().zip(asked).filter(|(term, _)| term.nullable) {
            term.nulls_first = asked.nulls_first.unwrap_or(term.nulls_first);
        }
        (terms != self.forward).then(|| Self::new(terms, self.declared))
    }

    /// The sort as requests spell it.
    pub(crate) fn spelled(&self, scope: Scope<'_>) -> String {
        let terms = self.forward[..self.declared].iter().filter_map(|term| {
            let name = match term.by {
                By::Column(place) => scope.columns.field(place).name().to_owned(),
                By::Related(branch, place) => {
                    let branch = &scope.branches[branch];
                    format!("{}({})", branch.name, branch.columns.field(place).name())
                }
                By::Identity => return None,
            };
            Some(format!("{name}.{}", if term.descending { "desc" } else { "asc" }))
        });
        terms.collect::<Vec<_>>().join(",")
    }
}

impl<'a> Seek<'a> {
    /// The statements of a walk: the first, and one that goes on where the first has too few rows.
    pub(crate) fn walk(
        terms: &'a [Term],
        after: Option<&'a [Value]>,
        dialect: &Dialect,
    ) -> (Self, Option<Self>) {
        // What is summed up without groups is one row, which has no neighbours.
        let whole = |lead: &Term| !lead.nullable || (after.is_none() && lead.is_native(dialect));
        let Some(lead) = terms.first().filter(|lead| !whole(lead)) else {
            let after = after.filter(|values| !values.is_empty());
            return (Self { terms, segment: Segment::Whole, after }, None);
        };
        let (first, second) = if lead.nulls_first {
            (Segment::Null, Segment::Valued)
        } else {
            (Segment::Valued, Segment::Null)
        };
        let segment = match after {
            None => first,
            Some(values) if values[0] == Value::Null => Segment::Null,
            Some(_) => Segment::Valued,
        };
        let rest = (segment == first).then_some(Self { terms, segment: second, after: None });
        (Self { terms, segment, after }, rest)
    }

    /// What of the seek decides its text.
    pub(crate) fn shape(&self, out: &mut Vec<u8>) {
        out.push(match self.segment {
            Segment::Whole => 0,
            Segment::Valued => 1,
            Segment::Null => 2,
        });
        match self.after {
            None => out.push(0),
            Some(values) => {
                out.push(1);
                out.extend(values.iter().map(|value| u8::from(*value == Value::Null)));
            }
        }
    }

    /// Adds the values of the parameters that [`write_condition`](Self::write_condition) writes.
    pub(crate) fn bind(&self, out: &mut Vec<Value>) {
        let values = self.after.into_iter().flatten();
        out.extend(values.filter(|value| **value != Value::Null).cloned());
    }

    /// Writes the conditions that the segment and the row before it make.
    pub(crate) fn write_condition(&self, sql: &mut SqlText) {
        let Some(Term { sql: lead, .. }) = self.terms.first() else { return };
        match (self.segment, self.after) {
            (Segment::Null, _) => {
                sql.condition().push(lead).push(" is null");
            }
            (Segment::Valued, None) => {
                sql.condition().push(lead).push(" is not null");
            }
            _ => {}
        }
        if let Some(values) = self.after {
            let bounds: Vec<Bound<'_>> =
                self.terms.iter().zip(values).map(|pair| Bound::new(pair, sql)).collect();
            let skipped = self.open_terms().start;
            Behind { bounds: &bounds[skipped..], lead_valued: skipped == 0 }.write(sql);
        }
    }

    pub(crate) fn write_order(&self, sql: &mut SqlText) {
        self.write_order_as(" order by ", sql);
    }

    /// The same, where these columns are NULL in all rows: a database that does not see from that that they are equal
    /// finds the order in an index only if they stand in it.
    pub(crate) fn write_order_where_null<'t>(&self, nulls: impl Iterator<Item = &'t str>, sql: &mut SqlText) {
        let mut begin = " order by ";
        if !sql.dialect.null_is_constant {
            let descending = self.terms.first().is_some_and(|term| term.descending);
            for null in nulls.filter(|null| self.terms.iter().all(|term| &*term.sql != *null)) {
                sql.push(begin).push(null).push(if descending { " desc" } else { "" });
                begin = ", ";
            }
        }
        self.write_order_as(begin, sql);
    }

    /// The same, begun with other words.
    pub(crate) fn write_order_as(&self, begin: &str, sql: &mut SqlText) {
        let skipped = if sql.dialect.null_is_constant { self.open_terms().start } else { 0 };
        for (place, term) in self.terms.iter().enumerate().skip(skipped) {
            sql.push(if place == skipped { begin } else { ", " }).push(&term.sql);
            if term.descending {
                sql.push(" desc");
            }
            let in_segment = place == 0 && self.segment != Segment::Whole;
            if term.nullable && !in_segment && !term.is_native(sql.dialect) {
                sql.push(if term.nulls_first { " nulls first" } else { " nulls last" });
            }
        }
    }

    /// The terms that differ within the segment.
    fn open_terms(&self) -> std::ops::Range<usize> {
        usize::from(self.segment == Segment::Null)..self.terms.len()
    }
}
