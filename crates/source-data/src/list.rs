//! A page of a table's rows: planned, read, put in order, and linked to its neighbours.

use std::ops::Range;
use std::sync::Arc;

use http::{StatusCode, header};
use kasoku_database::{DatabaseError, ReadTransaction, Rows, Statement, json};
use kasoku_pipeline::{Outcome, Request, Response};
use kasoku_problem::Problem;
use kasoku_sql_plan::{CountPlan, CountRule, ListPlan, Page, Value};

use crate::lanes::Planned;
use crate::media::{self, Media};
use crate::prefer::{self, Preferences};
use crate::range::{self, Shown};
use crate::table::Table;
use crate::{link, render};

/// Rows as JSON, with the values that place them in the sort.
#[derive(Debug, Default)]
struct Gathered {
    text: Vec<u8>,
    rows: Vec<Range<usize>>,
    /// As many values for each row as the sort has terms.
    positions: Vec<Value>,
    counted: Option<i64>,
}

pub(crate) async fn answer(table: &Table, request: Request) -> Outcome {
    let preferences = Preferences::of(&request.headers)?;
    let media = Media::of(&request.headers, media::OF_ROWS)?;
    let plan = Arc::new(plan(table, &request, &preferences)?);
    let alone = plan.count.is_none() && plan.follow_up(0).is_none();
    let reading = Arc::clone(&plan);
    let read = if alone {
        let gather = move |rows: &mut Rows<'_>| {
            let mut gathered = Gathered::default();
            gathered.add(rows, &reading)?;
            Ok(gathered)
        };
        table.lanes.read(&plan.statement, request.deadline, gather).await
    } else {
        let gather = move |transaction: &mut ReadTransaction<'_>| gather(transaction, &reading);
        table.lanes.read_many(&plan.statement.sql, request.deadline, gather).await
    };
    let (gathered, snapshot) = read.map_err(Problem::from)?;
    let mut response = gathered.response(table, &request, &plan, (preferences, media))?;
    response.tags = plan.tags.iter().copied().chain([table.purge_tag]).collect();
    response.snapshot = Some(snapshot);
    Ok(response)
}

/// Plans a request for a page.
pub(crate) fn plan(table: &Table, request: &Request, preferences: &Preferences) -> Result<ListPlan, Problem> {
    let count = preferences.count_of(&table.planner)?;
    let range = range::asked(&request.headers)?.filter(|_| table.takes_ranges);
    table.planner.list_within(request.uri.query(), range, count, &table.cursors)
}

fn gather(transaction: &mut ReadTransaction<'_>, plan: &ListPlan) -> Result<Gathered, DatabaseError> {
    let mut gathered = Gathered::default();
    query(transaction, &plan.statement, |rows| gathered.add(rows, plan))?;
    if let Some(rest) = plan.follow_up(gathered.rows.len()) {
        query(transaction, &rest, |rows| gathered.add(rows, plan))?;
    }
    if let Some(count) = &plan.count {
        gathered.counted = counted(transaction, count)?;
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
    fn add(&mut self, rows: &mut Rows<'_>, plan: &ListPlan) -> Result<(), DatabaseError> {
        while let Some(row) = rows.next()? {
            let from = self.text.len();
            render::row(&mut self.text, &plan.columns, row);
            self.rows.push(from..self.text.len());
            self.positions.extend(plan.positions().iter().map(|place| row.get(*place).to_value()));
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
            self.positions[row * terms.len() + term].clone()
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
