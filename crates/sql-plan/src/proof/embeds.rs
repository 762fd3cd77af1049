//! The statements of embeds: what is embedded in what, as far down as a route lets it be, all rows of each and some, in
//! each declared order.
//!
//! Filters of embeds are not looked at: rows are found by what they are embedded in, and sifted afterwards.

use super::lists::{Lister, quoted};
use super::requests::Query;
use super::shape::{Access, Purpose, Shape};
use crate::branch::{Branch, Scope};
use crate::keyset::{By, Sorting};
use crate::rules::CountRule;

/// All embeds of a route's rows.
pub(super) fn of_branches(lister: &mut Lister<'_>) {
    let planner = lister.planner;
    let scope =
        Scope { columns: &planner.columns, branches: &planner.branches, aggregates: &planner.aggregates };
    level(lister, scope, &mut Vec::new());
}

fn level<'a>(lister: &mut Lister<'_>, scope: Scope<'a>, path: &mut Vec<&'a Branch>) {
    for branch in scope.branches {
        path.push(branch);
        of_branch(lister, path);
        level(lister, branch.scope(), path);
        path.pop();
    }
}

/// What is run for the last branch of a path.
fn of_branch(lister: &mut Lister<'_>, path: &[&Branch]) {
    let Some(branch) = path.last() else { return };
    let select = select(path, |branch| {
        let place = branch.columns.selectable_places().next()?;
        Some(quoted(branch.columns.field(place).name()))
    });
    let shown = self::select(path, |_| Some("…".to_owned()));
    let plain = Query::default().with("select", &shown, &select);
    if !branch.relation.many {
        return embed(lister, path, &plain);
    }
    let names: Vec<&str> = path.iter().map(|branch| &*branch.name).collect();
    let names = names.join(".");
    for (at, sorting) in branch.sorts.iter().enumerate() {
        let sorted = match spelled(branch, sorting) {
            _ if at == 0 => plain.clone(),
            Some(order) => plain.with(&format!("{names}.order"), &order, &order),
            None => continue,
        };
        embed(lister, path, &sorted);
        embed(lister, path, &sorted.with(&format!("{names}.limit"), "1", "1"));
    }
}

/// `one(…,other(…))`, with this of the columns of the last one.
fn select(path: &[&Branch], columns: impl Fn(&Branch) -> Option<String>) -> String {
    let mut text = String::new();
    for branch in path {
        text.push_str(&quoted(&branch.name));
        text.push('(');
    }
    let last = path.last().and_then(|branch| columns(branch));
    text.push_str(&last.unwrap_or_default());
    text.extend(path.iter().map(|_| ')'));
    text
}

/// A sort of columns as a request asks for it.
fn spelled(branch: &Branch, sorting: &Sorting) -> Option<String> {
    let term = |term: &crate::keyset::Term| {
        let By::Column(place) = term.by else { return None };
        let name = quoted(branch.columns.field(place).name());
        Some(format!("{name}.{}", if term.descending { "desc" } else { "asc" }))
    };
    Some(sorting.declared().iter().map(term).collect::<Option<Vec<_>>>()?.join(","))
}

fn embed(lister: &mut Lister<'_>, path: &[&Branch], asked: &Query) {
    let Ok(plan) = lister.planner.list(Some(&asked.text), Some(CountRule::None), &lister.cursors) else {
        return;
    };
    let mut nest = plan.nest.as_ref();
    let mut found = None;
    for _ in path {
        found = nest.and_then(|nest| nest.embeds.first());
        nest = found.map(|embed| &embed.nest);
    }
    let (Some(embed), Some(branch)) = (found, path.last()) else { return };
    let (access, aliases) = access(branch);
    let request = asked.of("GET", lister.path);
    lister.push(Shape { request, purpose: Purpose::Embed, sql: embed.sql().clone(), access, aliases });
}

/// What an embed needs, table by table, and what its statement calls each of them.
fn access(branch: &Branch) -> (Vec<Access>, Vec<(String, String)>) {
    let relation = &branch.relation;
    let far = relation.far.iter().map(|place| branch.columns.field(*place).name().to_owned());
    let hidden = branch.soft_delete.map(|place| branch.columns.field(place).name().to_owned());
    let own =
        Access { table: relation.table.clone(), equal: far.collect(), null: hidden, ..Access::default() };
    let alias = (branch.alias.to_string(), relation.table.clone());
    let Some(between) = &branch.between else { return (vec![own], vec![alias]) };
    let through = Access {
        table: between.table.to_string(),
        equal: between.keys.iter().map(ToString::to_string).collect(),
        ..Access::default()
    };
    let of_through = (between.alias.to_string(), through.table.clone());
    (vec![through, own], vec![of_through, alias])
}
