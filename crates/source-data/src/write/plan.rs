//! From a request to a job of the writer.

use http::{Method, StatusCode};
use kasoku_pipeline::Request;
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{CountRule, Missing, Resolution, TablePlanner, Target, Value, WritePlan};

use super::calendar;
use super::job::{Form, Guards, Job};
use crate::current::CurrentRow;
use crate::media::Media;
use crate::prefer::{self, End, Preferences, Return};
use crate::table::{KEY_PARAM, Table};

/// Plans a write, and how it is answered.
pub(super) fn job(
    table: &Table,
    request: &Request,
    body: &serde_json::Value,
    (preferences, media): (Preferences, Media),
    guards: Guards,
) -> Result<Job, Problem> {
    let planner = &table.planner_for(request);
    let (query, key) = (request.uri.query(), request.params.get(KEY_PARAM));
    let one = key.is_some() || (request.method == Method::POST && body.is_object());
    let plan = planned((table, planner), request, body, &preferences)?;
    let is_insert = request.method == Method::POST;
    let default = if request.method == Method::DELETE { Return::Minimal } else { Return::Representation };
    // Rows that are asked for by name come as a list does, be it of one row.
    let asked = preferences.returned == Some(Return::Representation);
    let single = key.is_some() || (one && !asked && media == Media::Json);
    let form = match preferences.returned.unwrap_or(default) {
        Return::Minimal | Return::HeadersOnly => Form::Minimal,
        Return::Representation if single => Form::Object { missing_is_not_found: !is_insert },
        Return::Representation => Form::Array,
    };
    let status = match form {
        _ if is_insert => StatusCode::CREATED,
        Form::Minimal => StatusCode::NO_CONTENT,
        _ => StatusCode::OK,
    };
    let located_in = (is_insert && one && table.has_key).then(|| request.uri.path().to_owned());
    let updates = matches!(request.method, Method::PUT | Method::PATCH);
    let tagged = updates
        && media == Media::Json
        && matches!(form, Form::Object { .. })
        && query.is_none_or(str::is_empty);
    let put_at = (request.method == Method::PUT).then(|| request.uri.path().to_owned());
    let current = match key.filter(|_| tagged || guards.conditions.is_some() || put_at.is_some()) {
        Some(key) => Some(CurrentRow::new(planner.one(key, None)?)),
        None => None,
    };
    let rows_most = preferences.affected_most.map_or(plan.rows_most, |most| most.min(plan.rows_most));
    Ok(Job {
        plan,
        guards,
        current,
        tagged,
        form,
        media,
        status,
        located_in,
        put_at,
        rows_most,
        names_row: key.is_some(),
        end: preferences.end.unwrap_or(End::Commit),
        counts: preferences.count.is_some_and(|count| count.rule != CountRule::None),
        changes: !is_insert,
    })
}

/// What is to be run.
fn planned(
    (table, planner): (&Table, &TablePlanner),
    request: &Request,
    body: &serde_json::Value,
    preferences: &Preferences,
) -> Result<WritePlan, Problem> {
    let (query, key) = (request.uri.query(), request.params.get(KEY_PARAM));
    let target = key.map_or(Target::Filters, Target::Key);
    let missing = preferences.missing.unwrap_or(Missing::Null);
    match (&request.method, preferences.resolution) {
        (&Method::POST, None) => planner.insert(query, body, missing),
        (&Method::POST, Some(_)) if !table.may_upsert => {
            let detail = "this route does not allow `Prefer: resolution=…`; its `write` setting lacks upsert";
            Err(Problem::new(Kind::InvalidParameter).detail(detail).member("parameter", "Prefer"))
        }
        (&Method::POST, Some(resolution)) => planner.upsert(
            query,
            body,
            match resolution {
                prefer::Resolution::MergeDuplicates => Resolution::Merge,
                prefer::Resolution::IgnoreDuplicates => Resolution::Ignore,
            },
            missing,
        ),
        (&Method::PUT, _) => planner.put(key.unwrap_or_default(), query, body),
        (&Method::PATCH, _) if key.is_none() && (body.is_array() || !table.may_update) => {
            planner.update_each(query, body)
        }
        (&Method::PATCH, _) => planner.update(target, query, body, preferences.affected_most),
        (&Method::DELETE, _) => planner.delete(
            target,
            query,
            preferences.affected_most,
            Value::Text(calendar(table.lanes.clock()).1),
        ),
        _ => Err(Kind::MethodNotAllowed.into()),
    }
}
