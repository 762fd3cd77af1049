//! Conditions and sorts that ask for related rows: `author!inner(…)`, `author=is.null`, `order=author(name)`.

use std::fmt::Write as _;

use kasoku_coherence::Tag;

use crate::Value;
use crate::branch::{Branch, Scope};
use crate::dialect::Dialect;
use crate::grammar::filter::Node;
use crate::grammar::select::{AskedEmbed, Join};
use crate::keyset::By;
use crate::plan::condition;
use crate::sql::SqlText;

/// Writes the conditions that rows have such related rows, or have none. `near` gives a column of the rows as SQL that
/// means them also within another select.
pub(crate) fn write_presence(
    embeds: &[AskedEmbed],
    scope: Scope<'_>,
    near: &dyn Fn(usize) -> String,
    sql: &mut SqlText,
) {
    for embed in embeds.iter().filter(|embed| embed.join != Join::Left) {
        let branch = &scope.branches[embed.branch];
        sql.condition().push(if embed.join == Join::Without { "not exists (" } else { "exists (" });
        sql.push("select 1 from ");
        let names: Vec<&str> = if let Some(between) = &branch.between {
            sql.push(&between.quoted).push(" ").push(&between.alias).push(" join ");
            sql.push(&branch.quoted).push(" ").push(&branch.alias).push(" on ");
            for (place, (far, referred)) in between.far.iter().zip(&branch.relation.far).enumerate() {
                sql.push(if place > 0 { " and " } else { "" });
                sql.push(&branch.columns.field(*referred).quoted).push(" = ").push(far);
            }
            between.near.iter().map(|name| &**name).collect()
        } else {
            sql.push(&branch.quoted).push(" ").push(&branch.alias);
            branch.relation.far.iter().map(|place| &*branch.columns.field(*place).quoted).collect()
        };
        sql.inner(|sql| {
            for (name, place) in names.iter().zip(&branch.relation.near) {
                sql.condition().push(name).push(" = ").push(&near(*place));
            }
            let mut nodes = embed.nodes.clone();
            condition::settle(&mut nodes);
            write_own_conditions(branch, &nodes, sql);
            let near = |place: usize| branch.columns.field(place).quoted.to_string();
            write_presence(&embed.selection.embeds, branch.scope(), &near, sql);
        });
        sql.push(")");
    }
}

/// The conditions that a row of a branch is there, and passes the filters.
pub(super) fn write_own_conditions(branch: &Branch, nodes: &[Node], sql: &mut SqlText) {
    if let Some(place) = branch.soft_delete {
        sql.condition().push(&branch.columns.field(place).quoted).push(" is null");
    }
    condition::write(nodes, &branch.columns, sql);
}

/// Adds the values of what [`write_presence`] writes.
pub(crate) fn bind_presence(
    embeds: &[AskedEmbed],
    scope: Scope<'_>,
    dialect: &'static Dialect,
    out: &mut Vec<Value>,
) {
    for embed in embeds.iter().filter(|embed| embed.join != Join::Left) {
        let branch = &scope.branches[embed.branch];
        let mut nodes = embed.nodes.clone();
        condition::settle(&mut nodes);
        condition::bind(&nodes, dialect, out);
        bind_presence(&embed.selection.embeds, branch.scope(), dialect, out);
    }
}

/// Adds what decides the text of [`write_presence`]; nothing, where it writes nothing.
pub(crate) fn presence_shape(embeds: &[AskedEmbed], out: &mut Vec<u8>) {
    for embed in embeds.iter().filter(|embed| embed.join != Join::Left) {
        out.extend_from_slice(&[0xff, embed.branch as u8, u8::from(embed.join == Join::Without)]);
        let mut nodes = embed.nodes.clone();
        condition::settle(&mut nodes);
        condition::shape(&nodes, out);
        presence_shape(&embed.selection.embeds, out);
        out.push(0xfe);
    }
}

/// Adds the tags of the tables that rows must be related to, or must not be: any change there may let in a row that
/// is not shown.
pub(crate) fn presence_tags(embeds: &[AskedEmbed], scope: Scope<'_>, out: &mut Vec<Tag>) {
    for embed in embeds {
        let branch = &scope.branches[embed.branch];
        if embed.join != Join::Left {
            out.extend_from_slice(branch.tags.whole());
            out.extend(branch.between.iter().flat_map(|between| between.tags.whole()));
        }
        presence_tags(&embed.selection.embeds, branch.scope(), out);
    }
}

/// What `author(name)` sorts by: a select of the one related row's column. `near` gives a column of the row around.
pub(crate) fn related_term(
    text: &str,
    branches: &[Branch],
    near: &dyn Fn(usize) -> String,
) -> Option<(By, Box<str>)> {
    let (name, column) = text.strip_suffix(')')?.split_once('(')?;
    let place = branches.iter().position(|branch| &*branch.name == name && !branch.relation.many)?;
    let branch = &branches[place];
    let column = branch.columns.selectable(column)?;
    let mut sql = format!(
        "(select {} from {} {} where ",
        branch.columns.field(column).quoted,
        branch.quoted,
        branch.alias
    );
    for (at, (far, outer)) in branch.relation.far.iter().zip(&branch.relation.near).enumerate() {
        let between = if at > 0 { " and " } else { "" };
        write!(sql, "{between}{} = {}", branch.columns.field(*far).quoted, near(*outer)).ok()?;
    }
    if let Some(hidden) = branch.soft_delete {
        write!(sql, " and {} is null", branch.columns.field(hidden).quoted).ok()?;
    }
    sql.push(')');
    Some((By::Related(place, column), sql.into()))
}
