//! What was proven, put together: per route, what is refused and why, and the indexes that would change that.

use std::collections::BTreeMap;

use kasoku_config::{Plan, RoutePlan};
use kasoku_sql_plan::proof::{Offer, ProofLevel, Refusal, Verdict};
use serde::Serialize;

use super::cases::{Case, Cases};

/// Requests that a finding names; further ones are counted.
const REQUESTS_NAMED: usize = 5;

/// What was proven.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The routes that answer from the database.
    pub routes: Vec<ProvenRoute>,
    /// What is refused, in the order of the routes.
    pub findings: Vec<Finding>,
    /// The indexes that are missing.
    pub migration: Vec<OfferedIndex>,
    /// Indexes that are there for nothing.
    pub spare: Vec<SpareIndex>,
    /// Requests whose statements would be refused once the migration is applied, and are not refused without it.
    pub worsened: Vec<String>,
}

/// A route's statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenRoute {
    /// Its pattern.
    pub route: String,
    /// What is demanded: `require`, `warn` or `off`.
    pub level: &'static str,
    /// Requests that were looked at.
    pub requests: usize,
    /// Statements that they lead to, each counted once.
    pub statements: usize,
    /// How many of them are proven.
    pub proven: usize,
    /// How many are accepted, by the rule that accepts them.
    pub accepted: BTreeMap<&'static str, usize>,
    /// How many are refused.
    pub refused: usize,
    /// Whether there are more statements than are looked at.
    pub cut: bool,
}

/// Statements of a route that are refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The route.
    pub route: String,
    /// A request that leads to one of them.
    pub request: String,
    /// Some of the others.
    pub others: Vec<String>,
    /// How many statements there are.
    pub statements: usize,
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, in a sentence that begins with the request.
    pub says: String,
    /// The plan of the first, in the database's own words.
    pub plan: Vec<String>,
    /// The index that would serve them.
    pub index: Option<String>,
    /// What may be done where no index would.
    pub advice: Option<String>,
}

/// An index that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferedIndex {
    /// Its name.
    pub name: String,
    /// The statement that makes it.
    pub create: String,
    /// The statement that takes it away.
    pub undo: String,
    /// The routes that need it.
    pub routes: Vec<String>,
    /// How many of their statements use it.
    pub statements: usize,
}

/// An index that is there for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpareIndex {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: String,
    /// Why.
    pub reason: SpareReason,
    /// The index that replaces it.
    pub by: Option<String>,
    /// The statement that takes it away.
    pub drop: String,
}

/// Why an index is there for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpareReason {
    /// No statement of the routes reads it.
    Unread,
    /// Another one is the same.
    Duplicate,
    /// Another one begins with it.
    Beginning,
}

impl Proof {
    /// Whether something that is required is missing.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == "error")
    }
}

impl ProvenRoute {
    pub(super) fn new(route: &RoutePlan, requests: usize, statements: usize, cut: bool) -> Self {
        Self {
            route: route.name.pattern.to_string(),
            level: match route.proof.level {
                ProofLevel::Require => "require",
                ProofLevel::Warn => "warn",
                ProofLevel::Off => "off",
            },
            requests,
            statements,
            proven: 0,
            accepted: BTreeMap::new(),
            refused: 0,
            cut,
        }
    }
}

pub(super) fn report(
    plan: &Plan,
    mut routes: Vec<ProvenRoute>,
    cases: &Cases<'_>,
    offers: Vec<Offer>,
    spare: Vec<SpareIndex>,
) -> Proof {
    let pattern = |case: &Case| plan.routes[case.route].name.pattern.to_string();
    let judged: Vec<&Case> = cases.list.iter().filter(|case| case.is_judged()).collect();
    for case in &judged {
        let name = pattern(case);
        let Some(route) = routes.iter_mut().find(|route| route.route == name) else { continue };
        match &case.found.verdict {
            Verdict::Proven => route.proven += 1,
            Verdict::Accepted(allowance) => *route.accepted.entry(allowance.name()).or_default() += 1,
            Verdict::Refused(_) => route.refused += 1,
        }
    }
    let mut findings: Vec<(String, Finding)> = Vec::new();
    for case in judged.iter().filter(|case| case.is_refused()) {
        let Verdict::Refused(refusal) = &case.found.verdict else { continue };
        let index = serving(case, &offers);
        let group =
            format!("{} {index:?} {}", case.route, index.as_ref().map_or(refusal.to_string(), String::clone));
        match findings.iter_mut().find(|(known, _)| *known == group) {
            Some((_, finding)) => {
                finding.statements += 1;
                let request = &case.shape.request;
                if finding.others.len() < REQUESTS_NAMED
                    && finding.request != *request
                    && !finding.others.contains(request)
                {
                    finding.others.push(request.clone());
                }
            }
            None => findings.push((group, finding(case, refusal, pattern(case), index))),
        }
    }
    let offered = |offer: Offer| {
        let served = judged.iter().filter(|case| case.then.uses(&offer.index.name));
        let mut routes: Vec<String> = served.clone().map(|case| pattern(case)).collect();
        routes.dedup();
        let statements = served.count();
        OfferedIndex { name: offer.index.name, create: offer.create, undo: offer.undo, routes, statements }
    };
    let worsened = judged.iter().filter(|case| !case.is_refused() && case.then.is_refused());
    Proof {
        worsened: worsened.map(|case| case.shape.request.clone()).collect(),
        routes,
        findings: findings.into_iter().map(|(_, finding)| finding).collect(),
        migration: offers.into_iter().map(offered).collect(),
        spare,
    }
}

/// The offered index that serves a statement.
fn serving(case: &Case, offers: &[Offer]) -> Option<String> {
    let served = offers.iter().find(|offer| !case.then.is_refused() && case.then.uses(&offer.index.name));
    served.map(|offer| offer.index.name.clone())
}

fn finding(case: &Case, refusal: &Refusal, route: String, index: Option<String>) -> Finding {
    let request = case.shape.request.clone();
    let advice = index.is_none().then(|| advice(case, refusal));
    Finding {
        severity: if case.rules.level == ProofLevel::Require { "error" } else { "warning" },
        route,
        says: format!("{request} {refusal}"),
        request,
        others: Vec::new(),
        statements: 1,
        reason: refusal.name(),
        plan: case.found.planned.lines.clone(),
        index,
        advice,
    }
}

/// What may be done where no index helps.
fn advice(case: &Case, refusal: &Refusal) -> String {
    let access = case.shape.access.first();
    let range = access.and_then(|access| access.range.as_ref());
    match (refusal, range) {
        (Refusal::Skips { .. } | Refusal::Sorts { .. }, Some(column)) => format!(
            "no index gives a range of `{column}` in this order; where most rows match, add \"{column}\" to the \
             route's `proof.may_skip`, and where few do, to `proof.may_sort`"
        ),
        (Refusal::ReadsAll { table }, _) => format!(
            "no index that was tried helps; if `{table}` stays small, add \"{table}\" to `database.small`, or let the \
             route say `proof = \"warn\"`"
        ),
        _ => "no index that was tried helps; the route may say `proof = \"warn\"`".to_owned(),
    }
}
