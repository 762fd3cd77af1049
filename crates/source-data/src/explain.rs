//! How the database would read a list, for callers who may know it.
//!
//! The lines are the database's own, for the statement and values of this request, which is not run. Nothing is kept of
//! the answer: it depends on statistics, which change without anybody being told.

use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use kasoku_database::{DatabaseError, Rows};
use kasoku_pipeline::{Outcome, Request};
use serde_json::json;

use crate::list;
use crate::media::{self, Media, PlanText};
use crate::prefer::Preferences;
use crate::render;
use crate::table::Table;

/// Lines of one plan; more are left out of none that the planner makes.
const LINES_MAX: usize = 10_000;

pub(crate) async fn answer(table: &Table, request: Request) -> Outcome {
    let media = Media::of(&request.headers, media::OF_ROWS_AND_PLANS)?;
    let preferences = Preferences::of(&request.headers)?;
    let plan = list::plan(table, &request, &preferences)?;
    let (statement, place) = table.planner.explained(&plan.statement);
    let lines = move |rows: &mut Rows<'_>| -> Result<Vec<String>, DatabaseError> {
        let mut lines = Vec::new();
        while let Some(row) = rows.next()?.filter(|_| lines.len() < LINES_MAX) {
            lines.push(row.get(place).as_text().unwrap_or_default().to_owned());
        }
        Ok(lines)
    };
    let (lines, _) = table
        .lanes
        .read(&statement, request.deadline, lines)
        .await
        .map_err(DatabaseError::problem_of_asking)?;
    let text = match media {
        Media::Plan(PlanText::Json) => json!([{ "Plan": { "Lines": lines } }]).to_string(),
        _ => lines.join("\n"),
    };
    let mut response = render::answer(StatusCode::OK, media, text.into_bytes());
    response.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
