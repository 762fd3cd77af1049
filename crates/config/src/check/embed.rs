//! What routes embed: names become relations, by the foreign keys that the database has.

use std::collections::BTreeMap;

use kasoku_sql_plan::{
    AggregateRules, CountRule, Counts, EmbedRules, PageRules, Relation, RelationFault, Schema, Table,
    TableRules, WriteRules,
};

use super::{Check, Known, table};
use crate::diagnostic::{Finding, did_you_mean, listed};
use crate::tree::KeyPath;
use crate::written::{AggregateOrColumns, Embed};

/// The embeds of a table. What is wrong with their columns is found with the route's own.
pub(super) fn rules(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: Option<&BTreeMap<String, Embed>>,
    table: &Table,
    (schema, known): (&Schema, &Known),
) -> Vec<EmbedRules> {
    let embeds = written.into_iter().flatten();
    embeds
        .filter_map(|(name, embed)| one(check, &at.key(name), name, embed, table, (schema, known)))
        .collect()
}

/// What may be summed up.
pub(super) fn aggregate(written: Option<&AggregateOrColumns>, table: &Table) -> AggregateRules {
    match written {
        None | Some(AggregateOrColumns::All(false)) => AggregateRules::None,
        Some(AggregateOrColumns::All(true)) => AggregateRules::Shown,
        Some(AggregateOrColumns::Columns(names)) => {
            AggregateRules::Columns(names.iter().map(|name| spelt(table, name)).collect())
        }
    }
}

fn one(
    check: &mut Check<'_>,
    at: &KeyPath,
    name: &str,
    written: &Embed,
    table: &Table,
    (schema, known): (&Schema, &Known),
) -> Option<EmbedRules> {
    if let Some(other) = &written.table
        && schema.table(other).is_none()
    {
        let tables = schema.tables.iter().map(|table| table.name.as_str());
        let finding = Finding::error(format!("there is no table `{other}`"))
            .label("expected a table of the database")
            .hint_if(did_you_mean(other, tables));
        check.value(&at.key("table"), finding);
        return None;
    }
    let (other, by) = (written.table.as_deref(), written.by.as_deref());
    let relation = match Relation::find(schema, table, name, other, by, written.many) {
        Ok(relation) => relation,
        Err(fault) => {
            unrelated(check, at, other.unwrap_or(name), table, fault, by);
            return None;
        }
    };
    let other = schema.table(&relation.table)?;
    let names = |names: &[String]| names.iter().map(|name| spelt(other, name)).collect();
    let rules = TableRules {
        table: other.name.clone(),
        select: names(&written.select),
        filter: written.filter.as_deref().map(names).unwrap_or_default(),
        plain: Vec::new(),
        order: table::order(check, &at.key("order"), written.order.as_deref(), other),
        page: PageRules { default: written.most, most: written.most, offset_most: 0 },
        counts: Counts { default: CountRule::None, allowed: vec![CountRule::None], cap: 0 },
        write: WriteRules {
            insert: false,
            update: false,
            upsert: false,
            delete: false,
            update_each: false,
            rows_most: 0,
        },
        envelope: None,
        soft_delete: written.soft_delete.as_ref().map(|name| spelt(other, name)),
        embeds: self::rules(check, &at.key("embed"), written.embed.as_ref(), other, (schema, known)),
        embed_rows_most: crate::written::EMBED_ROWS,
        aggregate: aggregate(written.aggregate.as_ref(), other),
        row_rule: known.row_rules.of_embed(check, at, written, &relation),
    };
    Some(EmbedRules { name: name.to_owned(), relation, rules })
}

fn unrelated(
    check: &mut Check<'_>,
    at: &KeyPath,
    wanted: &str,
    table: &Table,
    fault: RelationFault,
    by: Option<&str>,
) {
    let ways = |by: &[String]| by.iter().map(|by| format!("`by = \"{by}\"`")).collect::<Vec<_>>();
    match fault {
        RelationFault::Unknown { nearest, related } => {
            let hint = match nearest {
                Some(near) => format!("did you mean `{near}`?"),
                None if related.is_empty() => {
                    format!("no foreign key leads from `{}` or to it", table.name)
                }
                None => {
                    let names: Vec<String> = related.iter().map(|name| format!("`{name}`")).collect();
                    format!("`{}` is related to {}", table.name, listed(&names))
                }
            };
            let finding = Finding::error(format!("`{}` is not related to `{wanted}`", table.name))
                .label("expected a table that a foreign key leads to, or from")
                .hint(hint);
            check.key(at, finding);
        }
        RelationFault::Ambiguous { by } => {
            let finding =
                Finding::error(format!("`{}` is related to `{wanted}` in several ways", table.name))
                    .label("expected `by` in it, which says what relates them")
                    .hint(format!("there is {}", listed(&ways(&by))));
            check.key(at, finding);
        }
        RelationFault::NotBy { by: known } => {
            let by = by.unwrap_or_default();
            let finding = Finding::error(format!("`{}` is not related to `{wanted}` by `{by}`", table.name))
                .label("expected a column that refers, or a table between")
                .hint_if(did_you_mean(by, known.iter().map(String::as_str)));
            check.value(&at.key("by"), finding);
        }
        RelationFault::BothWays => {
            let finding = Finding::error(format!("`{wanted}` refers to itself, so it is related in two ways"))
                .label("expected `many` in it")
                .hint("`many = true` for the rows that refer to a row, `many = false` for the one that it refers to");
            check.key(at, finding);
        }
    }
}

/// A column's name as the database spells it.
fn spelt(table: &Table, name: &str) -> String {
    table.column(name).map_or_else(|| name.to_owned(), |(_, column)| column.name.clone())
}
