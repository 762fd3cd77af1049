//! A proof as people read it.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use kasoku_sql_plan::proof::{Allowance, STATEMENTS_MAX};

use super::report::{Finding, Proof, SpareIndex, SpareReason};

/// All rules that accept a statement.
const ALLOWANCES: [Allowance; 9] = [
    Allowance::SkipsDeleted,
    Allowance::NullsChosen,
    Allowance::SortsListed,
    Allowance::SortsEmbedded,
    Allowance::MaySort,
    Allowance::MaySkip,
    Allowance::SortsFound,
    Allowance::CountsAll,
    Allowance::Small,
];

impl Proof {
    /// The migration alone: nothing where no index is missing.
    pub fn migration_sql(&self) -> String {
        let mut text = String::new();
        for offer in &self.migration {
            let noun = if offer.statements == 1 { "statement" } else { "statements" };
            let routes = offer.routes.join(", ");
            let _infallible = writeln!(text, "-- For {} {noun} of {routes}", offer.statements);
            let _infallible = writeln!(text, "{}\n-- undo: {}", offer.create, offer.undo);
        }
        text
    }

    /// How many statements of judged routes there are: in all, proven, accepted, refused.
    fn totals(&self) -> [usize; 4] {
        let judged = self.routes.iter().filter(|route| route.level != "off");
        judged.fold([0; 4], |[all, proven, accepted, refused], route| {
            let by_rules: usize = route.accepted.values().sum();
            [
                all + route.proven + by_rules + route.refused,
                proven + route.proven,
                accepted + by_rules,
                refused + route.refused,
            ]
        })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            write!(f, "{finding}")?;
        }
        if !self.migration.is_empty() {
            writeln!(
                f,
                "Missing indexes, each tried on an empty copy of the schema:\n\n{}",
                self.migration_sql()
            )?;
        }
        for request in &self.worsened {
            writeln!(f, "warning: with these indexes, {request} would be planned worse than without\n")?;
        }
        for spare in &self.spare {
            write!(f, "{spare}")?;
        }
        let [all, proven, accepted, refused] = self.totals();
        if all == 0 {
            return Ok(());
        }
        writeln!(
            f,
            "proof: {all} statements, {proven} proven, {accepted} accepted by a rule, {refused} refused"
        )?;
        let mut by_rule: BTreeMap<&str, usize> = BTreeMap::new();
        for (rule, count) in self.routes.iter().flat_map(|route| &route.accepted) {
            *by_rule.entry(rule).or_default() += count;
        }
        for allowance in ALLOWANCES {
            if let Some(count) = by_rule.get(allowance.name()) {
                writeln!(f, "  {count} accepted: {}", allowance.says())?;
            }
        }
        for route in self.routes.iter().filter(|route| route.cut) {
            writeln!(
                f,
                "  {}: has more than {STATEMENTS_MAX} statements; the rest is not proven",
                route.route
            )?;
        }
        let off = self.routes.iter().filter(|route| route.level == "off");
        for route in off {
            writeln!(f, "  {}: not looked at, as it says `proof = \"off\"`", route.route)?;
        }
        writeln!(
            f,
            "  looked at: each filter alone, the sets in `together`, each sort both ways, all pages, totals, embeds, changes\n  \
             not looked at: other sets of filters, `or`, conditions on related rows, sums, and other operators than eq, in, is, gt, gte, lt and lte"
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}[proof]: {}", self.severity, self.says)?;
        writeln!(f, "  plan: {}", self.plan.join("; "))?;
        for other in &self.others {
            writeln!(f, "  also: {other}")?;
        }
        let left = self.statements.saturating_sub(1 + self.others.len());
        if left > 0 {
            writeln!(f, "  and {left} more {}", if left == 1 { "statement" } else { "statements" })?;
        }
        match (&self.index, &self.advice) {
            (Some(index), _) => writeln!(f, "  help: the index `{index}`, below")?,
            (None, Some(advice)) => writeln!(f, "  help: {advice}")?,
            (None, None) => {}
        }
        writeln!(f)
    }
}

impl fmt::Display for SpareIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, table, reason, by, drop } = self;
        let by = by.as_deref().unwrap_or_default();
        match reason {
            SpareReason::Unread => {
                writeln!(f, "note: no statement of the routes reads the index `{name}` of `{table}`")?;
            }
            SpareReason::Duplicate => {
                writeln!(f, "note: the index `{name}` of `{table}` is the same as `{by}`")?;
            }
            SpareReason::Beginning => {
                writeln!(
                    f,
                    "note: the index `{name}` of `{table}` is the beginning of `{by}`, which serves as well"
                )?;
            }
        }
        writeln!(f, "  if nothing else needs it: {drop}\n")
    }
}
