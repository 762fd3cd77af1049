//! What becomes of an answer: whether it is stored, for how long, and what the same request gets later.

use std::time::Duration;

use http::header::{HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use kasoku_config::{CachePlan, RoutePlan};
use kasoku_http_caching::freshness::Freshness as Known;
use kasoku_http_caching::groups;
use kasoku_http_caching::reason::Reason;
use kasoku_http_caching::targeted::{self, Field};
use kasoku_pipeline::{CacheFacts, Foresight};
use kasoku_policies::cache::CacheRules;
use kasoku_policies::observe::{cache_status, x_cache};
use kasoku_policies::rfc9111::HttpCacheRules;
use kasoku_policies::rfc9111::explain::{Held, held};

use super::facts::{Answer, Because, Freshness, Later, Outcome};
use super::question::{Question, Recorded};
use super::rehearsal::{Rehearsal, Run, Seen, Way};
use super::stand_in::Answers;
use crate::app::StartError;

/// One second.
const SECOND: Duration = Duration::from_secs(1);

/// Times at which the same request is made again, and what is special about them.
type Times = Vec<(Duration, &'static str)>;

/// What becomes of an answer that was seen in this run.
pub(super) async fn answer(
    rehearsal: &Rehearsal,
    (route, question): (&RoutePlan, &Question),
    run: &Run<'_>,
    seen: Seen,
    foresight: &Foresight,
) -> Result<Answer, StartError> {
    let mut answer = Answer {
        supposed: question.recorded.is_none() || matches!(foresight, Foresight::Read { .. }),
        first: outcome(&seen),
        stored: false,
        because: None,
        freshness: None,
        varies_by: Vec::new(),
        depends_on: Vec::new(),
        removed_by: Vec::new(),
        then: Vec::new(),
    };
    let times = match &route.cache {
        None => return Ok(answer),
        Some(CachePlan::Declared(rules)) => {
            answer.stored = seen.facts.stored;
            answer.freshness = answer.stored.then(|| declared(rules));
            declared_times(rules)
        }
        Some(CachePlan::Rfc9111(rules)) => {
            let kept = kept(rehearsal, (route, question), run, rules);
            answer.stored = kept.is_some();
            if let Some(kept) = &kept {
                answer.varies_by = kept.varies_by.iter().map(ToString::to_string).collect();
                answer.freshness = Some(said(&kept.freshness, question.recorded.as_ref(), rules));
            } else {
                answer.because = not_stored(rehearsal, question).await?;
            }
            kept.map_or_else(|| vec![(Duration::ZERO, "at once")], |kept| times(&kept.freshness))
        }
    };
    if answer.stored {
        answer.depends_on = depends_on(foresight, question.recorded.as_ref());
        answer.removed_by = removed_by(route, question, foresight);
    }
    for (after, when) in times {
        answer.then.push(later(rehearsal, question, after, when).await?);
    }
    Ok(answer)
}

/// What is in the store after a run.
fn kept(
    rehearsal: &Rehearsal,
    (route, question): (&RoutePlan, &Question),
    run: &Run<'_>,
    rules: &HttpCacheRules,
) -> Option<Held> {
    let Way::Pipeline(_, request) = run.way(question) else { return None };
    held(rules, run.store(), &rehearsal.surroundings(route), &request)
}

/// Why nothing was stored. Of an answer that comes in parts this is known only after its caller has been answered; so
/// it is asked for once more, in one piece.
async fn not_stored(rehearsal: &Rehearsal, question: &Question) -> Result<Option<Because>, StartError> {
    let Some(recorded) = question.recorded.clone() else { return Ok(None) };
    let run = rehearsal.run(Answers::Whole(recorded))?;
    let seen = run.ask(question).await;
    Ok(seen.and_then(|seen| seen.facts.reason).map(because))
}

/// The same request once more, after a while, and once more if the source cannot be reached.
async fn later(
    rehearsal: &Rehearsal,
    question: &Question,
    after: Duration,
    when: &'static str,
) -> Result<Later, StartError> {
    let answers = question.recorded.clone().map_or(Answers::Anything, Answers::Streamed);
    let mut outcomes = Vec::with_capacity(2);
    let mut asks_by = Vec::new();
    for answers_then in [answers.clone(), Answers::Nothing] {
        let run = rehearsal.run(answers.clone())?;
        run.ask(question).await;
        run.asked();
        run.wait(after);
        run.answer(answers_then);
        outcomes.extend(run.ask(question).await.map(|seen| outcome(&seen)));
        if let (1, Some(came)) = (outcomes.len(), run.asked().first()) {
            let conditions =
                [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_MATCH, IF_UNMODIFIED_SINCE, IF_RANGE, RANGE];
            let lines = conditions.iter().filter_map(|name| Some((name, came.request.headers.get(name)?)));
            asks_by = lines
                .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
                .collect();
        }
    }
    let unreachable = outcomes.pop().unwrap_or_else(nothing);
    let outcome = outcomes.pop().unwrap_or_else(nothing);
    Ok(Later { after_s: after.as_secs(), when, outcome, asks_by, if_unreachable: unreachable })
}

fn nothing() -> Outcome {
    Outcome { status: 0, x_cache: String::new(), cache_status: String::new(), because: None }
}

/// What a caller gets. Which change the answer is right up to is not known before it is read.
pub(super) fn outcome(seen: &Seen) -> Outcome {
    let facts = CacheFacts { as_of: None, ..seen.facts };
    let line = cache_status(&facts, seen.kind);
    Outcome {
        status: seen.status.as_u16(),
        x_cache: x_cache(&seen.facts).to_owned(),
        cache_status: String::from_utf8_lossy(line.as_bytes()).into_owned(),
        because: seen.facts.reason.map(because),
    }
}

fn because(reason: Reason) -> Because {
    Because { reason: reason.token(), clause: reason.clause(), sentence: reason.explain() }
}

/// Lifetimes that the route declares.
fn declared(rules: &CacheRules) -> Freshness {
    Freshness {
        lifetime_s: rules.fresh.as_secs(),
        source: "configured",
        clause: "`cache.fresh`",
        field: None,
        age_s: 0,
        stale_after_s: rules.fresh.as_secs(),
        stale_while_revalidate_s: rules.stale_while_revalidate.as_secs(),
        stale_if_error_s: rules.stale_if_error.as_secs(),
        stale_if_unreachable_s: rules.stale_if_error.as_secs(),
        must_revalidate: false,
        no_cache: false,
        immutable: false,
        for_credentials: true,
        withheld: Vec::new(),
    }
}

/// What the stored answer said of its own reuse.
fn said(known: &Known, recorded: Option<&Recorded>, rules: &HttpCacheRules) -> Freshness {
    let field =
        recorded.map(|recorded| match targeted::effective(&recorded.headers, &rules.storing.targets).field {
            Field::Targeted(name) => name.to_string(),
            Field::General => "cache-control".to_owned(),
        });
    Freshness {
        lifetime_s: known.lifetime.as_secs(),
        source: known.source.token(),
        clause: known.source.clause(),
        field,
        age_s: known.age.as_secs(),
        stale_after_s: known.lifetime.saturating_sub(known.age).as_secs(),
        stale_while_revalidate_s: known.stale_while_revalidate.as_secs(),
        stale_if_error_s: known.stale_if_error.as_secs(),
        stale_if_unreachable_s: known.stale_if_unreachable.as_secs(),
        must_revalidate: known.must_revalidate,
        no_cache: known.always_validate,
        immutable: known.immutable,
        for_credentials: known.shareable_with_credentials,
        withheld: known.withheld.iter().map(ToString::to_string).collect(),
    }
}

/// What the answer depends on, or what its origin calls it by.
fn depends_on(foresight: &Foresight, recorded: Option<&Recorded>) -> Vec<String> {
    if let Foresight::Read { tags, .. } = foresight {
        return tags.iter().map(|(_, name)| name.clone()).collect();
    }
    let Some(recorded) = recorded else { return Vec::new() };
    let (groups, names) = called(recorded);
    let groups = groups.iter().map(|name| format!("the cache group {name} of its origin"));
    groups.chain(names.iter().map(|name| format!("the tag {name} of its origin"))).collect()
}

/// Groups and names that an origin gives its answer.
fn called(recorded: &Recorded) -> (Vec<String>, Vec<String>) {
    let headers = &recorded.headers;
    let mut names = groups::surrogate_keys(headers).unwrap_or_default();
    names.extend(groups::cache_tags(headers).unwrap_or_default());
    (groups::groups(headers).unwrap_or_default(), names)
}

/// What takes a stored answer away before its time.
fn removed_by(route: &RoutePlan, question: &Question, foresight: &Foresight) -> Vec<String> {
    let target = &question.target;
    let mut told = Vec::new();
    if matches!(route.cache, Some(CachePlan::Declared(_))) {
        told.push("a change to what it depends on, before the change is answered".to_owned());
    } else {
        told.push(format!("a successful unsafe request to {target}, or one whose answer names it"));
    }
    let (groups, mut names) = question.recorded.as_ref().map(called).unwrap_or_default();
    if let Foresight::Read { purged_by, .. } = foresight {
        names.extend(purged_by.iter().map(|(_, table)| table.clone()));
    }
    told.extend(
        groups
            .iter()
            .map(|group| format!("Cache-Group-Invalidation: \"{group}\" in the answer to an unsafe request")),
    );
    told.push(format!("kasoku purge --url '{target}'"));
    let host = question.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    told.extend(groups.iter().map(|group| format!("kasoku purge --group '{group}' --host {host}")));
    told.extend(names.into_iter().map(|name| format!("kasoku purge --tag {name}")));
    told
}

fn declared_times(rules: &CacheRules) -> Times {
    let windows = [
        (rules.stale_while_revalidate, "just before stale_while_revalidate ends", "just after"),
        (rules.stale_if_error, "just before stale_if_error ends", "just after"),
    ];
    around(rules.fresh, &windows)
}

fn times(known: &Known) -> Times {
    let windows = [
        (known.stale_while_revalidate, "just before stale-while-revalidate ends", "just after"),
        (known.stale_if_error, "just before stale-if-error ends", "just after"),
    ];
    around(known.lifetime.saturating_sub(known.age), &windows)
}

/// Now, around the end of the lifetime, and around the ends of what is allowed beyond.
fn around(fresh: Duration, windows: &[(Duration, &'static str, &'static str)]) -> Times {
    let mut times = vec![(Duration::ZERO, "at once")];
    if fresh > SECOND {
        times.push((fresh.saturating_sub(SECOND), "just before it is stale"));
    }
    if !fresh.is_zero() {
        times.push((fresh, "just stale"));
    }
    for (window, before, after) in windows.iter().filter(|(window, ..)| *window > SECOND) {
        times.push(((fresh + *window).saturating_sub(SECOND), before));
        times.push((fresh + *window + SECOND, after));
    }
    times.sort_by_key(|(after, _)| *after);
    times.dedup_by_key(|(after, _)| *after);
    times
}
