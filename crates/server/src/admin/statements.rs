//! `GET /api/statements`: the statements that took longest, and how the database would run them.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use kasoku_problem::{Kind, Problem};
use serde::Deserialize;
use serde_json::json;

use super::{Desk, refuse};
use crate::metrics::StatementReport;

/// Statements of one answer, at the most. Each costs the database one `explain`.
const STATEMENTS_MAX: usize = 100;

type Measure = fn(&StatementReport) -> f64;

/// What statements can be compared by.
const MEASURES: [(&str, Measure); 6] = [
    ("time", |report| report.total_ms),
    ("mean", |report| report.mean_ms),
    ("p95", |report| report.p95_ms),
    ("p99", |report| report.p99_ms),
    ("slowest", |report| report.slowest_ms),
    ("slow", |report| report.slow as f64),
];

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    by: String,
    top: usize,
    plans: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { by: "time".into(), top: 10, plans: true }
    }
}

/// Answers the statements at the top.
pub(super) async fn slow(
    State(desk): State<Arc<Desk>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = match asked {
        Ok(Query(asked)) => asked,
        Err(rejection) => return refuse(Problem::new(Kind::InvalidParameter).detail(rejection.body_text())),
    };
    let Some((_, measure)) = MEASURES.iter().find(|(known, _)| *known == asked.by) else {
        let known = MEASURES.map(|(name, _)| name).join(", ");
        let problem = Problem::new(Kind::InvalidParameter).detail(format!("`by` is one of {known}"));
        return refuse(problem.member("parameter", "by"));
    };
    if !(1..=STATEMENTS_MAX).contains(&asked.top) {
        let detail = format!("`top` is from 1 to {STATEMENTS_MAX}");
        return refuse(Problem::new(Kind::InvalidParameter).detail(detail).member("parameter", "top"));
    }
    let mut reports = desk.state.metrics.statements();
    let seen = reports.len();
    reports.sort_by(|one, two| {
        measure(two).total_cmp(&measure(one)).then_with(|| one.statement.cmp(&two.statement))
    });
    reports.truncate(asked.top);
    if asked.plans {
        // One at a time, however many ask.
        let _turn = desk.explaining.lock().await;
        let (vitals, texts) = (
            Arc::clone(&desk.state.vitals),
            reports.iter().map(|report| report.sql.clone()).collect::<Vec<_>>(),
        );
        let Ok(plans) = tokio::task::spawn_blocking(move || vitals.plans_of(&texts)).await else {
            return refuse(Problem::new(Kind::Internal).detail("the plans could not be asked for"));
        };
        for (report, plan) in reports.iter_mut().zip(plans) {
            report.plan = plan;
        }
    }
    Json(json!({ "by": asked.by, "statements": reports, "seen": seen })).into_response()
}
