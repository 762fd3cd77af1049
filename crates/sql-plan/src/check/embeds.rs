//! Whether what a route embeds can be: names, relations, columns, sorts by related columns.

use std::collections::HashSet;

use super::{Checker, Faults};
use crate::ColumnKind;
use crate::dialect::Dialect;
use crate::limits::EMBED_DEPTH_MAX;
use crate::plan::identity;
use crate::relation::Relation;
use crate::rules::{AggregateRules, EmbedRules, OrderTerm, TableRules};
use crate::schema::{Schema, Table};
use crate::spelling::nearest;

/// Holds the embeds of a table against the schema, and what is embedded in them in turn.
pub(super) fn check(
    table: &Table,
    rules: &TableRules,
    schema: &Schema,
    dialect: &Dialect,
    faults: &mut Faults,
) {
    aggregates(rules, faults);
    let mut names = HashSet::new();
    for embed in &rules.embeds {
        faults.1.push(embed.name.clone());
        if faults.1.len() > EMBED_DEPTH_MAX {
            faults.rule("embed", format!("embeds are nested deeper than {EMBED_DEPTH_MAX}"));
        } else {
            if !names.insert(embed.name.as_str()) || !nameable(&embed.name) {
                let text = format!("`{}` cannot be the name of an embed here", embed.name);
                faults.name("embed", &embed.name, text, None);
            }
            if let Some(other) = schema.table(&embed.rules.table) {
                related(table, other, &embed.relation, dialect, faults);
                columns(other, embed, dialect, faults);
                check(other, &embed.rules, schema, dialect, faults);
            }
        }
        faults.1.pop();
    }
    if !rules.embeds.is_empty() && rules.embed_rows_most == 0 {
        faults.rule("embed_rows", "an answer must be able to hold one embedded row");
    }
}

/// Whether a term is `author(name)`, of the one row that an embed has, with a column that is shown there.
pub(super) fn sorts_by_related(rules: &TableRules, term: &OrderTerm) -> bool {
    let parts = term.column.strip_suffix(')').and_then(|text| text.split_once('('));
    let Some((name, column)) = parts else { return false };
    rules.embeds.iter().any(|embed| {
        let shown = embed.rules.select.iter().any(|shown| shown == column);
        // The order of rows would tell what is in one that the caller does not see.
        embed.name == name && !embed.relation.many && shown && embed.rules.row_rule.is_none()
    })
}

/// A name that requests can write without quotes, and that means nothing else.
fn nameable(name: &str) -> bool {
    !name.is_empty()
        && name != "count"
        && !name.contains(|letter: char| {
            letter.is_whitespace() || letter.is_control() || ",:()!.\"*&=".contains(letter)
        })
}

fn related(table: &Table, other: &Table, relation: &Relation, dialect: &Dialect, faults: &mut Faults) {
    if relation.near.len() > 1 && !dialect.parents.composite {
        faults.rule("embed", format!("{} cannot embed by several columns here", dialect.name()));
    }
    let near = relation.near.iter().map(|place| &table.columns[*place]);
    let far = relation.far.iter().filter(|_| relation.through.is_none()).map(|place| &other.columns[*place]);
    if let Some(column) = near.chain(far).find(|column| column.kind == ColumnKind::Blob) {
        faults.rule("embed", format!("`{}` holds bytes, by which rows cannot be embedded", column.name));
    }
}

fn columns(table: &Table, embed: &EmbedRules, dialect: &Dialect, faults: &mut Faults) {
    let rules = &embed.rules;
    let mut checker = Checker { table, rules, faults };
    checker.names();
    checker.row_rule();
    for term in rules.order.iter().flat_map(|sort| &sort.0) {
        checker.column("order", &term.column);
    }
    if embed.relation.many && identity(table, dialect).is_none() {
        let text = format!("`{}` has no key that tells its rows apart", table.name);
        faults.name("table", &table.name, text, None);
    }
    if rules.page.most == 0 {
        faults.rule("most", "a row must be able to hold one embedded row");
    }
}

fn aggregates(rules: &TableRules, faults: &mut Faults) {
    let AggregateRules::Columns(names) = &rules.aggregate else { return };
    for name in names {
        if !rules.select.contains(name) {
            let near = nearest(name, rules.select.iter().map(String::as_str));
            faults.name("aggregate", name, format!("`{name}` is not in `select`"), near);
        }
    }
}
