//! What would happen to a request, and which clause or setting decides: told offline, by rehearsal.
//!
//! Nothing is contacted and nothing is written. The plan is made into routes as for serving, on a clock that stands
//! still, with an empty database and with sources that tell what they would do; then the request is run. What the
//! rules make of fields, keys and lifetimes is asked of the same functions that decide while serving.

mod afterwards;
mod describe;
mod facts;
mod question;
mod rehearsal;
mod stand_in;
mod text;

use http::HeaderMap;
use http::header::{HOST, LOCATION};
use kasoku_config::{CachePlan, Plan, RoutePlan};
use kasoku_http_caching::{groups, invalidation};
use kasoku_pipeline::{Foresight, Promises, Request};
use kasoku_policies::cache::{KeyPart, explain as declared};
use kasoku_policies::rfc9111::explain as rfc9111;
use kasoku_problem::Kind;
use kasoku_source_data::KEY_PARAM;

use self::facts::{Asked, Field, Forward, Named, Refused};
use self::rehearsal::{Rehearsal, Seen, Way};
use self::stand_in::Answers;
use crate::app::StartError;

pub use self::facts::Explanation;
pub use self::question::{Question, QuestionError, Recorded, RecordedError, field};

/// What stands for what must not be shown.
const COVERED: &str = "…";

/// Tells what would happen to a request under a plan.
pub async fn explain(plan: &Plan, question: &Question) -> Result<Explanation, StartError> {
    let date = question.recorded.as_ref().and_then(Recorded::date);
    let rehearsal = Rehearsal::new(plan.clone(), date).await?;
    let explained = explain_with(&rehearsal, plan, question).await;
    rehearsal.close();
    explained
}

async fn explain_with(
    rehearsal: &Rehearsal,
    plan: &Plan,
    question: &Question,
) -> Result<Explanation, StartError> {
    let answers = question.recorded.clone().map_or(Answers::Anything, Answers::Streamed);
    let run = rehearsal.run(answers)?;
    let mut explanation = Explanation { request: asked(question), ..Explanation::default() };
    let Way::Pipeline(_, request) = run.way(question) else {
        explanation.method = describe::health();
        explanation.route = Some(describe::health_route());
        return Ok(explanation);
    };
    let Some(seen) = run.ask(question).await else { return Ok(explanation) };
    let came = run.asked().into_iter().next();
    let route = run.route().and_then(|index| plan.routes.iter().find(|route| route.name.index == index));
    explanation.method = describe::method(&question.method, came.is_some(), &seen);
    if came.is_none() {
        explanation.refused = Some(refused(&seen));
    }
    let of_rows = route.map(RoutePlan::of_rows);
    let is_of_row = came.as_ref().is_some_and(|came| came.request.params.get(KEY_PARAM).is_some());
    let route = if is_of_row { of_rows.as_ref() } else { route };
    let Some(route) = route else {
        if seen.status == http::StatusCode::NOT_FOUND {
            let patterns = plan.routes.iter().map(|route| &*route.name.pattern);
            explanation.nearest = describe::nearest(patterns, question.target.path()).map(str::to_owned);
        }
        return Ok(explanation);
    };
    explanation.route = Some(describe::route(route));
    explanation.limits = Some(describe::limits(route));
    explanation.cache = describe::cache(route);
    let Some(came) = came else {
        explanation.key = key(route, &request, None);
        explanation.fields = fields(route, &request, None);
        return Ok(explanation);
    };
    explanation.forward = forward(&came.foresight);
    explanation.invalidates = invalidates(route, &request, &seen);
    if explanation.method.treatment != describe::READ {
        return Ok(explanation);
    }
    // What the source has chosen is keyed in its own spelling; fields of others are keyed as they came.
    let keyed = if matches!(route.cache, Some(CachePlan::Declared(_))) { &came.request } else { &request };
    explanation.key = key(route, keyed, Some(&came.promises));
    explanation.fields = fields(route, &request, Some(&came.promises));
    if question.recorded.is_some() || matches!(came.foresight, Foresight::Read { .. }) {
        let answer = afterwards::answer(rehearsal, (route, question), &run, seen, &came.foresight).await?;
        explanation.answer = Some(answer);
    }
    Ok(explanation)
}

fn asked(question: &Question) -> Asked {
    Asked {
        method: question.method.to_string(),
        target: question.target.to_string(),
        host: shown(question.headers.get(HOST).map(http::HeaderValue::as_bytes)),
    }
}

fn shown(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn refused(seen: &Seen) -> Refused {
    let title = seen.kind.map_or_else(|| seen.status.canonical_reason().unwrap_or_default(), Kind::title);
    let location = seen.headers.get(LOCATION).map(|location| shown(Some(location.as_bytes())));
    let detail = seen.detail.clone().or(location.map(|location| format!("see {location}")));
    Refused { outcome: afterwards::outcome(seen), title: title.to_owned(), detail }
}

/// The key's parts, as the cache of the route makes it; if that needs promises, of a source that was reached.
fn key(route: &RoutePlan, request: &Request, promises: Option<&Promises>) -> Vec<Named> {
    let parts = match (&route.cache, promises) {
        (Some(CachePlan::Rfc9111(rules)), _) => rfc9111::key(rules, route.name.index, request),
        (Some(CachePlan::Declared(_)), Some(promises)) => declared::key(route.name.index, promises, request),
        _ => Vec::new(),
    };
    parts.into_iter().map(|KeyPart { name, value }| Named { name, value }).collect()
}

fn fields(route: &RoutePlan, request: &Request, promises: Option<&Promises>) -> Vec<Field> {
    match (&route.cache, promises) {
        (Some(CachePlan::Rfc9111(rules)), _) => {
            let fields = rfc9111::fields(rules, request).into_iter();
            let told = fields.map(|field| Field {
                value: covered(&field.name, &field.value),
                name: field.name.to_string(),
                treatment: field.treatment.token(),
                because: field.treatment.explain(),
                clause: field.because.clause(),
            });
            told.collect()
        }
        (Some(CachePlan::Declared(_)), Some(promises)) => {
            let told = request.headers.iter().map(|(name, value)| {
                let (treatment, because, clause) = describe::of_declared(name, promises);
                Field { value: covered(name, value), name: name.to_string(), treatment, because, clause }
            });
            told.collect()
        }
        _ => Vec::new(),
    }
}

/// A value; of credentials, what kind they are.
fn covered(name: &http::HeaderName, value: &http::HeaderValue) -> String {
    let text = shown(Some(value.as_bytes()));
    match name.as_str() {
        "authorization" | "proxy-authorization" => match text.split_once(' ') {
            Some((scheme, _)) => format!("{scheme} {COVERED}"),
            None => COVERED.to_owned(),
        },
        _ => text,
    }
}

fn named(headers: &HeaderMap) -> Vec<Named> {
    let named = |(name, value): (&http::HeaderName, &http::HeaderValue)| Named {
        name: name.to_string(),
        value: Some(covered(name, value)),
    };
    headers.iter().map(named).collect()
}

fn forward(foresight: &Foresight) -> Option<Forward> {
    match foresight {
        Foresight::Unknown => None,
        Foresight::Ask { method, target, headers } => Some(Forward::Request {
            method: method.to_string(),
            target: target.to_string(),
            fields: named(headers),
        }),
        Foresight::Read { sql, values, .. } => {
            Some(Forward::Statement { sql: describe::on_one_line(sql), values: values.clone() })
        }
    }
}

/// What a successful answer to an unsafe request takes out of the cache.
fn invalidates(route: &RoutePlan, request: &Request, seen: &Seen) -> Vec<String> {
    if invalidation::is_safe(&request.method) {
        return Vec::new();
    }
    if !matches!(route.cache, Some(CachePlan::Rfc9111(_))) {
        return vec!["all answers that depend on the rows that it changes, before it is answered".to_owned()];
    }
    let host = shown(request.headers.get(HOST).map(http::HeaderValue::as_bytes));
    let target = http::Uri::builder().scheme("http").authority(host);
    let target = target.path_and_query(request.uri.to_string()).build();
    let targets =
        target.map(|target| invalidation::targets(&request.method, &target, seen.status, &seen.headers));
    let told = targets.unwrap_or_default().into_iter().map(|uri| format!("answers for {uri}"));
    let groups = groups::invalidated(&request.method, &seen.headers).unwrap_or_default();
    told.chain(groups.into_iter().map(|group| format!("answers of the cache group `{group}`"))).collect()
}
