//! A page of a table's rows: planned, read, put in order, and linked to its neighbours.

use std::ops::Range;
use std::sync::Arc;

use http::{StatusCode, header};
use kasoku_coherence::Tag;
use kasoku_database::{DatabaseError, ReadTransaction, Rows, Statement, json};
use kasoku_pipeline::{Outcome, Request, Response};
use kasoku_problem::Problem;
use kasoku_sql_plan::{CountPlan, CountRule, ListPlan, Nest, Page, Value};

use crate::lanes::Planned;
use crate::media::{self, Media};
use crate::nested::{Embedded, Excess, Sheet};
use crate::prefer::{self, Preferences};
use crate::range::{self, Shown};
use crate::table::Table;
use crate::{link, render};

/// Room is made beforehand for so many rows at the most, and for rows that are so long.
const ROWS_EXPECTED_MAX: usize = 101;
const ROW_BYTES_EXPECTED: usize = 192;

/// Rows as JSON, with the values that place them in the sort.
#[derive(Debug, Default)]
struct Gathered {
    text: Vec<u8>,
    rows: Vec<Range<usize>>,
    /// The values that place the first row in the sort, and those of the last row of a full page: cursors are made of
    /// these two.
    edges: [Vec<Value>; 2],
    counted: Option<i64>,
    /// The rows by their values, until what is embedded in them is read.
    sheet: Option<Sheet>,
    /// What the answer depends on for what is embedded.
    tags: Vec<Tag>,
    excess: Option<Excess>,
}

pub(crate) async fn answer(table: &Table, request: Request) -> Outcome {
    let preferences = Preferences::of(&request.headers)?;
    let media = Media::of(&request.headers, media::OF_ROWS)?;
    let plan = Arc::new(plan(table, &request, &preferences)?);
    let alone = plan.count.is_none() && plan.nest.is_none() && plan.follow_up(0).is_none();
    let reading = Arc::clone(&plan);
    let needs = table.lanes.needs(&request, || table.all_of(&plan.tags, plan.nest.is_some()));
    let read = if alone {
        let gather = move |rows: &mut Rows<'_>| {
            let mut gathered = Gathered::with_room(&reading);
            gathered.add(rows, &reading)?;
            Ok(gathered)
        };
        table.lanes.read(&plan.statement, needs, gather).await
    } else {
        let most = u64::from(table.planner.embed_rows_most());
        let gather = move |transaction: &mut ReadTransaction<'_>| gather(transaction, &reading, most);
        table.lanes.read_many(lane(&plan), needs, gather).await
    };
    let (gathered, snapshot) = read.map_err(DatabaseError::problem_of_asking)?;
    if let Some(excess) = gathered.excess {
        return Err(Problem::from(excess).into());
    }
    let mut response = gathered.response(table, &request, &plan, (preferences, media))?;
    response.tags = plan.tags.iter().copied().chain([table.purge_tag]).chain(gathered.tags).collect();
    response.snapshot = Some(snapshot);
    Ok(response)
}

/// Plans a request for a page.
pub(crate) fn plan(table: &Table, request: &Request, preferences: &Preferences) -> Result<ListPlan, Problem> {
    let count = preferences.count_of(&table.planner)?;
    let range = range::asked(&request.headers)?.filter(|_| table.takes_ranges);
    table.planner_for(request).list_within(request.uri.query(), range, count, &table.cursors)
}

/// What stands for all statements of a list when it is remembered how long they take.
fn lane(plan: &ListPlan) -> &Arc<str> {
    plan.nest.as_ref().and_then(|nest| nest.embeds.first()).map_or(&plan.statement.sql, |embed| embed.sql())
}

fn gather(
    transaction: &mut ReadTransaction<'_>,
    plan: &ListPlan,
    embed_rows_most: u64,
) -> Result<Gathered, DatabaseError> {
    let sheet = plan.nest.as_ref().map(Sheet::of);
    let mut gathered = Gathered { sheet, ..Gathered::with_room(plan) };
    query(transaction, &plan.statement, |rows| gathered.add(rows, plan))?;
    if let Some(rest) = plan.follow_up(gathered.rows.len()) {
        query(transaction, &rest, |rows| gathered.add(rows, plan))?;
    }
    if let Some(count) = &plan.count {
        gathered.counted = counted(transaction, count)?;
    }
    if let (Some(nest), Some(sheet)) = (&plan.nest, gathered.sheet.take()) {
        gathered.embed(transaction, nest, &sheet, (plan.limit as usize, embed_rows_most))?;
    }
    Ok(gathered)
}

fn query<T>(
    transaction: &mut ReadTransaction<'_>,
    planned: &Planned,
    read: impl FnOnce(&mut Rows<'_>) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    let statement = Statement::new(Arc::clone(&planned.name), Arc::clone(&planned.sql));
    transaction.query(&statement, &planned.params, read)
}

fn counted(transaction: &mut ReadTransaction<'_>, count: &CountPlan) -> Result<Option<i64>, DatabaseError> {
    let mut number = |planned: &Planned| {
        query(transaction, planned, |rows| Ok(rows.next()?.and_then(|row| row.get(0).as_integer())))
    };
    match (number(&count.statement), &count.otherwise) {
        // The statistics' table is there only once something was analysed.
        (Ok(None) | Err(DatabaseError::Sql { .. }), Some(otherwise)) => number(otherwise),
        (known, _) => known,
    }
}

impl Gathered {
    /// With room for most pages, so that it is not made larger row by row.
    fn with_room(plan: &ListPlan) -> Self {
        let rows = (plan.limit as usize + 1).min(ROWS_EXPECTED_MAX);
        Self {
            text: Vec::with_capacity(rows * ROW_BYTES_EXPECTED),
            rows: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Reads what is embedded, and writes the rows with it. One that only shows that there are more has none.
    fn embed(
        &mut self,
        transaction: &mut ReadTransaction<'_>,
        nest: &Nest,
        sheet: &Sheet,
        (limit, rows_most): (usize, u64),
    ) -> Result<(), DatabaseError> {
        let count = sheet.len().min(limit);
        match Embedded::read(transaction, nest, sheet, count, rows_most)? {
            Err(excess) => self.excess = Some(excess),
            Ok(embedded) => {
                for (row, range) in self.rows.iter_mut().enumerate().take(count) {
                    let from = self.text.len();
                    embedded.write(&mut self.text, nest, sheet, row);
                    *range = from..self.text.len();
                }
                self.tags = embedded.tags;
            }
        }
        Ok(())
    }

    fn add(&mut self, rows: &mut Rows<'_>, plan: &ListPlan) -> Result<(), DatabaseError> {
        let limit = plan.limit as usize;
        while let Some(row) = rows.next()? {
            let (from, place) = (self.text.len(), self.rows.len());
            match &mut self.sheet {
                Some(sheet) => sheet.add(row),
                None if place < limit => render::row(&mut self.text, &plan.columns, row),
                // It only shows that there are more.
                None => {}
            }
            self.rows.push(from..self.text.len());
            if place == 0 || place + 1 == limit {
                let values = plan.positions().iter().map(|column| row.get(*column).to_value());
                self.edges[usize::from(place > 0)] = values.collect();
            }
        }
        Ok(())
    }

    fn response(
        &self,
        table: &Table,
        request: &Request,
        plan: &ListPlan,
        (preferences, media): (Preferences, Media),
    ) -> Result<Response, Problem> {
        let terms = plan.positions();
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let position = |row: &usize, place: usize| {
            let term = terms.iter().position(|known| *known == place).expect("only these are asked for");
            self.edges[usize::from(*row > 0)][term].clone()
        };
        let page = plan.page(&mut order, position, &table.cursors)?;
        let envelope = table.envelope.as_deref().filter(|_| media == Media::Json);
        let body = media.of_rows(self.body(envelope, &order, &page), &plan.columns)?;
        let mut response = render::answer(StatusCode::OK, media, body);
        if let Some(links) = link::pages(&request.uri, page.next.as_deref(), page.prev.as_deref()) {
            response.headers.insert(header::LINK, links);
        }
        let mut applied = preferences.heeded();
        applied.extend(preferences.count_text().filter(|_| plan.count.is_some()));
        if let Some(applied) = Preferences::applied(&applied) {
            response.headers.insert(prefer::PREFERENCE_APPLIED, applied);
        }
        let shown = Shown {
            from: plan.from,
            rows: order.len(),
            has_more: page.has_more,
            total: plan.count.as_ref().map(|count| count.total(self.counted)),
            roughly: preferences.count.is_some_and(|count| count.rule == CountRule::Estimated),
            by_range: plan.by_range,
        };
        shown.describe(&mut response)?;
        Ok(response)
    }

    fn body(&self, envelope: Option<&str>, order: &[usize], page: &Page) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.text.len() + order.len() + 160);
        if let Some(name) = envelope {
            body.push(b'{');
            json::text(&mut body, name);
            body.push(b':');
        }
        body.push(b'[');
        for (place, row) in order.iter().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&self.text[self.rows[*row].clone()]);
        }
        body.push(b']');
        if envelope.is_some() {
            body.extend_from_slice(b",\"next_cursor\":");
            match &page.next {
                Some(cursor) => json::text(&mut body, cursor),
                None => body.extend_from_slice(b"null"),
            }
            body.push(b'}');
        }
        body
    }
}
