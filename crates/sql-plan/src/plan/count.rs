//! Counts of a list, in the ways that a route allows.

use super::condition;
use super::{Statement, TablePlanner};
use crate::grammar::filter::Node;
use crate::grammar::select::AskedEmbed;
use crate::rules::CountRule;
use crate::sql::{SqlText, Written};
use crate::{ColumnKind, Value};

/// The shape of no filters at all.
const NO_FILTERS: &[u8] = &[0];

/// How to count the rows of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct CountPlan {
    /// What is counted; not always what was asked for, since only a whole table can be estimated.
    pub rule: CountRule,
    /// Gives one row with one number, or NULL.
    pub statement: Statement,
    /// Run instead where the first statement cannot be prepared, as there are no statistics yet, or gives NULL.
    pub otherwise: Option<Statement>,
    cap: u64,
}

/// A total, and how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exact(u64),
    /// So many, and there are more.
    AtLeast(u64),
    /// About so many; possibly far off.
    Estimated(u64),
    /// Nothing is known.
    Unknown,
}

impl CountPlan {
    /// What the number of a statement means.
    pub fn total(&self, counted: Option<i64>) -> Total {
        match (self.rule, counted.and_then(|counted| u64::try_from(counted).ok())) {
            (CountRule::None, _) | (_, None) => Total::Unknown,
            (CountRule::Estimated, Some(rows)) => Total::Estimated(rows),
            (CountRule::Capped, Some(rows)) if rows > self.cap => Total::AtLeast(self.cap),
            (CountRule::Capped | CountRule::Exact, Some(rows)) => Total::Exact(rows),
        }
    }
}

impl TablePlanner {
    /// The count that a route gives to whoever asks for this one: that, or one that is as good where it is known;
    /// `None` if it gives nothing of the kind.
    pub fn count_for(&self, asked: CountRule) -> Option<CountRule> {
        let as_good: &[CountRule] = match asked {
            CountRule::None => return Some(CountRule::None),
            CountRule::Estimated => &[CountRule::Estimated, CountRule::Capped, CountRule::Exact],
            CountRule::Capped => &[CountRule::Capped, CountRule::Exact],
            CountRule::Exact => &[CountRule::Exact],
        };
        let counts = &self.counts;
        as_good.iter().copied().find(|rule| counts.allowed.contains(rule) || counts.default == *rule)
    }

    /// The counts that a request may ask for.
    pub fn counts_allowed(&self) -> &[CountRule] {
        &self.counts.allowed
    }

    /// The count of a list with these filters and embeds that rows must have. `values` are theirs.
    pub(super) fn count(
        &self,
        (nodes, embeds): (&[Node], &[AskedEmbed]),
        filters: &[u8],
        values: &[Value],
        preferred: Option<CountRule>,
    ) -> Option<CountPlan> {
        let counts = &self.counts;
        let mut rule = preferred.and_then(|rule| self.count_for(rule)).unwrap_or(counts.default);
        // Statistics know tables, not filters.
        if rule == CountRule::Estimated && (filters != NO_FILTERS || self.soft_delete.is_some()) {
            rule = CountRule::Capped;
        }
        let (statement, otherwise) = match rule {
            CountRule::None => return None,
            CountRule::Estimated => return Some(self.estimate()),
            CountRule::Capped | CountRule::Exact => {
                (self.counted(rule, (nodes, embeds), filters, values), None)
            }
        };
        Some(CountPlan { rule, statement, otherwise, cap: counts.cap })
    }

    fn counted(
        &self,
        rule: CountRule,
        (nodes, embeds): (&[Node], &[AskedEmbed]),
        filters: &[u8],
        values: &[Value],
    ) -> Statement {
        let mut key = vec![rule as u8];
        key.extend_from_slice(filters);
        let capped = rule == CountRule::Capped;
        let written = self.counters.get_or_make(&key, || {
            let mut sql = SqlText::new(self.dialect, "select count(*) from ");
            sql.push(if capped { "(select 1 from " } else { "" }).push(&self.quoted);
            self.write_existing(&mut sql);
            condition::write(nodes, &self.columns, &mut sql);
            self.write_presence(embeds, &mut sql);
            if capped {
                sql.push(" limit ");
                sql.param();
                // PostgreSQL before 16 wants a name.
                sql.push(") as counted");
            }
            sql.finish(&self.table, "count")
        });
        let mut params = values.to_vec();
        if capped {
            params.push(Value::Integer(i64::try_from(self.counts.cap).unwrap_or(i64::MAX).saturating_add(1)));
        }
        Statement::new(&written, params)
    }

    /// The number of rows at the last `analyze`; before the first one, the largest number of a row, where rows are
    /// numbered, or else a capped count.
    fn estimate(&self) -> CountPlan {
        let statistics = self.counters.get_or_make(b"statistics", || {
            SqlText::new(self.dialect, self.dialect.statistics).finish(&self.table, "estimate")
        });
        let name = if self.dialect.statistics_quoted { &self.quoted } else { &self.table };
        let table = vec![Value::Text(name.to_string())];
        let numbered = match self.key[..] {
            [key] if self.columns.field(key).kind == ColumnKind::Integer => {
                Some(self.counters.get_or_make(b"largest", || self.write_largest(key)))
            }
            _ => None,
        };
        match numbered {
            Some(largest) => CountPlan {
                rule: CountRule::Estimated,
                statement: Statement::new(&statistics, table),
                otherwise: Some(Statement::new(&largest, Vec::new())),
                cap: self.counts.cap,
            },
            None => CountPlan {
                rule: CountRule::Estimated,
                statement: Statement::new(&statistics, table),
                otherwise: Some(self.counted(CountRule::Capped, (&[], &[]), NO_FILTERS, &[])),
                cap: self.counts.cap,
            },
        }
    }

    fn write_largest(&self, key: usize) -> Written {
        let mut sql = SqlText::new(self.dialect, "select max(");
        sql.push(&self.columns.field(key).quoted).push(") from ").push(&self.quoted);
        sql.finish(&self.table, "estimate")
    }
}
