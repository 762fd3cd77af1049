//! Embeds: rows of related tables inside of a statement's own, read by one more statement for each embed.
//!
//! A statement of an embed takes the keys of all rows around it at once and says of each of its rows where it
//! belongs. Which tags the answer gets of it depends on those keys, so they are made once the rows are there.

mod related;
mod tags;
mod write;

use std::sync::Arc;

use kasoku_coherence::Tag;

use super::{Statement, condition, shown};
use crate::Value;
use crate::branch::{Branch, Scope};
use crate::columns::OutputColumn;
use crate::dialect::{Dialect, Parents};
use crate::fault::invalid;
use crate::grammar::order::AskedTerm;
use crate::grammar::select::{Aggregate, AskedEmbed, Part, Selection, Shown, What};
use crate::keyset::Sorting;
use crate::plan::shapes::Shapes;
use crate::sql::Written;
use kasoku_problem::Problem;
pub(crate) use related::{bind_presence, presence_shape, presence_tags, related_term, write_presence};
use tags::EmbedTags;

/// How the rows of a statement become objects with other rows in them.
#[derive(Debug, Clone)]
pub struct Nest {
    /// The members of an object, in their order.
    pub members: Vec<Member>,
    /// What is embedded.
    pub embeds: Vec<EmbedPlan>,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub enum Member {
    /// A value of the statement's row.
    Column {
        /// Its place in the row.
        place: usize,
        /// What it is called, and how it is shown.
        output: OutputColumn,
    },
    /// Rows of an embed, by its place in [`Nest::embeds`].
    Embed(usize),
}

/// An embed of a request.
#[derive(Debug, Clone)]
pub struct EmbedPlan {
    /// What it is called.
    pub output: OutputColumn,
    /// Whether it is an array of rows, or one row or `null`.
    pub many: bool,
    /// Whether its members are members of the object around it, each an array of its own where there are many rows.
    pub spread: bool,
    /// Places, in the row around it, of the values that say which rows belong to it.
    pub near: Vec<usize>,
    /// What its rows look like.
    pub nest: Nest,
    /// What is shown where no row belongs to it: sums of nothing are values too.
    pub sums: Option<Vec<SumOfNone>>,
    /// Place in its row of a value that is NULL where the row only says that there is none.
    pub present: Option<usize>,
    /// Places in its row of the values that say which row it is, where a table lies between.
    pub far: Vec<usize>,
    /// Rows inside of one row; more is an error unless the request itself limits them.
    pub most: u32,
    /// Whether the request itself limits them.
    pub limited: bool,
    /// The embedded table, for problems.
    pub name: Arc<str>,
    text: Arc<Written>,
    dialect: &'static Dialect,
    /// Values of what is shown, and of its filters.
    filters: Vec<Value>,
    /// The first row and the last, where the request limits them.
    window: Option<(u32, u32)>,
    tags: EmbedTags,
}

/// What no rows sum up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumOfNone {
    /// Their number.
    Zero,
    /// Everything else.
    Null,
}

/// A key that cannot be handed to a statement: it is bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnfitKey;

impl EmbedPlan {
    /// What to run for rows with these keys, which are distinct and hold no NULL. Each row of the result begins with
    /// the place of its key. `rows_most` rows are read at the most, and one more, which shows that there are more.
    ///
    /// # Errors
    /// A key is bytes.
    pub fn statement(&self, keys: &[Vec<Value>], rows_most: u64) -> Result<Statement, UnfitKey> {
        let Parents { keys: bound, .. } = self.dialect.parents;
        let mut params = Vec::with_capacity(self.filters.len() + 4);
        params.push(bound(keys).ok_or(UnfitKey)?);
        params.extend(self.filters.iter().cloned());
        if let Some((first, last)) = self.window {
            params.push(Value::Integer(first.into()));
            params.push(Value::Integer(last.into()));
        }
        params.push(Value::Integer(i64::try_from(rows_most).unwrap_or(i64::MAX).saturating_add(1)));
        Ok(Statement::new(&self.text, params))
    }

    /// Adds what the rows that belong to these keys depend on, and those that could come to belong to them. `fars` are
    /// the values of [`far`](Self::far) of all rows.
    pub fn tags(&self, keys: &[Vec<Value>], fars: &[Vec<Value>], out: &mut Vec<Tag>) {
        self.tags.of(keys, fars, self.limited, out);
    }

    /// Tags that every answer with such an embed carries, so that it is found by the table's name.
    pub fn purge_tags(&self) -> impl Iterator<Item = Tag> + '_ {
        self.tags.purges.iter().copied()
    }

    /// The embedded tables, for explanations: the tag that stands for all of their rows, and the table's name.
    pub fn tables(&self) -> impl Iterator<Item = (&[Tag], &str)> {
        self.tags.tables()
    }

    /// The text that is run.
    pub fn sql(&self) -> &Arc<str> {
        &self.text.sql
    }
}

/// What makes nests of selections: the memory of their texts.
pub(crate) struct Nester<'a> {
    pub(crate) dialect: &'static Dialect,
    pub(crate) texts: &'a Shapes<Written>,
}

impl Nester<'_> {
    /// The nest of a statement whose row has the shown values from `first` on; `columns` says at which place of the
    /// row a column stands, and adds it where it is not there yet. `path` tells the branches from others.
    pub(crate) fn nest(
        &self,
        scope: Scope<'_>,
        selection: &Selection,
        first: usize,
        columns: &mut Vec<Shown>,
        path: &[u8],
    ) -> Result<Nest, Problem> {
        let mut embeds = Vec::with_capacity(selection.embeds.len());
        for asked in &selection.embeds {
            let branch = &scope.branches[asked.branch];
            let near = branch.relation.near.iter().map(|place| first + place_of(*place, columns)).collect();
            let path = [path, &[asked.branch as u8]].concat();
            embeds.push(self.embed(branch, asked, near, &path)?);
        }
        let members = selection.parts.iter().map(|part| match part {
            Part::Column(place) => {
                Member::Column { place: first + place, output: selection.outputs[*place].clone() }
            }
            Part::Embed(place) => Member::Embed(*place),
        });
        Ok(Nest { members: members.collect(), embeds })
    }

    fn embed(
        &self,
        branch: &Branch,
        asked: &AskedEmbed,
        near: Vec<usize>,
        path: &[u8],
    ) -> Result<EmbedPlan, Problem> {
        let mut shown = asked.selection.shown.clone();
        // A statement's row begins with the place of its key.
        let nest = self.nest(branch.scope(), &asked.selection, 1, &mut shown, path)?;
        let sorting = sorting(branch, asked)?;
        let limited = asked.limit.is_some() || asked.offset.is_some();
        let mut nodes = asked.nodes.clone();
        condition::settle(&mut nodes);
        let grouped = asked.selection.grouped;
        let many = branch.relation.many;
        let text = write::EmbedText {
            branch,
            shown: &shown,
            nodes: &nodes,
            embeds: &asked.selection.embeds,
            sorting: sorting.as_deref(),
            grouped,
            limited: limited && many,
        };
        let mut filters = Vec::new();
        shown::bind(&shown, self.dialect, &mut filters);
        condition::bind(&nodes, self.dialect, &mut filters);
        bind_presence(&asked.selection.embeds, branch.scope(), self.dialect, &mut filters);
        let written = self.texts.get_or_make(&text.shape(path), || text.write(self.dialect));
        let hidden = 1 + shown.len();
        let between = branch.between.is_some() && !text.limited && !grouped;
        let far = branch.relation.far.len();
        let offset = asked.offset.unwrap_or(0);
        Ok(EmbedPlan {
            output: asked.output.clone(),
            many,
            spread: asked.spread,
            near,
            nest,
            sums: grouped.then(|| sums_of_none(&asked.selection.shown)).flatten(),
            present: between.then_some(hidden),
            far: if between { (hidden + 1..=hidden + far).collect() } else { Vec::new() },
            most: branch.most,
            limited,
            name: (&*branch.name).into(),
            text: written,
            dialect: self.dialect,
            filters,
            window: text.limited.then(|| (offset, offset.saturating_add(asked.limit.unwrap_or(branch.most)))),
            tags: EmbedTags::of_branch(branch, grouped),
        })
    }
}

/// What is shown where no row belongs to a key; `None` where there are groups, of which there is none then.
fn sums_of_none(shown: &[Shown]) -> Option<Vec<SumOfNone>> {
    let sum = |shown: &Shown| match shown.what {
        What::Column(_) | What::Within(..) => None,
        What::Count | What::Aggregate(Aggregate::Count, _) => Some(SumOfNone::Zero),
        What::Aggregate(..) => Some(SumOfNone::Null),
    };
    shown.iter().map(sum).collect()
}

/// The place of a column among what is read; it is added if it is not there.
fn place_of(column: usize, shown: &mut Vec<Shown>) -> usize {
    shown.iter().position(|shown| shown.plain() == Some(column)).unwrap_or_else(|| {
        shown.push(Shown::column(column));
        shown.len() - 1
    })
}

/// The declared sort that was asked for, or its reverse; `None` where there is one row at the most, or sums.
fn sorting(branch: &Branch, asked: &AskedEmbed) -> Result<Option<Arc<Sorting>>, Problem> {
    let parameter = || format!("{}.order", asked.output.name);
    if asked.selection.grouped {
        return match &asked.order {
            None => Ok(None),
            Some(_) => Err(invalid(&parameter(), "what is summed up is sorted by its groups")),
        };
    }
    if !branch.relation.many {
        return Ok(None);
    }
    let Some(terms) = asked.order.as_deref() else {
        return Ok(Some(Arc::clone(&branch.sorts[0])));
    };
    chosen(&branch.sorts, terms, branch.scope(), &parameter()).map(Some)
}

/// The declared sort that these terms ask for.
pub(crate) fn chosen(
    sorts: &[Arc<Sorting>],
    asked: &[AskedTerm],
    scope: Scope<'_>,
    parameter: &str,
) -> Result<Arc<Sorting>, Problem> {
    let Some(sorting) = sorts.iter().find(|sorting| sorting.is(asked)) else {
        let allowed: Vec<String> = sorts.iter().map(|sorting| sorting.spelled(scope)).collect();
        let detail = "this list has no index for that sort; ask for one of those allowed";
        return Err(invalid(parameter, detail).member("allowed", allowed));
    };
    Ok(sorting.with_nulls(asked).map_or_else(|| Arc::clone(sorting), Arc::new))
}
