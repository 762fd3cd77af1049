//! Statements and what is known of each: its plan, its verdict, and both once the offered indexes are there.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kasoku_database::{DatabaseError, Leaning, SchemaCopy};
use kasoku_sql_plan::proof::{
    Allowance, Index, Planned, ProofRules, Purpose, Refusal, Shape, Verdict, judge, wanted,
};
use kasoku_sql_plan::{Dialect, Schema};

/// How often a plan that is refused is asked for without what it takes.
const ATTEMPTS_MAX: usize = 4;

/// A statement of a route.
pub(super) struct Case {
    /// The route's place in the plan.
    pub(super) route: usize,
    pub(super) rules: ProofRules,
    pub(super) shape: Shape,
    /// As the schema is.
    pub(super) found: Found,
    /// With the offered indexes.
    pub(super) then: Found,
}

/// A plan and its verdict.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) planned: Arc<Planned>,
    pub(super) verdict: Verdict,
}

/// All statements, over one copy of the schema.
pub(super) struct Cases<'a> {
    pub(super) copy: SchemaCopy,
    pub(super) dialect: &'static Dialect,
    pub(super) list: Vec<Case>,
    schema: &'a Schema,
    small: BTreeSet<String>,
}

impl Case {
    pub(super) fn new(route: usize, rules: ProofRules, shape: Shape) -> Self {
        let found = Found::default();
        Self { route, rules, shape, then: found.clone(), found }
    }

    /// Whether an index of this table may change its plan. A query may read tables by names that only a view knows.
    pub(super) fn may_read(&self, table: &str) -> bool {
        let is = |name: &str| name.eq_ignore_ascii_case(table);
        matches!(self.shape.purpose, Purpose::Query { .. })
            || self.shape.access.iter().any(|access| is(&access.table))
            || self.then.planned.steps.iter().any(|step| is(&step.table))
    }

    /// Whether its route demands a proof.
    pub(super) fn is_judged(&self) -> bool {
        super::is_judged(self.rules.level)
    }

    /// Whether it is refused as the schema is.
    pub(super) fn is_refused(&self) -> bool {
        self.is_judged() && self.found.is_refused()
    }
}

impl Default for Found {
    fn default() -> Self {
        let planned =
            Planned { steps: Vec::new(), sort: kasoku_sql_plan::proof::SortWork::None, lines: Vec::new() };
        Self { planned: Arc::new(planned), verdict: Verdict::Proven }
    }
}

impl Found {
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.verdict, Verdict::Refused(_))
    }

    /// Whether the plan reads an index.
    pub(super) fn uses(&self, index: &str) -> bool {
        self.planned.steps.iter().any(|step| step.index.as_deref() == Some(index))
    }
}

impl<'a> Cases<'a> {
    pub(super) fn new(
        copy: SchemaCopy,
        schema: &'a Schema,
        small: &[String],
        dialect: &'static Dialect,
    ) -> Self {
        let small = small.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { copy, dialect, list: Vec::new(), schema, small }
    }

    /// Plans and judges all statements as the schema is.
    pub(super) fn judge(&mut self) -> Result<(), DatabaseError> {
        let all: Vec<usize> = (0..self.list.len()).collect();
        for (at, found) in self.plan(&all)? {
            let case = &mut self.list[at];
            case.then = found.clone();
            case.found = found;
        }
        Ok(())
    }

    /// Plans some of them on the copy as it is now.
    pub(super) fn plan(&self, which: &[usize]) -> Result<Vec<(usize, Found)>, DatabaseError> {
        let mut known: HashMap<&Arc<str>, Arc<Planned>> = HashMap::new();
        let mut found = Vec::with_capacity(which.len());
        for at in which {
            let case = &self.list[*at];
            let planned = match known.get(&case.shape.sql) {
                Some(known) => Arc::clone(known),
                None => Arc::new(self.copy.plan(&case.shape.sql)?),
            };
            known.insert(&case.shape.sql, Arc::clone(&planned));
            found.push((*at, self.suited(case, planned)));
        }
        Ok(found)
    }

    /// The plan, or where it is refused another one that the database could make, if that is not.
    fn suited(&self, case: &Case, planned: Arc<Planned>) -> Found {
        let first = Found { verdict: self.verdict(case, &planned), planned };
        if !case.is_judged() || !first.is_refused() {
            return first;
        }
        let mut without = Vec::new();
        // What serves it, alone; then without one index after the other that the plan took instead.
        for attempt in 0..=ATTEMPTS_MAX {
            let mut used = Vec::new();
            for sorts in [false, true] {
                let leaning = Leaning { sorts, without: &without };
                // It may not be what it was without a key.
                let Ok(planned) = self.copy.plan_leaning(&case.shape.sql, &leaning) else { continue };
                let Some(planned) = planned else { return first };
                let other = Found { verdict: self.verdict(case, &planned), planned: Arc::new(planned) };
                if !other.is_refused() {
                    return other;
                }
                used.extend(other.planned.steps.iter().filter_map(|step| step.index.clone()));
            }
            if attempt == 0 {
                let beside = self.beside(case);
                if !beside.is_empty() {
                    without = beside;
                    continue;
                }
            }
            used.retain(|name| !without.contains(name));
            if used.is_empty() {
                break;
            }
            without.extend(used);
        }
        first
    }

    /// The indexes beside those that serve a statement, if one does.
    fn beside(&self, case: &Case) -> Vec<String> {
        let wants = wanted(&case.shape, &case.rules, self.dialect);
        let serves = |index: &Index| wants.iter().any(|want| want.is_served_by(index, self.dialect));
        let indexes = self.copy.indexes();
        let served: Vec<&str> =
            indexes.iter().filter(|index| serves(index)).map(|index| index.table.as_str()).collect();
        let others = indexes.iter().filter(|index| served.contains(&index.table.as_str()) && !serves(index));
        others.map(|index| index.name.clone()).collect()
    }

    fn verdict(&self, case: &Case, planned: &Planned) -> Verdict {
        let small = |table: &str| self.small.contains(&table.to_ascii_lowercase());
        let known = |table: &str| self.schema.table(table).is_some_and(|table| !table.view);
        judge(&case.shape, planned, self.copy.indexes(), &case.rules, &small, &known)
    }

    /// Accepts that declared queries sort what they found, where no index helped.
    pub(super) fn accept_sorts(&mut self) {
        for case in &mut self.list {
            let is_query = matches!(case.shape.purpose, Purpose::Query { .. });
            if is_query && matches!(case.then.verdict, Verdict::Refused(Refusal::Sorts { .. })) {
                case.then.verdict = Verdict::Accepted(Allowance::SortsFound);
                case.found = case.then.clone();
            }
        }
    }
}
