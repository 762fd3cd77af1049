//! Lists: one page of a sort, its neighbours' cursors, its count.

use std::ops::Range;
use std::sync::Arc;

use kasoku_coherence::Tag;
use kasoku_problem::{Kind, Problem};

use super::condition;
use super::list_text::{Read, shape_of_list};
use super::nest::chosen;
use super::{CountPlan, Nest, OutputColumn, RowRange, Statement, TablePlanner, shown};
use crate::Value;
use crate::cursor::{Context, CursorKey, Direction, Position};
use crate::grammar::order::AskedTerm;
use crate::grammar::select::{Selection, Shown};
use crate::grammar::{Asked, Parameters};
use crate::keyset::{Seek, Segment, Sorting};
use crate::rules::CountRule;
use crate::sql::Written;

/// How to answer one page of a list.
///
/// Run [`statement`](Self::statement), then what [`follow_up`](Self::follow_up) gives for the number of rows, both
/// in one read transaction; then let [`page`](Self::page) put the rows in order.
#[derive(Debug, Clone)]
pub struct ListPlan {
    /// Gives one row more than the page has, at the most.
    pub statement: Statement,
    /// The columns to show. Rows have further values behind them, which are not shown.
    pub columns: Arc<[OutputColumn]>,
    /// Rows that the page has at the most.
    pub limit: u32,
    /// How to count all rows of the list, whatever the page.
    pub count: Option<CountPlan>,
    /// What the answer depends on, apart from what is embedded in it.
    pub tags: Vec<Tag>,
    /// What is embedded in the rows.
    pub nest: Option<Nest>,
    route: Arc<str>,
    sorting: Arc<Sorting>,
    shape: Arc<ListShape>,
    direction: Direction,
    /// Whether there are rows on the other side of where the page begins: behind a cursor, or passed over.
    continued: bool,
    /// How many rows come before the page, if that is known: none are counted for a cursor.
    pub from: Option<u32>,
    /// Whether the page was asked for as a range.
    pub by_range: bool,
    /// The encoded shape of the filters.
    filters: Vec<u8>,
    /// Which of the statement's values belong to the filters; those before are of what is shown.
    filter_values: Range<usize>,
}

/// What a page's neighbours are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Cursor of the page behind the last row; `None` if there are no more rows.
    pub next: Option<String>,
    /// Cursor of the page before the first row; `None` on the first page.
    pub prev: Option<String>,
    /// Whether there are rows behind the last one.
    pub has_more: bool,
}

/// What all lists of one shape share.
#[derive(Debug)]
pub(super) struct ListShape {
    pub(super) first: Written,
    pub(super) rest: Option<Written>,
    /// Places of the sort's values in a row.
    pub(super) positions: Box<[usize]>,
}

impl TablePlanner {
    /// Plans `GET path?query`. `prefer_count` is what the request would rather have counted; it is heeded where the
    /// route allows it.
    pub fn list(
        &self,
        query: Option<&str>,
        prefer_count: Option<CountRule>,
        cursors: &CursorKey,
    ) -> Result<ListPlan, Problem> {
        self.list_within(query, None, prefer_count, cursors)
    }

    /// Plans `GET path?query` with a `Range` of rows; the query then has no page of its own.
    pub fn list_within(
        &self,
        query: Option<&str>,
        range: Option<RowRange>,
        prefer_count: Option<CountRule>,
        cursors: &CursorKey,
    ) -> Result<ListPlan, Problem> {
        let mut asked = self.read(self.page, Parameters::LIST, query)?;
        condition::settle(&mut asked.nodes);
        asked.nodes.splice(0..0, self.rule_nodes());
        self.settle_page(&mut asked, range)?;
        let plan = self.plan_list(&asked, prefer_count, cursors)?;
        Ok(ListPlan { by_range: range.is_some(), ..plan })
    }

    /// Plans one page of what was asked for.
    pub(super) fn plan_list(
        &self,
        asked: &Asked,
        prefer_count: Option<CountRule>,
        cursors: &CursorKey,
    ) -> Result<ListPlan, Problem> {
        let offset = asked.offset.unwrap_or(0);
        let selection = asked.selection.as_ref();
        let grouped = selection.filter(|selection| selection.grouped);
        let sorting = match grouped {
            Some(selection) => self.sorting_of_groups(selection, asked.order.as_deref())?,
            None => self.sorting(asked.order.as_deref())?,
        };
        let embeds = selection.map_or(&[][..], |selection| &selection.embeds);
        let (filters, mut params) = self.filters_of_list(&asked.nodes, embeds);
        let (route, sort) = (&*self.route, &*sorting.encoded);
        let context = Context { route, sort, filters: &filters, values: &params };
        let position =
            asked.cursor.as_deref().map(|token| open(cursors, token, &context, &sorting)).transpose()?;
        let direction = position.as_ref().map_or(Direction::Forward, |position| position.direction);
        let all = || self.columns.selectable_places().map(Shown::column).collect();
        let mut shown = selection.map_or_else(all, |selection| selection.shown.clone());
        let nest = selection.map(|selection| self.nest(selection, &mut shown)).transpose()?;
        // Groups are not counted.
        let count = match grouped {
            Some(_) => None,
            None => self.count((&asked.nodes, embeds), &filters, &params, prefer_count),
        };
        let tags = self.tags_of_list(&asked.nodes, embeds, &sorting);
        let after = position.as_ref().map(|position| &*position.values);
        let (first, rest) = match offset {
            0 => Seek::walk(sorting.terms(direction), after, self.dialect),
            // What is passed over may lie in both segments.
            _ => (Seek { terms: sorting.terms(direction), segment: Segment::Whole, after: None }, None),
        };
        let way = u8::from(direction == Direction::Back) | u8::from(offset > 0) << 1;
        let key = shape_of_list(&shown, way, &sorting, &first, &filters);
        let (is_grouped, passes_over) = (grouped.is_some(), offset > 0);
        let read = Read { shown: &shown, nodes: &asked.nodes, embeds, grouped: is_grouped, passes_over };
        let shape = self.lists.get_or_make(&key, || self.write_list(&read, first, rest));
        let mut before = Vec::new();
        shown::bind(&shown, self.dialect, &mut before);
        let filter_values = before.len()..before.len() + params.len();
        params.splice(..0, before);
        first.bind(&mut params);
        let columns = self.outputs_of(selection);
        let limit = asked.limit.unwrap_or(self.page.default);
        params.push(Value::Integer(i64::from(limit) + 1));
        params.extend((offset > 0).then(|| Value::Integer(offset.into())));
        Ok(ListPlan {
            statement: Statement::new(&shape.first, params),
            columns,
            nest: nest.flatten(),
            limit,
            count,
            tags,
            route: Arc::clone(&self.route),
            sorting,
            shape,
            direction,
            continued: position.is_some() || offset > 0,
            from: position.is_none().then_some(offset),
            by_range: false,
            filters,
            filter_values,
        })
    }

    /// The declared sort that was asked for, or its reverse.
    pub(crate) fn sorting(&self, asked: Option<&[AskedTerm]>) -> Result<Arc<Sorting>, Problem> {
        let Some(asked) = asked else {
            return Ok(Arc::clone(&self.sorts[0]));
        };
        chosen(&self.sorts, asked, self.scope(), "order")
    }

    /// The members of an object of the answer. Those of all columns are kept.
    fn outputs_of(&self, selection: Option<&Selection>) -> Arc<[OutputColumn]> {
        let Some(selection) = selection else { return Arc::clone(&self.outputs) };
        let everything = !selection.renamed
            && selection.embeds.is_empty()
            && selection.shown.iter().filter_map(Shown::plain).eq(self.columns.selectable_places());
        if everything { Arc::clone(&self.outputs) } else { selection.all_outputs().into() }
    }
}

impl ListPlan {
    /// What to run after the first statement gave so many rows; its rows follow the first ones.
    pub fn follow_up(&self, rows: usize) -> Option<Statement> {
        let missing = (self.limit as usize + 1).checked_sub(rows).filter(|missing| *missing > 0)?;
        let rest = self.shape.rest.as_ref()?;
        let mut params = self.statement.params[..self.filter_values.end].to_vec();
        params.push(Value::Integer(missing as i64));
        Some(Statement::new(rest, params))
    }

    /// Places, in the statement's columns, of the values that [`page`](Self::page) reads.
    pub fn positions(&self) -> &[usize] {
        &self.shape.positions
    }

    /// Puts the rows of the statements in the list's order, drops the one that only shows that there are more, and
    /// makes the cursors. `value` reads a row's value by its place in the statement's columns; it is asked for the
    /// statements' first row, and for the one at [`limit`](Self::limit) if there is another behind it.
    ///
    /// # Errors
    /// A sort value is too long for a cursor, so the list cannot go on.
    pub fn page<R>(
        &self,
        rows: &mut Vec<R>,
        value: impl Fn(&R, usize) -> Value,
        cursors: &CursorKey,
    ) -> Result<Page, Problem> {
        let beyond = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        let (before, behind) = match self.direction {
            Direction::Forward => (self.continued, beyond),
            Direction::Back => {
                rows.reverse();
                (beyond, self.continued)
            }
        };
        let seal = |row: Option<&R>, direction| match row {
            None => Ok(None),
            Some(row) => {
                let values = self.shape.positions.iter().map(|place| value(row, *place)).collect();
                cursors.seal(&Position { direction, values }, &self.context()).map(Some)
            }
        };
        let next = seal(rows.last().filter(|_| behind), Direction::Forward);
        let prev = seal(rows.first().filter(|_| before), Direction::Back);
        match (next, prev) {
            (Ok(next), Ok(prev)) => Ok(Page { has_more: next.is_some(), next, prev }),
            _ => Err(too_long()),
        }
    }

    /// The cursor of what comes behind a row with these values at [`positions`](Self::positions).
    ///
    /// # Errors
    /// A value is too long for a cursor.
    pub fn behind(&self, values: Vec<Value>, cursors: &CursorKey) -> Result<String, Problem> {
        let position = Position { direction: Direction::Forward, values };
        cursors.seal(&position, &self.context()).map_err(|_| too_long())
    }

    pub(super) fn direction(&self) -> Direction {
        self.direction
    }

    fn context(&self) -> Context<'_> {
        Context {
            route: &self.route,
            sort: &self.sorting.encoded,
            filters: &self.filters,
            values: &self.statement.params[self.filter_values.clone()],
        }
    }
}

fn too_long() -> Problem {
    Problem::new(Kind::Internal).detail("a value of the sort is too long to page by")
}

/// Reads a cursor; NULL can only stand where the column may be NULL.
fn open(
    cursors: &CursorKey,
    token: &str,
    context: &Context<'_>,
    sorting: &Sorting,
) -> Result<Position, Problem> {
    let position = cursors.open(token, context, sorting.forward.len())?;
    let fits = sorting
        .forward
        .iter()
        .zip(&position.values)
        .all(|(term, value)| term.nullable || *value != Value::Null);
    if fits { Ok(position) } else { Err(Problem::new(Kind::CursorInvalid).member("parameter", "cursor")) }
}
