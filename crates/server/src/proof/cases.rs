//! Statements and what is known of each: its plan, its verdict, and both once the offered indexes are there.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kasoku_database::{DatabaseError, SchemaCopy};
use kasoku_sql_plan::proof::{Allowance, Planned, ProofRules, Purpose, Refusal, Shape, Verdict, judge};
use kasoku_sql_plan::{Dialect, Schema};

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
        let mut planned: HashMap<&Arc<str>, Arc<Planned>> = HashMap::new();
        let mut found = Vec::with_capacity(which.len());
        for at in which {
            let case = &self.list[*at];
            let plan = if let Some(known) = planned.get(&case.shape.sql) {
                Arc::clone(known)
            } else {
                let plan = Arc::new(self.copy.plan(&case.shape.sql)?);
                planned.insert(&case.shape.sql, Arc::clone(&plan));
                plan
            };
            found.push((*at, Found { verdict: self.verdict(case, &plan), planned: plan }));
        }
        Ok(found)
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
