//! What would be read for a request, told without reading it.

use std::sync::Arc;

use kasoku_coherence::Tag;
use kasoku_pipeline::{Foresight, Request};
use kasoku_problem::Problem;
use kasoku_sql_plan::{Nest, Value, purge_tag};

use crate::lanes::Planned;
use crate::list;
use crate::prefer::Preferences;
use crate::table::{KEY_PARAM, Table};

/// A page of a list.
pub(crate) fn of_list(table: &Table, request: &Request) -> Result<Foresight, Problem> {
    let preferences = Preferences::of(&request.headers)?;
    let plan = list::plan(table, request, &preferences)?;
    let names = table.planner.tag_names(&plan.tags, &plan.statement.params);
    let foreseen = read(&plan.statement, plan.tags, names, &[(table.purge_tag, &table.name)]);
    Ok(with_embeds(foreseen, plan.nest.as_ref()))
}

/// A row by its key.
pub(crate) fn of_row(table: &Table, request: &Request) -> Result<Foresight, Problem> {
    let key = request.params.get(KEY_PARAM).unwrap_or_default();
    let plan = table.planner_for(request).one(key, request.uri.query())?;
    let names = table.planner.tag_names(&plan.tags, &plan.statement.params);
    let foreseen = read(&plan.statement, plan.tags, names, &[(table.purge_tag, &table.name)]);
    Ok(with_embeds(foreseen, plan.nest.as_ref()))
}

/// Which rows are embedded is known once the rows around them are; until then, any row of their tables may be.
fn with_embeds(mut foresight: Foresight, nest: Option<&Nest>) -> Foresight {
    let Foresight::Read { tags, purged_by, .. } = &mut foresight else { return foresight };
    let mut nests: Vec<&Nest> = nest.into_iter().collect();
    while let Some(nest) = nests.pop() {
        for embed in &nest.embeds {
            for (whole, table) in embed.tables() {
                let name = format!("rows of {table} that belong to the rows shown");
                if tags.iter().all(|(_, known)| *known != name) {
                    tags.extend(whole.iter().map(|tag| (*tag, name.clone())));
                    purged_by.push((purge_tag(table), table.to_owned()));
                }
            }
            nests.push(&embed.nest);
        }
    }
    foresight
}

/// A statement, and what its answer depends on; answers are also found by the names of their tables, for purges.
pub(crate) fn read(
    statement: &Planned,
    tags: Vec<Tag>,
    names: Vec<String>,
    purged_by: &[(Tag, &String)],
) -> Foresight {
    Foresight::Read {
        sql: Arc::clone(&statement.sql),
        values: statement.params.iter().map(Value::in_words).collect(),
        tags: tags.into_iter().zip(names).collect(),
        purged_by: purged_by.iter().map(|(tag, table)| (*tag, (*table).clone())).collect(),
    }
}
