//! A planner for one caller: the row rules of its route with what is known of the caller.

use std::ops::Deref;
use std::sync::Arc;

use kasoku_problem::Problem;

use super::TablePlanner;
use super::table::Settled;
use crate::Value;
use crate::grammar::filter::Node;
use crate::grammar::{self, Asked, Parameters};
use crate::row_rule::{Known, RowRule, rule_embeds};
use crate::rules::PageRules;

impl TablePlanner {
    /// The names under which rules ask for what is known of a caller.
    pub fn asked_of_caller(&self) -> &[String] {
        &self.asked_of_caller
    }

    /// The same for a caller of whom this is known. Without it, and where nothing is known, rules hold for no row.
    #[must_use]
    pub fn for_caller<'c>(&self, known: impl Fn(&str) -> Option<&'c str>) -> Self {
        if self.asked_of_caller.is_empty() {
            return self.clone();
        }
        let asked = self.asked_of_caller.iter();
        let known = asked.filter_map(|name| Some((name.clone(), known(name)?.to_owned())));
        Self { settled: Arc::clone(&self.settled), caller: Arc::new(Known(known.collect())) }
    }

    /// Reads a query string. What is embedded follows its rules from here on.
    pub(crate) fn read(
        &self,
        page: PageRules,
        accepted: Parameters,
        query: Option<&str>,
    ) -> Result<Asked, Problem> {
        let mut asked = grammar::read(self.scope(), page, accepted, query)?;
        if let Some(selection) = &mut asked.selection {
            rule_embeds(&mut selection.embeds, &self.branches, &self.caller);
        }
        Ok(asked)
    }

    /// The route's rule as filters.
    pub(crate) fn rule_nodes(&self) -> Vec<Node> {
        self.rule.as_ref().map_or_else(Vec::new, |rule| rule.nodes(&self.columns, &self.caller))
    }

    /// Columns of new rows that the caller need not give, and what they get.
    pub(crate) fn given_by_rule(&self) -> impl Iterator<Item = (usize, Value)> {
        let given = self.rule.iter().flat_map(RowRule::given);
        given.map(|(place, with)| (place, with.value(self.columns.field(place).kind, &self.caller)))
    }
}

impl Deref for TablePlanner {
    type Target = Settled;

    fn deref(&self) -> &Settled {
        &self.settled
    }
}
