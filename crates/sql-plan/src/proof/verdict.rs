//! What a plan is worth: proven, accepted by a rule that is named, or refused for a reason.

use super::ProofRules;
use super::allowance::Allowance;
use super::facts::{Index, Planned, Reach, SortWork, Step};
use super::shape::{Access, Purpose, Shape};
use crate::rules::CountRule;

/// What is said about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its rows are found, and given in order, by indexes.
    Proven,
    /// Not quite, which a rule accepts.
    Accepted(Allowance),
    /// It may read far more than it answers with.
    Refused(Refusal),
}

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It reads all of a table.
    ReadsAll {
        /// The table.
        table: String,
    },
    /// It reads rows in order and leaves out those that do not match, however many they are.
    Skips {
        /// The table.
        table: String,
        /// The columns that no search holds.
        columns: Vec<String>,
    },
    /// It sorts all that it found.
    Sorts {
        /// The table.
        table: String,
    },
    /// A later page is searched from the beginning.
    BeginsAnew {
        /// The table.
        table: String,
    },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReadsAll { table } => write!(f, "reads all of `{table}`"),
            Self::Skips { table, columns } => {
                let columns =
                    columns.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
                write!(f, "reads `{table}` until enough rows match, for no search holds {columns}")
            }
            Self::Sorts { table } => write!(f, "sorts what it finds in `{table}`"),
            Self::BeginsAnew { table } => write!(f, "reads `{table}` from the beginning for each page"),
        }
    }
}

impl Refusal {
    /// The reason in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ReadsAll { .. } => "reads-all",
            Self::Skips { .. } => "skips",
            Self::Sorts { .. } => "sorts",
            Self::BeginsAnew { .. } => "begins-anew",
        }
    }
}

/// Judges a plan. `small` are tables that may be read whole, `known` all tables that there are.
pub fn judge(
    shape: &Shape,
    planned: &Planned,
    indexes: &[Index],
    rules: &ProofRules,
    small: &dyn Fn(&str) -> bool,
    known: &dyn Fn(&str) -> bool,
) -> Verdict {
    let judge = Judge { shape, planned, indexes, rules };
    let mut verdict = match (&shape.purpose, shape.access.first()) {
        (Purpose::Query { walks }, _) => judge.query(*walks, small, known),
        (Purpose::Embed, _) => judge.embed(small),
        (_, Some(access)) if small(&access.table) => Verdict::Accepted(Allowance::Small),
        (_, Some(access)) => judge.access(access),
        (_, None) => Verdict::Proven,
    };
    if !matches!(verdict, Verdict::Refused(_))
        && let Some(table) = judge.read_aside(small, known)
    {
        verdict = Verdict::Refused(Refusal::ReadsAll { table });
    }
    verdict
}

struct Judge<'a> {
    shape: &'a Shape,
    planned: &'a Planned,
    indexes: &'a [Index],
    rules: &'a ProofRules,
}

impl Judge<'_> {
    /// A statement of a `table` route.
    fn access(&self, access: &Access) -> Verdict {
        let Some(step) = self.step(&access.table) else {
            // Nothing is read, as for an empty list of values.
            return Verdict::Proven;
        };
        if step.reach == Reach::Point && !access.equal.is_empty() {
            return Verdict::Proven;
        }
        let mut allowance = None;
        let missing = self.missing(access, step);
        // Few rows have the value that the search holds, so whatever is done with them is little.
        let few =
            step.reach != Reach::All && step.equal.iter().any(|name| self.rules.may_sort.contains(name));
        if few && (!missing.is_empty() || self.planned.sort != SortWork::None) {
            return Verdict::Accepted(Allowance::MaySort);
        }
        if !missing.is_empty() {
            let allowed = missing.iter().all(|column| self.rules.may_skip.contains(column));
            let limited = matches!(
                self.shape.purpose,
                Purpose::Page | Purpose::Count(CountRule::Capped | CountRule::None)
            );
            if !(allowed && limited && self.planned.sort == SortWork::None) {
                let table = access.table.clone();
                let ordered = limited && self.planned.sort == SortWork::None;
                return Verdict::Refused(if step.reach == Reach::All && !ordered {
                    Refusal::ReadsAll { table }
                } else {
                    Refusal::Skips { table, columns: missing }
                });
            }
            allowance = Some(Allowance::MaySkip);
        } else if access.filters().next().is_none() && self.shape.purpose == Purpose::Count(CountRule::Exact)
        {
            return Verdict::Accepted(Allowance::CountsAll);
        }
        match self.sorted(access) {
            Ok(rule) => allowance = allowance.max(rule),
            Err(refusal) => return Verdict::Refused(refusal),
        }
        if self.begins_anew(access, step) {
            return Verdict::Refused(Refusal::BeginsAnew { table: access.table.clone() });
        }
        if allowance.is_none() && !self.leaves_out_deleted(access, step) {
            allowance = Some(Allowance::SkipsDeleted);
        }
        allowance.map_or(Verdict::Proven, Verdict::Accepted)
    }

    /// Filters that no search holds.
    fn missing(&self, access: &Access, step: &Step) -> Vec<String> {
        let condition = step.index.as_ref().and_then(|name| self.index(name));
        let held = |column: &&String| {
            step.equal.contains(column) || condition.is_some_and(|index| index.holds_where_null(column))
        };
        let equal = access.equal.iter().filter(|column| !held(column));
        let bounded = |column: &&String| step.bounded.as_ref() == Some(column);
        equal.chain(access.range.iter().filter(|column| !bounded(column))).cloned().collect()
    }

    /// What accepts that rows are sorted.
    fn sorted(&self, access: &Access) -> Result<Option<Allowance>, Refusal> {
        let sorts = Refusal::Sorts { table: access.table.clone() };
        match self.planned.sort {
            SortWork::None => Ok(None),
            SortWork::Ties if access.nulls_chosen => Ok(Some(Allowance::NullsChosen)),
            _ if access.listed => Ok(Some(Allowance::SortsListed)),
            // A range of such a column is found by its index.
            _ if access.range.as_ref().is_some_and(|column| self.rules.may_sort.contains(column)) => {
                Ok(Some(Allowance::MaySort))
            }
            _ => Err(sorts),
        }
    }

    /// Whether a page behind a row is not searched for by what it is sorted by. A column that a filter holds to one
    /// value says nothing about where a page begins.
    fn begins_anew(&self, access: &Access, step: &Step) -> bool {
        let led_by_filter = access
            .order
            .first()
            .is_some_and(|term| term.name.as_ref().is_some_and(|name| access.equal.contains(name)));
        if !access.after || self.planned.sort != SortWork::None || led_by_filter {
            return false;
        }
        let open =
            access.open_order().find(|term| term.name.as_ref().is_none_or(|name| !step.equal.contains(name)));
        open.is_some_and(|term| step.bounded.is_none() || (term.name.is_some() && step.bounded != term.name))
    }

    fn leaves_out_deleted(&self, access: &Access, step: &Step) -> bool {
        let Some(column) = &access.null else { return true };
        let index = step.index.as_ref().and_then(|name| self.index(name));
        step.equal.contains(column) || index.is_some_and(|index| index.holds_where_null(column))
    }

    /// A declared query: each table by a search, unless it is small.
    fn query(&self, walks: bool, small: &dyn Fn(&str) -> bool, known: &dyn Fn(&str) -> bool) -> Verdict {
        let large = |step: &&Step| {
            let table = self.called(&step.table);
            known(table) && !small(table)
        };
        let steps: Vec<&Step> = self.planned.steps.iter().filter(large).collect();
        let whole = steps.iter().find(|step| step.reach == Reach::All);
        let walked = walks && self.planned.steps.len() == 1 && self.planned.sort == SortWork::None;
        if let Some(step) = whole.filter(|_| !walked) {
            return Verdict::Refused(Refusal::ReadsAll { table: self.called(&step.table).to_owned() });
        }
        match (steps.first(), self.planned.sort) {
            (None, _) if !self.planned.steps.is_empty() => Verdict::Accepted(Allowance::Small),
            (None, _) | (_, SortWork::None) => Verdict::Proven,
            // One row, or a few: there is next to nothing to sort.
            _ if steps.iter().all(|step| step.reach == Reach::Point) => Verdict::Proven,
            (Some(step), _) => {
                Verdict::Refused(Refusal::Sorts { table: self.called(&step.table).to_owned() })
            }
        }
    }

    /// An embed: the rows of each table by what they are embedded in.
    fn embed(&self, small: &dyn Fn(&str) -> bool) -> Verdict {
        let large = self.shape.access.iter().zip(&self.shape.aliases);
        let mut large = large.filter(|(access, _)| !small(&access.table)).peekable();
        if large.peek().is_none() {
            return Verdict::Accepted(Allowance::Small);
        }
        let mut all_points = true;
        for (access, (alias, _)) in large {
            let Some(step) = self.step(alias).filter(|step| step.reach != Reach::Point) else { continue };
            all_points = false;
            let missing = self.missing(access, step);
            if !missing.is_empty() {
                let table = access.table.clone();
                return Verdict::Refused(match step.reach {
                    Reach::All => Refusal::ReadsAll { table },
                    _ => Refusal::Skips { table, columns: missing },
                });
            }
        }
        let sorts = !all_points && self.planned.sort != SortWork::None;
        if sorts { Verdict::Accepted(Allowance::SortsEmbedded) } else { Verdict::Proven }
    }

    /// A table that is read whole besides the one that the statement is about, by a trigger or a view.
    fn read_aside(&self, small: &dyn Fn(&str) -> bool, known: &dyn Fn(&str) -> bool) -> Option<String> {
        if matches!(self.shape.purpose, Purpose::Query { .. } | Purpose::Embed) {
            return None;
        }
        let own = self.shape.access.first().map(|access| access.table.as_str());
        let aside = self.planned.steps.iter().filter(|step| own != Some(step.table.as_str()));
        let mut whole =
            aside.filter(|step| step.reach == Reach::All && known(&step.table) && !small(&step.table));
        whole.next().map(|step| step.table.clone())
    }

    fn step(&self, table: &str) -> Option<&Step> {
        self.planned.steps.iter().find(|step| step.table.eq_ignore_ascii_case(table))
    }

    fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// The table behind an alias.
    fn called<'a>(&'a self, alias: &'a str) -> &'a str {
        let found = self.shape.aliases.iter().find(|(name, _)| name.eq_ignore_ascii_case(alias));
        found.map_or(alias, |(_, table)| table)
    }
}
