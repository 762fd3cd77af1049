//! Row rules of embeds: an embed follows the rule of its table's routes, so that what a route keeps from a caller does not
//! come to it through another one.

use std::collections::BTreeMap;

use kasoku_sql_plan::Relation;

use super::Check;
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::{Embed, OrFalse, Route};

/// The rules of the routes that serve each table; `None` stands for a route without one.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowRules(BTreeMap<String, Vec<Option<String>>>);

impl RowRules {
    pub(super) fn of(routes: &[Route]) -> Self {
        let mut rules: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for route in routes {
            if let Some(table) = &route.table {
                let known = rules.entry(table.to_ascii_lowercase()).or_default();
                if !known.contains(&route.row_rule) {
                    known.push(route.row_rule.clone());
                }
            }
        }
        Self(rules)
    }

    /// The rule of an embed.
    pub(super) fn of_embed(
        &self,
        check: &mut Check<'_>,
        at: &KeyPath,
        written: &Embed,
        relation: &Relation,
    ) -> Option<String> {
        match &written.row_rule {
            Some(OrFalse::On(rule)) => return Some(rule.clone()),
            Some(OrFalse::Off(_)) => return None,
            None => {}
        }
        let between = relation.through.as_ref().map(|through| &through.table);
        if let Some(table) = between.filter(|table| self.rules(table).iter().any(Option::is_some)) {
            let finding =
                Finding::error(format!("rows of `{table}` are not for every caller, and relate these"))
                    .label("would tell which of them there are")
                    .hint("say which rows there are, as in `where = \"…\"`, or `where = false` if it may");
            check.key(at, finding);
            return None;
        }
        match self.rules(&relation.table) {
            [] => None,
            [one] => one.clone(),
            _ => {
                let finding =
                    Finding::error(format!("routes of `{}` have different row rules", relation.table))
                        .label("expected `where` in it")
                        .hint("say which rows there are, as in `where = \"…\"`, or `where = false` for all");
                check.key(at, finding);
                None
            }
        }
    }

    fn rules(&self, table: &str) -> &[Option<String>] {
        self.0.get(&table.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }
}
