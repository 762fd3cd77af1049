//! What is demanded of the statements of a route: the level, and columns that the route filters by.

use kasoku_sql_plan::TableRules;
use kasoku_sql_plan::proof::{ProofLevel, ProofRules};

use super::Check;
use crate::diagnostic::{Finding, did_you_mean};
use crate::plan::SourcePlan;
use crate::tree::KeyPath;
use crate::written::{Proof, ProofName, ProofOrName, Route, Written};

/// Sets of filters that go together, at the most.
const SETS_MAX: usize = 64;

/// Columns of such a set.
const SET_COLUMNS: std::ops::RangeInclusive<usize> = 2..=4;

/// What a route demands.
pub(super) fn rules(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Route,
    all: &Written,
    source: Option<&SourcePlan>,
) -> ProofRules {
    let usual = all.database.as_ref().map_or_else(ProofName::default, |database| database.proof);
    let at = at.key("proof");
    let proof = match &written.proof {
        None => Proof::default(),
        Some(ProofOrName::Name(name)) => Proof { level: Some(*name), ..Proof::default() },
        Some(ProofOrName::Proof(proof)) => proof.clone(),
    };
    let level = match proof.level.unwrap_or(usual) {
        ProofName::Require => ProofLevel::Require,
        ProofName::Warn => ProofLevel::Warn,
        ProofName::Off => ProofLevel::Off,
    };
    let mut rules = ProofRules { level, ..ProofRules::default() };
    match source {
        Some(SourcePlan::Table(table)) => {
            rules.together = together(check, &at.key("together"), &proof.together, table);
            rules.may_sort = columns(check, &at.key("may_sort"), &proof.may_sort, table);
            rules.may_skip = columns(check, &at.key("may_skip"), &proof.may_skip, table);
        }
        Some(_) => {
            let lists = [
                ("together", proof.together.is_empty()),
                ("may_sort", proof.may_sort.is_empty()),
                ("may_skip", proof.may_skip.is_empty()),
            ];
            for (name, _) in lists.into_iter().filter(|(_, is_empty)| !is_empty) {
                let finding = Finding::error(format!("`{name}` means nothing to a `query` route"));
                check.key(&at.key(name), finding.label("belongs to `table` routes"));
            }
        }
        None => {}
    }
    rules
}

fn together(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &[Vec<String>],
    table: &TableRules,
) -> Vec<Vec<String>> {
    if written.len() > SETS_MAX {
        let finding = Finding::error(format!("there are more than {SETS_MAX} sets of filters"));
        check.value(at, finding.label("expected those that callers really use"));
        return Vec::new();
    }
    let mut sets = Vec::with_capacity(written.len());
    for (place, names) in written.iter().enumerate() {
        let here = at.index(place);
        let set = columns(check, &here, names, table);
        if SET_COLUMNS.contains(&names.len()) {
            sets.push(set);
        } else {
            let finding = Finding::error("filters that go together are two to four columns");
            check.value(&here, finding.label(format!("{} here", names.len())));
        }
    }
    sets
}

/// Columns that the route filters by, by their own names.
fn columns(check: &mut Check<'_>, at: &KeyPath, written: &[String], table: &TableRules) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(written.len());
    for (place, name) in written.iter().enumerate() {
        let Some(known) = table.filter.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            let finding = Finding::error(format!("callers cannot filter by `{name}`"))
                .label("expected a column out of `filter`")
                .hint_if(did_you_mean(name, table.filter.iter().map(String::as_str)));
            check.value(&at.index(place), finding);
            continue;
        };
        if names.contains(known) {
            check.value(&at.index(place), Finding::error(format!("`{name}` is there twice")));
        } else {
            names.push(known.clone());
        }
    }
    names
}
